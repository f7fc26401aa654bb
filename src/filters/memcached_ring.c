/* Which server has a key, and what keys look like. */
#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "filters/memcached.h"

enum { DEFAULT_PORT = 11211, POINTS_PER_SERVER = 160, WEIGHT_MAX = 100, MD5_SIZE = 16 };

struct memcached_point {
    uint32_t at, server;
};

/* ---- servers ---- */

static bool take_number(struct str s, int64_t max, int64_t *out)
{
    int64_t n = 0;

    if (s.len == 0 || s.len > 9) return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!isdigit((unsigned char)s.data[i])) return false;
        n = 10 * n + (s.data[i] - '0');
    }
    *out = n;
    return n >= 1 && n <= max;
}

/* Takes `:NUMBER` off the end of `*s`; leaves it alone when there is none. */
static bool take_suffix(struct str *s, struct str *out)
{
    size_t at = s->len;

    while (at > 0 && isdigit((unsigned char)s->data[at - 1]))
        at--;
    if (at == 0 || at == s->len || s->data[at - 1] != ':') return false;
    *out = str_from(*s, at);
    s->len = at - 1;
    return true;
}

static size_t colons(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += s.data[i] == ':';
    return n;
}

/* HOST[:PORT[:WEIGHT]], [IPV6][:PORT[:WEIGHT]], IPV6, or /PATH[:WEIGHT]. */
static bool read_server(struct str text, struct memcached_server *s, struct arena *a)
{
    struct str numbers[2];
    int        n = 0;
    int64_t    port = DEFAULT_PORT;
    bool       brackets = text.len && text.data[0] == '[';
    bool       is_bare_ipv6 = !brackets && (colons(text) > 2 || str_find(text, STR("::")) >= 0);

    s->is_socket = text.len && text.data[0] == '/';
    s->weight = 1;
    while (!is_bare_ipv6 && n < 2 && take_suffix(&text, &numbers[n]))
        n++;
    if (brackets) {
        if (text.len < 3 || text.data[text.len - 1] != ']') return false;
        text = (struct str){text.data + 1, text.len - 2};
    }
    if (text.len == 0 || (s->is_socket && n > 1)) return false;
    if (!brackets && !is_bare_ipv6 && colons(text)) return false;
    if (s->is_socket) {
        if (n == 1 && !take_number(numbers[0], WEIGHT_MAX, &s->weight)) return false;
    } else {
        if (n > 0 && !take_number(numbers[n - 1], UINT16_MAX, &port)) return false;
        if (n > 1 && !take_number(numbers[0], WEIGHT_MAX, &s->weight)) return false;
    }
    s->host = arena_cstr(a, text);
    s->port = (uint16_t)port;
    s->name = s->is_socket ? str_of(s->host) : arena_printf(a, "%s:%d", s->host, (int)port);
    return true;
}

static bool add_server(struct memcached_ring *r, struct arena *a, struct str text,
                       const char **problem)
{
    struct memcached_server s;

    if (str_find(text, STR("://")) >= 0) {
        *problem = "lsc takes servers as HOST:PORT: memcached:// and SASL are not built";
        return false;
    }
    if (!read_server(text, &s, a)) {
        *problem = "not HOST, HOST:PORT, HOST:PORT:WEIGHT or the path of a socket";
        return false;
    }
    if (r->len == MEMCACHED_SERVERS_MAX) {
        *problem = "there are more than 1000 servers";
        return false;
    }
    struct memcached_server *servers = arena_alloc(a, ((size_t)r->len + 1) * sizeof(s));
    if (r->len) memcpy(servers, r->servers, r->len * sizeof(s));
    servers[r->len++] = s;
    r->servers = servers;
    return true;
}

bool memcached_ring_add(struct memcached_ring *r, struct arena *a, struct str text,
                        const char **problem)
{
    while (text.len) {
        const char *comma = memchr(text.data, ',', text.len);
        struct str  one = {text.data, comma ? (size_t)(comma - text.data) : text.len};
        if (one.len && !add_server(r, a, one, problem)) return false;
        text = str_from(text, one.len + 1);
    }
    return true;
}

/* ---- the ring ---- */

static uint32_t point_of(const struct memcached_server *s, int64_t i)
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    struct buf    text = {0};

    buf_printf(&text, "%.*s:%lld", STR_ARG(s->name), (long long)i);
    EVP_Digest(text.data, text.len, digest, NULL, EVP_sha1(), NULL);
    buf_release(&text);
    return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
           digest[3];
}

static int compare_points(const void *a, const void *b)
{
    const struct memcached_point *x = a, *y = b;

    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->server < y->server ? -1 : x->server > y->server;
}

void memcached_ring_close(struct memcached_ring *r, struct arena *a)
{
    int64_t total = 0;

    if (r->len < 2) return;
    for (uint32_t i = 0; i < r->len; i++)
        total += r->servers[i].weight;
    r->points = arena_alloc(a, (size_t)r->len * POINTS_PER_SERVER * sizeof(*r->points));
    for (uint32_t i = 0; i < r->len; i++) {
        int64_t points = (int64_t)r->len * POINTS_PER_SERVER * r->servers[i].weight / total;
        for (int64_t k = 0; k < points; k++)
            r->points[r->points_len++] = (struct memcached_point){point_of(&r->servers[i], k), i};
    }
    qsort(r->points, r->points_len, sizeof(*r->points), compare_points);
}

uint32_t memcached_ring_server(const struct memcached_ring *r, struct str key, int try)
{
    char     prefix[12];
    uint32_t hash = 0, low = 0, high = r->points_len;

    if (r->points_len == 0) return 0;
    if (try > 0) {
        int len = snprintf(prefix, sizeof(prefix), "%d", try - 1);
        hash = (uint32_t)crc32(0, (const Bytef *)prefix, (uInt)len);
    }
    hash = (uint32_t)crc32(hash, (const Bytef *)key.data, (uInt)key.len);
    while (low < high) { /* to the first point behind the hash */
        uint32_t middle = (low + high) / 2;
        if (r->points[middle].at > hash)
            high = middle;
        else
            low = middle + 1;
    }
    return r->points[low ? low - 1 : r->points_len - 1].server;
}

/* ---- keys ---- */

struct str memcached_key(struct arena *a, struct str space, struct str name)
{
    enum { HEX = 2 * MD5_SIZE, MARK = 5 /* ":md5:" */ };
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    struct str    key = name;

    if (space.len) key = arena_printf(a, "%.*s:%.*s", STR_ARG(space), STR_ARG(name));
    if (key.len <= MEMCACHED_KEY_MAX) return key;
    EVP_Digest(key.data, key.len, digest, NULL, EVP_md5(), NULL);
    size_t keep = MEMCACHED_KEY_MAX - (space.len ? 0 : 1) - HEX - MARK;
    char  *out = arena_alloc(a, keep + MARK + HEX + 1);
    memcpy(out, key.data, keep);
    memcpy(out + keep, ":md5:", MARK);
    for (size_t i = 0; i < MD5_SIZE; i++)
        snprintf(out + keep + MARK + 2 * i, 3, "%02x", digest[i]);
    return (struct str){out, keep + MARK + HEX};
}
