#include "net/dns.h"

enum { HEADER = 12, LABEL_MAX = 63, CLASS_IN = 1, JUMPS_MAX = 64 };
enum { FLAG_RESPONSE = 0x8000, FLAG_RECURSION = 0x0100, CODE_MASK = 0x000F, CODE_NO_NAME = 3 };

/* ---- writing ---- */

static unsigned char *put16(unsigned char *p, unsigned n)
{
    *p++ = (unsigned char)(n >> 8);
    *p++ = (unsigned char)n;
    return p;
}

/* NULL when `name` is none. */
static unsigned char *put_name(unsigned char *p, struct str name)
{
    if (str_ends(name, STR("."))) name.len--;
    if (name.len == 0 || name.len > DNS_NAME_MAX) return NULL;
    while (name.len) {
        const char *dot = memchr(name.data, '.', name.len);
        size_t      len = dot ? (size_t)(dot - name.data) : name.len;
        if (len == 0 || len > LABEL_MAX) return NULL;
        *p++ = (unsigned char)len;
        for (size_t i = 0; i < len; i++) {
            unsigned char c = (unsigned char)name.data[i];
            if (c <= ' ' || c >= 0x7F) return NULL;
            *p++ = c;
        }
        if (dot && len + 1 == name.len) return NULL;
        name = str_from(name, dot ? len + 1 : len);
    }
    *p++ = 0;
    return p;
}

size_t dns_question(unsigned char *out, uint16_t id, struct str name, uint16_t type)
{
    unsigned char *p = put16(out, id);

    p = put16(p, FLAG_RECURSION);
    p = put16(p, 1);
    p = put16(put16(put16(p, 0), 0), 0);
    p = put_name(p, name);
    if (!p) return 0;
    return (size_t)(put16(put16(p, type), CLASS_IN) - out);
}

/* ---- reading ---- */

struct reader {
    const unsigned char *bytes;
    size_t               len, at;
    bool                 failed;
};

static unsigned get16(struct reader *r)
{
    if (r->failed || r->len - r->at < 2) {
        r->failed = true;
        return 0;
    }
    unsigned n = (unsigned)r->bytes[r->at] << 8 | r->bytes[r->at + 1];
    r->at += 2;
    return n;
}

/* Reads a name, which may go on elsewhere, to `out` (room for DNS_NAME_MAX + 2), unless that is
   NULL. Bytes that no name should have become question marks. Returns its length. */
static size_t get_name(struct reader *r, char *out)
{
    size_t at = r->at, n = 0;
    bool   jumped = false;

    for (int jumps = 0; jumps < JUMPS_MAX && at < r->len;) {
        unsigned len = r->bytes[at++];
        if (len == 0) {
            if (!jumped) r->at = at;
            return n;
        }
        if (len >= 0xC0) {
            if (at == r->len) break;
            size_t to = (size_t)(len & 0x3F) << 8 | r->bytes[at++];
            if (!jumped) r->at = at;
            jumped = true;
            jumps++;
            at = to;
            continue;
        }
        if (len > LABEL_MAX || r->len - at < len || n + len + 1 > DNS_NAME_MAX + 1) break;
        if (n && out) out[n] = '.';
        n += n > 0;
        for (unsigned i = 0; i < len; i++, n++) {
            unsigned char c = r->bytes[at + i];
            if (out) out[n] = c > ' ' && c < 0x7F ? (char)c : '?';
        }
        at += len;
    }
    r->failed = true;
    return 0;
}

static bool get_address(struct reader *r, unsigned type, size_t len, struct arena *a,
                        struct str *out)
{
    struct ip            ip = {.v6 = type == DNS_AAAA};
    const unsigned char *p = r->bytes + r->at;

    if (len != (ip.v6 ? 16 : 4)) return false;
    for (size_t i = 0; i < len; i++) {
        uint64_t *word = ip.v6 && i < 8 ? &ip.high : &ip.low;
        *word = *word << 8 | p[i];
    }
    *out = ip_text(a, &ip);
    return true;
}

/* True when the record at r->at is of the type; moves behind it otherwise. */
static bool record(struct reader *r, unsigned wanted, struct arena *a, struct str *out)
{
    char name[DNS_NAME_MAX + 2];

    get_name(r, NULL);
    unsigned type = get16(r), class = get16(r);
    get16(r), get16(r); /* time to live */
    size_t len = get16(r);
    if (r->failed || r->len - r->at < len) {
        r->failed = true;
        return false;
    }
    size_t end = r->at + len;
    bool   found = false;
    if (type == wanted && class == CLASS_IN && type == DNS_PTR) {
        size_t n = get_name(r, name);
        found = !r->failed && n > 0;
        if (found) *out = arena_copy(a, (struct str){name, n});
    } else if (type == wanted && class == CLASS_IN) {
        found = get_address(r, type, len, a, out);
    }
    r->at = end;
    return found;
}

int dns_answer(struct str question, struct str answer, struct arena *a, struct str *out)
{
    struct reader r = {.bytes = (const unsigned char *)answer.data, .len = answer.len};
    size_t        rest = question.len - HEADER; /* name, type, class */

    if (answer.len < question.len || memcmp(answer.data, question.data, 2) != 0)
        return DNS_NOT_MINE;
    r.at = 2;
    unsigned flags = get16(&r), questions = get16(&r), answers = get16(&r);
    if (!(flags & FLAG_RESPONSE) || questions != 1 ||
        memcmp(answer.data + HEADER, question.data + HEADER, rest) != 0)
        return DNS_NOT_MINE;
    if ((flags & CODE_MASK) == CODE_NO_NAME) return DNS_NOT_FOUND;
    if (flags & CODE_MASK) return DNS_FAILED;
    const unsigned char *type = (const unsigned char *)question.data + question.len - 4;
    unsigned             wanted = (unsigned)type[0] << 8 | type[1];
    r.at = question.len;
    for (unsigned i = 0; i < answers && !r.failed; i++) {
        if (record(&r, wanted, a, out)) return DNS_FOUND;
    }
    return DNS_NOT_FOUND;
}

struct str dns_reverse_name(struct arena *a, const struct ip *address)
{
    static const char hex[] = "0123456789abcdef";
    uint32_t          v4 = (uint32_t)address->low;
    char              text[64];

    if (!address->v6)
        return arena_printf(a, "%u.%u.%u.%u.in-addr.arpa", v4 & 255, v4 >> 8 & 255, v4 >> 16 & 255,
                            v4 >> 24);
    for (int i = 0; i < 32; i++) {
        uint64_t word = i < 16 ? address->low : address->high;
        text[2 * i] = hex[word >> (4 * (i % 16)) & 15];
        text[2 * i + 1] = '.';
    }
    return arena_printf(a, "%.64sip6.arpa", text);
}
