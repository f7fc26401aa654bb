#include "event/json.h"
#include "event/json_scan.h"
#include "event/time.h"

static const char digit_pairs[201] = "00010203040506070809101112131415161718192021222324"
                                     "25262728293031323334353637383940414243444546474849"
                                     "50515253545556575859606162636465666768697071727374"
                                     "75767778798081828384858687888990919293949596979899";

/* ---- numbers ---- */

enum { INT_TEXT_MAX = 20 };

/* Writes the digits of `u` so that they end before `end`; returns where they begin. */
static inline char *digits_before(char *end, uint64_t u)
{
    while (u >= 100) {
        end -= 2;
        memcpy(end, digit_pairs + 2 * (u % 100), 2);
        u /= 100;
    }
    if (u >= 10) {
        end -= 2;
        memcpy(end, digit_pairs + 2 * u, 2);
    } else {
        *--end = (char)('0' + u);
    }
    return end;
}

void json_encode_int(int64_t i, struct buf *out)
{
    char  text[INT_TEXT_MAX], *end = text + INT_TEXT_MAX;
    char *start = digits_before(end, i < 0 ? 0 - (uint64_t)i : (uint64_t)i);

    if (i < 0) *--start = '-';
    char *to = buf_room(out, INT_TEXT_MAX);
    memcpy(to, start, (size_t)(end - start));
    out->len += (size_t)(end - start);
}

/* ---- strings ---- */

/* An escaped byte takes up to six; blocks are written whole, so there is slack. */
enum { ESCAPED_MAX = 6, SLACK = 16, PIECE = 64 * 1024 };

static inline char *put_escape(char *out, unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char short_form[128] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                         ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};

    *out++ = '\\';
    if (short_form[c]) {
        *out++ = short_form[c];
        return out;
    }
    memcpy(out, "u00", 3);
    out[3] = hex[c >> 4];
    out[4] = hex[c & 15];
    return out + 5;
}

static char *put_bytes(char *out, const char *p, const char *end)
{
    for (; p < end; p++) {
        if (json_is_special((unsigned char)*p))
            out = put_escape(out, (unsigned char)*p);
        else
            *out++ = *p;
    }
    return out;
}

/* Fewer than 16 bytes: as two words that overlap, when nothing in them needs an escape. */
static inline char *put_tail(char *out, const char *p, const char *end)
{
    size_t left = (size_t)(end - p);

    if (left >= 8) {
        uint64_t a, b;
        memcpy(&a, p, 8);
        memcpy(&b, end - 8, 8);
        if (json_special_word(a) | json_special_word(b)) return put_bytes(out, p, end);
        memcpy(out, &a, 8);
        memcpy(out + left - 8, &b, 8);
        return out + left;
    }
    if (left >= 4) {
        uint32_t a, b;
        memcpy(&a, p, 4);
        memcpy(&b, end - 4, 4);
        if (json_special_word((uint64_t)a << 32 | b)) return put_bytes(out, p, end);
        memcpy(out, &a, 4);
        memcpy(out + left - 4, &b, 4);
        return out + left;
    }
    return put_bytes(out, p, end);
}

/* Writes [p, end) escaped. `out` has room for six times as much and 16 bytes. */
static inline char *put_escaped(char *out, const char *p, const char *end)
{
#ifdef __SSE2__
    while (end - p >= JSON_BLOCK) {
        __m128i  x = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned special = json_special_block(x);
        _mm_storeu_si128((__m128i *)(void *)out, x);
        if (!special) {
            p += JSON_BLOCK, out += JSON_BLOCK;
            continue;
        }
        unsigned clean = (unsigned)__builtin_ctz(special);
        out = put_escape(out + clean, (unsigned char)p[clean]);
        p += clean + 1;
    }
#else
    for (uint64_t w; end - p >= 8; p += 8, out += 8) {
        memcpy(&w, p, 8);
        if (json_special_word(w))
            out = put_bytes(out, p, p + 8) - 8;
        else
            memcpy(out, &w, 8);
    }
#endif
    return put_tail(out, p, end);
}

/* Appends "s" and `behind`, which is at most 1 byte. Long strings go in pieces, so that the room
   asked for stays in proportion. */
static inline void put_string(struct str s, struct buf *out, char behind)
{
    const char *p = s.data, *end = p + s.len;
    char       *start = buf_room(out, ESCAPED_MAX * (s.len < PIECE ? s.len : PIECE) + SLACK + 3);
    char       *to = start;

    *to++ = '"';
    while (__builtin_expect(end - p > PIECE, 0)) {
        to = put_escaped(to, p, p + PIECE);
        p += PIECE;
        out->len += (size_t)(to - start);
        to = start = buf_room(out, ESCAPED_MAX * PIECE + SLACK + 3);
    }
    to = put_escaped(to, p, end);
    *to++ = '"';
    if (behind) *to++ = behind;
    out->len += (size_t)(to - start);
}

void json_encode_string(struct str s, struct buf *out)
{
    put_string(s, out, '\0');
}

/* ---- values ---- */

static void put_time(struct timestamp t, struct buf *out)
{
    char *to = buf_room(out, 44);

    *to = '"';
    size_t len = time_print(t, to + 1);
    to[len + 1] = '"';
    out->len += len + 2;
}

static void put_list(const struct list *l, struct buf *out)
{
    buf_char(out, '[');
    for (uint32_t i = 0; i < l->len; i++) {
        if (i) buf_char(out, ',');
        json_encode(l->items[i], out);
    }
    buf_char(out, ']');
}

static void put_map(const struct map *m, struct buf *out)
{
    buf_char(out, '{');
    for (uint32_t i = 0; i < m->len; i++) {
        if (i) buf_char(out, ',');
        put_string(key_str(m->members[i].key), out, ':');
        json_encode(m->members[i].value, out);
    }
    buf_char(out, '}');
}

void json_encode(struct value v, struct buf *out)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_NULL:
        buf_put(out, "null", 4);
        break;
    case VALUE_BOOL:
        buf_str(out, v.as.b ? STR("true") : STR("false"));
        break;
    case VALUE_INT:
        json_encode_int(v.as.i, out);
        break;
    case VALUE_FLOAT:
        json_encode_float(v.as.f, out);
        break;
    case VALUE_TIME:
        put_time(value_timestamp(v), out);
        break;
    case VALUE_STRING:
        put_string(value_str(v), out, '\0');
        break;
    case VALUE_NUMBER:
        buf_str(out, value_str(v));
        break;
    case VALUE_LIST:
        put_list(v.as.list, out);
        break;
    case VALUE_MAP:
        put_map(v.as.map, out);
        break;
    }
}

void json_encode_event(const struct event *ev, struct buf *out)
{
    put_map(&ev->data, out);
}
