#include "event/json.h"

#include <math.h>

#include "event/json_number.h"
#include "event/json_scan.h"
#include "event/time.h"

/*
 * The functions here take the place to write at and return the place behind. Of `out` they use
 * only the memory: its length is set again when it has to grow, and at the end.
 */
static inline char *room(struct buf *out, char *to, size_t more)
{
    if (__builtin_expect((size_t)(out->data + out->cap - to) >= more, 1)) return to;
    out->len = (size_t)(to - out->data);
    return buf_room(out, more);
}

/* ---- numbers ---- */

enum { INT_TEXT_MAX = 20 };

static inline char *put_int(char *to, int64_t i)
{
    if (i >= 0) return json_put_uint(to, (uint64_t)i);
    *to = '-';
    return json_put_uint(to + 1, 0 - (uint64_t)i);
}

void json_encode_int(int64_t i, struct buf *out)
{
    char *to = buf_room(out, INT_TEXT_MAX);

    out->len += (size_t)(put_int(to, i) - to);
}

/* ---- strings ---- */

/* An escaped byte takes up to six; blocks are written whole, so there is slack. */
enum { ESCAPED_MAX = 6, SLACK = 16, PIECE = 64 * 1024 };

static char *put_escape(char *to, unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char short_form[128] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                         ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};

    *to++ = '\\';
    if (short_form[c]) {
        *to++ = short_form[c];
        return to;
    }
    memcpy(to, "u00", 3);
    to[3] = hex[c >> 4];
    to[4] = hex[c & 15];
    return to + 5;
}

__attribute__((noinline)) static char *put_bytes(char *to, const char *p, const char *end)
{
    for (; p < end; p++) {
        if (json_is_special((unsigned char)*p))
            to = put_escape(to, (unsigned char)*p);
        else
            *to++ = *p;
    }
    return to;
}

/* Fewer than 16 bytes. */
__attribute__((noinline)) static char *put_words(char *to, const char *p, const char *end)
{
    return json_copy_words(to, p, (size_t)(end - p)) ? put_bytes(to, p, end) : to + (end - p);
}

/* Writes [p, end) escaped. `to` has room for six times as much and 16 bytes. */
static char *put_escaped(char *to, const char *p, const char *end)
{
#ifdef JSON_BLOCK
    while (end - p >= JSON_BLOCK) {
        json_block x = json_block_load(p);
        json_marks special = json_block_special(x);
        json_block_store(to, x);
        if (!special) {
            p += JSON_BLOCK, to += JSON_BLOCK;
            continue;
        }
        unsigned clean = json_first_mark(special);
        to = put_escape(to + clean, (unsigned char)p[clean]);
        p += clean + 1;
    }
#else
    for (; end - p >= 8; p += 8)
        to = put_words(to, p, p + 8);
#endif
    size_t left = (size_t)(end - p);
    if (left == 0) return to;
#ifdef JSON_OVERREAD
    if (json_block_readable(p)) {
        json_block x = json_block_load(p);
        json_block_store(to, x);
        return json_first_marks(json_block_special(x), left) ? put_bytes(to, p, end) : to + left;
    }
#endif
    return put_words(to, p, end);
}

/* A string that is longer than a piece: written piece by piece, so that the room asked for stays
   in proportion. */
static char *put_long_string(struct buf *out, char *to, struct str s)
{
    const char *p = s.data, *end = p + s.len;

    *to++ = '"';
    while (p < end) {
        const char *piece = end - p > PIECE ? p + PIECE : end;
        to = put_escaped(room(out, to, ESCAPED_MAX * PIECE + SLACK), p, piece);
        p = piece;
    }
    to = room(out, to, 1);
    *to++ = '"';
    return to;
}

/* Appends "s", after which there is room for `more` bytes. */
static inline char *put_string(struct buf *out, char *to, struct str s, size_t more)
{
    if (__builtin_expect(s.len > PIECE, 0))
        return room(out, put_long_string(out, room(out, to, 1), s), more);
    to = room(out, to, ESCAPED_MAX * s.len + SLACK + 2 + more);
    *to++ = '"';
    to = put_escaped(to, s.data, s.data + s.len);
    *to++ = '"';
    return to;
}

void json_encode_string(struct str s, struct buf *out)
{
    char *to = put_string(out, buf_room(out, 1), s, 0);

    out->len = (size_t)(to - out->data);
}

/* ---- values ---- */

/*
 * Room that is always there before and behind a value: for a comma, a bracket, and the longest
 * number or time in quotes. So short values need not ask.
 */
enum { AHEAD = 64 };

static char *put_list(struct buf *out, char *to, const struct list *l);
static char *put_map(struct buf *out, char *to, const struct map *m);

static inline char *put_text(char *to, struct str s)
{
    memcpy(to, s.data, s.len);
    return to + s.len;
}

static char *put_time(char *to, struct timestamp t)
{
    *to++ = '"';
    to += time_print(t, to);
    *to++ = '"';
    return to;
}

/* What is no number is written as text, as Jackson does: "Infinity" (mutate-0033). */
static char *put_float(char *to, struct value v)
{
    if (isfinite(v.as.f)) return json_put_float(to, v.as.f, v.len);
    *to++ = '"';
    to = json_put_float(to, v.as.f, 0);
    *to++ = '"';
    return to;
}

/* `to` has room for AHEAD bytes; behind it there is room for a comma or a bracket at least. */
static inline char *put_value(struct buf *out, char *to, struct value v)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_NULL:
        return put_text(to, STR("null"));
    case VALUE_BOOL:
        return v.as.b ? put_text(to, STR("true")) : put_text(to, STR("false"));
    case VALUE_INT:
        return put_int(to, v.as.i);
    case VALUE_FLOAT:
        return put_float(to, v);
    case VALUE_TIME:
        return put_time(to, value_timestamp(v));
    case VALUE_STRING:
        return put_string(out, to, value_str(v), AHEAD);
    case VALUE_NUMBER:
        return put_text(room(out, to, v.len + AHEAD), value_str(v));
    case VALUE_LIST:
        return put_list(out, to, v.as.list);
    case VALUE_MAP:
        return put_map(out, to, v.as.map);
    }
    return to;
}

static char *put_list(struct buf *out, char *to, const struct list *l)
{
    *to++ = '[';
    for (uint32_t i = 0; i < l->len; i++) {
        if (i) *to++ = ',';
        to = put_value(out, room(out, to, AHEAD), l->items[i]);
    }
    *to++ = ']';
    return room(out, to, AHEAD);
}

static char *put_map(struct buf *out, char *to, const struct map *m)
{
    *to++ = '{';
    for (uint32_t i = 0; i < m->len; i++) {
        if (i) *to++ = ',';
        to = put_string(out, to, key_str(m->members[i].key), AHEAD + 1);
        *to++ = ':';
        to = put_value(out, to, m->members[i].value);
    }
    *to++ = '}';
    return room(out, to, AHEAD);
}

void json_encode(struct value v, struct buf *out)
{
    char *to = put_value(out, buf_room(out, AHEAD), v);

    out->len = (size_t)(to - out->data);
}

void json_encode_event(const struct event *ev, struct buf *out)
{
    char *to = put_map(out, buf_room(out, AHEAD), &ev->data);

    out->len = (size_t)(to - out->data);
}
