/* Who a WebSocket client says that it is: the settings of authentication. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "net/http_head.h"
#include "net/pem.h"
#include "net/ws_settings_parts.h"

enum { TOKEN_MAX = 64 * 1024 };

bool ws_has_header(const struct ws_settings *s, const char *name)
{
    for (uint32_t i = 0; i < s->headers.len; i++)
        if (http_same(s->headers.at[i].key, name)) return true;
    return false;
}

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
    char      *name = strndup(path.data, path.len);
    FILE      *f = name ? fopen(name, "re") : NULL;
    struct buf text = {0};
    struct str token;

    free(name);
    if (!f) {
        buf_printf(problem, "%.*s cannot be read", STR_ARG(path));
        return false;
    }
    text.len = fread(buf_room(&text, TOKEN_MAX), 1, TOKEN_MAX, f);
    fclose(f);
    token = buf_view(&text);
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
    case WS_AUTH_NONE:
        break;
    }
    buf_str(out, STR("\r\n"));
    return good;
}
