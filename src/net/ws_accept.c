#include "net/ws_accept.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "net/ws_deflate.h"
#include "net/ws_frame.h"

static void refuse(struct ws_verdict *out, int status, const char *reason)
{
    if (out->status) return; /* the first reason counts */
    out->status = status;
    out->reason = reason;
}

/* ---- RFC 6455, section 4.2.1 ---- */

/* 16 bytes in base64. */
static bool is_key(struct str key)
{
    if (key.len != WS_KEY_SIZE - 1 || !str_is(str_from(key, 22), "==")) return false;
    for (size_t i = 0; i < 22; i++) {
        char c = key.data[i], lower = (char)(c | 0x20);
        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '+' && c != '/')
            return false;
    }
    return true;
}

static unsigned count(const struct http_head *head, const char *name)
{
    struct str rest = head->fields, value;
    unsigned   n = 0;

    while (http_next_value(&rest, name, &value))
        n++;
    return n;
}

static void check_upgrade(const struct http_head *head, struct ws_verdict *out)
{
    if (!str_is(head->method, "GET")) refuse(out, 405, "the method is not GET");
    if (str_is(head->version, "HTTP/1.0")) refuse(out, 505, "HTTP/1.1 is needed");
    if (count(head, "Host") != 1) refuse(out, 400, "there is not one Host");
    if (!http_has_token(head, "Upgrade", "websocket") ||
        !http_has_token(head, "Connection", "upgrade"))
        refuse(out, 426, "this is a WebSocket server");
    if (count(head, "Sec-WebSocket-Key") != 1 || !is_key(out->key))
        refuse(out, 400, "there is not one valid Sec-WebSocket-Key");
    if (count(head, "Sec-WebSocket-Version") != 1 ||
        !str_is(http_field(head, "Sec-WebSocket-Version"), "13"))
        refuse(out, 426, "version 13 of WebSocket is needed");
}

/* ---- what the settings ask for ---- */

/* The path of "/path?query" or "http://host/path?query". */
static struct str path_of(struct str target)
{
    if (!str_starts(target, STR("/"))) {
        ptrdiff_t host = str_find(target, STR("://"));
        if (host >= 0) target = str_from(target, (size_t)host + 3);
        const char *slash = target.len ? memchr(target.data, '/', target.len) : NULL;
        if (!slash) return STR("/");
        target = str_from(target, (size_t)(slash - target.data));
    }
    const char *query = memchr(target.data, '?', target.len);
    if (query) target.len = (size_t)(query - target.data);
    return target;
}

static bool origin_allowed(const struct ws_policy *p, struct str origin)
{
    if (p->allowed_origins.len == 0) return true;
    for (uint32_t i = 0; i < p->allowed_origins.len; i++) {
        struct str allowed = p->allowed_origins.at[i];
        if (str_is(allowed, "*") && origin.data) return true;
        if (allowed.len == 0 && !origin.data) return true;
        if (origin.data && allowed.len == origin.len && allowed.len > 0 &&
            strncasecmp(allowed.data, origin.data, origin.len) == 0)
            return true;
    }
    return false;
}

/* Takes as long for a good guess as for a bad one: not even the length shows. */
static bool same_secret(struct str given, struct str expected)
{
    unsigned char a[EVP_MAX_MD_SIZE], b[EVP_MAX_MD_SIZE];

    EVP_Digest(given.data, given.len, a, NULL, EVP_sha256(), NULL);
    EVP_Digest(expected.data, expected.len, b, NULL, EVP_sha256(), NULL);
    return CRYPTO_memcmp(a, b, 32) == 0;
}

static bool authenticated(const struct ws_policy *p, const struct http_head *head)
{
    struct str rest = head->fields, given;

    if (!p->basic.data && !p->bearer.data) return true;
    if (!http_next_value(&rest, "Authorization", &given)) return false;
    struct str scheme = http_take(&given, ' ');
    given = http_take(&given, '\n');
    if (http_same(scheme, "Basic") && p->basic.data) return same_secret(given, p->basic);
    return http_same(scheme, "Bearer") && p->bearer.data && same_secret(given, p->bearer);
}

/* ---- what is agreed on ---- */

/* The first of the client's wishes that we speak. */
static void choose_protocol(const struct ws_policy *p, const struct http_head *head,
                            struct ws_agreement *agreed)
{
    struct str rest = head->fields, offers;

    while (http_next_value(&rest, "Sec-WebSocket-Protocol", &offers))
        while (offers.len > 0) {
            struct str offer = http_take(&offers, ',');
            for (uint32_t i = 0; i < p->subprotocols.len; i++) {
                if (agreed->protocol.data || !str_eq(offer, p->subprotocols.at[i])) continue;
                agreed->protocol = p->subprotocols.at[i];
            }
        }
}

/* RFC 7692, section 7.1: the first good offer, whatever its parameters. We decompress each message
   by itself and with the largest window. */
static void choose_extension(const struct ws_policy *p, const struct http_head *head,
                             struct ws_agreement *agreed)
{
    struct str              rest = head->fields, offers;
    struct ws_deflate_terms terms;

    if (!p->deflate) return;
    while (http_next_value(&rest, "Sec-WebSocket-Extensions", &offers))
        while (!agreed->deflate && offers.len > 0) {
            agreed->deflate = ws_deflate_read(http_take(&offers, ','), true, &terms);
            if (agreed->deflate) agreed->own_bits = terms.server_bits;
        }
}

void ws_check_request(const struct ws_policy *p, const struct http_head *head, bool full,
                      struct ws_verdict *out)
{
    *out = (struct ws_verdict){.key = http_field(head, "Sec-WebSocket-Key")};
    check_upgrade(head, out);
    if (!str_eq(path_of(head->target), p->path)) refuse(out, 404, "there is nothing at this path");
    if (!authenticated(p, head)) refuse(out, 401, "the Authorization is not right");
    if (!origin_allowed(p, http_field(head, "Origin")))
        refuse(out, 403, "this Origin is not allowed");
    if (full) refuse(out, 503, "there are too many connections");
    if (out->status) return;
    out->status = 101;
    choose_protocol(p, head, &out->agreed);
    choose_extension(p, head, &out->agreed);
}

/* ---- the answer ---- */

static const char *phrase(int status)
{
    switch (status) {
    case 101:
        return "Switching Protocols";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 426:
        return "Upgrade Required";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Bad Request";
    }
}

static void put_refusal(const struct ws_policy *p, const struct ws_verdict *v, struct buf *out)
{
    if (v->status == 401)
        buf_printf(out, "WWW-Authenticate: %s realm=\"lsc\"\r\n",
                   p->basic.data ? "Basic" : "Bearer");
    if (v->status == 405) buf_str(out, STR("Allow: GET\r\n"));
    if (v->status == 426) buf_str(out, STR("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"));
    if (v->status == 503) buf_str(out, STR("Retry-After: 10\r\n"));
    buf_printf(out,
               "Connection: %sclose\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s\n",
               v->status == 426 ? "Upgrade, " : "", strlen(v->reason) + 1, v->reason);
}

static void put_agreement(const struct ws_verdict *v, struct buf *out)
{
    char accept[29];

    ws_accept(v->key, accept);
    buf_printf(out, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n",
               accept);
    if (v->agreed.protocol.data)
        buf_printf(out, "Sec-WebSocket-Protocol: %.*s\r\n", STR_ARG(v->agreed.protocol));
    if (v->agreed.deflate) {
        buf_str(out, STR("Sec-WebSocket-Extensions: permessage-deflate; "
                         "client_no_context_takeover; server_no_context_takeover"));
        if (v->agreed.own_bits) buf_printf(out, "; server_max_window_bits=%u", v->agreed.own_bits);
        buf_str(out, STR("\r\n"));
    }
    buf_str(out, STR("\r\n"));
}

void ws_answer(const struct ws_policy *p, const struct ws_verdict *v, struct buf *out)
{
    buf_printf(out, "HTTP/1.1 %d %s\r\n", v->status, phrase(v->status));
    buf_str(out, p->headers);
    if (v->status == 101)
        put_agreement(v, out);
    else
        put_refusal(p, v, out);
}
