/*
 * The values in records of netflow and IPFIX.
 *
 * Source: RFC 7011, section 6; logstash-codec-netflow, lib/logstash/codecs/netflow/util.rb.
 */
#include <arpa/inet.h>

#include "codecs/netflow.h"
#include "event/time.h"
#include "text/lossy.h"

static struct value uint_value(struct arena *a, uint64_t u)
{
    if (u <= INT64_MAX) return value_int((int64_t)u);

    struct value v = value_string(arena_printf(a, "%llu", (unsigned long long)u));
    v.kind = VALUE_NUMBER;
    return v;
}

static struct value time_text(struct arena *a, struct timestamp t)
{
    char  *text = arena_alloc(a, 40);
    size_t len = time_print(t, text);

    arena_trim(a, text, len);
    return value_string((struct str){text, len});
}

/* Hexadecimal digits, with `between` after every `group` bytes. */
static struct value hex(struct arena *a, struct str bytes, size_t group, char between)
{
    static const char digits[] = "0123456789abcdef";
    char             *text = arena_alloc(a, 3 * bytes.len + 1);
    size_t            len = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        if (group > 0 && i > 0 && i % group == 0) text[len++] = between;
        text[len++] = digits[(unsigned char)bytes.data[i] >> 4];
        text[len++] = digits[(unsigned char)bytes.data[i] & 15];
    }
    arena_trim(a, text, len);
    return value_string((struct str){text, len});
}

static struct value address(struct arena *a, int family, const char *bytes)
{
    char *text = arena_alloc(a, INET6_ADDRSTRLEN);

    inet_ntop(family, bytes, text, INET6_ADDRSTRLEN);
    struct str s = str_of(text);
    arena_trim(a, text, s.len + 1);
    return value_string(s);
}

struct value netflow_ip4(struct arena *a, const char *bytes)
{
    return address(a, AF_INET, bytes);
}

static struct value string(struct arena *a, struct str bytes)
{
    while (bytes.len > 0 && bytes.data[bytes.len - 1] == '\0')
        bytes.len--;
    return value_string(lossy_binary(a, bytes));
}

static struct value real(struct str bytes)
{
    uint64_t u = netflow_uint(bytes.data, bytes.len);
    uint32_t narrow = (uint32_t)u;
    float    single;
    double   f;

    memcpy(&f, &u, sizeof(f));
    memcpy(&single, &narrow, sizeof(single));
    return value_float(bytes.len == 4 ? (double)single : f);
}

static void member(struct arena *a, struct map *m, struct str name, uint64_t u)
{
    *map_add(m, a, key_make(name)) = value_int((int64_t)u);
}

/* Two bits of status, six of the reason for it. */
static struct value forwarding(struct arena *a, uint64_t u)
{
    struct map *m = map_new(a, 2);

    member(a, m, STR("status"), u >> 6);
    member(a, m, STR("reason"), u & 0x3F);
    return value_map(m);
}

static struct value mpls(struct arena *a, uint64_t u)
{
    struct map *m = map_new(a, 4);

    member(a, m, STR("label"), u >> 12);
    member(a, m, STR("experimental"), u >> 9 & 7);
    member(a, m, STR("bottom_of_stack"), u >> 8 & 1);
    member(a, m, STR("ttl"), u & 0xFF);
    return value_map(m);
}

/* Source: RFC 6759, section 4: an engine, and the application's number there. */
static struct value application(struct arena *a, struct str bytes)
{
    return value_string(
        arena_printf(a, "%u:%llu", (unsigned char)bytes.data[0],
                     (unsigned long long)netflow_uint(bytes.data + 1, bytes.len - 1)));
}

struct value netflow_uptime(struct arena *a, const struct netflow_header *h, uint32_t uptime_ms)
{
    int64_t          before_ms = (int32_t)(h->uptime_ms - uptime_ms); /* it may have wrapped */
    int64_t          ns = (int64_t)h->time.nsec - before_ms % 1000 * 1000000;
    struct timestamp t = {.sec = h->time.sec - before_ms / 1000};

    for (; ns < 0; ns += 1000000000)
        t.sec--;
    for (; ns >= 1000000000; ns -= 1000000000)
        t.sec++;
    t.nsec = (uint32_t)ns;
    return time_text(a, t);
}

/* Source: RFC 7011, sections 6.1.7 to 6.1.10; RFC 5905, for the form of NTP. */
static struct value moment(struct arena *a, enum netflow_type type, uint64_t u)
{
    static const int64_t year_1900 = -INT64_C(2208988800);
    struct timestamp     t = {.sec = (int64_t)u};

    if (type == NETFLOW_MILLISECONDS) {
        if (u / 1000 > INT64_C(1) << 40) return uint_value(a, u);
        t = (struct timestamp){(int64_t)(u / 1000), (uint32_t)(u % 1000) * 1000000};
    } else if (type == NETFLOW_NTP) {
        uint64_t micros = (u & UINT32_MAX) * 1000000 >> 32;
        t = (struct timestamp){year_1900 + (int64_t)(u >> 32), (uint32_t)micros * 1000};
    } else if (u > UINT32_MAX) {
        return uint_value(a, u);
    }
    return time_text(a, t);
}

/* Lengths that a type must have; 0: any from 1 to 8. */
static const uint8_t lengths[NETFLOW_TYPES] = {
    [NETFLOW_IP4] = 4,    [NETFLOW_IP6] = 16,       [NETFLOW_MAC] = 6,  [NETFLOW_NTP] = 8,
    [NETFLOW_UPTIME] = 4, [NETFLOW_FORWARDING] = 1, [NETFLOW_MPLS] = 4, [NETFLOW_ACL] = 12,
};

static bool fits(enum netflow_type type, size_t len)
{
    if (type == NETFLOW_STRING || type == NETFLOW_OCTETS || type == NETFLOW_SKIP) return true;
    if (type == NETFLOW_APPLICATION) return len >= 2 && len <= 9;
    if (type == NETFLOW_FLOAT) return len == 4 || len == 8;
    return lengths[type] ? len == lengths[type] : len >= 1 && len <= 8;
}

struct value netflow_value(struct arena *a, const struct netflow_header *h, enum netflow_type type,
                           struct str bytes)
{
    if (!fits(type, bytes.len)) /* reduced sizes are for numbers only: RFC 7011, section 6.2 */
        return bytes.len >= 1 && bytes.len <= 8 ? uint_value(a, netflow_uint(bytes.data, bytes.len))
                                                : hex(a, bytes, 0, '\0');
    switch (type) {
    case NETFLOW_IP4:
        return address(a, AF_INET, bytes.data);
    case NETFLOW_IP6:
        return address(a, AF_INET6, bytes.data);
    case NETFLOW_MAC:
        return hex(a, bytes, 1, ':');
    case NETFLOW_ACL:
        return hex(a, bytes, 4, '-');
    case NETFLOW_OCTETS:
        return hex(a, bytes, 0, '\0');
    case NETFLOW_STRING:
        return string(a, bytes);
    case NETFLOW_FLOAT:
        return real(bytes);
    case NETFLOW_APPLICATION:
        return application(a, bytes);
    case NETFLOW_SKIP:
        return value_null();
    default:
        break;
    }
    uint64_t u = netflow_uint(bytes.data, bytes.len);
    if (type == NETFLOW_INT)
        return value_int((int64_t)(u << (64 - 8 * bytes.len)) >> (64 - 8 * bytes.len));
    if (type == NETFLOW_UPTIME) return netflow_uptime(a, h, (uint32_t)u);
    if (type == NETFLOW_FORWARDING) return forwarding(a, u);
    if (type == NETFLOW_MPLS) return mpls(a, u);
    return type == NETFLOW_UINT ? uint_value(a, u) : moment(a, type, u);
}
