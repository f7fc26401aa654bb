#include "text/msgpack.h"

#include <stdlib.h>

#include "event/json.h"
#include "event/time.h"
#include "text/lossy.h"

enum { DEPTH_MAX = 128 };

/* ---- heads ---- */

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t u = 0;

    for (size_t i = 0; i < n; i++)
        u = u << 8 | (unsigned char)p[i];
    return u;
}

static void set_uint(struct msgpack_head *h, uint64_t u)
{
    h->kind = u > INT64_MAX ? MSGPACK_UINT : MSGPACK_INT;
    h->as.u = u;
}

static void set_int(struct msgpack_head *h, uint64_t u, size_t n)
{
    unsigned shift = (unsigned)(64 - 8 * n);

    h->kind = MSGPACK_INT;
    h->as.i = (int64_t)(u << shift) >> shift;
}

static void set_float(struct msgpack_head *h, uint64_t u, size_t n)
{
    uint32_t narrow = (uint32_t)u;
    float    single;

    h->kind = MSGPACK_FLOAT;
    memcpy(&single, &narrow, sizeof(single));
    if (n == 4)
        h->as.f = (double)single;
    else
        memcpy(&h->as.f, &u, sizeof(h->as.f));
}

/* The bytes from 0xC4 on that have a number behind them: its kind and width. */
static const struct {
    unsigned char kind, width;
} wide[] = {
    {MSGPACK_BIN, 1},   {MSGPACK_BIN, 2},   {MSGPACK_BIN, 4}, /* C4 */
    {MSGPACK_EXT, 1},   {MSGPACK_EXT, 2},   {MSGPACK_EXT, 4},  {MSGPACK_FLOAT, 4},
    {MSGPACK_FLOAT, 8}, /* CB */
    {MSGPACK_UINT, 1},  {MSGPACK_UINT, 2},  {MSGPACK_UINT, 4}, {MSGPACK_UINT, 8},
    {MSGPACK_INT, 1},   {MSGPACK_INT, 2},   {MSGPACK_INT, 4},  {MSGPACK_INT, 8}, /* D0 */
    {MSGPACK_EXT, 0},   {MSGPACK_EXT, 0},   {MSGPACK_EXT, 0},  {MSGPACK_EXT, 0},
    {MSGPACK_EXT, 0},                                         /* D4: 1, 2, 4, 8 and 16 bytes */
    {MSGPACK_STR, 1},   {MSGPACK_STR, 2},   {MSGPACK_STR, 4}, /* D9 */
    {MSGPACK_ARRAY, 2}, {MSGPACK_ARRAY, 4}, {MSGPACK_MAP, 2},  {MSGPACK_MAP, 4},
};

static int read_wide(struct str bytes, struct msgpack_head *h)
{
    unsigned char first = (unsigned char)bytes.data[0];
    size_t        width = wide[first - 0xC4].width;
    bool          ext = wide[first - 0xC4].kind == MSGPACK_EXT;

    h->kind = wide[first - 0xC4].kind;
    if (bytes.len < 1 + width + ext) return 0;
    uint64_t u = big_endian(bytes.data + 1, width);
    if (h->kind == MSGPACK_UINT)
        set_uint(h, u);
    else if (h->kind == MSGPACK_INT)
        set_int(h, u, width);
    else if (h->kind == MSGPACK_FLOAT)
        set_float(h, u, width);
    else
        h->len = width ? (uint32_t)u : 1u << (first - 0xD4);
    if (ext) h->ext = (int8_t)bytes.data[1 + width];
    return (int)(1 + width + ext);
}

static int short_head(struct msgpack_head *h, enum msgpack_kind kind, unsigned len)
{
    h->kind = kind;
    h->len = len;
    return 1;
}

int msgpack_head_read(struct str bytes, struct msgpack_head *h)
{
    if (bytes.len == 0) return 0;
    unsigned char first = (unsigned char)bytes.data[0];

    *h = (struct msgpack_head){.kind = MSGPACK_INT};
    if (first <= 0x7F) return h->as.i = first, 1;
    if (first >= 0xE0) return h->as.i = (int64_t)first - 256, 1;
    if (first <= 0x8F) return short_head(h, MSGPACK_MAP, first & 0x0F);
    if (first <= 0x9F) return short_head(h, MSGPACK_ARRAY, first & 0x0F);
    if (first <= 0xBF) return short_head(h, MSGPACK_STR, first & 0x1F);
    if (first == 0xC0) return short_head(h, MSGPACK_NIL, 0);
    if (first == 0xC1) return -1; /* never used */
    if (first >= 0xC4) return read_wide(bytes, h);
    h->kind = MSGPACK_BOOL;
    h->as.b = first == 0xC3;
    return 1;
}

static bool has_bytes(const struct msgpack_head *h)
{
    return h->kind == MSGPACK_STR || h->kind == MSGPACK_BIN || h->kind == MSGPACK_EXT;
}

enum msgpack_status msgpack_scan(struct msgpack_scan *s, struct str bytes)
{
    if (s->at == 0 && s->remaining == 0) s->remaining = 2;
    while (s->remaining > 1) {
        struct msgpack_head h;
        if (s->at > bytes.len) return MSGPACK_SHORT;
        int n = msgpack_head_read(str_from(bytes, s->at), &h);
        if (n < 0) return MSGPACK_BROKEN;
        if (n == 0) return MSGPACK_SHORT;
        s->at += (size_t)n + (has_bytes(&h) ? h.len : 0);
        s->remaining--;
        if (h.kind == MSGPACK_ARRAY) s->remaining += h.len;
        if (h.kind == MSGPACK_MAP) s->remaining += 2 * (uint64_t)h.len;
    }
    return s->at <= bytes.len ? MSGPACK_DONE : MSGPACK_SHORT;
}

/* ---- values ---- */

struct reader {
    struct arena *a;
    struct str    rest;
    uint32_t      depth;
    const char   *why;
};

static enum msgpack_status broken(struct reader *r, const char *why)
{
    r->why = why;
    return MSGPACK_BROKEN;
}

static enum msgpack_status cut_short(struct reader *r)
{
    r->why = "ends too early";
    return MSGPACK_SHORT;
}

static enum msgpack_status read_value(struct reader *r, struct value *out);

bool msgpack_time(int8_t ext, const char *data, uint32_t len, struct timestamp *out)
{
    uint64_t nsec = 0;

    if (ext == 0 && len == 8) { /* EventTime */
        out->sec = (int64_t)big_endian(data, 4);
        nsec = big_endian(data + 4, 4);
    } else if (ext == -1 && len == 4) {
        out->sec = (int64_t)big_endian(data, 4);
    } else if (ext == -1 && len == 8) {
        uint64_t both = big_endian(data, 8);
        nsec = both >> 34;
        out->sec = (int64_t)(both & 0x3FFFFFFFFu);
    } else if (ext == -1 && len == 12) {
        nsec = big_endian(data, 4);
        out->sec = (int64_t)big_endian(data + 4, 8);
    } else {
        return false;
    }
    out->nsec = (uint32_t)nsec;
    return nsec < 1000000000 && out->sec > -(INT64_C(1) << 40) && out->sec < INT64_C(1) << 40;
}

static struct value uint_value(struct arena *a, uint64_t u)
{
    struct value v = value_string(arena_printf(a, "%llu", (unsigned long long)u));

    v.kind = VALUE_NUMBER;
    return v;
}

/* The bytes behind the head of a STR, BIN or EXT. */
static enum msgpack_status read_bytes(struct reader *r, const struct msgpack_head *h,
                                      struct value *out)
{
    struct timestamp t;
    struct str       bytes = {r->rest.data, h->len};

    if (h->len > r->rest.len) return cut_short(r);
    r->rest = str_from(r->rest, h->len);
    if (h->kind == MSGPACK_EXT) {
        if (!msgpack_time(h->ext, bytes.data, h->len, &t))
            return broken(r, "an extension type that is not known");
        *out = value_time(t);
        return MSGPACK_DONE;
    }
    bytes = h->kind == MSGPACK_STR ? lossy_utf8(r->a, bytes) : lossy_binary(r->a, bytes);
    if (bytes.len > UINT32_MAX) return broken(r, "a string that is too long");
    *out = value_string(bytes);
    return MSGPACK_DONE;
}

static enum msgpack_status read_array(struct reader *r, uint32_t len, struct value *out)
{
    if (len > r->rest.len) return cut_short(r); /* an item has a byte at least */
    struct list *l = list_new(r->a, len);

    for (uint32_t i = 0; i < len; i++) {
        struct value        item;
        enum msgpack_status s = read_value(r, &item);
        if (s != MSGPACK_DONE) return s;
        list_push(l, r->a, item);
    }
    *out = value_list(l);
    return MSGPACK_DONE;
}

/* The name of a member: its text when it is no string. */
static enum msgpack_status read_name(struct reader *r, struct str *name)
{
    struct value        v;
    struct buf          text = {0};
    enum msgpack_status s = read_value(r, &v);

    if (s != MSGPACK_DONE) return s;
    if (v.kind == VALUE_LIST || v.kind == VALUE_MAP)
        return broken(r, "a list or map as the name of a member");
    if (v.kind != VALUE_STRING) {
        if (v.kind != VALUE_NULL) value_text(v, &text);
        v = value_string(arena_copy(r->a, buf_view(&text)));
        buf_release(&text);
    }
    *name = value_str(v);
    return MSGPACK_DONE;
}

static enum msgpack_status read_map(struct reader *r, uint32_t len, struct value *out)
{
    if (len > r->rest.len / 2) return cut_short(r);
    struct map *m = map_new(r->a, len);

    for (uint32_t i = 0; i < len; i++) {
        struct str          name;
        struct value        v;
        enum msgpack_status s = read_name(r, &name);
        if (s == MSGPACK_DONE) s = read_value(r, &v);
        if (s != MSGPACK_DONE) return s;
        *map_add(m, r->a, key_make(name)) = v;
    }
    *out = value_map(m);
    return MSGPACK_DONE;
}

static enum msgpack_status read_inside(struct reader *r, const struct msgpack_head *h,
                                       struct value *out)
{
    if (r->depth == DEPTH_MAX) return broken(r, "nested too deeply");
    r->depth++;
    enum msgpack_status s =
        h->kind == MSGPACK_ARRAY ? read_array(r, h->len, out) : read_map(r, h->len, out);
    r->depth--;
    return s;
}

static enum msgpack_status read_value(struct reader *r, struct value *out)
{
    struct msgpack_head h;
    int                 n = msgpack_head_read(r->rest, &h);

    if (n < 0) return broken(r, "a byte that means nothing");
    if (n == 0) return cut_short(r);
    r->rest = str_from(r->rest, (size_t)n);
    if (has_bytes(&h)) return read_bytes(r, &h, out);
    if (h.kind == MSGPACK_ARRAY || h.kind == MSGPACK_MAP) return read_inside(r, &h, out);
    *out = h.kind == MSGPACK_NIL    ? value_null()
           : h.kind == MSGPACK_BOOL ? value_bool(h.as.b)
           : h.kind == MSGPACK_INT  ? value_int(h.as.i)
           : h.kind == MSGPACK_UINT ? uint_value(r->a, h.as.u)
                                    : value_float(h.as.f);
    return MSGPACK_DONE;
}

enum msgpack_status msgpack_read(struct arena *a, struct str bytes, struct value *out, size_t *used,
                                 const char **why)
{
    struct reader       r = {.a = a, .rest = bytes, .why = ""};
    enum msgpack_status s = read_value(&r, out);

    *used = bytes.len - r.rest.len;
    if (why) *why = r.why;
    return s;
}

/* ---- writing ---- */

static void put(struct buf *out, unsigned char first, uint64_t u, size_t width)
{
    char *to = buf_room(out, 9);

    *to++ = (char)first;
    for (size_t i = 0; i < width; i++)
        *to++ = (char)(u >> 8 * (width - 1 - i));
    out->len += 1 + width;
}

/* A length of an array or map in 4, 16 or 32 bits; `wide_first`: the byte for 16. */
static void put_len(struct buf *out, unsigned char small, unsigned char wide_first, uint32_t len)
{
    if (len <= 15)
        put(out, (unsigned char)(small | len), 0, 0);
    else if (len <= UINT16_MAX)
        put(out, wide_first, len, 2);
    else
        put(out, (unsigned char)(wide_first + 1), len, 4);
}

void msgpack_write_array(uint32_t len, struct buf *out)
{
    put_len(out, 0x90, 0xDC, len);
}

void msgpack_write_map(uint32_t len, struct buf *out)
{
    put_len(out, 0x80, 0xDE, len);
}

void msgpack_write_string_head(size_t len, struct buf *out)
{
    if (len <= 31)
        put(out, (unsigned char)(0xA0 | len), 0, 0);
    else if (len <= UINT8_MAX)
        put(out, 0xD9, len, 1);
    else if (len <= UINT16_MAX)
        put(out, 0xDA, len, 2);
    else
        put(out, 0xDB, len, 4);
}

void msgpack_write_string(struct str s, struct buf *out)
{
    msgpack_write_string_head(s.len, out);
    buf_str(out, s);
}

static void write_uint(uint64_t u, struct buf *out)
{
    if (u <= 0x7F)
        put(out, (unsigned char)u, 0, 0);
    else if (u <= UINT8_MAX)
        put(out, 0xCC, u, 1);
    else if (u <= UINT16_MAX)
        put(out, 0xCD, u, 2);
    else if (u <= UINT32_MAX)
        put(out, 0xCE, u, 4);
    else
        put(out, 0xCF, u, 8);
}

void msgpack_write_int(int64_t i, struct buf *out)
{
    if (i >= 0)
        write_uint((uint64_t)i, out);
    else if (i >= -32)
        put(out, (unsigned char)(int8_t)i, 0, 0);
    else if (i >= INT8_MIN)
        put(out, 0xD0, (uint64_t)i, 1);
    else if (i >= INT16_MIN)
        put(out, 0xD1, (uint64_t)i, 2);
    else if (i >= INT32_MIN)
        put(out, 0xD2, (uint64_t)i, 4);
    else
        put(out, 0xD3, (uint64_t)i, 8);
}

void msgpack_write_event_time(struct timestamp t, struct buf *out)
{
    put(out, 0xD7, 0, 1);
    put(out, (unsigned char)((uint64_t)t.sec >> 24), (uint64_t)t.sec, 3);
    put(out, (unsigned char)(t.nsec >> 24), t.nsec, 3);
}

/* An integer without sign of up to 64 bits; false when the digits are something else. */
static bool number_uint(struct str digits, uint64_t *u)
{
    *u = 0;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned d = (unsigned char)digits.data[i] - '0';
        if (d > 9 || __builtin_mul_overflow(*u, 10, u) || __builtin_add_overflow(*u, d, u))
            return false;
    }
    return digits.len > 0;
}

static void write_number(struct str digits, struct buf *out)
{
    uint64_t u;

    if (number_uint(digits, &u))
        write_uint(u, out);
    else
        msgpack_write_string(digits, out);
}

static void write_time(struct timestamp t, struct buf *out)
{
    char text[40];

    msgpack_write_string((struct str){text, time_print(t, text)}, out);
}

static void write_list(const struct list *l, struct buf *out)
{
    msgpack_write_array(l->len, out);
    for (uint32_t i = 0; i < l->len; i++)
        msgpack_write(l->items[i], out);
}

static void write_map(const struct map *m, struct buf *out)
{
    msgpack_write_map(m->len, out);
    for (uint32_t i = 0; i < m->len; i++) {
        msgpack_write_string(key_str(m->members[i].key), out);
        msgpack_write(m->members[i].value, out);
    }
}

void msgpack_write(struct value v, struct buf *out)
{
    uint64_t bits;

    switch ((enum value_kind)v.kind) {
    case VALUE_NULL:
        put(out, 0xC0, 0, 0);
        break;
    case VALUE_BOOL:
        put(out, v.as.b ? 0xC3 : 0xC2, 0, 0);
        break;
    case VALUE_INT:
        msgpack_write_int(v.as.i, out);
        break;
    case VALUE_FLOAT:
        memcpy(&bits, &v.as.f, sizeof(bits));
        put(out, 0xCB, bits, 8);
        break;
    case VALUE_TIME:
        write_time(value_timestamp(v), out);
        break;
    case VALUE_STRING:
        msgpack_write_string(value_str(v), out);
        break;
    case VALUE_NUMBER:
        write_number(value_str(v), out);
        break;
    case VALUE_LIST:
        write_list(v.as.list, out);
        break;
    case VALUE_MAP:
        write_map(v.as.map, out);
        break;
    }
}
