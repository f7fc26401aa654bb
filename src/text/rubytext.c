#include "text/rubytext.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "event/time.h"
#include "text/ruby_inspect.h"

enum { INSPECT_DEPTH_MAX = 512 };

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- values to text ---- */

static void inspect_string(struct str s, struct buf *out)
{
    buf_char(out, '"');
    ruby_inspect(out, s);
    buf_char(out, '"');
}

static void inspect(struct value v, struct buf *out, int depth);

static void inspect_list(const struct list *l, struct buf *out, int depth)
{
    buf_char(out, '[');
    for (uint32_t i = 0; i < l->len; i++) {
        if (i) buf_str(out, STR(", "));
        inspect(l->items[i], out, depth);
    }
    buf_char(out, ']');
}

static void inspect_map(const struct map *m, struct buf *out, int depth)
{
    buf_char(out, '{');
    for (uint32_t i = 0; i < m->len; i++) {
        if (i) buf_str(out, STR(", "));
        inspect_string(key_str(m->members[i].key), out);
        buf_str(out, STR("=>"));
        inspect(m->members[i].value, out, depth);
    }
    buf_char(out, '}');
}

static void inspect(struct value v, struct buf *out, int depth)
{
    if (v.kind == VALUE_NULL)
        buf_str(out, STR("nil"));
    else if (v.kind == VALUE_STRING)
        inspect_string(value_str(v), out);
    else if (v.kind != VALUE_LIST && v.kind != VALUE_MAP)
        ruby_to_s(v, out);
    else if (depth == INSPECT_DEPTH_MAX)
        buf_str(out, STR("..."));
    else if (v.kind == VALUE_LIST)
        inspect_list(v.as.list, out, depth + 1);
    else
        inspect_map(v.as.map, out, depth + 1);
}

void ruby_inspect_value(struct value v, struct buf *out)
{
    inspect(v, out, 0);
}

void ruby_to_s(struct value v, struct buf *out)
{
    char time[40];

    switch ((enum value_kind)v.kind) {
    case VALUE_NULL:
        break;
    case VALUE_BOOL:
        buf_str(out, v.as.b ? STR("true") : STR("false"));
        break;
    case VALUE_INT:
        buf_printf(out, "%" PRId64, v.as.i);
        break;
    case VALUE_FLOAT:
        ruby_inspect_float(out, v.as.f);
        break;
    case VALUE_TIME:
        buf_put(out, time, time_print(value_timestamp(v), time));
        break;
    case VALUE_STRING:
    case VALUE_NUMBER:
        buf_str(out, value_str(v));
        break;
    case VALUE_LIST:
    case VALUE_MAP:
        inspect(v, out, 0);
        break;
    }
}

static void join(const struct list *l, struct str separator, struct buf *out, int depth)
{
    for (uint32_t i = 0; i < l->len; i++) {
        if (i) buf_str(out, separator);
        if (l->items[i].kind == VALUE_LIST && depth < INSPECT_DEPTH_MAX)
            join(l->items[i].as.list, separator, out, depth + 1);
        else
            ruby_to_s(l->items[i], out);
    }
}

void ruby_join(const struct list *l, struct str separator, struct buf *out)
{
    join(l, separator, out, 0);
}

/* ---- text cut into pieces ---- */

struct str ruby_strip(struct str s)
{
    while (s.len && is_blank(s.data[0]))
        s.data++, s.len--;
    while (s.len && (is_blank(s.data[s.len - 1]) || s.data[s.len - 1] == '\0'))
        s.len--;
    return s;
}

static void push(struct list *l, struct arena *a, const char *data, size_t len)
{
    list_push(l, a, value_string((struct str){data, len}));
}

static void split_blanks(struct list *l, struct arena *a, struct str s)
{
    size_t i = 0;

    for (;;) {
        while (i < s.len && is_blank(s.data[i]))
            i++;
        if (i == s.len) break;
        size_t start = i;
        while (i < s.len && !is_blank(s.data[i]))
            i++;
        push(l, a, s.data + start, i - start);
    }
    if (s.len && is_blank(s.data[s.len - 1])) push(l, a, s.data + s.len, 0);
}

static void split_characters(struct list *l, struct arena *a, struct str s)
{
    uint32_t c;

    while (s.len) {
        size_t n = utf8_get(s, &c);
        push(l, a, s.data, n);
        s = str_from(s, n);
    }
    push(l, a, s.data, 0);
}

struct list *ruby_split(struct arena *a, struct str s, struct str separator, bool keep_trailing)
{
    struct list *l = list_new(a, 4);

    if (s.len == 0) return l;
    if (separator.len == 0) {
        split_characters(l, a, s);
    } else if (separator.len == 1 && separator.data[0] == ' ') {
        split_blanks(l, a, s);
    } else {
        ptrdiff_t at;
        while ((at = str_find(s, separator)) >= 0) {
            push(l, a, s.data, (size_t)at);
            s = str_from(s, (size_t)at + separator.len);
        }
        push(l, a, s.data, s.len);
    }
    while (!keep_trailing && l->len && l->items[l->len - 1].len == 0)
        l->len--;
    return l;
}

/* ---- text to numbers ---- */

/* Copies digits from `p` on to `out`, stepping over single underscores between them; where it
   stopped is returned. */
static const char *take_digits(const char *p, const char *end, struct buf *out)
{
    while (p < end) {
        if (is_digit(*p))
            buf_char(out, *p++);
        else if (*p == '_' && end - p > 1 && is_digit(p[1]) && out->len && is_digit(p[-1]))
            p++;
        else
            break;
    }
    return p;
}

/* Blanks and a sign; true when it was a minus. */
static bool take_sign(const char **p, const char *end)
{
    while (*p < end && is_blank(**p))
        (*p)++;
    if (*p < end && (**p == '+' || **p == '-')) return *(*p)++ == '-';
    return false;
}

/* Digits and single underscores from `p` to `end`, without leading zeros, with a sign. */
static struct value big_integer(struct arena *a, const char *p, const char *end, bool negative)
{
    char  *text = arena_alloc(a, (size_t)(end - p) + 1);
    size_t len = 0;

    if (negative) text[len++] = '-';
    for (bool leading = true; p < end; p++) {
        if (*p == '_' || (leading && *p == '0')) continue;
        leading = false;
        text[len++] = *p;
    }
    return (struct value){.kind = VALUE_NUMBER, .len = (uint32_t)len, .as.s = text};
}

bool ruby_plain_integer(struct str s, int64_t *out)
{
    enum { DIGITS_MAX = 18 }; /* of any value */
    size_t  i = s.len && (s.data[0] == '-' || s.data[0] == '+');
    int64_t n = 0;

    if (i == s.len || s.len - i > DIGITS_MAX) return false;
    for (; i < s.len; i++) {
        if (!is_digit(s.data[i])) return false;
        n = n * 10 + (s.data[i] - '0');
    }
    *out = s.data[0] == '-' ? -n : n;
    return true;
}

struct value ruby_to_i(struct arena *a, struct str s)
{
    int64_t plain;

    if (ruby_plain_integer(s, &plain)) return value_int(plain);
    const char *p = s.data, *end = s.data + s.len;
    bool        negative = take_sign(&p, end), fits = true;
    const char *first = p;
    uint64_t    n = 0;
    uint64_t    limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;

    for (; p < end; p++) {
        if (*p == '_' && p > first && is_digit(p[-1]) && end - p > 1 && is_digit(p[1])) continue;
        if (!is_digit(*p)) break;
        unsigned digit = (unsigned)(*p - '0');
        if (n > (limit - digit) / 10) fits = false;
        if (fits) n = n * 10 + digit;
    }
    if (!fits) return big_integer(a, first, p, negative);
    return value_int(negative ? (int64_t)(0 - n) : (int64_t)n);
}

double ruby_to_f(struct str s, struct buf *scratch)
{
    const char *p = s.data, *end = s.data + s.len;

    buf_clear(scratch);
    if (take_sign(&p, end)) buf_char(scratch, '-');
    size_t start = scratch->len;
    p = take_digits(p, end, scratch);
    if (end - p > 1 && *p == '.' && is_digit(p[1])) {
        if (scratch->len == start) buf_char(scratch, '0');
        buf_char(scratch, '.');
        p = take_digits(p + 1, end, scratch);
    }
    if (scratch->len == start) return 0.0;
    if (end - p > 1 && (*p == 'e' || *p == 'E')) {
        const char *q = p + 1;
        bool        signed_exponent = *q == '+' || *q == '-';
        if (end - q > signed_exponent && is_digit(q[signed_exponent])) {
            buf_char(scratch, 'e');
            if (signed_exponent) buf_char(scratch, *q++);
            take_digits(q, end, scratch);
        }
    }
    return strtod(buf_cstr(scratch), NULL);
}

struct value ruby_integer(struct arena *a, double whole)
{
    if (whole >= -9223372036854775808.0 && whole < 9223372036854775808.0)
        return value_int((int64_t)whole);
    struct str digits = arena_printf(a, "%.0f", whole);
    return (struct value){.kind = VALUE_NUMBER, .len = (uint32_t)digits.len, .as.s = digits.data};
}

/* ---- upper and lower case ---- */

/* Letters that have a form of their own as the first of a word, where upper case has another:
   the digraphs of Croatian and such. */
static uint32_t title_case(uint32_t upper)
{
    if (upper == 0x1C4 || upper == 0x1C7 || upper == 0x1CA || upper == 0x1F1) return upper + 1;
    return upper;
}

/* A character that grows in upper case (ß: SS) keeps only its first letter large. */
void ruby_capitalize(struct buf *out, struct str s)
{
    uint32_t c;
    char     title[4];

    if (s.len == 0) return;
    size_t start = out->len, first = utf8_get(s, &c);
    utf8_upper(out, (struct str){s.data, first});
    struct str upper = {out->data + start, out->len - start};
    size_t     head = utf8_get(upper, &c), title_len = utf8_put(title, title_case(c));

    /* At most three characters, so this copy is small: the buf may move while it is read. */
    char       rest[16];
    struct str tail = {rest, upper.len - head};
    if (tail.len > sizeof(rest)) tail.len = 0;
    memcpy(rest, upper.data + head, tail.len);
    out->len = start;
    buf_put(out, title, title_len);
    utf8_lower(out, tail);
    utf8_lower(out, str_from(s, first));
}
