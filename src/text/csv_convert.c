#include "text/csv_convert.h"

#include "base/utf8.h"
#include "text/date_parse.h"
#include "text/rubytext.h"

/* Source: Ruby's CSV::Converters, Kernel#Integer and Kernel#Float. */

enum { FORMATS_MAX = 8 };

struct csv_dates {
    const struct date_format *dates[FORMATS_MAX], *times[FORMATS_MAX];
};

static void compile(const struct date_format **out, struct arena *a, struct timestamp now,
                    const char *const *patterns)
{
    const char *problem;

    for (size_t i = 0; patterns[i]; i++)
        out[i] = date_format_compile(a, str_of(patterns[i]), STR("en"), now, &problem);
}

const struct csv_dates *csv_dates_open(struct arena *a, struct timestamp now)
{
    static const char *const dates[] = {
        "yyyy-MM-dd",    "MMM d, yy",     "MMM d yy",     "EEE, MMM d, yy",
        "EEE MMM d, yy", "EEE, MMM d yy", "EEE MMM d yy", NULL};
    static const char *const times[] = {"ISO8601",
                                        "yyyy-MM-dd HH:mm:ss",
                                        "MMM d H:m:s yy",
                                        "MMM d H:m:s, yy",
                                        "EEE MMM d H:m:s yy",
                                        "EEE, MMM d H:m:s yy",
                                        "EEE, MMM d H:m:s, yy",
                                        NULL};
    struct csv_dates        *d = arena_zalloc(a, sizeof(*d));

    compile(d->dates, a, now, dates);
    compile(d->times, a, now, times);
    return d;
}

/* The start of a date in digits, where one is; months by name begin with a letter. */
static bool looks_like_date(struct str s)
{
    if (s.len < 8) return false;
    bool letter = (s.data[0] | 0x20) >= 'a' && (s.data[0] | 0x20) <= 'z';
    return letter || (s.len >= 10 && s.data[4] == '-' && s.data[7] == '-');
}

static struct value to_time(const struct date_format *const *formats, struct zone zone,
                            struct value v)
{
    int64_t ms;

    if (!looks_like_date(value_str(v))) return v;
    for (int i = 0; i < FORMATS_MAX && formats[i]; i++) {
        if (!date_parse(formats[i], value_str(v), zone, (struct timestamp){0}, &ms)) continue;
        int64_t in_second = (ms % 1000 + 1000) % 1000;
        return value_time(
            (struct timestamp){(ms - in_second) / 1000, (uint32_t)in_second * 1000000});
    }
    return v;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* Digits of `base`, single underscores between them. */
static bool are_digits(struct str s, int base)
{
    bool digit = false;

    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '_' ? !digit : digit_of(s.data[i]) >= base) return false;
        digit = s.data[i] != '_';
    }
    return digit;
}

/* 0x1F, 0b1, 0o17, 017: takes off what says so. */
static int take_base(struct str *s)
{
    static const struct {
        char letter;
        int  base;
    } bases[] = {{'x', 16}, {'b', 2}, {'o', 8}, {'d', 10}};

    if (s->len < 2 || s->data[0] != '0') return 10;
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        if ((s->data[1] | 0x20) == bases[i].letter) {
            *s = str_from(*s, 2);
            return bases[i].base;
        }
    *s = str_from(*s, 1);
    if (s->data[0] == '_') *s = str_from(*s, 1);
    return 8;
}

static struct value to_integer(struct value v, struct arena *a)
{
    struct str s = ruby_strip(value_str(v)), digits = s;
    bool       minus = s.len && s.data[0] == '-';
    int64_t    n = 0;

    if (minus || (s.len && s.data[0] == '+')) digits = str_from(s, 1);
    int base = take_base(&digits);
    if (!are_digits(digits, base)) return v;
    if (base == 10) return ruby_to_i(a, s);
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] == '_') continue;
        if (n > (INT64_MAX - 15) / base) return v;
        n = n * base + digit_of(digits.data[i]);
    }
    return value_int(minus ? -n : n);
}

/* The length of the digits at the start of `s`. */
static size_t digits_len(struct str s)
{
    size_t n = 0;

    while (n < s.len && ((s.data[n] >= '0' && s.data[n] <= '9') || (s.data[n] == '_' && n > 0)))
        n++;
    return n;
}

static bool is_float(struct str s)
{
    if (s.len && (s.data[0] == '-' || s.data[0] == '+')) s = str_from(s, 1);
    size_t n = digits_len(s);
    if (n == 0 || !are_digits((struct str){s.data, n}, 10)) return false;
    s = str_from(s, n);
    if (s.len && s.data[0] == '.') {
        n = digits_len(str_from(s, 1));
        if (n == 0 || !are_digits((struct str){s.data + 1, n}, 10)) return false;
        s = str_from(s, n + 1);
    }
    if (s.len && (s.data[0] | 0x20) == 'e') {
        s = str_from(s, 1);
        if (s.len && (s.data[0] == '-' || s.data[0] == '+')) s = str_from(s, 1);
        if (!are_digits(s, 10)) return false;
        s = str_from(s, s.len);
    }
    return s.len == 0;
}

/* What is neither true nor false stays without blanks at its ends, in lower case. */
static struct value to_boolean(struct value v, struct arena *a, struct buf *buf)
{
    buf_clear(buf);
    utf8_lower(buf, ruby_strip(value_str(v)));
    struct str s = buf_view(buf);
    if (str_eq(s, STR("true"))) return value_bool(true);
    if (str_eq(s, STR("false"))) return value_bool(false);
    return value_string(arena_copy(a, s));
}

struct value csv_convert(enum csv_type type, const struct csv_dates *dates, struct value v,
                         struct arena *a, struct buf *buf)
{
    if (v.kind != VALUE_STRING) return v;
    switch (type) {
    case CSV_INTEGER:
        return to_integer(v, a);
    case CSV_FLOAT:
        return is_float(ruby_strip(value_str(v)))
                   ? value_float(ruby_to_f(ruby_strip(value_str(v)), buf))
                   : v;
    case CSV_DATE: /* its start in this machine's zone */
        return to_time(dates->dates, zone_local(), v);
    case CSV_DATE_TIME:
        return to_time(dates->times, ZONE_UTC, v);
    case CSV_BOOLEAN:
        return to_boolean(v, a, buf);
    case CSV_TEXT:
        break;
    }
    return v;
}
