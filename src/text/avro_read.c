/* Source: Avro specification 1.11, «Binary Encoding». */
#include "event/time.h"
#include "text/avro_parts.h"
#include "text/lossy.h"

enum { ITEMS_MAX = 1 << 20 /* of all lists and maps, which may have no bytes */ };

struct reader {
    struct arena *a;
    struct str    rest;
    uint32_t      depth, items;
    const char   *why;
};

static bool read_value(struct reader *r, const struct avro_schema *s, struct value *out);

static bool fail(struct reader *r, const char *why)
{
    if (!r->why) r->why = why;
    return false;
}

/* A number in groups of seven bits, the lowest first; its sign is its lowest bit. */
static bool read_long(struct reader *r, int64_t *out)
{
    uint64_t u = 0;

    *out = 0;

    for (unsigned shift = 0, i = 0; shift < 64 && i < r->rest.len; shift += 7, i++) {
        unsigned char byte = (unsigned char)r->rest.data[i];
        u |= (uint64_t)(byte & 0x7F) << shift;
        if (byte & 0x80) continue;
        r->rest = str_from(r->rest, i + 1);
        *out = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
        return true;
    }
    return fail(r, "a number that does not end");
}

static bool take(struct reader *r, size_t len, struct str *out)
{
    if (len > r->rest.len) return fail(r, "ends too early");
    *out = (struct str){r->rest.data, len};
    r->rest = str_from(r->rest, len);
    return true;
}

static bool read_bytes(struct reader *r, struct str *out)
{
    int64_t len = 0;

    if (!read_long(r, &len)) return false;
    if (len < 0) return fail(r, "a length below zero");
    return take(r, (size_t)len, out);
}

static bool read_float(struct reader *r, size_t len, struct value *out)
{
    struct str bytes = STR("");
    uint64_t   u = 0;
    uint32_t   narrow;
    float      single;
    double     f;

    if (!take(r, len, &bytes)) return false;
    for (size_t i = len; i-- > 0;)
        u = u << 8 | (unsigned char)bytes.data[i];
    narrow = (uint32_t)u;
    memcpy(&single, &narrow, sizeof(single));
    memcpy(&f, &u, sizeof(f));
    *out = value_float(len == 4 ? (double)single : f);
    return true;
}

/* A moment in `unit`-ths of a second. */
static struct value moment(int64_t count, int64_t unit)
{
    int64_t sec = count / unit, part = count % unit;

    if (part < 0) {
        part += unit;
        sec--;
    }
    return value_time((struct timestamp){sec, (uint32_t)(part * (1000000000 / unit))});
}

static bool read_integer(struct reader *r, const struct avro_schema *s, struct value *out)
{
    int64_t i = 0;

    if (!read_long(r, &i)) return false;
    *out = value_int(i);
    if (s->type == AVRO_INT && (i < INT32_MIN || i > INT32_MAX))
        return fail(r, "an int of more than 32 bits");
    if (s->logical == AVRO_MILLIS && i / 1000 < INT64_C(1) << 40 && i / 1000 > -(INT64_C(1) << 40))
        *out = moment(i, 1000);
    if (s->logical == AVRO_MICROS) *out = moment(i, 1000000);
    if (s->logical == AVRO_DATE) {
        struct civil day = time_civil(i * 86400);
        *out = value_string(
            arena_printf(r->a, "%04lld-%02d-%02d", (long long)day.year, day.month, day.day));
    }
    return true;
}

/* The items of a list or map come in blocks; a count below zero has its bytes behind it. */
static bool read_count(struct reader *r, int64_t *count)
{
    int64_t bytes = 0;

    if (!read_long(r, count)) return false;
    if (*count < 0) {
        if (*count == INT64_MIN || !read_long(r, &bytes)) return fail(r, "a count below zero");
        *count = -*count;
    }
    if (*count > ITEMS_MAX - r->items) return fail(r, "too many items");
    r->items += (uint32_t)*count;
    return true;
}

static bool read_array(struct reader *r, const struct avro_schema *s, struct value *out)
{
    struct list *l = list_new(r->a, 4);
    int64_t      count = 0;

    while (read_count(r, &count)) {
        *out = value_list(l);
        if (count == 0) return true;
        for (; count > 0; count--) {
            struct value v;
            if (!read_value(r, s->items, &v)) return false;
            list_push(l, r->a, v);
        }
    }
    return false;
}

static bool read_map(struct reader *r, const struct avro_schema *s, struct value *out)
{
    struct map *m = map_new(r->a, 4);
    int64_t     count = 0;

    while (read_count(r, &count)) {
        *out = value_map(m);
        if (count == 0) return true;
        for (; count > 0; count--) {
            struct str   name = STR("");
            struct value v;
            if (!read_bytes(r, &name) || !read_value(r, s->items, &v)) return false;
            *map_add(m, r->a, key_make(lossy_utf8(r->a, name))) = v;
        }
    }
    return false;
}

static bool read_record(struct reader *r, const struct avro_schema *s, struct value *out)
{
    struct map *m = map_new(r->a, s->len);

    for (uint32_t i = 0; i < s->len; i++) {
        struct value v;
        if (!read_value(r, s->fields[i].type, &v)) return false;
        *map_add(m, r->a, s->fields[i].name) = v;
    }
    *out = value_map(m);
    return true;
}

/* The number of an enum's symbol or a union's branch. */
static bool read_index(struct reader *r, const struct avro_schema *s, int64_t *i)
{
    if (!read_long(r, i)) return false;
    return (*i >= 0 && *i < s->len) || fail(r, "a number without a meaning");
}

static bool read_inside(struct reader *r, const struct avro_schema *s, struct value *out)
{
    int64_t i = 0;

    switch (s->type) {
    case AVRO_RECORD:
        return read_record(r, s, out);
    case AVRO_ARRAY:
        return read_array(r, s, out);
    case AVRO_MAP:
        return read_map(r, s, out);
    default: /* AVRO_UNION */
        return read_index(r, s, &i) && read_value(r, s->branches[i], out);
    }
}

static bool read_text(struct reader *r, const struct avro_schema *s, struct value *out)
{
    struct str bytes = STR("");
    bool       good = s->type == AVRO_FIXED ? take(r, s->len, &bytes) : read_bytes(r, &bytes);

    if (!good) return false;
    *out =
        value_string(s->type == AVRO_STRING ? lossy_utf8(r->a, bytes) : lossy_binary(r->a, bytes));
    return true;
}

static bool read_value(struct reader *r, const struct avro_schema *s, struct value *out)
{
    struct str byte = STR("");
    int64_t    i;

    switch (s->type) {
    case AVRO_NULL:
        *out = value_null();
        return true;
    case AVRO_BOOLEAN:
        if (!take(r, 1, &byte)) return false;
        *out = value_bool(byte.data[0] != 0);
        return (unsigned char)byte.data[0] <= 1 || fail(r, "a boolean that is neither");
    case AVRO_INT:
    case AVRO_LONG:
        return read_integer(r, s, out);
    case AVRO_FLOAT:
        return read_float(r, 4, out);
    case AVRO_DOUBLE:
        return read_float(r, 8, out);
    case AVRO_BYTES:
    case AVRO_STRING:
    case AVRO_FIXED:
        return read_text(r, s, out);
    case AVRO_ENUM:
        if (!read_index(r, s, &i)) return false;
        *out = value_string(s->symbols[i]);
        return true;
    default:
        break;
    }
    if (r->depth == AVRO_DEPTH_MAX) return fail(r, "nested too deeply");
    r->depth++;
    bool good = read_inside(r, s, out);
    r->depth--;
    return good;
}

bool avro_read(const struct avro_schema *s, struct arena *a, struct str bytes, struct value *out,
               const char **why)
{
    struct reader r = {.a = a, .rest = bytes};
    bool          good = read_value(&r, s, out);

    *why = r.why;
    return good;
}
