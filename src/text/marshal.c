#include "text/marshal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "event/json.h"
#include "text/lossy.h"

enum { DEPTH_MAX = 128, FLOAT_TEXT_MAX = 64, INT_BYTES = 8, FIXNUM_BITS = 30 };

/* ---- reading ---- */

/* Symbols and objects that stood before and may be meant again, by their number. */
struct table {
    uint32_t      len, cap;
    struct value *at;
};

struct reader {
    struct arena *a;
    struct str    rest;
    struct table  symbols, objects;
    uint32_t      depth;
    const char   *why;
};

static bool fail(struct reader *r, const char *why)
{
    r->why = why;
    return false;
}

static bool take(struct reader *r, size_t len, struct str *out)
{
    if (r->rest.len < len) return fail(r, "it ends too early");
    *out = (struct str){r->rest.data, len};
    r->rest = str_from(r->rest, len);
    return true;
}

static bool take_byte(struct reader *r, unsigned char *c)
{
    struct str s;

    if (!take(r, 1, &s)) return false;
    *c = (unsigned char)s.data[0];
    return true;
}

/* Small ones in one byte, moved by 5; else the number of bytes, negative for a negative number. */
static bool take_int(struct reader *r, int64_t *out)
{
    unsigned char first;
    struct str    bytes;

    if (!take_byte(r, &first)) return false;
    int c = first < 128 ? first : (int)first - 256;
    if (c == 0 || c > 4 || c < -4) {
        *out = c == 0 ? 0 : c > 0 ? c - 5 : c + 5;
        return true;
    }
    int     len = c < 0 ? -c : c;
    int64_t n = c < 0 ? -1 : 0;
    if (!take(r, (size_t)len, &bytes)) return false;
    for (int i = 0; i < len; i++) {
        n &= ~((int64_t)0xFF << (8 * i));
        n |= (int64_t)(unsigned char)bytes.data[i] << (8 * i);
    }
    *out = n;
    return true;
}

static bool take_len(struct reader *r, uint32_t *out)
{
    int64_t n;

    if (!take_int(r, &n)) return false;
    if (n < 0 || (uint64_t)n > r->rest.len) return fail(r, "it ends too early");
    *out = (uint32_t)n;
    return true;
}

static bool take_bytes(struct reader *r, struct str *out)
{
    uint32_t len;

    return take_len(r, &len) && take(r, len, out);
}

/* Returns the place of the new one. */
static uint32_t table_add(struct reader *r, struct table *t, struct value v)
{
    if (t->len == t->cap) {
        uint32_t      cap = t->cap ? 2 * t->cap : 16;
        struct value *at = arena_alloc(r->a, cap * sizeof(*at));
        if (t->len) memcpy(at, t->at, t->len * sizeof(*at));
        t->at = at;
        t->cap = cap;
    }
    t->at[t->len] = v;
    return t->len++;
}

/* What stood before. Containers are no such things: each would have two parents. */
static bool again(struct reader *r, const struct table *t, struct value *out)
{
    int64_t n;

    if (!take_int(r, &n)) return false;
    if (n < 0 || n >= t->len) return fail(r, "it means something that is not there");
    *out = t->at[n];
    if (out->kind == VALUE_LIST || out->kind == VALUE_MAP)
        return fail(r, "an array or hash stands in two places");
    return true;
}

static bool read_bignum(struct reader *r, struct value *out)
{
    unsigned char sign;
    uint32_t      shorts;
    struct str    bytes;
    uint64_t      n = 0;

    if (!take_byte(r, &sign) || !take_len(r, &shorts) || !take(r, (size_t)shorts * 2, &bytes))
        return false;
    while (bytes.len && bytes.data[bytes.len - 1] == '\0')
        bytes.len--;
    if (bytes.len > INT_BYTES) return fail(r, "the number is too large");
    for (size_t i = bytes.len; i-- > 0;)
        n = n << 8 | (unsigned char)bytes.data[i];
    if (n <= INT64_MAX) {
        *out = value_int(sign == '-' ? -(int64_t)n : (int64_t)n);
    } else {
        struct str digits =
            arena_printf(r->a, "%s%llu", sign == '-' ? "-" : "", (unsigned long long)n);
        *out = value_string(digits);
        out->kind = VALUE_NUMBER;
        if (sign == '-' && n == (uint64_t)1 << 63) *out = value_int(INT64_MIN);
    }
    table_add(r, &r->objects, *out);
    return true;
}

static bool read_float(struct reader *r, struct value *out)
{
    char       text[FLOAT_TEXT_MAX];
    struct str s;

    if (!take_bytes(r, &s)) return false;
    if (s.len == 0 || s.len >= sizeof(text)) return fail(r, "a number that is none");
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    *out = value_float(strtod(text, NULL));
    table_add(r, &r->objects, *out);
    return true;
}

static bool read_string(struct reader *r, struct value *out)
{
    struct str s;

    if (!take_bytes(r, &s)) return false;
    *out = value_string(lossy_binary(r->a, s));
    table_add(r, &r->objects, *out);
    return true;
}

static bool read_symbol(struct reader *r, struct value *out)
{
    struct str s;

    if (!take_bytes(r, &s)) return false;
    *out = value_string(lossy_binary(r->a, s));
    table_add(r, &r->symbols, *out);
    return true;
}

static bool read_value(struct reader *r, struct value *out);

/* A string and its encoding, which does not matter: UTF-8 is seen by the bytes. */
static bool read_with_variables(struct reader *r, struct value *out)
{
    uint32_t      n;
    unsigned char type;

    if (!take_byte(r, &type)) return false;
    if (type == '"') {
        if (!read_string(r, out)) return false;
    } else if (type == ':') {
        if (!read_symbol(r, out)) return false;
    } else {
        return fail(r, "an object of a class that events do not have");
    }
    if (!take_len(r, &n)) return false;
    for (uint32_t i = 0; i < n; i++) {
        struct value name, value;
        if (!read_value(r, &name) || !read_value(r, &value)) return false;
    }
    return true;
}

static bool read_array(struct reader *r, struct value *out)
{
    uint32_t n;

    if (!take_len(r, &n)) return false;
    *out = value_list(list_new(r->a, n < 16 ? n : 16));
    table_add(r, &r->objects, *out);
    for (uint32_t i = 0; i < n; i++) {
        struct value item;
        if (!read_value(r, &item)) return false;
        list_push(out->as.list, r->a, item);
    }
    return true;
}

static bool read_name(struct reader *r, struct str *out)
{
    struct value v;
    struct buf   text = {0};

    if (!read_value(r, &v)) return false;
    if (v.kind == VALUE_STRING || v.kind == VALUE_NUMBER) {
        *out = value_str(v);
        return true;
    }
    if (v.kind == VALUE_LIST || v.kind == VALUE_MAP)
        return fail(r, "the name of a member is an array or hash");
    value_text(v, &text);
    *out = arena_copy(r->a, buf_view(&text));
    buf_release(&text);
    return true;
}

/* With `preset`, the hash's default stands behind the members. */
static bool read_hash(struct reader *r, bool preset, struct value *out)
{
    uint32_t     n;
    struct value v;
    struct str   name;

    if (!take_len(r, &n)) return false;
    *out = value_map(map_new(r->a, n < 16 ? n : 16));
    table_add(r, &r->objects, *out);
    for (uint32_t i = 0; i < n; i++) {
        if (!read_name(r, &name) || !read_value(r, &v)) return false;
        *map_add(out->as.map, r->a, key_make(name)) = v;
    }
    return !preset || read_value(r, &v);
}

static bool read_of_type(struct reader *r, unsigned char type, struct value *out)
{
    switch (type) {
    case '0':
        *out = value_null();
        return true;
    case 'T':
    case 'F':
        *out = value_bool(type == 'T');
        return true;
    case 'i':
        out->kind = VALUE_INT;
        *out = value_int(0);
        return take_int(r, &out->as.i);
    case 'l':
        return read_bignum(r, out);
    case 'f':
        return read_float(r, out);
    case '"':
        return read_string(r, out);
    case ':':
        return read_symbol(r, out);
    case ';':
        return again(r, &r->symbols, out);
    case '@':
        return again(r, &r->objects, out);
    case 'I':
        return read_with_variables(r, out);
    case '[':
        return read_array(r, out);
    case '{':
    case '}':
        return read_hash(r, type == '}', out);
    default:
        return fail(r, "an object of a class that events do not have");
    }
}

static bool read_value(struct reader *r, struct value *out)
{
    unsigned char type;

    if (++r->depth > DEPTH_MAX) return fail(r, "it is nested too deep");
    bool good = take_byte(r, &type) && read_of_type(r, type, out);
    r->depth--;
    return good;
}

bool marshal_read(struct arena *a, struct str bytes, struct value *out, const char **why)
{
    struct reader r = {.a = a, .rest = bytes};
    struct str    version;

    bool good = take(&r, 2, &version);
    if (good && !str_eq(version, STR("\4\10"))) good = fail(&r, "not of Marshal's version 4.8");
    good = good && read_value(&r, out);
    if (good && r.rest.len) good = fail(&r, "there is something behind the value");
    *why = r.why;
    return good;
}

/* ---- writing ---- */

struct writer {
    struct buf *out;
    bool        encoding_named; /* the symbol E stood before */
};

static void put_int(struct buf *out, int64_t n)
{
    if (n == 0) {
        buf_char(out, 0);
    } else if (n > 0 && n < 123) {
        buf_char(out, (char)(n + 5));
    } else if (n < 0 && n > -124) {
        buf_char(out, (char)(n - 5));
    } else {
        char bytes[INT_BYTES];
        int  len = 0;
        for (int64_t rest = n; rest != (n < 0 ? -1 : 0) && len < 4; len++) {
            bytes[len] = (char)(rest & 0xFF);
            rest >>= 8;
        }
        buf_char(out, (char)(n < 0 ? -len : len));
        buf_put(out, bytes, (size_t)len);
    }
}

static void put_string(struct writer *w, struct str s)
{
    buf_str(w->out, STR("I\""));
    put_int(w->out, (int64_t)s.len);
    buf_str(w->out, s);
    buf_str(w->out, w->encoding_named ? STR("\6;\0T") : STR("\6:\6ET"));
    w->encoding_named = true;
}

/* Those beyond 31 bits are written as big ones, whatever the machine. */
static void put_integer(struct buf *out, int64_t n)
{
    const int64_t limit = (int64_t)1 << FIXNUM_BITS;
    uint64_t      size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    int           shorts = 0;

    if (n >= -limit && n < limit) {
        buf_char(out, 'i');
        put_int(out, n);
        return;
    }
    for (uint64_t rest = size; rest; rest >>= 16)
        shorts++;
    buf_char(out, 'l');
    buf_char(out, n < 0 ? '-' : '+');
    put_int(out, shorts);
    for (int i = 0; i < 2 * shorts; i++)
        buf_char(out, (char)(size >> (8 * i) & 0xFF));
}

static void put_float(struct buf *out, double f)
{
    char text[FLOAT_TEXT_MAX];
    int  len = 0;

    /* The shortest digits that read back as the same number. */
    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(text, sizeof(text), "%.*g", digits, f);
        if (isnan(f) || strtod(text, NULL) == f) break;
    }
    if (isnan(f)) len = snprintf(text, sizeof(text), "nan");
    buf_char(out, 'f');
    put_int(out, len);
    buf_put(out, text, (size_t)len);
}

static void put_value(struct writer *w, struct value v)
{
    struct buf text = {0};

    switch ((enum value_kind)v.kind) {
    case VALUE_NULL:
        buf_char(w->out, '0');
        break;
    case VALUE_BOOL:
        buf_char(w->out, v.as.b ? 'T' : 'F');
        break;
    case VALUE_INT:
        put_integer(w->out, v.as.i);
        break;
    case VALUE_FLOAT:
        put_float(w->out, v.as.f);
        break;
    case VALUE_STRING:
    case VALUE_NUMBER:
        put_string(w, value_str(v));
        break;
    case VALUE_TIME:
        value_text(v, &text);
        put_string(w, buf_view(&text));
        buf_release(&text);
        break;
    case VALUE_LIST:
        buf_char(w->out, '[');
        put_int(w->out, v.as.list->len);
        for (uint32_t i = 0; i < v.as.list->len; i++)
            put_value(w, v.as.list->items[i]);
        break;
    case VALUE_MAP:
        buf_char(w->out, '{');
        put_int(w->out, v.as.map->len);
        for (uint32_t i = 0; i < v.as.map->len; i++) {
            put_string(w, key_str(v.as.map->members[i].key));
            put_value(w, v.as.map->members[i].value);
        }
        break;
    }
}

void marshal_write(struct value v, struct buf *out)
{
    struct writer w = {.out = out};

    buf_str(out, STR("\4\10"));
    put_value(&w, v);
}
