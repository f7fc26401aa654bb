#include "net/ws_settings_parts.h"

#include "base/log.h"
#include "net/http_head.h"
#include "net/pem.h"

/* While messages cannot be taken pings are looked for in so much. */
enum { READ_AHEAD = 1024 * 1024 };

const char *const ws_verifications[] = {"full", "certificate", "none", NULL};
const char *const ws_compressions[] = {"none", "permessage-deflate", NULL};
const char *const oauth1_methods[] = {"HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT", NULL};
const char *const oauth1_styles[] = {"rfc5849", "benthos", NULL};

/* ---- the servers ---- */

static bool read_url(struct ws_settings *s, uint32_t i, struct plugin_open *cx)
{
    struct url *u = &s->targets[i];
    const char *problem;

    if (!url_parse(cx->arena, s->url.at[i], u, &problem))
        return plugin_error(cx, "url", "the URL %s", problem);
    if (u->scheme >= URL_SOCKS5)
        return plugin_error(cx, "url",
                            "the URL does not begin with ws://, wss://, http:// or "
                            "https://");
    if (plugin_setting(cx, "ssl_enabled") && s->ssl_enabled != u->tls)
        return plugin_error(cx, "ssl_enabled", "\"ssl_enabled\" contradicts the URL %.*s",
                            STR_ARG(u->masked));
    return true;
}

static bool read_urls(struct ws_settings *s, struct plugin_open *cx)
{
    if (s->url.len == 0)
        return plugin_error(cx, "url", "the setting \"url\" is required in mode client");
    s->targets_len = s->url.len;
    s->targets = arena_zalloc(cx->arena, s->url.len * sizeof(*s->targets));
    for (uint32_t i = 0; i < s->url.len; i++)
        if (!read_url(s, i, cx)) return false;
    return true;
}

/* ---- headers ---- */

bool ws_read_subprotocols(struct ws_settings *s, struct plugin_open *cx)
{
    bool       good = true;
    struct buf protocols = {0};

    for (uint32_t i = 0; i < s->subprotocols.len; i++) {
        if (!http_is_token(s->subprotocols.at[i]))
            good = plugin_error(cx, "subprotocols", "\"%.*s\" is no name of a subprotocol",
                                STR_ARG(s->subprotocols.at[i]));
        buf_printf(&protocols, "%s%.*s", i ? ", " : "", STR_ARG(s->subprotocols.at[i]));
    }
    s->protocols = arena_copy(cx->arena, buf_view(&protocols));
    buf_release(&protocols);
    return good;
}

static bool check_headers(struct ws_settings *s, struct plugin_open *cx)
{
    bool good = ws_check_headers(&s->headers, "headers", cx);

    if (!http_is_line(s->origin))
        good = plugin_error(cx, "origin", "\"origin\" takes one line of text");
    if (s->origin.data && ws_has_header(s, "Origin"))
        good = plugin_error(cx, "origin", "\"headers\" has an Origin already");
    return ws_read_subprotocols(s, cx) && good;
}

/* ---- proxies ---- */

static struct str member(const struct ast_value *hash, const char *name)
{
    for (uint32_t i = 0; i < hash->len; i++)
        if (str_is(ast_text(&hash->entries[i].key), name)) return ast_text(&hash->entries[i].value);
    return (struct str){0};
}

/* The hash form, as Logstash's HTTP plugins have it. */
static bool read_proxy_hash(const struct ast_value *v, struct proxy *p, struct plugin_open *cx)
{
    struct str  scheme = member(v, "scheme"), host = member(v, "host"), port = member(v, "port");
    const char *problem;
    struct str  text =
        arena_printf(cx->arena, "%.*s://%.*s:%.*s", STR_ARG(scheme.data ? scheme : STR("http")),
                     STR_ARG(host.data ? host : STR("")), STR_ARG(port.data ? port : STR("")));

    if (!url_parse(cx->arena, text, &p->url, &problem))
        return plugin_error(cx, "proxy", "the URL of the proxy %s", problem);
    p->url.has_userinfo = member(v, "user").data != NULL;
    p->url.user = p->url.has_userinfo ? member(v, "user") : STR("");
    p->url.password = member(v, "password").data ? member(v, "password") : STR("");
    return true;
}

static bool check_proxy(const struct proxy *p, struct plugin_open *cx)
{
    if (p->url.scheme >= URL_HTTP) return true;
    return plugin_error(cx, "proxy",
                        "a proxy begins with http://, https://, socks5:// or socks5h://");
}

bool ws_read_proxy(const struct ws_settings *s, const struct url *target, const struct proxy **out,
                   struct plugin_open *cx)
{
    struct str    text = s->proxy ? ast_text(s->proxy) : proxy_from_environment(target);
    struct proxy *p = arena_zalloc(cx->arena, sizeof(*p));
    const char   *problem;
    bool          use;

    if (s->proxy && s->proxy->kind == AST_HASH) {
        if (!read_proxy_hash(s->proxy, p, cx)) return false;
    } else {
        if (s->proxy && !text.data) return plugin_error(cx, "proxy", "\"proxy\" takes a URL");
        if (text.len == 0 || (option_bool(text, &use) && !use)) return true;
        if (!s->proxy && str_find(text, STR("://")) < 0)
            text = arena_printf(cx->arena, "http://%.*s", STR_ARG(text));
        if (!url_parse(cx->arena, text, &p->url, &problem))
            return plugin_error(cx, "proxy", "the URL of the proxy %s", problem);
    }
    p->headers = s->proxy_lines;
    *out = p;
    return check_proxy(p, cx);
}

static bool read_proxies(struct ws_settings *s, struct plugin_open *cx)
{
    struct buf lines = {0};
    bool       good = true;

    for (uint32_t i = 0; i < s->proxy_headers.len; i++) {
        const struct pair *p = &s->proxy_headers.at[i];
        struct str         value = ast_text(p->value);
        if (http_is_token(p->key) && value.data && http_is_line(value))
            buf_printf(&lines, "%.*s: %.*s\r\n", STR_ARG(p->key), STR_ARG(value));
        else
            good = plugin_error(cx, "proxy_headers", "\"%.*s\" is no header of one line",
                                STR_ARG(p->key));
    }
    s->proxy_lines = arena_copy(cx->arena, buf_view(&lines));
    buf_release(&lines);
    s->proxies = arena_zalloc(cx->arena, (s->targets_len + 1) * sizeof(*s->proxies));
    for (uint32_t i = 0; i < s->targets_len && good; i++)
        good = ws_read_proxy(s, &s->targets[i], &s->proxies[i], cx);
    return good;
}

/* ---- TLS ---- */

static bool open_tls(struct ws_settings *s, struct plugin_open *cx)
{
    struct tls_client *t = &s->tls_options;
    struct buf         problem = {0};
    bool               wanted = false, good = ws_tls_options(s, cx);

    for (uint32_t i = 0; i < s->targets_len; i++)
        wanted |= s->targets[i].tls || (s->proxies[i] && s->proxies[i]->url.tls);
    if (!good || !wanted) return good;
    if (t->verify == TLS_VERIFY_NONE)
        plugin_warning(cx, "ssl_verification_mode",
                       "the server's certificate is not verified: anyone may pretend to be it");
    s->tls = tls_client_context(t, &problem);
    if (!s->tls)
        plugin_error(cx,
                     t->authorities_len   ? "ssl_certificate_authorities"
                     : t->truststore.data ? "ssl_truststore_path"
                                          : "url",
                     "%s", buf_cstr(&problem));
    buf_release(&problem);
    return s->tls != NULL;
}

/* ---- life ---- */

/* True when the second name is the one that was given. */
static bool by_alias(const char *name, const char *alias, bool *good, struct plugin_open *cx)
{
    if (!plugin_setting(cx, alias)) return false;
    if (plugin_setting(cx, name))
        *good =
            plugin_error(cx, alias, "\"%s\" is another name of \"%s\": one is enough", alias, name);
    return true;
}

bool ws_read_aliases(struct ws_settings *s, struct plugin_open *cx)
{
    bool good = true;

    if (by_alias("ping_interval", "keepalive", &good, cx)) s->ping_interval = s->keepalive;
    if (by_alias("ssl_cipher_suites", "ssl_ciphersuites", &good, cx))
        s->ssl_cipher_suites = s->ssl_ciphersuites;
    return good;
}

bool ws_settings_open(struct ws_settings *s, struct plugin_open *cx)
{
    bool good = check_headers(s, cx);

    good = ws_read_aliases(s, cx) && good;
    good = read_urls(s, cx) && good;
    good = read_proxies(s, cx) && good;
    good = ws_choose_auth(s, cx) && good;
    good = open_tls(s, cx) && good;
    good = good && ws_open_oauth2(s, cx);
    if (s->pong_message.data && !s->ping_message.data)
        good = plugin_error(cx, "pong_message", "\"pong_message\" needs \"ping_message\"");
    if (!good) ws_settings_close(s);
    return good;
}

void ws_settings_close(struct ws_settings *s)
{
    oauth2_free(s->oauth2);
    s->oauth2 = NULL;
    ws_tls_release(s);
    EVP_PKEY_free(s->jwt.key);
    s->jwt.key = NULL;
}

/* ---- a connection ---- */

void ws_settings_rules(const struct ws_settings *s, struct ws_rules *out)
{
    out->close_timeout_ns = s->close_timeout.ns;
    out->max_message = (size_t)s->max_message_size;
    out->read_ahead = READ_AHEAD;
    out->deflate = s->compression == 1;
    out->max_ratio = (uint32_t)s->compression_max_ratio;
    out->ping_interval_ns = s->ping_interval.ns;
    out->ping_timeout_ns = s->ping_timeout.ns;
    out->idle_timeout_ns = s->idle_timeout.ns;
    out->ping_message = s->ping_message;
    out->pong_message = s->pong_message;
}

/* Only the host that the user named gets headers and authentication. */
static bool is_ours(const struct ws_settings *s, uint32_t n, const struct url *redirect)
{
    return !redirect || url_same_origin(redirect, &s->targets[n]);
}

bool ws_settings_want_token(const struct ws_settings *s, uint32_t n, const struct url *redirect)
{
    return s->oauth2 && is_ours(s, n, redirect) && !oauth2_fresh(s->oauth2).data;
}

bool ws_settings_config(const struct ws_settings *s, uint32_t n, const struct url *redirect,
                        struct ws_client_config *out, struct buf *headers, struct buf *problem)
{
    bool ours = is_ours(s, n, redirect);

    if (ours && !ws_put_headers(s, headers, problem)) return false;
    if (s->origin.data) buf_printf(headers, "Origin: %.*s\r\n", STR_ARG(s->origin));
    if (ours && !ws_put_auth(s, n, headers, problem)) return false;
    out->url = redirect ? redirect : &s->targets[n];
    out->own_host = ours && ws_has_header(s, "Host");
    out->proxy = s->proxies[n];
    out->headers = buf_view(headers);
    out->tls = s->tls;
    out->tls_options = &s->tls_options;
    out->subprotocols = s->protocols;
    out->tls_timeout_ns = s->ssl_handshake_timeout * 1000000;
    out->connect_timeout_ns = s->connect_timeout.ns;
    ws_settings_rules(s, &out->rules);
    return true;
}
