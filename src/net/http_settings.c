#include "net/http_settings.h"

enum { REDIRECTS_MAX = 50 };

const char *const http_stores[] = {"JKS", "PKCS12", "jks", "pkcs12", NULL};

/* ---- the proxy ---- */

static struct str member(const struct ast_value *hash, const char *name)
{
    for (uint32_t i = 0; i < hash->len; i++)
        if (str_is(ast_text(&hash->entries[i].key), name)) return ast_text(&hash->entries[i].value);
    return (struct str){NULL, 0};
}

/* The URL of a hash, without user and password. */
static struct str proxy_url(const struct ast_value *v, struct arena *a)
{
    struct str url = member(v, "url"), scheme = member(v, "scheme"), host = member(v, "host");
    struct str port = member(v, "port");

    if (url.data) return url;
    return arena_printf(a, "%.*s://%.*s%s%.*s", STR_ARG(scheme.data ? scheme : STR("http")),
                        STR_ARG(host.data ? host : STR("")), port.data ? ":" : "",
                        STR_ARG(port.data ? port : STR("")));
}

bool http_read_proxy(const struct ast_value *v, struct proxy *out, bool *given,
                     struct plugin_open *cx)
{
    bool        hash = v->kind == AST_HASH;
    struct str  text = hash ? proxy_url(v, cx->arena) : ast_text(v);
    const char *problem;

    if (!text.data) return plugin_error(cx, "proxy", "\"proxy\" takes a URL or a hash");
    *given = text.len > 0;
    if (!*given) return true;
    if (!url_parse(cx->arena, text, &out->url, &problem))
        return plugin_error(cx, "proxy", "the URL of the proxy %s", problem);
    if (out->url.scheme == URL_WS || out->url.scheme == URL_WSS)
        return plugin_error(cx, "proxy",
                            "a proxy begins with http://, https://, socks5:// or socks5h://");
    if (hash && member(v, "user").data) {
        struct str password = member(v, "password");
        out->url.has_userinfo = true;
        out->url.user = member(v, "user");
        out->url.password = password.data ? password : STR("");
    }
    return true;
}

/* ---- TLS ---- */

/* The value of an old name; giving both is an error. */
static bool rename_text(struct plugin_open *cx, const char *name, const char *old_name,
                        struct str *text, struct str old)
{
    if (!old.data) return true;
    if (text->data)
        return plugin_error(cx, old_name, "\"%s\" is the old name of \"%s\": give one of them",
                            old_name, name);
    *text = old;
    return true;
}

static bool rename_list(struct plugin_open *cx, const char *name, const char *old_name,
                        struct strings *list, struct str old)
{
    struct str text = list->len ? list->at[0] : (struct str){NULL, 0};

    if (!old.data) return true;
    if (!rename_text(cx, name, old_name, &text, old)) return false;
    list->at = arena_alloc(cx->arena, sizeof(*list->at));
    list->at[0] = text;
    list->len = 1;
    return true;
}

static bool take_old_names(struct http_settings *s, struct plugin_open *cx)
{
    struct tls_settings *t = &s->tls;
    bool                 good = true;

    good &= rename_list(cx, "ssl_certificate_authorities", "cacert",
                        &t->ssl_certificate_authorities, s->cacert);
    good &= rename_list(cx, "ssl_certificate", "client_cert", &t->ssl_certificate, s->client_cert);
    good &= rename_list(cx, "ssl_key", "client_key", &t->ssl_key, s->client_key);
    good &= rename_text(cx, "ssl_keystore_path", "keystore", &t->ssl_keystore_path, s->keystore);
    good &= rename_text(cx, "ssl_keystore_password", "keystore_password",
                        &t->ssl_keystore_password.secret, s->keystore_password.secret);
    good &= rename_text(cx, "ssl_truststore_path", "truststore", &t->ssl_truststore_path,
                        s->truststore);
    good &= rename_text(cx, "ssl_truststore_password", "truststore_password",
                        &t->ssl_truststore_password.secret, s->truststore_password.secret);
    return good;
}

/* ---- life ---- */

static bool make_client(struct http_settings *s, struct plugin_open *cx)
{
    struct buf         problem = {0};
    struct http_config config = {
        .tls = &s->tls.options,
        .proxy = s->proxy ? &s->proxy_used : NULL,
        .connect_timeout_ns = s->connect_timeout.ns,
        .idle_timeout_ns = s->socket_timeout.ns,
        .timeout_ns = s->request_timeout.ns,
        .max_redirects = s->follow_redirects ? REDIRECTS_MAX : 0,
        .one_shot = !s->keepalive,
        .compressed = true,
        .cookies = s->cookies,
    };

    s->client = http_client_new(&config, &problem);
    if (!s->client)
        plugin_error(cx,
                     s->tls.ssl_certificate_authorities.len ? "ssl_certificate_authorities"
                     : s->tls.ssl_truststore_path.data      ? "ssl_truststore_path"
                                                            : NULL,
                     "%s", buf_cstr(&problem));
    buf_release(&problem);
    return s->client != NULL;
}

bool http_settings_open(struct http_settings *s, struct plugin_open *cx)
{
    bool good = take_old_names(s, cx), proxied = false;

    if (s->user.data && !s->password.secret.data)
        good = plugin_error(cx, "user", "\"user\" needs \"password\"");
    if (s->proxy) good = http_read_proxy(s->proxy, &s->proxy_used, &proxied, cx) && good;
    if (!proxied) s->proxy = NULL;
    good = tls_settings_open(&s->tls, cx) && good;
    if (good && s->tls.options.verify == TLS_VERIFY_NONE)
        plugin_warning(cx, "ssl_verification_mode",
                       "the server's certificate is not verified: anyone may pretend to be it");
    good = good && make_client(s, cx);
    if (!good) http_settings_close(s);
    return good;
}

void http_settings_close(struct http_settings *s)
{
    http_client_free(s->client);
    s->client = NULL;
    tls_settings_release(&s->tls.options);
}
