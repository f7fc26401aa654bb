/*
 * elasticsearch: searches an Elasticsearch for each event, and copies from what is found into it.
 *
 * The searches of a batch go side by side, a few at a time, in the order of the events.
 *
 * Source: logstash-filter-elasticsearch, lib/logstash/filters/elasticsearch.rb, dsl_executor.rb.
 * Threads: each worker has answers, turns of the nodes and, in the client, connections of its own;
 * all else is constant once open.
 */
#include "filters/elasticsearch.h"

#include <stdlib.h>

#include "base/fatal.h"
#include "base/file.h"
#include "base/owned.h"
#include "event/json.h"
#include "plugin/failure.h"
#include "text/rubytext.h"

enum { PARALLEL = 8, TEMPLATE_MAX = 1 << 20, GOOD_FIRST = 200, GOOD_LAST = 299 };
static const int64_t CONNECT_TIMEOUT_NS = 10000000000, TIMEOUT_NS = 60000000000;

static const char *const query_types[] = {"dsl", "esql", NULL};

static const struct option elasticsearch_options[] = {
#define SELF struct elasticsearch
    OPT(struct elasticsearch, OPT_AST, aggregation_fields, .preset = "{}",
        .doc = "Names of aggregations in the reply, and the field that gets each of them whole."),
    OPT(struct elasticsearch, OPT_AST, docinfo_fields, .preset = "{}",
        .doc = "What of a hit besides its document is copied, such as _id or _index, and the "
               "field that gets it."),
    OPT(struct elasticsearch, OPT_BOOL, enable_sort, .preset = "true",
        .doc = "Sends the setting sort with the query."),
    OPT(struct elasticsearch, OPT_AST, fields, .preset = "{}",
        .doc = "What of the document found is copied, and the field that gets it: a name, with "
               "dots as it is, or a path such as [geo][city]. What the document does not have "
               "becomes null; of several hits come lists. A hash, or a list of pairs."),
    OPT_NAMED(
        struct elasticsearch, OPT_TEMPLATE, "index", index, .preset = "",
        .doc = "The index to search, several with commas between, or patterns; all when empty. It "
               "may refer to fields, whose characters are encoded for the URL."),
    OPT(struct elasticsearch, OPT_TEMPLATE, query,
        .doc = "The query in Lucene's syntax, which may refer to fields. Their characters are not "
               "escaped for that syntax."),
    OPT(struct elasticsearch, OPT_PATH, query_template,
        .doc = "A file with the body of the search, in JSON of less than 1 MiB, which may refer to "
               "fields, instead of "
               "query; index is still used, result_size and sort are not. What fields hold is not "
               "escaped: an event with which the text is no JSON fails."),
    OPT(struct elasticsearch, OPT_PAIRS, query_params, .preset = "{}",
        .doc = "Names of parameters of an ES|QL query (?name) and the fields that hold them; a "
               "field that is missing gives null."),
    OPT(struct elasticsearch, OPT_ENUM, query_type, .preset = "dsl", .choices = query_types,
        .doc = "With esql the query is one of ES|QL, of Elasticsearch 8.11 and later: it is sent "
               "as it is, but LIMIT 1 is added to one that begins with FROM and has no LIMIT. "
               "fields then names columns, whose values are set without nulls, several as a list; "
               "the number of rows is in [@metadata][total_values]. Not with index, "
               "query_template, sort, enable_sort, result_size, docinfo_fields and "
               "aggregation_fields."),
    OPT(struct elasticsearch, OPT_INT, result_size, .preset = "1", .min = 0, .max = 10000,
        .doc = "How many hits are wanted."),
    OPT(struct elasticsearch, OPT_INT, retry_on_failure, .preset = "0", .min = 0, .max = 1000,
        .doc = "How often a search goes again, to the next server, when there is no answer, or one "
               "with a status of retry_on_status."),
    OPT(struct elasticsearch, OPT_STRINGS, retry_on_status, .preset = "[]",
        .doc = "Such statuses, for example 429 and 503."),
    OPT(struct elasticsearch, OPT_STRING, sort, .preset = "@timestamp:desc",
        .doc = "How hits are sorted: FIELD:asc or FIELD:desc, several with commas between."),
    OPT(struct elasticsearch, OPT_STRINGS, tag_on_failure,
        .preset = "_elasticsearch_lookup_failure",
        .doc = "Tags of events for which the search failed: no answer within 60 s, a status "
               "that is no success, failures of shards, an answer that is none of "
               "Elasticsearch's or longer than 64 MiB. A failure is logged at most every ten "
               "seconds."),
    OPT(struct elasticsearch, OPT_STRING, target,
        .doc = "A field in which those of fields, docinfo_fields and aggregation_fields are set; "
               "the event itself when not given. The number of all hits is in "
               "[@metadata][total_hits]."),
    OPT_NAMED(struct elasticsearch, OPT_PATH, "ca_file", connection.cacert,
              .deprecated = "use ssl_certificate_authorities",
              .doc = "The old name of ssl_certificate_authorities."),
    OPT_NAMED(struct elasticsearch, OPT_PATH, "keystore", connection.keystore,
              .deprecated = "use ssl_keystore_path", .doc = "The old name of ssl_keystore_path."),
    OPT_NAMED(struct elasticsearch, OPT_PASSWORD, "keystore_password", connection.keystore_password,
              .deprecated = "use ssl_keystore_password",
              .doc = "The old name of ssl_keystore_password."),
    OPT_NAMED(struct elasticsearch, OPT_AST, "proxy", connection.proxy,
              .doc = "The URL of a proxy, with user and password if it wants them. Empty: none."),
    OPT_NAMED(struct elasticsearch, OPT_BOOL, "ssl", elastic.ssl_enabled,
              .deprecated = "use ssl_enabled", .doc = "The old name of ssl_enabled."),
#include "net/elastic.def"
#include "net/tls_settings.def"
#undef SELF
    OPT_END,
};

/* ---- opening ---- */

/* The file's text, without a byte order mark; data NULL after plugin_error(). */
static struct str read_template(struct elasticsearch *e, struct plugin_open *cx)
{
    size_t     len;
    char      *bytes = file_read(arena_cstr(cx->arena, e->query_template), TEMPLATE_MAX, &len);
    struct str text = {NULL, 0};

    if (!bytes) {
        plugin_error(cx, "query_template", "the file cannot be read, or is longer than 1 MiB");
        return text;
    }
    text = arena_copy(cx->arena, (struct str){bytes, len});
    free(bytes);
    if (str_starts(text, STR("\xEF\xBB\xBF"))) text = str_from(text, 3);
    if (text.len > 0) return text;
    plugin_error(cx, "query_template", "the file is empty");
    return (struct str){NULL, 0};
}

static bool open_body(struct elasticsearch *e, struct plugin_open *cx)
{
    const char *problem = NULL;
    size_t      at;
    bool        fatal = false;
    struct str  text = read_template(e, cx);

    if (!text.data) return false;
    e->body = template_parse(cx->arena, text, &problem, &at, &fatal);
    if (fatal) return plugin_error(cx, "query_template", "%s", problem);
    if (problem) plugin_warning(cx, "query_template", "%s", problem);
    return true;
}

/* True when a LIMIT follows on a bar. */
static bool has_limit(struct str query)
{
    for (ptrdiff_t at; (at = str_find(query, STR("|"))) >= 0;) {
        query = str_from(query, (size_t)at + 1);
        size_t blanks = 0;
        while (blanks < query.len && strchr(" \t\r\n", query.data[blanks]))
            blanks++;
        if (str_starts(str_from(query, blanks), STR("LIMIT"))) return true;
    }
    return false;
}

static bool open_parameters(struct elasticsearch *e, struct plugin_open *cx)
{
    const char *problem = "the name of a field is expected";

    e->parameters =
        arena_zalloc(cx->arena, ((size_t)e->query_params.len + 1) * sizeof(*e->parameters));
    for (uint32_t i = 0; i < e->query_params.len; i++) {
        const struct pair *p = &e->query_params.at[i];
        struct str         name = ast_text(p->value);
        e->parameters[i].name = key_make(p->key);
        e->parameters[i].field = name.data ? field_parse(cx->arena, name, &problem, NULL) : NULL;
        if (e->parameters[i].field) continue;
        diag(cx->diags, DIAG_ERROR, p->value->loc, "%s", problem);
        return false;
    }
    return true;
}

static bool open_esql(struct elasticsearch *e, struct plugin_open *cx)
{
    static const char *const others[] = {
        "index",          "query_template",    "sort", "enable_sort", "result_size",
        "docinfo_fields", "aggregation_fields"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (plugin_setting(cx, others[i]))
            return plugin_error(cx, others[i], "\"%s\" does not go with query_type => \"esql\"",
                                others[i]);
    if (!e->query) return plugin_error(cx, "query", "\"query\" is required");
    e->esql = ruby_strip(template_source(e->query));
    if (str_starts(e->esql, STR("FROM")) && !has_limit(e->esql))
        e->esql = arena_printf(cx->arena, "%.*s | LIMIT 1", STR_ARG(e->esql));
    return open_parameters(e, cx);
}

static bool open_query(struct elasticsearch *e, struct plugin_open *cx)
{
    if (e->query_type == ELASTIC_ESQL) return open_esql(e, cx);
    if (e->query_params.len)
        return plugin_error(cx, "query_params",
                            "\"query_params\" goes with query_type => \"esql\"");
    if (!e->query == !e->query_template.data)
        return plugin_error(cx, "query", "give either \"query\" or \"query_template\"");
    return e->query || open_body(e, cx);
}

static bool check_statuses(const struct elasticsearch *e, struct plugin_open *cx)
{
    for (uint32_t i = 0; i < e->retry_on_status.len; i++) {
        int64_t status;
        if (!option_int(e->retry_on_status.at[i], &status) || status < 100 || status > 599)
            return plugin_error(cx, "retry_on_status", "\"%.*s\" is no status of HTTP",
                                STR_ARG(e->retry_on_status.at[i]));
    }
    return true;
}

static bool open_copies(struct elasticsearch *e, struct plugin_open *cx)
{
    bool dsl = e->query_type == ELASTIC_DSL;
    bool good = elastic_copies_read(e->fields, "fields", e->target, dsl, &e->from_source, cx);

    good &=
        elastic_copies_read(e->docinfo_fields, "docinfo_fields", e->target, true, &e->from_hit, cx);
    good &= elastic_copies_read(e->aggregation_fields, "aggregation_fields", e->target, false,
                                &e->from_aggregations, cx);
    return good;
}

static bool elasticsearch_open(void *self, struct plugin_open *cx)
{
    struct elasticsearch *e = self;
    bool                  good = open_query(e, cx);

    good = check_statuses(e, cx) && good;
    good = open_copies(e, cx) && good;
    e->total = field_parse(cx->arena,
                           e->query_type == ELASTIC_ESQL ? STR("[@metadata][total_values]")
                                                         : STR("[@metadata][total_hits]"),
                           NULL, NULL);
    e->connection.connect_timeout.ns = CONNECT_TIMEOUT_NS;
    e->connection.request_timeout.ns = TIMEOUT_NS;
    e->connection.keepalive = true;
    good = elastic_open(&e->elastic, &e->connection, "logstash-filter-elasticsearch", cx) && good;
    if (!good) {
        http_settings_close(&e->connection);
        return false;
    }
    e->workers = owned_new();
    return true;
}

static void elasticsearch_close(void *self)
{
    struct elasticsearch *e = self;

    http_settings_close(&e->connection);
    owned_free(e->workers);
}

/* ---- a search ---- */

/* What one event asks for. */
struct search {
    struct event *ev;
    const char   *problem; /* NULL: `reply` is there */
    struct str    what;
    struct value  reply;

    struct str path, body; /* body.data NULL: none */
    uint32_t   node;
};

static void put_index(struct str index, struct buf *out)
{
    if (index.len == 0) return;
    buf_char(out, '/');
    while (index.len) {
        const char *comma = memchr(index.data, ',', index.len);
        struct str  one = {index.data, comma ? (size_t)(comma - index.data) : index.len};
        if (str_is(one, "*"))
            buf_char(out, '*');
        else
            url_escape(out, one, false);
        if (comma) buf_char(out, ',');
        index = str_from(index, one.len + 1);
    }
}

static void put_query(const struct elasticsearch *e, struct event *ev, struct buf *out)
{
    buf_str(out, STR("?q="));
    url_escape(out, template_str(e->query, ev), false);
    buf_printf(out, "&size=%lld", (long long)e->result_size);
    if (!e->enable_sort) return;
    buf_str(out, STR("&sort="));
    url_escape(out, e->sort, false);
}

/* False when the template is no JSON with what the event holds. */
static bool make_body(const struct elasticsearch *e, struct search *s, struct filter_context *cx)
{
    struct value body;

    if (!json_decode(cx->arena, template_str(e->body, s->ev), NULL, &body, NULL)) return false;
    buf_clear(cx->buf);
    json_encode(body, cx->buf);
    s->body = arena_copy(cx->arena, buf_view(cx->buf));
    return true;
}

/* {"query": …, "params": [{"name": …}, …]} */
static void make_esql(const struct elasticsearch *e, struct search *s, struct filter_context *cx)
{
    struct list *params = list_new(cx->arena, e->query_params.len);
    struct map  *body = map_new(cx->arena, 2);

    for (uint32_t i = 0; i < e->query_params.len; i++) {
        const struct value *v = event_get(s->ev, e->parameters[i].field);
        struct map         *one = map_new(cx->arena, 1);
        *map_add(one, cx->arena, e->parameters[i].name) = v ? *v : value_null();
        list_push(params, cx->arena, value_map(one));
    }
    *map_add(body, cx->arena, key_make(STR("query"))) = value_string(e->esql);
    *map_add(body, cx->arena, key_make(STR("params"))) = value_list(params);
    buf_clear(cx->buf);
    json_encode(value_map(body), cx->buf);
    s->body = arena_copy(cx->arena, buf_view(cx->buf));
    s->path = STR("/_query?format=json&drop_null_columns=true");
}

static bool make_search(const struct elasticsearch *e, struct search *s, struct filter_context *cx)
{
    if (e->esql.data) {
        make_esql(e, s, cx);
        return true;
    }
    if (e->body && !make_body(e, s, cx)) {
        s->problem = "the query is not JSON";
        s->what = e->query_template;
        return false;
    }
    buf_clear(cx->buf);
    put_index(template_str(e->index, s->ev), cx->buf);
    buf_str(cx->buf, STR("/_search"));
    if (!e->body) put_query(e, s->ev, cx->buf);
    s->path = arena_copy(cx->arena, buf_view(cx->buf));
    return true;
}

/* ---- workers ---- */

struct worker {
    struct http_answer   answers[PARALLEL + 1]; /* the last one: of the question who it is */
    struct elastic_turns turns;
    bool                 known; /* it is an Elasticsearch */
    struct search       *at;
    uint32_t             len, next;
};

static void free_worker(void *worker)
{
    struct worker *w = worker;

    for (int i = 0; i <= PARALLEL; i++)
        http_answer_release(&w->answers[i]);
    elastic_turns_release(&w->turns);
    free(w);
}

static struct worker *worker_of(const struct elasticsearch *e, struct worker **state)
{
    if (*state) return *state;
    struct worker *w = xcalloc(1, sizeof(*w));
    elastic_turns_init(&w->turns, &e->elastic);
    return *state = owned_add(e->workers, w, free_worker);
}

static void make_request(const struct elasticsearch *e, const struct elastic_node *node,
                         const struct search *s, struct filter_context *cx,
                         struct http_request *out)
{
    bool own = e->elastic.user.len || e->elastic.api_key.secret.len; /* it is in the headers */

    *out = (struct http_request){
        .method = s->body.data ? "POST" : "GET",
        .url = arena_printf(cx->arena, "%.*s%.*s", STR_ARG(node->base), STR_ARG(s->path)),
        .headers = e->elastic.headers,
        .headers_len = e->elastic.headers_len,
        .body = s->body,
        .user = own ? (struct str){NULL, 0} : node->user,
        .password = node->password,
        .stop = cx->stop,
    };
}

/* ---- answers ---- */

/* Servers before 7.14 do not say in each answer what they are: they are asked once. NULL, or what
   is wrong. */
static const char *ask_who(const struct elasticsearch *e, struct worker *w, uint32_t node,
                           struct filter_context *cx)
{
    struct search       who = {.path = STR("/")};
    struct http_request request;
    struct http_answer *answer = &w->answers[PARALLEL];
    struct value        info;

    make_request(e, &e->elastic.nodes[node], &who, cx, &request);
    if (http_fetch(e->connection.client, &request, answer) != HTTP_ANSWERED)
        return "the server does not say what it is";
    struct str body = arena_copy(cx->arena, buf_view(&answer->body));
    w->known = answer->status == 401 || answer->status == 403 || /* it may not be asked */
               (json_decode(cx->arena, body, NULL, &info, NULL) && elastic_was_product(info));
    return w->known ? NULL : "the server is no Elasticsearch";
}

static void fail(struct search *s, const char *problem, struct buf *what, struct arena *a)
{
    s->problem = problem;
    s->what = arena_copy(a, buf_view(what));
}

static void settle(const struct elasticsearch *e, struct worker *w, struct search *s,
                   const struct http_exchange *x, struct filter_context *cx)
{
    const struct http_answer *answer = x->answer;

    buf_clear(cx->buf);
    if (x->result != HTTP_ANSWERED) {
        buf_str(cx->buf, buf_view(&answer->problem));
        fail(s, "the search failed", cx->buf, cx->arena);
        return;
    }
    if (answer->status < GOOD_FIRST || answer->status > GOOD_LAST) {
        elastic_explain(answer, cx->scratch, cx->buf);
        fail(s, "the search was refused", cx->buf, cx->arena);
        return;
    }
    w->known |= elastic_is_product(answer);
    const char *stranger = w->known ? NULL : ask_who(e, w, s->node, cx);
    struct str  body = arena_copy(cx->arena, buf_view(&answer->body));
    buf_str(cx->buf, e->elastic.nodes[s->node].base);
    if (stranger)
        fail(s, stranger, cx->buf, cx->arena);
    else if (!json_decode(cx->arena, body, NULL, &s->reply, NULL))
        fail(s, "the reply is not JSON", cx->buf, cx->arena);
}

/* Notes servers that do not answer. */
static bool goes_again(const struct elasticsearch *e, struct worker *w, const struct search *s,
                       const struct http_exchange *x)
{
    int64_t status;

    if (x->result == HTTP_STOPPED || x->result == HTTP_UNFIT || x->result == HTTP_TOO_LARGE)
        return false;
    if (x->result != HTTP_ANSWERED) {
        elastic_turns_failed(&w->turns, s->node);
        return true;
    }
    for (uint32_t i = 0; i < e->retry_on_status.len; i++)
        if (option_int(e->retry_on_status.at[i], &status) && status == x->answer->status)
            return true;
    return false;
}

/* ---- asking, for the events of a batch ---- */

static void search_some(const struct elasticsearch *e, struct worker *w, struct search **all,
                        uint32_t n, struct filter_context *cx)
{
    struct http_exchange exchanges[PARALLEL];
    struct search       *open[PARALLEL];

    memcpy(open, all, n * sizeof(*open));
    for (int64_t again = e->retry_on_failure; n > 0; again--) {
        uint32_t left = 0;
        for (uint32_t i = 0; i < n; i++) {
            open[i]->node = elastic_turns_next(&w->turns, &e->elastic);
            make_request(e, &e->elastic.nodes[open[i]->node], open[i], cx, &exchanges[i].request);
            exchanges[i].answer = &w->answers[i];
        }
        http_fetch_all(e->connection.client, exchanges, n);
        for (uint32_t i = 0; i < n; i++) {
            if (goes_again(e, w, open[i], &exchanges[i]) && again > 0)
                open[left++] = open[i];
            else
                settle(e, w, open[i], &exchanges[i], cx);
        }
        n = left;
    }
}

static void elasticsearch_prepare(const void *self, struct event *const *ev, uint32_t n,
                                  struct filter_context *cx)
{
    const struct elasticsearch *e = self;
    struct worker              *w = worker_of(e, cx->state);
    struct search              *some[PARALLEL];
    uint32_t                    len = 0;

    w->at = arena_zalloc(cx->arena, n * sizeof(*w->at));
    w->len = n;
    w->next = 0;
    for (uint32_t i = 0; i < n; i++) {
        w->at[i].ev = ev[i];
        if (make_search(e, &w->at[i], cx)) some[len++] = &w->at[i];
        if (len < PARALLEL && i + 1 < n) continue;
        search_some(e, w, some, len, cx);
        len = 0;
    }
}

/* ---- one event ---- */

static enum verdict elasticsearch_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit     limit;
    const struct elasticsearch *e = self;
    struct worker              *w = worker_of(e, cx->state);
    enum elastic_verdict        verdict = ELASTIC_FAILED;

    if (w->next == w->len || w->at[w->next].ev != ev) elasticsearch_prepare(self, &ev, 1, cx);
    struct search *s = &w->at[w->next++];
    if (!s->problem) {
        s->what = e->esql.data ? e->esql : template_source(e->index);
        verdict = elastic_reply_copy(e, s->reply, ev, &s->problem);
    }
    if (verdict == ELASTIC_FOUND) return FILTER_MATCH;
    if (verdict == ELASTIC_NOTHING) return FILTER_PASS;
    filter_failed(cx, &limit, "filter.elasticsearch", s->problem, s->what);
    event_tag_all(ev, &e->tag_on_failure);
    return FILTER_PASS;
}

const struct plugin filter_elasticsearch = {
    .kind = PLUGIN_FILTER,
    .name = "elasticsearch",
    .summary = "Searches an Elasticsearch for each event, and copies from what is found into it.",
    .size = sizeof(struct elasticsearch),
    .options = elasticsearch_options,
    .open = elasticsearch_open,
    .close = elasticsearch_close,
    .filter = {.run = elasticsearch_run,
               .prepare = elasticsearch_prepare,
               .worker_size = sizeof(struct worker *)},
};
