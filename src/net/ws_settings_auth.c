/* Who a WebSocket client says that it is: the settings of authentication. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "net/http_head.h"
#include "net/pem.h"
#include "net/ws_settings_parts.h"

/* ---- before the start ---- */

/* The words true and false are booleans in a token. */
static struct value claim(struct arena *a, const struct ast_value *v)
{
    bool truth;

    if (v->kind == AST_BAREWORD && option_bool(v->text, &truth)) return value_bool(truth);
    if (v->kind == AST_LIST) {
        struct list *l = list_new(a, v->len);
        for (uint32_t i = 0; i < v->len; i++)
            list_push(l, a, claim(a, &v->items[i]));
        return value_list(l);
    }
    if (v->kind != AST_HASH) return ast_to_value(a, v);
    struct map *m = map_new(a, v->len);
    for (uint32_t i = 0; i < v->len; i++)
        *map_add(m, a, key_make(ast_text(&v->entries[i].key))) = claim(a, &v->entries[i].value);
    return value_map(m);
}

static bool read_hash(const struct ast_value *v, const char *name, struct value *out,
                      struct plugin_open *cx)
{
    *out = value_null();
    if (!v) return true;
    if (v->kind != AST_HASH) return plugin_error(cx, name, "\"%s\" takes a hash", name);
    *out = claim(cx->arena, v);
    return true;
}

static bool open_jwt(struct ws_settings *s, struct plugin_open *cx)
{
    struct buf problem = {0};
    bool       good = true;

    s->jwt.algorithm = jwt_algorithms[s->jwt_signing_method];
    s->jwt.secret = s->jwt_secret.secret;
    s->jwt.lifetime_s = s->jwt_lifetime.ns / 1000000000;
    good = read_hash(s->jwt_claims, "jwt_claims", &s->jwt.claims, cx);
    good = read_hash(s->jwt_headers, "jwt_headers", &s->jwt.headers, cx) && good;
    if (s->jwt_private_key_file.data) {
        s->jwt.key =
            pem_key(s->jwt_private_key_file, s->jwt_private_key_passphrase.secret, &problem);
        if (!s->jwt.key) good = plugin_error(cx, "jwt_private_key_file", "%s", buf_cstr(&problem));
    }
    if (good && !jwt_key_fits(&s->jwt, &problem))
        good = plugin_error(cx, "jwt_signing_method", "%s", buf_cstr(&problem));
    buf_release(&problem);
    return good;
}

static void open_oauth1(struct ws_settings *s)
{
    s->oauth1 = (struct oauth1){
        .method = (enum oauth1_method)s->oauth1_signature_method,
        .benthos = s->oauth1_style == 1,
        .consumer_key = s->oauth1_consumer_key,
        .consumer_secret = s->oauth1_consumer_secret.secret,
        .access_token = s->oauth1_access_token,
        .access_token_secret = s->oauth1_access_token_secret.secret,
    };
}

/* ---- OAuth 2 ---- */

static void put_parameter(struct buf *out, struct str name, struct str value)
{
    if (out->len > 0) buf_char(out, '&');
    url_escape(out, name, true);
    buf_char(out, '=');
    url_escape(out, value, true);
}

/* Each value is a text, or a list of them. */
static bool put_parameters(const struct ws_settings *s, struct buf *out, struct plugin_open *cx)
{
    for (uint32_t i = 0; i < s->oauth2_endpoint_params.len; i++) {
        const struct pair      *p = &s->oauth2_endpoint_params.at[i];
        bool                    list = p->value->kind == AST_LIST;
        const struct ast_value *values = list ? p->value->items : p->value;
        for (uint32_t k = 0; k < (list ? p->value->len : 1); k++) {
            struct str text = ast_text(&values[k]);
            if (!text.data || str_is(p->key, "grant_type") || str_is(p->key, "scope"))
                return plugin_error(cx, "oauth2_endpoint_params",
                                    "the parameter \"%.*s\" takes a text or a list of them, and "
                                    "grant_type and scope are not for you to set here",
                                    STR_ARG(p->key));
            put_parameter(out, p->key, text);
        }
    }
    return true;
}

/* The parameters of the request but grant_type. */
static bool read_parameters(const struct ws_settings *s, struct str *out, struct plugin_open *cx)
{
    struct buf scopes = {0}, all = {0};

    for (uint32_t i = 0; i < s->oauth2_scopes.len; i++)
        buf_printf(&scopes, "%s%.*s", i ? " " : "", STR_ARG(s->oauth2_scopes.at[i]));
    if (scopes.len > 0) put_parameter(&all, STR("scope"), buf_view(&scopes));
    bool good = put_parameters(s, &all, cx);
    *out = arena_copy(cx->arena, buf_view(&all));
    buf_release(&scopes);
    buf_release(&all);
    return good;
}

static bool read_token_url(const struct ws_settings *s, const struct proxy **proxy,
                           struct plugin_open *cx)
{
    struct url  u;
    const char *problem;

    if (!url_parse(cx->arena, s->oauth2_token_url, &u, &problem))
        return plugin_error(cx, "oauth2_token_url", "the URL %s", problem);
    if (u.scheme != URL_HTTP && u.scheme != URL_HTTPS)
        return plugin_error(cx, "oauth2_token_url",
                            "the URL does not begin with https:// or http://");
    if (u.has_userinfo)
        return plugin_error(cx, "oauth2_token_url",
                            "the URL has a user and password; \"oauth2_client_id\" and "
                            "\"oauth2_client_secret\" are for that");
    if (!u.tls && !url_is_local(&u))
        plugin_warning(cx, "oauth2_token_url",
                       "the client's secret and the token go over the network unencrypted");
    return ws_read_proxy(s, &u, proxy, cx);
}

/* What makes no sense alone. */
static bool oauth2_is_whole(const struct ws_settings *s, struct plugin_open *cx)
{
    static const char *const others[] = {"oauth2_client_secret", "oauth2_endpoint_params",
                                         "oauth2_scopes", "oauth2_token_expiry_buffer",
                                         "oauth2_token_url"};

    if (s->auth == WS_AUTH_OAUTH2) {
        if (s->oauth2_client_secret.secret.data && s->oauth2_token_url.data) return true;
        return plugin_error(cx, "oauth2_client_id",
                            "\"oauth2_client_id\" needs \"oauth2_client_secret\" and "
                            "\"oauth2_token_url\"");
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (plugin_setting(cx, others[i]))
            return plugin_error(cx, others[i], "\"%s\" needs \"oauth2_client_id\"", others[i]);
    return true;
}

bool ws_open_oauth2(struct ws_settings *s, struct plugin_open *cx)
{
    struct oauth2_settings o = {
        .token_url = s->oauth2_token_url,
        .client_id = s->oauth2_client_id,
        .client_secret = s->oauth2_client_secret.secret,
        .expiry_buffer_ns = s->oauth2_token_expiry_buffer.ns,
    };
    struct http_config http = {.tls = &s->tls_options, .timeout_ns = s->connect_timeout.ns};
    struct buf         problem = {0};

    if (!oauth2_is_whole(s, cx)) return false;
    if (s->auth != WS_AUTH_OAUTH2) return true;
    if (!read_parameters(s, &o.parameters, cx) || !read_token_url(s, &http.proxy, cx)) return false;
    s->oauth2 = oauth2_new(&o, &http, &problem);
    if (!s->oauth2) plugin_error(cx, "oauth2_client_id", "%s", buf_cstr(&problem));
    buf_release(&problem);
    return s->oauth2 != NULL;
}

/* ---- which of them ---- */

bool ws_choose_auth(struct ws_settings *s, struct plugin_open *cx)
{
    bool userinfo = false;
    for (uint32_t i = 0; i < s->targets_len; i++)
        userinfo |= s->targets[i].has_userinfo;
    const struct {
        bool              given;
        const char       *name;
        enum ws_auth_kind kind;
    } kinds[] = {
        {userinfo, "user and password in the URL", WS_AUTH_BASIC},
        {s->user.data || s->password.secret.data, "user", WS_AUTH_BASIC},
        {s->bearer_token.secret.data, "bearer_token", WS_AUTH_BEARER},
        {s->bearer_token_file.data, "bearer_token_file", WS_AUTH_BEARER_FILE},
        {s->oauth1_consumer_key.data, "oauth1_consumer_key", WS_AUTH_OAUTH1},
        {s->jwt_private_key_file.data || s->jwt_secret.secret.data, "jwt_signing_method",
         WS_AUTH_JWT},
        {s->oauth2_client_id.data, "oauth2_client_id", WS_AUTH_OAUTH2},
        {ws_has_header(s, "Authorization"), "the header Authorization", WS_AUTH_NONE},
    };
    const char *first = NULL;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!kinds[i].given) continue;
        if (first)
            return plugin_error(cx, NULL, "two kinds of authentication: %s and %s", first,
                                kinds[i].name);
        first = kinds[i].name;
        s->auth = kinds[i].kind;
    }
    if (!http_is_line(s->bearer_token.secret))
        return plugin_error(cx, "bearer_token", "\"bearer_token\" takes one line of text");
    open_oauth1(s);
    return s->auth != WS_AUTH_JWT || open_jwt(s, cx);
}

/* ---- a connection ---- */

/* The token in the file as it is now. */
static bool put_token_file(struct str path, struct buf *out, struct buf *problem)
{
    struct buf text = {0};

    if (!ws_read_small_file(path, &text, problem)) return false;
    struct str token = buf_view(&text);
    while (token.len > 0 && strchr(" \t\r\n", token.data[token.len - 1]))
        token.len--;
    while (token.len > 0 && strchr(" \t\r\n", token.data[0]))
        token = str_from(token, 1);
    bool good = token.len > 0 && http_is_line(token);
    if (good)
        buf_str(out, token);
    else
        buf_printf(problem, "%.*s holds no token of one line", STR_ARG(path));
    OPENSSL_cleanse(text.data, text.cap);
    buf_release(&text);
    return good;
}

bool ws_put_auth(const struct ws_settings *s, uint32_t n, struct buf *out, struct buf *problem)
{
    const struct url *u = &s->targets[n];
    bool              good = true;

    if (s->auth == WS_AUTH_NONE) return true;
    if (s->auth == WS_AUTH_BASIC && !s->user.data && !s->password.secret.data && !u->has_userinfo)
        return true; /* another URL of the list has it */
    buf_str(out, STR("Authorization: "));
    switch (s->auth) {
    case WS_AUTH_BASIC:
        if (u->has_userinfo)
            auth_basic(u->user, u->password, out);
        else
            auth_basic(s->user, s->password.secret, out);
        break;
    case WS_AUTH_BEARER:
        buf_printf(out, "Bearer %.*s", STR_ARG(s->bearer_token.secret));
        break;
    case WS_AUTH_BEARER_FILE:
        buf_str(out, STR("Bearer "));
        good = put_token_file(s->bearer_token_file, out, problem);
        break;
    case WS_AUTH_OAUTH1:
        auth_oauth1(&s->oauth1, u, s->url.at[n], (struct str){0}, (struct str){0}, out);
        break;
    case WS_AUTH_JWT:
        good = auth_jwt(&s->jwt, time(NULL), out, problem);
        break;
    case WS_AUTH_OAUTH2:
        buf_printf(out, "Bearer %.*s", STR_ARG(oauth2_token(s->oauth2)));
        break;
    case WS_AUTH_NONE:
        break;
    }
    buf_str(out, STR("\r\n"));
    return good;
}
