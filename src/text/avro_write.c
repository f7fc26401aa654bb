/* Source: Avro specification 1.11, «Binary Encoding». */
#include "event/time.h"
#include "text/avro_parts.h"

struct writer {
    struct buf *out;
    uint32_t    depth;
};

static bool write_value(struct writer *w, const struct avro_schema *s, struct value v);

static void put_long(struct buf *out, int64_t i)
{
    uint64_t u = (uint64_t)i << 1 ^ (uint64_t)(i >> 63);

    for (; u >= 0x80; u >>= 7)
        buf_char(out, (char)(u | 0x80));
    buf_char(out, (char)u);
}

static void put_text(struct buf *out, struct str s)
{
    put_long(out, (int64_t)s.len);
    buf_str(out, s);
}

/* A time as a count of `unit` parts of a second; false when it is too far off for that. */
static bool count_time(struct timestamp t, int64_t unit, int64_t *out)
{
    int64_t sec = t.sec, part = t.nsec / (1000000000 / unit);

    if (sec < 0 && part > 0) sec++, part -= unit; /* of one sign: no overflow on the way */
    return !__builtin_mul_overflow(sec, unit, out) && !__builtin_add_overflow(*out, part, out);
}

static bool write_integer(struct writer *w, const struct avro_schema *s, struct value v)
{
    if (v.kind == VALUE_TIME && (s->logical == AVRO_MILLIS || s->logical == AVRO_MICROS)) {
        int64_t unit = s->logical == AVRO_MILLIS ? 1000 : 1000000, count;
        if (!count_time(value_timestamp(v), unit, &count)) return false;
        v = value_int(count);
    }
    if (v.kind != VALUE_INT) return false;
    if (s->type == AVRO_INT && (v.as.i < INT32_MIN || v.as.i > INT32_MAX)) return false;
    put_long(w->out, v.as.i);
    return true;
}

static bool write_float(struct writer *w, const struct avro_schema *s, struct value v)
{
    double   f = v.kind == VALUE_INT ? (double)v.as.i : v.as.f;
    float    single = (float)f;
    uint64_t u;
    uint32_t narrow;

    if (v.kind != VALUE_INT && v.kind != VALUE_FLOAT) return false;
    memcpy(&u, &f, sizeof(u));
    memcpy(&narrow, &single, sizeof(narrow));
    if (s->type == AVRO_FLOAT) u = narrow;
    for (int i = 0; i < (s->type == AVRO_FLOAT ? 4 : 8); i++)
        buf_char(w->out, (char)(u >> 8 * i));
    return true;
}

static bool write_text(struct writer *w, const struct avro_schema *s, struct value v)
{
    char       text[40];
    struct str t = value_str(v);

    if (v.kind == VALUE_TIME && s->type == AVRO_STRING)
        t = (struct str){text, time_print(value_timestamp(v), text)};
    else if (v.kind != VALUE_STRING)
        return false;
    if (s->type != AVRO_FIXED) {
        put_text(w->out, t);
        return true;
    }
    if (t.len != s->len) return false;
    buf_str(w->out, t);
    return true;
}

static bool write_enum(struct writer *w, const struct avro_schema *s, struct value v)
{
    for (uint32_t i = 0; v.kind == VALUE_STRING && i < s->len; i++)
        if (str_eq(s->symbols[i], value_str(v))) {
            put_long(w->out, i);
            return true;
        }
    return false;
}

static bool write_record(struct writer *w, const struct avro_schema *s, struct value v)
{
    if (v.kind != VALUE_MAP) return false;
    for (uint32_t i = 0; i < s->len; i++) {
        const struct avro_field *f = &s->fields[i];
        const struct value      *member = map_get(v.as.map, f->name);
        if (!member) member = f->preset;
        if (!write_value(w, f->type, member ? *member : value_null())) return false;
    }
    return true;
}

static bool write_array(struct writer *w, const struct avro_schema *s, struct value v)
{
    const struct list *l = v.as.list;

    if (v.kind != VALUE_LIST) return false;
    if (l->len > 0) put_long(w->out, l->len);
    for (uint32_t i = 0; i < l->len; i++)
        if (!write_value(w, s->items, l->items[i])) return false;
    put_long(w->out, 0);
    return true;
}

static bool write_map(struct writer *w, const struct avro_schema *s, struct value v)
{
    const struct map *m = v.as.map;

    if (v.kind != VALUE_MAP) return false;
    if (m->len > 0) put_long(w->out, m->len);
    for (uint32_t i = 0; i < m->len; i++) {
        put_text(w->out, key_str(m->members[i].key));
        if (!write_value(w, s->items, m->members[i].value)) return false;
    }
    put_long(w->out, 0);
    return true;
}

/* The first branch that the value fits. */
static bool write_union(struct writer *w, const struct avro_schema *s, struct value v)
{
    size_t from = w->out->len;

    for (uint32_t i = 0; i < s->len; i++) {
        put_long(w->out, i);
        if (write_value(w, s->branches[i], v)) return true;
        w->out->len = from;
    }
    return false;
}

static bool write_inside(struct writer *w, const struct avro_schema *s, struct value v)
{
    switch (s->type) {
    case AVRO_RECORD:
        return write_record(w, s, v);
    case AVRO_ARRAY:
        return write_array(w, s, v);
    case AVRO_MAP:
        return write_map(w, s, v);
    default: /* AVRO_UNION */
        return write_union(w, s, v);
    }
}

static bool write_value(struct writer *w, const struct avro_schema *s, struct value v)
{
    switch (s->type) {
    case AVRO_NULL:
        return v.kind == VALUE_NULL;
    case AVRO_BOOLEAN:
        if (v.kind == VALUE_BOOL) buf_char(w->out, v.as.b);
        return v.kind == VALUE_BOOL;
    case AVRO_INT:
    case AVRO_LONG:
        return write_integer(w, s, v);
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return write_float(w, s, v);
    case AVRO_BYTES:
    case AVRO_STRING:
    case AVRO_FIXED:
        return write_text(w, s, v);
    case AVRO_ENUM:
        return write_enum(w, s, v);
    default:
        break;
    }
    if (w->depth == AVRO_DEPTH_MAX) return false;
    w->depth++;
    bool good = write_inside(w, s, v);
    w->depth--;
    return good;
}

bool avro_write(const struct avro_schema *s, struct value v, struct buf *out)
{
    struct writer w = {.out = out};
    size_t        from = out->len;

    if (write_value(&w, s, v)) return true;
    out->len = from;
    return false;
}
