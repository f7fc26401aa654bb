#include "net/ws_settings_server.h"

#include "net/address.h"
#include "net/ws_settings_parts.h"

enum { READ_AHEAD_ALL = 16 * 1024 * 1024, READ_AHEAD_MIN = 16 * 1024 };

const char *const ws_client_authentications[] = {"none", "optional", "required", NULL};

/* Rows of ws_settings.def that mean nothing to a server. */
static const char *const of_clients[] = {
    "bearer_token_file",
    "ca_trusted_fingerprint",
    "headers",
    "headers_file",
    "jwt_claims",
    "jwt_headers",
    "jwt_lifetime",
    "jwt_private_key_file",
    "jwt_private_key_passphrase",
    "jwt_secret",
    "jwt_signing_method",
    "oauth1_access_token",
    "oauth1_access_token_secret",
    "oauth1_consumer_key",
    "oauth1_consumer_secret",
    "oauth1_signature_method",
    "oauth1_style",
    "oauth2_client_id",
    "oauth2_client_secret",
    "oauth2_endpoint_params",
    "oauth2_scopes",
    "oauth2_token_expiry_buffer",
    "oauth2_token_url",
    "origin",
    "proxy",
    "proxy_headers",
    "ssl_renegotiation",
    "ssl_server_name",
    "ssl_verification_mode",
    "url",
    NULL,
};

static const char *const of_servers[] = {
    "allowed_origins",
    "host",
    "max_connections",
    "path",
    "port",
    "proxy_protocol",
    "response_headers",
    "ssl_client_authentication",
    "tcp_keep_alive",
    NULL,
};

bool ws_refuse_settings(const char *const *settings, const char *mode, struct plugin_open *cx)
{
    bool good = true;

    for (; *settings; settings++)
        if (plugin_setting(cx, *settings))
            good = plugin_error(cx, *settings, "the setting \"%s\" belongs to mode %s", *settings,
                                mode);
    return good;
}

bool ws_refuse_server_settings(struct plugin_open *cx)
{
    return ws_refuse_settings(of_servers, "server", cx);
}

/* ---- who may come ---- */

static struct str basic_token(const struct ws_settings *s, struct arena *a)
{
    struct buf text = {0};

    auth_basic(s->user.data ? s->user : STR(""),
               s->password.secret.data ? s->password.secret : STR(""), &text);
    struct str token = arena_copy(a, str_from(buf_view(&text), strlen("Basic ")));
    OPENSSL_cleanse(text.data, text.cap);
    buf_release(&text);
    return token;
}

static bool read_policy(struct ws_server_settings *server, struct ws_settings *s,
                        struct plugin_open *cx)
{
    struct ws_policy *p = &server->policy;
    struct buf        lines = {0};
    bool              good = ws_check_headers(&server->response_headers, "response_headers", cx);

    for (uint32_t i = 0; i < server->response_headers.len && good; i++)
        buf_printf(&lines, "%.*s: %.*s\r\n", STR_ARG(server->response_headers.at[i].key),
                   STR_ARG(ast_text(server->response_headers.at[i].value)));
    *p = (struct ws_policy){
        .path = server->path,
        .allowed_origins = server->allowed_origins,
        .subprotocols = s->subprotocols,
        .deflate = s->compression == 1,
        .headers = arena_copy(cx->arena, buf_view(&lines)),
        .bearer = s->bearer_token.secret,
    };
    buf_release(&lines);
    if (s->user.data || s->password.secret.data) p->basic = basic_token(s, cx->arena);
    if (!str_starts(server->path, STR("/")))
        good = plugin_error(cx, "path", "\"path\" begins with a slash");
    return ws_read_subprotocols(s, cx) && good;
}

static bool find_addresses(struct ws_server_settings *server, struct plugin_open *cx)
{
    struct buf  problem = {0};
    const char *host = arena_cstr(cx->arena, server->host);

    if (server->port == 0)
        return plugin_error(cx, "port", "the setting \"port\" is required in mode server");
    server->addresses = address_local(host, (uint16_t)server->port, &problem);
    if (!server->addresses) plugin_error(cx, "host", "cannot listen on %s", buf_cstr(&problem));
    buf_release(&problem);
    return server->addresses != NULL;
}

/* ---- TLS ---- */

static bool open_tls(const struct ws_server_settings *server, struct ws_settings *s,
                     struct plugin_open *cx)
{
    const struct tls_client *t = &s->tls_options;
    struct buf               problem = {0};
    enum tls_ask             ask = (enum tls_ask)server->ssl_client_authentication;
    bool trusts = s->ssl_certificate_authorities.len || s->ssl_truststore_path.data;

    if (!ws_tls_options(s, cx)) return false;
    bool wanted = plugin_setting(cx, "ssl_enabled") ? s->ssl_enabled : t->pairs_len > 0;
    if (wanted && t->pairs_len == 0)
        return plugin_error(cx, "ssl_enabled",
                            "TLS in mode server needs \"ssl_certificate\" and \"ssl_key\", or "
                            "\"ssl_keystore_path\"");
    if (!wanted && t->pairs_len > 0)
        return plugin_error(cx, "ssl_enabled",
                            "\"ssl_enabled\" is false, but there is a certificate");
    if (ask != TLS_ASK_NOT && !wanted)
        return plugin_error(cx, "ssl_client_authentication",
                            "\"ssl_client_authentication\" needs TLS");
    if (ask != TLS_ASK_NOT && !trusts)
        return plugin_error(
            cx, "ssl_client_authentication",
            "\"ssl_client_authentication\" needs \"ssl_certificate_authorities\" or "
            "\"ssl_truststore_path\"");
    if (ask == TLS_ASK_NOT && trusts)
        return plugin_error(
            cx, s->ssl_truststore_path.data ? "ssl_truststore_path" : "ssl_certificate_authorities",
            "authorities are for clients' certificates: set "
            "\"ssl_client_authentication\" to optional or required");
    if (!wanted) return true;
    s->tls = tls_server_context(t, ask, &problem);
    if (!s->tls)
        plugin_error(cx, trusts ? "ssl_certificate_authorities" : "ssl_certificate", "%s",
                     buf_cstr(&problem));
    buf_release(&problem);
    return s->tls != NULL;
}

/* ---- life ---- */

bool ws_server_settings_open(struct ws_server_settings *server, struct ws_settings *s,
                             struct plugin_open *cx)
{
    bool good = ws_refuse_settings(of_clients, "client", cx);

    good = ws_read_aliases(s, cx) && good;
    good = read_policy(server, s, cx) && good;
    good = find_addresses(server, cx) && good;
    good = open_tls(server, s, cx) && good;
    if (s->pong_message.data && !s->ping_message.data)
        good = plugin_error(cx, "pong_message", "\"pong_message\" needs \"ping_message\"");
    if (!good) ws_server_settings_close(server, s);
    return good;
}

void ws_server_settings_close(struct ws_server_settings *server, struct ws_settings *s)
{
    if (server->addresses) freeaddrinfo(server->addresses);
    server->addresses = NULL;
    ws_tls_release(s);
}

/* What is read ahead for each client, of a sum for all: a power of two, as buffers grow. */
static size_t share_of_each(int64_t max_connections)
{
    size_t share = READ_AHEAD_MIN;

    while (2 * share <= (size_t)(READ_AHEAD_ALL / max_connections))
        share *= 2;
    return share;
}

void ws_server_settings_config(const struct ws_server_settings *server, const struct ws_settings *s,
                               struct ws_server_config *out)
{
    size_t share = share_of_each(server->max_connections);

    ws_settings_rules(s, &out->rules);
    if (share < out->rules.read_ahead) out->rules.read_ahead = share;
    out->policy = server->policy;
    out->addresses = server->addresses;
    out->tls = s->tls;
    out->proxy_protocol = server->proxy_protocol;
    out->keep_alive = server->tcp_keep_alive;
    out->max_connections = (uint32_t)server->max_connections;
    out->handshake_timeout_ns = s->connect_timeout.ns;
    out->tls_timeout_ns = s->ssl_handshake_timeout * 1000000;
}
