#include "text/ip.h"

#include <arpa/inet.h>

#include <stdlib.h>

/* ---- addresses ---- */

/* Takes a decimal number of up to three digits without leading zeros, at most `max`. */
static bool take_decimal(struct str *s, unsigned max, unsigned *out)
{
    size_t   n = 0;
    unsigned value = 0;

    while (n < s->len && n < 4 && s->data[n] >= '0' && s->data[n] <= '9')
        value = value * 10 + (unsigned)(s->data[n++] - '0');
    if (n == 0 || n > 3 || value > max || (n > 1 && s->data[0] == '0')) return false;
    *out = value;
    *s = str_from(*s, n);
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->len == 0 || s->data[0] != c) return false;
    *s = str_from(*s, 1);
    return true;
}

static bool parse_v4(struct str s, uint64_t *out)
{
    unsigned part;

    *out = 0;
    for (int i = 0; i < 4; i++) {
        if (i && !take_char(&s, '.')) return false;
        if (!take_decimal(&s, 255, &part)) return false;
        *out = *out << 8 | part;
    }
    return s.len == 0;
}

static bool take_group(struct str *s, uint16_t *out)
{
    unsigned value = 0;
    size_t   n = 0;

    while (n < s->len && n < 5 && hex_digit(s->data[n]) >= 0)
        value = value << 4 | (unsigned)hex_digit(s->data[n++]);
    if (n == 0 || n > 4) return false;
    *out = (uint16_t)value;
    *s = str_from(*s, n);
    return true;
}

/* The groups of an IPv6 address as they are read; `gap`: where "::" stood, or -1. */
struct groups {
    uint16_t at[8];
    int      len, gap;
};

/* The last 32 bits may be written as IPv4. */
static bool take_v4_tail(struct str *s, struct groups *g)
{
    uint64_t v4;

    if (g->len > 6 || !memchr(s->data, '.', s->len) || !parse_v4(*s, &v4)) return false;
    g->at[g->len++] = (uint16_t)(v4 >> 16);
    g->at[g->len++] = (uint16_t)v4;
    *s = str_from(*s, s->len);
    return true;
}

static bool parse_groups(struct str s, struct groups *g)
{
    *g = (struct groups){.gap = -1};
    if (s.len >= 2 && s.data[0] == ':' && s.data[1] == ':') {
        g->gap = 0;
        s = str_from(s, 2);
    }
    while (s.len) {
        if (g->len == 8) return false;
        if (take_v4_tail(&s, g)) break;
        if (!take_group(&s, &g->at[g->len])) return false;
        g->len++;
        if (s.len == 0) break;
        if (!take_char(&s, ':')) return false;
        if (s.len == 0) return false; /* one colon at the end */
        if (s.data[0] != ':') continue;
        if (g->gap >= 0) return false;
        g->gap = g->len;
        s = str_from(s, 1);
    }
    return g->gap >= 0 ? g->len < 8 : g->len == 8;
}

static bool parse_v6(struct str s, struct ip *out)
{
    struct groups g;
    uint64_t      half[2] = {0, 0};

    if (!parse_groups(s, &g)) return false;
    int before = g.gap >= 0 ? g.gap : 8, zeros = 8 - g.len;
    for (int i = 0; i < 8; i++) {
        uint16_t group = i < before ? g.at[i] : i < before + zeros ? 0 : g.at[i - zeros];
        half[i / 4] = half[i / 4] << 16 | group;
    }
    *out = (struct ip){.v6 = true, .high = half[0], .low = half[1]};
    return true;
}

static bool is_mapped(const struct ip *a)
{
    return a->v6 && a->high == 0 && a->low >> 32 == 0xFFFF;
}

static bool parse(struct str s, struct ip *out)
{
    if (s.len == 0) return false;
    if (!memchr(s.data, ':', s.len)) {
        *out = (struct ip){0};
        return parse_v4(s, &out->low);
    }
    if (s.len > 2 && s.data[0] == '[' && s.data[s.len - 1] == ']')
        s = (struct str){s.data + 1, s.len - 2};
    return parse_v6(s, out);
}

bool ip_parse(struct str text, struct ip *out)
{
    if (!parse(text, out)) return false;
    if (is_mapped(out)) *out = (struct ip){.low = out->low & 0xFFFFFFFF};
    return true;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
    if (a->v6 != b->v6) return a->v6 ? 1 : -1;
    if (a->high != b->high) return a->high < b->high ? -1 : 1;
    return a->low < b->low ? -1 : a->low > b->low;
}

/* ---- networks ---- */

/* The number of ones at the start of a mask written as an address, or -1 when it has holes. */
static int mask_bits(const struct ip *mask)
{
    int  bits = mask->v6 ? 128 : 32, ones = 0;
    bool ended = false;

    for (int i = bits - 1; i >= 0; i--) {
        uint64_t half = i >= 64 ? mask->high : mask->low;
        bool     one = half >> (i % 64) & 1;
        if (one && ended) return -1;
        ended |= !one;
        ones += one;
    }
    return ones;
}

/* The length of a prefix: a number of bits, or a mask of the same family. */
static bool parse_prefix(struct str s, bool v6, int *out)
{
    unsigned   bits;
    struct ip  mask;
    struct str rest = s;

    if (take_decimal(&rest, v6 ? 128 : 32, &bits) && rest.len == 0) {
        *out = (int)bits;
        return true;
    }
    if (!parse(s, &mask) || mask.v6 != v6) return false;
    *out = mask_bits(&mask);
    return *out >= 0;
}

/* The bits behind the first `bits` ones of a word of `width` bits. */
static uint64_t host_bits(int bits, int width)
{
    int hosts = width - bits;

    if (hosts <= 0) return 0;
    return hosts >= 64 ? UINT64_MAX : ((uint64_t)1 << hosts) - 1;
}

static void set_range(struct ip_network *n, struct ip address, int bits)
{
    uint64_t high = address.v6 ? host_bits(bits, 64) : 0;
    uint64_t low = address.v6 ? host_bits(bits - 64 > 0 ? bits - 64 : 0, 64) : host_bits(bits, 32);

    n->first = n->last = address;
    n->first.high &= ~high;
    n->first.low &= ~low;
    n->last.high |= high;
    n->last.low |= low;
}

bool ip_network_parse(struct str text, struct ip_network *out)
{
    const char *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
    struct str  address = {text.data, slash ? (size_t)(slash - text.data) : text.len};
    struct ip   ip;
    int         bits;

    if (!parse(address, &ip)) return false;
    bits = ip.v6 ? 128 : 32;
    if (slash && !parse_prefix(str_from(text, address.len + 1), ip.v6, &bits)) return false;
    if (is_mapped(&ip) && bits >= 96) {
        ip = (struct ip){.low = ip.low & 0xFFFFFFFF};
        bits -= 96;
    }
    set_range(out, ip, bits);
    return true;
}

bool ip_network_contains(const struct ip_network *n, const struct ip *address)
{
    return ip_compare(&n->first, address) <= 0 && ip_compare(address, &n->last) <= 0;
}

/* ---- sets ---- */

static int compare_first(const void *a, const void *b)
{
    const struct ip_network *x = a, *y = b;

    return ip_compare(&x->first, &y->first);
}

struct ip_set ip_set_of(struct ip_network *networks, uint32_t n)
{
    struct ip_set set = {.at = networks};

    if (n) qsort(networks, n, sizeof(*networks), compare_first);
    for (uint32_t i = 0; i < n; i++) {
        struct ip_network *last = set.len ? &set.at[set.len - 1] : NULL;
        if (!last || ip_compare(&networks[i].first, &last->last) > 0)
            set.at[set.len++] = networks[i];
        else if (ip_compare(&networks[i].last, &last->last) > 0)
            last->last = networks[i].last;
    }
    return set;
}

bool ip_set_contains(const struct ip_set *set, const struct ip *address)
{
    uint32_t low = 0, high = set->len; /* the last network that begins at or before the address */

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ip_compare(&set->at[middle].first, address) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && ip_network_contains(&set->at[low - 1], address);
}

bool ip_mask(struct ip *address, int64_t prefix)
{
    int64_t low = prefix - (address->v6 ? 64 : 32); /* bits of the lower word that stay */
    int64_t width = address->v6 ? 64 : 32;

    if (prefix < 0 || prefix > (address->v6 ? 128 : 32)) return false;
    if (address->v6 && prefix < 64) {
        address->high = prefix ? address->high >> (64 - prefix) << (64 - prefix) : 0;
        address->low = 0;
        return true;
    }
    if (!address->v6) low = prefix;
    address->low = low ? address->low >> (width - low) << (width - low) : 0;
    return true;
}

struct str ip_text(struct arena *a, const struct ip *address)
{
    unsigned char bytes[16];
    char          text[INET6_ADDRSTRLEN];
    int           size = address->v6 ? 16 : 4;

    for (int i = 0; i < size; i++) {
        int at = 8 * (size - 1 - i); /* of this byte's lowest bit */
        bytes[i] = (unsigned char)((at >= 64 ? address->high : address->low) >> (at % 64));
    }
    inet_ntop(address->v6 ? AF_INET6 : AF_INET, bytes, text, sizeof(text));
    return arena_copy(a, str_of(text));
}
