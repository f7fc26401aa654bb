/*
 * http: asks an HTTP server about each event, and keeps the answer in it.
 *
 * The requests of a batch are sent some at a time, as many as pool_max allows, in the order of the
 * events.
 *
 * Source: logstash-filter-http, lib/logstash/filters/http.rb.
 * Threads: each worker has answers and, in the client, connections of its own; all else is constant
 * once open.
 */
#include "filters/http.h"

#include <stdlib.h>

#include "base/fatal.h"
#include "base/owned.h"
#include "plugin/failure.h"

const char *const        http_verbs[] = {"GET", "HEAD", "PATCH", "DELETE", "POST", "PUT", NULL};
static const char *const formats[] = {"text", "json", NULL};
enum { VERB_PATCH = 2, VERB_POST = 4, GOOD_FIRST = 200, GOOD_LAST = 299 };

static const struct option http_options[] = {
#define SELF struct http
    OPT(struct http, OPT_AST, body,
        .doc = "The body of the request: a text, which may refer to fields, or a number; with "
               "body_format json also a list or hash, in which each name and text may."),
    OPT(struct http, OPT_ENUM, body_format, .preset = "text", .choices = formats,
        .doc = "With json a body that is a list or hash is sent as JSON. Also the Content-Type, "
               "when headers have none: text/plain or application/json."),
    OPT(struct http, OPT_PAIRS, headers, .preset = "{}",
        .doc = "Headers of the request; names and values may refer to fields. An event that gives "
               "a name that is none, or a value of several lines, gets the failure's tag."),
    OPT(struct http, OPT_PAIRS, query, .preset = "{}",
        .doc = "Parameters that are added to the query of the URL; names and values may refer to "
               "fields, and are encoded as in forms. A list gives several of the same name."),
    OPT(struct http, OPT_STRINGS, tag_on_json_failure, .preset = "_jsonparsefailure",
        .doc = "Tags of events whose answer says that it is JSON, and is not."),
    OPT(struct http, OPT_STRINGS, tag_on_request_failure, .preset = "_httprequestfailure",
        .doc = "Tags of events for which there is no answer, or one of another status than 200 to "
               "299. They get no fields, and a failure is logged at most every ten seconds."),
    OPT(struct http, OPT_FIELD, target_body,
        .doc = "The field that gets the body of the answer: JSON as it is when that is its "
               "Content-Type, else a text without the blanks around it. Answers of more than 64 "
               "MiB, when unpacked, are failures. [body] when not given, but required with ECS."),
    OPT(struct http, OPT_FIELD, target_headers,
        .doc = "The field that gets the headers of the answer, with names in small letters: "
               "[headers] when not given, with ECS [@metadata][filter][http][response][headers]."),
    OPT(struct http, OPT_TEMPLATE, url, .required = true,
        .doc = "Where to ask: an http or https URL, which may refer to fields. What fields hold is "
               "not encoded, but for letters outside of ASCII: with a blank in it there is no "
               "request, but the failure's tag. When a field stands for the host, those who write "
               "the events choose whom lsc asks; so it is in Logstash, too."),
    OPT(struct http, OPT_ENUM, verb, .preset = "GET", .choices = http_verbs,
        .doc = "The method of the request."),
    OPT(struct http, OPT_ECS, ecs_compatibility,
        .doc = "Decides the defaults of target_body and target_headers."),
#include "net/http_settings.def"
#include "net/tls_settings.def"
#undef SELF
    OPT_END,
};

/* ---- opening ---- */

static bool choose_targets(struct http *h, struct plugin_open *cx)
{
    bool ecs = h->ecs_compatibility != ECS_DISABLED;

    if (!h->target_headers)
        h->target_headers = field_parse(
            cx->arena, ecs ? STR("[@metadata][filter][http][response][headers]") : STR("[headers]"),
            NULL, NULL);
    if (h->target_body) return true;
    if (ecs)
        return plugin_error(cx, "target_body",
                            "\"target_body\" is required unless ecs_compatibility is disabled");
    h->target_body = field_parse(cx->arena, STR("[body]"), NULL, NULL);
    return true;
}

static bool http_open(void *self, struct plugin_open *cx)
{
    struct http *h = self;
    int64_t      connections = h->connection.pool_max, workers = cx->workers ? cx->workers : 1;
    bool         good = choose_targets(h, cx);

    if (connections > h->connection.pool_max_per_route)
        connections = h->connection.pool_max_per_route;
    h->parallel = connections > workers ? (uint32_t)(connections / workers) : 1;
    good = http_request_open(h, cx) && good;
    good = http_settings_open(&h->connection, cx) && good;
    if (!good) {
        http_settings_close(&h->connection);
        return false;
    }
    h->workers = owned_new();
    return true;
}

static void http_close(void *self)
{
    struct http *h = self;

    http_settings_close(&h->connection);
    owned_free(h->workers);
}

/* ---- asking, for the events of a batch ---- */

struct outcome { /* of one event */
    struct event     *ev;
    const char       *problem; /* NULL: `found` is there */
    struct str        what;
    struct http_found found;
};

struct worker {
    struct http_answer *answers; /* h->parallel of them */
    uint32_t            answers_len;
    struct outcome     *at;
    uint32_t            len, next;
};

static void free_worker(void *worker)
{
    struct worker *w = worker;

    for (uint32_t i = 0; i < w->answers_len; i++)
        http_answer_release(&w->answers[i]);
    free(w->answers);
    free(w);
}

static struct worker *worker_of(const struct http *h, struct worker **state)
{
    if (*state) return *state;
    struct worker *w = xcalloc(1, sizeof(*w));
    w->answers = xcalloc(h->parallel, sizeof(*w->answers));
    w->answers_len = h->parallel;
    return *state = owned_add(h->workers, w, free_worker);
}

static void fail(struct outcome *o, const struct http_exchange *e, struct arena *a)
{
    struct buf text = {0};

    if (e->result == HTTP_ANSWERED) {
        o->problem = "the server answered with a failure";
        buf_printf(&text, "%d from ", e->answer->status);
    } else {
        o->problem = "the request failed";
        buf_printf(&text, "%.*s: ", STR_ARG(buf_view(&e->answer->problem)));
    }
    url_mask(e->request.url, &text);
    o->what = arena_copy(a, buf_view(&text));
    buf_release(&text);
}

static void settle(struct outcome *o, const struct http_exchange *e, struct arena *a)
{
    int status = e->answer->status;

    if (e->result == HTTP_ANSWERED && status >= GOOD_FIRST && status <= GOOD_LAST)
        http_answer_read(e->answer, a, &o->found);
    else
        fail(o, e, a);
}

static bool goes_again(const struct http *h, const struct http_exchange *e)
{
    bool idempotent = h->verb != VERB_POST && h->verb != VERB_PATCH;

    return e->result == HTTP_BROKEN &&
           (idempotent || h->connection.retry_non_idempotent || !e->answer->sent);
}

/* Up to h->parallel events: their requests at the same time, those that broke once more. */
static void ask_some(const struct http *h, struct worker *w, struct outcome *at, uint32_t n,
                     struct filter_context *cx)
{
    struct http_exchange *exchanges = arena_alloc(cx->arena, n * sizeof(*exchanges));
    uint32_t             *of = arena_alloc(cx->arena, n * sizeof(*of));

    for (uint32_t i = 0; i < n; i++) {
        http_request_make(h, at[i].ev, cx, &exchanges[i].request);
        exchanges[i].answer = &w->answers[i];
        of[i] = i;
    }
    for (int64_t again = h->connection.automatic_retries; n > 0; again--) {
        uint32_t left = 0;
        http_fetch_all(h->connection.client, exchanges, n);
        for (uint32_t i = 0; i < n; i++) {
            if (again > 0 && goes_again(h, &exchanges[i])) {
                exchanges[left] = exchanges[i];
                of[left++] = of[i];
            } else {
                settle(&at[of[i]], &exchanges[i], cx->arena);
            }
        }
        n = left;
    }
}

static void http_prepare(const void *self, struct event *const *ev, uint32_t n,
                         struct filter_context *cx)
{
    const struct http *h = self;
    struct worker     *w = worker_of(h, cx->state);
    struct outcome    *at = arena_zalloc(cx->arena, n * sizeof(*at));

    for (uint32_t i = 0; i < n; i++)
        at[i].ev = ev[i];
    for (uint32_t done = 0; done < n; done += h->parallel)
        ask_some(h, w, at + done, n - done < h->parallel ? n - done : h->parallel, cx);
    w->at = at;
    w->len = n;
    w->next = 0;
}

/* ---- one event ---- */

static enum verdict failed(const struct http *h, struct event *ev, struct filter_context *cx,
                           const char *problem, struct str what)
{
    static struct log_limit limit;

    filter_failed(cx, &limit, "filter.http", problem, what);
    event_tag_all(ev, &h->tag_on_request_failure);
    return FILTER_PASS;
}

static enum verdict http_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct http      *h = self;
    struct worker          *w = worker_of(h, cx->state);

    if (w->next == w->len || w->at[w->next].ev != ev) http_prepare(self, &ev, 1, cx);
    const struct outcome *o = &w->at[w->next++];
    if (o->problem) return failed(h, ev, cx, o->problem, o->what);
    if (!event_set(ev, h->target_headers, o->found.headers))
        return failed(h, ev, cx, "the target cannot be set", h->target_headers->text);
    if (o->found.broken) {
        filter_failed(cx, &limit, "filter.http", "the answer is not JSON, though it says so",
                      template_source(h->url));
        event_tag_all(ev, &h->tag_on_json_failure);
    } else if (!event_set(ev, h->target_body, o->found.body)) {
        return failed(h, ev, cx, "the target cannot be set", h->target_body->text);
    }
    return FILTER_MATCH;
}

const struct plugin filter_http = {
    .kind = PLUGIN_FILTER,
    .name = "http",
    .summary = "Asks an HTTP server about each event, and keeps the answer in it.",
    .size = sizeof(struct http),
    .options = http_options,
    .open = http_open,
    .close = http_close,
    .filter = {.run = http_run, .prepare = http_prepare, .worker_size = sizeof(struct worker *)},
};
