#include "net/url.h"

#include <arpa/inet.h>
#include <strings.h>

#include "base/secret.h"

static const struct {
    const char *name;
    uint16_t    port;
    bool        tls;
} schemes[] = {
    [URL_WS] = {"ws", 80, false},           [URL_WSS] = {"wss", 443, true},
    [URL_HTTP] = {"http", 80, false},       [URL_HTTPS] = {"https", 443, true},
    [URL_SOCKS5] = {"socks5", 1080, false}, [URL_SOCKS5H] = {"socks5h", 1080, false},
};
enum { SCHEMES = sizeof(schemes) / sizeof(schemes[0]) };

static bool fail(const char **problem, const char *text)
{
    *problem = text;
    return false;
}

/* Splits at the first `separator` of `s`: the part before it goes to `*head`. False: none. */
static bool cut(struct str *s, char separator, struct str *head)
{
    const char *at = s->len ? memchr(s->data, separator, s->len) : NULL;

    if (!at) return false;
    *head = (struct str){s->data, (size_t)(at - s->data)};
    *s = (struct str){at + 1, s->len - head->len - 1};
    return true;
}

/* The same at the last one. */
static bool cut_last(struct str *s, char separator, struct str *head)
{
    const char *at = s->len ? memrchr(s->data, separator, s->len) : NULL;

    if (!at) return false;
    *head = (struct str){s->data, (size_t)(at - s->data)};
    *s = (struct str){at + 1, s->len - head->len - 1};
    return true;
}

static bool take_scheme(struct str *s, struct url *u)
{
    ptrdiff_t end = str_find(*s, STR("://"));

    for (int i = 0; end > 0 && i < SCHEMES; i++) {
        if (strlen(schemes[i].name) != (size_t)end) continue;
        if (strncasecmp(schemes[i].name, s->data, (size_t)end) != 0) continue;
        u->scheme = (enum url_scheme)i;
        u->tls = schemes[i].tls;
        u->port = schemes[i].port;
        *s = str_from(*s, (size_t)end + 3);
        return true;
    }
    return false;
}

/* The authority ends where path or query begin. */
static struct str take_authority(struct str *s)
{
    size_t n = 0;

    while (n < s->len && s->data[n] != '/' && s->data[n] != '?')
        n++;
    struct str authority = {s->data, n};
    *s = str_from(*s, n);
    return authority;
}

/* Undoes %XX. False when a percent sign is not followed by two hex digits. */
static bool percent_decode(struct arena *a, struct str s, struct str *out)
{
    char  *text = arena_alloc(a, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '%') {
            text[n++] = s.data[i];
            continue;
        }
        if (i + 2 >= s.len || hex_digit(s.data[i + 1]) < 0 || hex_digit(s.data[i + 2]) < 0)
            return false;
        text[n++] = (char)(hex_digit(s.data[i + 1]) << 4 | hex_digit(s.data[i + 2]));
        i += 2;
    }
    text[n] = '\0';
    *out = (struct str){text, n};
    return true;
}

static bool take_userinfo(struct arena *a, struct str *authority, struct url *u)
{
    struct str info, user;

    if (!cut_last(authority, '@', &info)) return true;
    u->has_userinfo = true;
    if (!cut(&info, ':', &user)) user = info, info = str_from(info, info.len);
    return percent_decode(a, user, &u->user) && percent_decode(a, info, &u->password);
}

static bool read_port(struct str digits, uint16_t *port)
{
    uint32_t n = 0;

    if (digits.len == 0) return true; /* "host:" is the scheme's own, as RFC 3986 has it */
    if (digits.len > 5) return false;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') return false;
        n = n * 10 + (uint32_t)(digits.data[i] - '0');
    }
    *port = (uint16_t)n;
    return n > 0 && n <= UINT16_MAX;
}

static bool name_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static bool take_ipv6(struct arena *a, struct str *authority, struct url *u)
{
    struct in6_addr address;
    struct str      inside;

    if (!cut(authority, ']', &inside)) return false;
    u->is_ipv6 = true;
    u->host = arena_copy(a, str_from(inside, 1));
    return inet_pton(AF_INET6, u->host.data, &address) == 1 &&
           (authority->len == 0 || authority->data[0] == ':');
}

static bool take_host(struct arena *a, struct str authority, struct url *u, const char **problem)
{
    struct str host;

    if (str_starts(authority, STR("["))) {
        if (!take_ipv6(a, &authority, u)) return fail(problem, "has a bad IPv6 address");
        authority = str_from(authority, 1); /* the colon */
    } else {
        if (!cut(&authority, ':', &host)) host = authority, authority.len = 0;
        if (host.len == 0) return fail(problem, "has no host");
        for (size_t i = 0; i < host.len; i++)
            if (!name_character(host.data[i]))
                return fail(problem, "has a character in its host that no host name has");
        u->host = arena_copy(a, host);
    }
    return read_port(authority, &u->port) || fail(problem, "has a bad port");
}

static bool take_target(struct arena *a, struct str rest, struct url *u)
{
    const char *slash = str_starts(rest, STR("/")) ? "" : "/";

    u->target = arena_printf(a, "%s%.*s", slash, STR_ARG(rest));
    return memchr(rest.data, '#', rest.len) == NULL;
}

static bool printable(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~') return false;
    return true;
}

bool url_parse(struct arena *a, struct str text, struct url *out, const char **problem)
{
    struct buf masked = {0};

    *out = (struct url){0};
    if (!printable(text)) return fail(problem, "has a blank, control or non-ASCII character");
    url_mask(text, &masked);
    out->masked = arena_copy(a, buf_view(&masked));
    buf_release(&masked);
    if (!take_scheme(&text, out))
        return fail(problem, "does not begin with ws://, wss://, http:// or https://");
    struct str authority = take_authority(&text);
    if (!take_userinfo(a, &authority, out))
        return fail(problem, "has a percent sign in user or password without two hex digits");
    if (!take_host(a, authority, out, problem)) return false;
    if (!take_target(a, text, out)) return fail(problem, "has a fragment (#)");
    return true;
}

void url_mask(struct str text, struct buf *out)
{
    struct str rest = text, authority = take_authority(&rest), info;

    if (str_find(text, STR("://")) >= 0) {
        secret_mask_urls(text, out);
    } else if (cut_last(&authority, '@', &info)) {
        buf_str(out, STR("***:***@"));
        buf_str(out, authority);
        buf_str(out, rest);
    } else {
        buf_str(out, text);
    }
}

void url_authority(const struct url *u, struct buf *out)
{
    buf_printf(out, u->is_ipv6 ? "[%.*s]" : "%.*s", STR_ARG(u->host));
    if (u->port != schemes[u->scheme].port) buf_printf(out, ":%u", u->port);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return a->tls == b->tls && a->port == b->port && a->host.len == b->host.len &&
           strncasecmp(a->host.data, b->host.data, a->host.len) == 0;
}

static bool unreserved(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void url_escape(struct buf *out, struct str s, bool plus)
{
    for (size_t i = 0; i < s.len; i++) {
        if (unreserved(s.data[i]))
            buf_char(out, s.data[i]);
        else if (plus && s.data[i] == ' ')
            buf_char(out, '+');
        else
            buf_printf(out, "%%%02X", (unsigned char)s.data[i]);
    }
}

bool url_is_local(const struct url *u)
{
    return str_is(u->host, "localhost") || str_is(u->host, "::1") ||
           str_starts(u->host, STR("127."));
}
