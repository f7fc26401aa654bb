/* The request of the filter http for an event. */
#include "event/json.h"
#include "filters/http.h"

enum { BODY_DEPTH_MAX = 32 };

/* ---- compiling ---- */

static const struct template *compile(struct plugin_open *cx, struct str text, struct loc loc)
{
    const char            *problem = NULL;
    size_t                 at;
    bool                   fatal = false;
    const struct template *t = template_parse(cx->arena, text, &problem, &at, &fatal);

    if (problem) diag(cx->diags, fatal ? DIAG_ERROR : DIAG_WARNING, loc, "%s", problem);
    return fatal ? NULL : t;
}

/* A list of values gives several parameters of the same name. */
static bool add_parameters(struct http_parameters *to, const struct pair *p, bool lists,
                           struct plugin_open *cx)
{
    bool                    list = lists && p->value->kind == AST_LIST;
    uint32_t                n = list ? p->value->len : 1;
    const struct ast_value *values = list ? p->value->items : p->value;
    struct http_parameter  *at = arena_alloc(cx->arena, ((size_t)to->len + n) * sizeof(*at));

    if (to->len) memcpy(at, to->at, to->len * sizeof(*at));
    to->at = at;
    for (uint32_t i = 0; i < n; i++) {
        struct str text = ast_text(&values[i]);
        if (!text.data) {
            diag(cx->diags, DIAG_ERROR, values[i].loc, "\"%.*s\" takes a text", STR_ARG(p->key));
            return false;
        }
        struct http_parameter one = {compile(cx, p->key, p->key_loc),
                                     compile(cx, text, values[i].loc)};
        if (!one.name || !one.value) return false;
        at[to->len++] = one;
    }
    return true;
}

static bool compile_body(struct http_body *b, const struct ast_value *v, int depth,
                         struct plugin_open *cx)
{
    bool hash = v->kind == AST_HASH, good = true;

    if (depth > BODY_DEPTH_MAX) return plugin_error(cx, "body", "\"body\" is nested too deep");
    if (v->kind == AST_NUMBER) {
        b->kind = HTTP_BODY_VALUE;
        b->value = ast_to_value(cx->arena, v);
        return true;
    }
    if (!hash && v->kind != AST_LIST) {
        b->kind = HTTP_BODY_TEXT;
        b->text = compile(cx, ast_to_s(cx->arena, v), v->loc);
        return b->text != NULL;
    }
    b->kind = hash ? HTTP_BODY_MAP : HTTP_BODY_LIST;
    b->len = v->len;
    b->items = arena_zalloc(cx->arena, ((size_t)v->len + 1) * sizeof(*b->items));
    for (uint32_t i = 0; i < v->len && good; i++) {
        struct http_body *item = &b->items[i];
        good = compile_body(item, hash ? &v->entries[i].value : &v->items[i], depth + 1, cx);
        if (!hash || !good) continue;
        const struct ast_value *key = &v->entries[i].key;
        item->name = compile(cx, ast_to_s(cx->arena, key), key->loc);
        good = item->name != NULL;
    }
    return good;
}

static bool open_body(struct http *h, struct plugin_open *cx)
{
    if (!h->body) return true;
    h->body_parts = arena_zalloc(cx->arena, sizeof(*h->body_parts));
    if (!compile_body(h->body_parts, h->body, 0, cx)) return false;
    bool many = h->body_parts->kind == HTTP_BODY_LIST || h->body_parts->kind == HTTP_BODY_MAP;
    if (many && h->body_format != HTTP_FORMAT_JSON)
        return plugin_error(cx, "body", "a list or hash needs body_format => \"json\"");
    return true;
}

bool http_request_open(struct http *h, struct plugin_open *cx)
{
    bool good = true;

    for (uint32_t i = 0; i < h->headers.len; i++) {
        h->typed |= http_same(h->headers.at[i].key, "Content-Type");
        good &= add_parameters(&h->header_lines, &h->headers.at[i], false, cx);
    }
    for (uint32_t i = 0; i < h->query.len; i++)
        good &= add_parameters(&h->query_parameters, &h->query.at[i], true, cx);
    return open_body(h, cx) && good;
}

/* ---- making ---- */

/* What the URL says, with letters outside of ASCII as their bytes' %XX, and without a fragment;
   all else is as in the event, be it no URL then. */
static void put_url(struct str url, struct buf *out)
{
    for (size_t i = 0; i < url.len && url.data[i] != '#'; i++) {
        struct str c = {url.data + i, 1};
        if ((unsigned char)*c.data >= 0x80)
            url_escape(out, c, false);
        else
            buf_str(out, c);
    }
}

static struct str make_url(const struct http *h, struct event *ev, struct filter_context *cx)
{
    struct buf *out = cx->buf;

    buf_clear(out);
    put_url(template_str(h->url, ev), out);
    bool more = out->len && memchr(out->data, '?', out->len);
    for (uint32_t i = 0; i < h->query_parameters.len; i++) {
        const struct http_parameter *p = &h->query_parameters.at[i];
        buf_char(out, more ? '&' : '?');
        url_escape(out, template_str(p->name, ev), true);
        buf_char(out, '=');
        url_escape(out, template_str(p->value, ev), true);
        more = true;
    }
    return arena_copy(cx->arena, buf_view(out));
}

static const struct http_line *make_headers(const struct http *h, struct event *ev,
                                            struct filter_context *cx, size_t *len)
{
    uint32_t          n = h->header_lines.len;
    struct http_line *lines = arena_alloc(cx->arena, ((size_t)n + 1) * sizeof(*lines));

    for (uint32_t i = 0; i < n; i++) {
        lines[i].name = template_str(h->header_lines.at[i].name, ev);
        lines[i].value = template_str(h->header_lines.at[i].value, ev);
    }
    if (!h->typed)
        lines[n++] = (struct http_line){STR("Content-Type"), h->body_format == HTTP_FORMAT_JSON
                                                                 ? STR("application/json")
                                                                 : STR("text/plain")};
    *len = n;
    return lines;
}

static struct value render(const struct http_body *b, struct event *ev)
{
    struct arena *a = ev->arena;
    struct list  *l;
    struct map   *m;

    switch (b->kind) {
    case HTTP_BODY_TEXT:
        return value_string(template_str(b->text, ev));
    case HTTP_BODY_VALUE:
        return b->value;
    case HTTP_BODY_LIST:
        l = list_new(a, b->len);
        for (uint32_t i = 0; i < b->len; i++)
            list_push(l, a, render(&b->items[i], ev));
        return value_list(l);
    default:
        m = map_new(a, b->len);
        for (uint32_t i = 0; i < b->len; i++)
            *map_add(m, a, key_make(template_str(b->items[i].name, ev))) = render(&b->items[i], ev);
        return value_map(m);
    }
}

static struct str make_body(const struct http *h, struct event *ev, struct filter_context *cx)
{
    struct value v = render(h->body_parts, ev);

    if (v.kind == VALUE_STRING) return value_str(v);
    buf_clear(cx->buf);
    json_encode(v, cx->buf);
    return arena_copy(cx->arena, buf_view(cx->buf));
}

void http_request_make(const struct http *h, struct event *ev, struct filter_context *cx,
                       struct http_request *out)
{
    *out = (struct http_request){
        .method = http_verbs[h->verb],
        .url = make_url(h, ev, cx),
        .user = h->connection.user,
        .password = h->connection.password.secret,
        .stop = cx->stop,
    };
    out->headers = make_headers(h, ev, cx, &out->headers_len);
    if (h->body_parts) out->body = make_body(h, ev, cx);
}
