#include "net/proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>

#include "net/auth.h"
#include "net/http_head.h"

/* ---- HTTP: RFC 9110, section 9.3.6 ---- */

static void begin_http(struct proxy_talk *t, struct buf *out)
{
    const char *form = strchr(t->host, ':') ? "[%s]:%u" : "%s:%u";
    struct buf  authority = {0};

    buf_printf(&authority, form, t->host, t->port);
    buf_printf(out, "CONNECT %.*s HTTP/1.1\r\nHost: %.*s\r\n", STR_ARG(buf_view(&authority)),
               STR_ARG(buf_view(&authority)));
    if (t->proxy->url.has_userinfo) {
        buf_str(out, STR("Proxy-Authorization: "));
        auth_basic(t->proxy->url.user, t->proxy->url.password, out);
        buf_str(out, STR("\r\n"));
    }
    buf_str(out, t->proxy->headers);
    buf_str(out, STR("\r\n"));
    buf_release(&authority);
}

static int take_http(struct proxy_talk *t, struct buf *problem)
{
    struct http_head head;
    int              n = http_head_read(buf_view(&t->in), &head);

    if (n < 0) buf_str(problem, STR("the proxy's answer is not HTTP"));
    if (n <= 0) return n;
    if (head.status >= 200 && head.status < 300) return 1;
    buf_printf(problem, "the proxy answers %d %.*s", head.status, STR_ARG(head.reason));
    return -1;
}

/* ---- SOCKS 5: RFC 1928, RFC 1929 ---- */

enum { GREETING, PASSWORD, REQUEST };

static void begin_socks(struct proxy_talk *t, struct buf *out)
{
    bool password = t->proxy->url.has_userinfo;

    t->step = GREETING;
    buf_str(out, password ? STR("\5\2\0\2") : STR("\5\1\0"));
}

static void put_short(struct buf *out, struct str s)
{
    size_t len = s.len > 255 ? 255 : s.len;

    buf_char(out, (char)len);
    buf_put(out, s.data, len);
}

static void send_request(struct proxy_talk *t, struct buf *out)
{
    unsigned char address[16];

    t->step = REQUEST;
    buf_str(out, STR("\5\1\0"));
    if (inet_pton(AF_INET, t->host, address) == 1) {
        buf_char(out, 1);
        buf_put(out, (const char *)address, 4);
    } else if (inet_pton(AF_INET6, t->host, address) == 1) {
        buf_char(out, 4);
        buf_put(out, (const char *)address, 16);
    } else { /* a name: the proxy looks it up */
        buf_char(out, 3);
        put_short(out, str_of(t->host));
    }
    buf_char(out, (char)(t->port >> 8));
    buf_char(out, (char)(t->port & 0xff));
}

static int refused(struct buf *problem, const char *why)
{
    buf_printf(problem, "the proxy refuses: %s", why);
    return -1;
}

static int take_method(struct proxy_talk *t, struct buf *out, struct buf *problem)
{
    if (t->in.len < 2) return 0;
    if (t->in.data[0] != 5) return refused(problem, "it does not speak SOCKS 5");
    if (t->in.data[1] == 0) {
        send_request(t, out);
    } else if (t->in.data[1] == 2 && t->proxy->url.has_userinfo) {
        t->step = PASSWORD;
        buf_char(out, 1);
        put_short(out, t->proxy->url.user);
        put_short(out, t->proxy->url.password);
    } else {
        return refused(problem, "it wants another kind of authentication");
    }
    buf_clear(&t->in);
    return 0;
}

static int take_password(struct proxy_talk *t, struct buf *out, struct buf *problem)
{
    if (t->in.len < 2) return 0;
    if (t->in.data[1] != 0) return refused(problem, "user or password is wrong");
    buf_clear(&t->in);
    send_request(t, out);
    return 0;
}

static int take_reply(struct proxy_talk *t, struct buf *problem)
{
    static const char *const why[] = {"",
                                      "general failure",
                                      "not allowed",
                                      "network unreachable",
                                      "host unreachable",
                                      "connection refused",
                                      "TTL expired",
                                      "command not supported",
                                      "kind of address not supported"};
    const unsigned char     *p = (const unsigned char *)t->in.data;

    if (t->in.len < 5) return 0;
    if (p[1] != 0) return refused(problem, p[1] < 9 ? why[p[1]] : "unknown reason");
    size_t address = p[3] == 1 ? 4u : p[3] == 4 ? 16u : 1u + p[4];
    return t->in.len >= 4 + address + 2;
}

/* ---- either ---- */

void proxy_begin(struct proxy_talk *t, const struct proxy *p, const char *host, uint16_t port,
                 struct buf *out)
{
    t->proxy = p;
    t->host = host;
    t->port = port;
    if (p->url.scheme < URL_SOCKS5)
        begin_http(t, out);
    else
        begin_socks(t, out);
}

int proxy_take(struct proxy_talk *t, struct str bytes, struct buf *out, struct buf *problem)
{
    buf_str(&t->in, bytes);
    if (t->proxy->url.scheme < URL_SOCKS5) return take_http(t, problem);
    switch (t->step) {
    case GREETING:
        return take_method(t, out, problem);
    case PASSWORD:
        return take_password(t, out, problem);
    default:
        return take_reply(t, problem);
    }
}

void proxy_end(struct proxy_talk *t)
{
    buf_release(&t->in);
}

/* ---- the environment ---- */

static const char *variable(const char *small, const char *capital)
{
    const char *value = getenv(small);

    return value && *value ? value : getenv(capital);
}

/* True when `host` is `entry` or lies in that domain. */
static bool covers(struct str entry, struct str host)
{
    while (entry.len > 0 && (entry.data[0] == ' ' || entry.data[0] == '.'))
        entry = str_from(entry, 1);
    while (entry.len > 0 && entry.data[entry.len - 1] == ' ')
        entry.len--;
    if (str_is(entry, "*")) return true;
    if (entry.len == 0 || entry.len > host.len) return false;
    size_t before = host.len - entry.len;
    return strncasecmp(host.data + before, entry.data, entry.len) == 0 &&
           (before == 0 || host.data[before - 1] == '.');
}

static bool exempt(const struct url *target)
{
    const char *list = variable("no_proxy", "NO_PROXY");
    struct str  rest = list ? str_of(list) : STR("");

    if (url_is_local(target)) return true;
    while (rest.len > 0) {
        const char *comma = memchr(rest.data, ',', rest.len);
        struct str  entry = {rest.data, comma ? (size_t)(comma - rest.data) : rest.len};
        if (covers(entry, target->host)) return true;
        rest = str_from(rest, comma ? entry.len + 1 : entry.len);
    }
    return false;
}

struct str proxy_from_environment(const struct url *target)
{
    const char *value =
        target->tls ? variable("https_proxy", "HTTPS_PROXY") : variable("http_proxy", "HTTP_PROXY");

    return value && !exempt(target) ? str_of(value) : STR("");
}
