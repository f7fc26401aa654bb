#include "net/elastic.h"

#include <stdlib.h>

#include "base/fatal.h"
#include "event/json.h"
#include "net/auth.h"
#include "net/http_head.h"
#include "text/digest.h"

enum { DEFAULT_PORT = 9200, HTTPS_PORT = 443, REASON_MAX = 300 };
static const int64_t DEAD_NS = 60 * (int64_t)1000000000;

/* ---- nodes ---- */

/* True when the URL names its port. */
static bool names_port(struct str url)
{
    ptrdiff_t  scheme = str_find(url, STR("://"));
    struct str rest = str_from(url, (size_t)scheme + 3);
    size_t     end = 0, colon = 0;

    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
        end++;
    for (size_t i = 0; i < end; i++) {
        if (rest.data[i] == ':') colon = i + 1;
        if (rest.data[i] == '@' || rest.data[i] == ']') colon = 0;
    }
    return colon > 0 && colon < end;
}

static bool node_of_url(struct arena *a, struct str text, struct elastic_node *out,
                        const char **problem)
{
    struct url u;
    struct buf base = {0};

    if (!url_parse(a, text, &u, problem)) return false;
    if (u.scheme != URL_HTTP && u.scheme != URL_HTTPS) {
        *problem = "does not begin with http:// or https://";
        return false;
    }
    if (memchr(u.target.data, '?', u.target.len)) {
        *problem = "has a query";
        return false;
    }
    if (!names_port(text)) u.port = u.tls ? HTTPS_PORT : DEFAULT_PORT;
    while (u.target.len && u.target.data[u.target.len - 1] == '/')
        u.target.len--;
    buf_printf(&base, u.is_ipv6 ? "%s://[%.*s]:%u%.*s" : "%s://%.*s:%u%.*s",
               u.tls ? "https" : "http", STR_ARG(u.host), (unsigned)u.port, STR_ARG(u.target));
    out->base = arena_copy(a, buf_view(&base));
    out->user = u.has_userinfo ? u.user : (struct str){NULL, 0};
    out->password = u.password;
    buf_release(&base);
    return true;
}

bool elastic_node_read(struct arena *a, struct str text, bool tls, struct elastic_node *out,
                       const char **problem)
{
    if (str_starts(text, STR("//"))) text = str_from(text, 2);
    if (str_find(text, STR("://")) >= 0) return node_of_url(a, text, out, problem);
    /* Without a port it is 9200, also with TLS. */
    struct str url = arena_printf(a, "%s://%.*s", tls ? "https" : "http", STR_ARG(text));
    if (!names_port(url) && tls) {
        size_t end = 0;
        while (end < text.len && text.data[end] != '/')
            end++;
        url = arena_printf(a, "https://%.*s:%d%.*s", (int)end, text.data, DEFAULT_PORT,
                           STR_ARG(str_from(text, end)));
    }
    return node_of_url(a, url, out, problem);
}

/* Takes the part before `separator` off `*s`, or all of it. */
static struct str take(struct str *s, char separator)
{
    const char *at = s->len ? memchr(s->data, separator, s->len) : NULL;
    struct str  part = {s->data, at ? (size_t)(at - s->data) : s->len};

    *s = str_from(*s, part.len + (at ? 1 : 0));
    return part;
}

/* The letters of URLs and without = at the end are read, too. */
static bool decode_cloud_id(struct arena *a, struct str encoded, struct str *out)
{
    char  *text = arena_alloc(a, encoded.len + 4);
    size_t len = encoded.len;

    memcpy(text, encoded.data, len);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    while (len % 4)
        text[len++] = '=';
    return base64_read(a, (struct str){text, len}, out);
}

bool elastic_cloud_read(struct arena *a, struct str cloud_id, struct elastic_node *out,
                        const char **problem)
{
    struct str rest = cloud_id, encoded = take(&rest, ':'), text;

    while (rest.len) /* behind the label */
        encoded = take(&rest, ':');
    *problem = "is no Cloud ID";
    if (encoded.len == 0 || !decode_cloud_id(a, encoded, &text)) return false;
    struct str cloud = take(&text, '$'), id = take(&text, '$');
    struct str cloud_host = take(&cloud, ':'), host = take(&id, ':');
    struct str port = id.len ? id : cloud.len ? cloud : STR("443");
    if (cloud_host.len == 0 || host.len == 0 || str_is(host, "undefined")) return false;
    return node_of_url(a,
                       arena_printf(a, "https://%.*s.%.*s:%.*s", STR_ARG(host), STR_ARG(cloud_host),
                                    STR_ARG(port)),
                       out, problem);
}

static bool add_node(struct elastic_settings *e, struct str text, struct plugin_open *cx)
{
    const char *problem;

    if (elastic_node_read(cx->arena, text, e->ssl_enabled, &e->nodes[e->nodes_len], &problem)) {
        e->nodes_len++;
        return true;
    }
    struct buf shown = {0};
    url_mask(text, &shown);
    plugin_error(cx, "hosts", "the host \"%.*s\" %s", STR_ARG(buf_view(&shown)), problem);
    buf_release(&shown);
    return false;
}

static bool open_nodes(struct elastic_settings *e, struct plugin_open *cx)
{
    const char *problem;
    bool        good = true;

    if (e->cloud_id.len && plugin_setting(cx, "hosts"))
        return plugin_error(cx, "cloud_id", "give either \"cloud_id\" or \"hosts\"");
    e->nodes = arena_zalloc(cx->arena, ((size_t)e->hosts.len + 1) * sizeof(*e->nodes));
    if (e->cloud_id.len) {
        e->nodes_len = 1;
        return elastic_cloud_read(cx->arena, e->cloud_id, &e->nodes[0], &problem) ||
               plugin_error(cx, "cloud_id", "\"cloud_id\" %s", problem);
    }
    for (uint32_t i = 0; i < e->hosts.len; i++)
        good &= add_node(e, e->hosts.at[i], cx);
    if (good && e->nodes_len == 0) return plugin_error(cx, "hosts", "\"hosts\" is empty");
    return good;
}

/* ---- who we are ---- */

static bool split_cloud_auth(struct elastic_settings *e, struct plugin_open *cx)
{
    struct str rest = e->cloud_auth.secret, user;

    if (rest.len == 0) return true;
    user = take(&rest, ':');
    if (user.len == 0 || rest.len == 0)
        return plugin_error(cx, "cloud_auth", "\"cloud_auth\" is not of the form USER:PASSWORD");
    e->user = user;
    e->password.secret = rest;
    return true;
}

static bool check_auth(struct elastic_settings *e, struct plugin_open *cx)
{
    bool key = e->api_key.secret.len > 0, tls = true;

    if ((e->user.len > 0) + (e->cloud_auth.secret.len > 0) + key > 1)
        return plugin_error(cx, NULL,
                            "several kinds of authentication: give one of user and password, "
                            "cloud_auth, api_key");
    if (e->user.len && !e->password.secret.data)
        return plugin_error(cx, "user", "\"user\" needs \"password\"");
    for (uint32_t i = 0; i < e->nodes_len; i++)
        tls &= str_starts(e->nodes[i].base, STR("https:"));
    if (key && !tls) return plugin_error(cx, "api_key", "\"api_key\" is sent with TLS only");
    if (!http_is_line(e->api_key.secret))
        return plugin_error(cx, "api_key", "\"api_key\" takes one line of text");
    return split_cloud_auth(e, cx);
}

static struct str authorization(const struct elastic_settings *e, struct arena *a)
{
    struct str key = e->api_key.secret;
    struct buf text = {0};

    if (key.len) {
        if (memchr(key.data, ':', key.len))
            key = text_of_base64(a, (const unsigned char *)key.data, key.len);
        buf_printf(&text, "ApiKey %.*s", STR_ARG(key));
    } else if (e->user.len) {
        auth_basic(e->user, e->password.secret, &text);
    }
    struct str out = text.len ? arena_copy(a, buf_view(&text)) : (struct str){NULL, 0};
    buf_release(&text);
    return out;
}

static bool given(const struct elastic_settings *e, const char *name)
{
    for (uint32_t i = 0; i < e->custom_headers.len; i++)
        if (http_same(e->custom_headers.at[i].key, name)) return true;
    return false;
}

static void add_header(struct elastic_settings *e, const char *name, struct str value)
{
    if (!value.data || given(e, name)) return;
    e->headers[e->headers_len++] = (struct http_line){str_of(name), value};
}

static bool open_headers(struct elastic_settings *e, const char *origin, struct plugin_open *cx)
{
    const struct pairs *own = &e->custom_headers;
    bool                good = true;

    e->headers = arena_alloc(cx->arena, ((size_t)own->len + 3) * sizeof(*e->headers));
    for (uint32_t i = 0; i < own->len; i++) {
        struct str value = ast_text(own->at[i].value);
        if (http_is_token(own->at[i].key) && value.data && http_is_line(value))
            e->headers[e->headers_len++] = (struct http_line){own->at[i].key, value};
        else
            good = plugin_error(cx, "custom_headers", "\"%.*s\" is no header of one line",
                                STR_ARG(own->at[i].key));
    }
    add_header(e, "Content-Type", STR("application/json"));
    add_header(e, "X-Elastic-Product-Origin", str_of(origin));
    add_header(e, "Authorization", authorization(e, cx->arena));
    return good;
}

bool elastic_open(struct elastic_settings *e, struct http_settings *connection, const char *origin,
                  struct plugin_open *cx)
{
    bool good = open_nodes(e, cx);

    good = good && check_auth(e, cx);
    good = open_headers(e, origin, cx) && good;
    connection->tls.ca_trusted_fingerprint = e->ca_trusted_fingerprint;
    return http_settings_open(connection, cx) && good;
}

/* ---- turns ---- */

void elastic_turns_init(struct elastic_turns *t, const struct elastic_settings *e)
{
    t->next = 0;
    t->dead_until_ns = xcalloc(e->nodes_len, sizeof(*t->dead_until_ns));
}

void elastic_turns_release(struct elastic_turns *t)
{
    free(t->dead_until_ns);
}

uint32_t elastic_turns_next(struct elastic_turns *t, const struct elastic_settings *e)
{
    int64_t now = clock_monotonic_ns();

    for (uint32_t i = 0; i < e->nodes_len; i++) {
        uint32_t node = (t->next + i) % e->nodes_len;
        if (t->dead_until_ns[node] > now) continue;
        t->next = node + 1;
        return node;
    }
    return e->nodes_len ? t->next++ % e->nodes_len : 0;
}

void elastic_turns_failed(struct elastic_turns *t, uint32_t node)
{
    t->dead_until_ns[node] = clock_monotonic_ns() + DEAD_NS;
}

/* ---- answers ---- */

bool elastic_is_product(const struct http_answer *answer)
{
    struct http_head head;

    return http_answer_head(answer, &head) &&
           str_is(http_field(&head, "X-Elastic-Product"), "Elasticsearch");
}

/* The text of a member; data NULL: none. */
static struct str text_of(struct value v, const char *name)
{
    const struct value *member =
        v.kind == VALUE_MAP ? map_get(v.as.map, key_make(str_of(name))) : NULL;

    return member && member->kind == VALUE_STRING ? value_str(*member) : (struct str){NULL, 0};
}

static int take_number(struct str *s)
{
    struct str part = take(s, '.');
    int        n = 0;

    for (size_t i = 0; i < part.len && i < 6 && part.data[i] >= '0' && part.data[i] <= '9'; i++)
        n = 10 * n + (part.data[i] - '0');
    return n;
}

bool elastic_was_product(struct value info)
{
    const struct value *version =
        info.kind == VALUE_MAP ? map_get(info.as.map, key_make(STR("version"))) : NULL;

    if (!version || !str_is(text_of(info, "tagline"), "You Know, for Search")) return false;
    struct str number = text_of(*version, "number");
    int        major = take_number(&number), minor = take_number(&number);
    if (major == 6) return true;
    return major == 7 && minor < 14 && str_is(text_of(*version, "build_flavor"), "default");
}

void elastic_explain(const struct http_answer *answer, struct arena *scratch, struct buf *out)
{
    struct value        reply;
    const struct value *error = NULL;
    struct str          body = arena_copy(scratch, buf_view(&answer->body));

    buf_printf(out, "[%d]", answer->status);
    if (json_decode(scratch, body, NULL, &reply, NULL) && reply.kind == VALUE_MAP)
        error = map_get(reply.as.map, key_make(STR("error")));
    if (!error) return;
    struct str type = text_of(*error, "type"), reason = text_of(*error, "reason");
    if (error->kind == VALUE_STRING) reason = value_str(*error);
    if (type.data) buf_printf(out, " %.*s:", STR_ARG(type));
    if (reason.len > REASON_MAX) reason.len = REASON_MAX;
    if (reason.data) buf_printf(out, " %.*s", STR_ARG(reason));
}
