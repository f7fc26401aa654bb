/*
 * extractnumbers: finds all numbers in a text.
 *
 * Source: logstash-filter-extractnumbers, lib/logstash/filters/extractnumbers.rb; Ruby's Integer()
 * and Float().
 * Threads: keeps no state, so any number of workers may run it.
 */
#include <stdlib.h>

#include "plugin/failure.h"
#include "text/rubytext.h"

enum { NUMBERS_MAX = 1000, DIGITS_MAX = 400 };

struct extractnumbers {
    const struct field *source;
};

static const struct option extractnumbers_options[] = {
    OPT(struct extractnumbers, OPT_FIELD, source, .preset = "message",
        .doc = "The field with the text; of a list the first item counts. Its words that are whole "
               "numbers (also 0x1f, 0b11, 017 and 1_000) become int1, int2 and so on, other "
               "numbers (2.5, 1e3) float1 and so on, at the top of the event; at most a thousand "
               "of each."),
    OPT_END,
};

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Copies digits of `base` to `out`, without single underscores between them. Returns how many
   bytes of `s` they are; 0 when there is no digit or an underscore is out of place. */
static size_t take_digits(struct str s, int base, char *out, size_t *len)
{
    size_t i = 0, n = 0;

    for (; i < s.len && n < DIGITS_MAX - 1; i++) {
        bool between = i > 0 && i + 1 < s.len && digit_of(s.data[i + 1]) < base;
        if (s.data[i] == '_' && between && s.data[i - 1] != '_') continue;
        if (digit_of(s.data[i]) >= base) break;
        out[n++] = s.data[i];
    }
    out[n] = '\0';
    *len = n;
    return i;
}

/* The base that a prefix such as 0x names, behind which `*s` then begins. */
static int take_base(struct str *s)
{
    char c = s->len > 1 && s->data[0] == '0' ? (char)(s->data[1] | 0x20) : '\0';

    if (c == 'x' || c == 'b' || c == 'o' || c == 'd') {
        *s = str_from(*s, 2);
        return c == 'x' ? 16 : c == 'b' ? 2 : c == 'o' ? 8 : 10;
    }
    return s->len > 1 && s->data[0] == '0' ? 8 : 10;
}

static bool integer(struct str word, struct arena *a, struct value *out)
{
    char       digits[DIGITS_MAX];
    size_t     len;
    bool       negative = str_starts(word, STR("-"));
    struct str s = negative || str_starts(word, STR("+")) ? str_from(word, 1) : word;
    int        base = take_base(&s);

    if (take_digits(s, base, digits, &len) != s.len || len == 0) return false;
    if (base == 10) {
        struct str text = arena_printf(a, "%s%s", negative ? "-" : "", digits);
        *out = ruby_to_i(a, text);
        return true;
    }
    if (len > (base == 16 ? 15u : base == 8 ? 20u : 62u)) return false;
    int64_t i = strtoll(digits, NULL, base);
    *out = value_int(negative ? -i : i);
    return true;
}

/* Digits, then a point with digits, then an exponent. */
static bool real(struct str word, struct value *out)
{
    char       number[3 * DIGITS_MAX];
    size_t     len, taken, n = 0;
    struct str s = word;

    if (s.len && (s.data[0] == '-' || s.data[0] == '+')) {
        number[n++] = s.data[0];
        s = str_from(s, 1);
    }
    taken = take_digits(s, 10, number + n, &len);
    n += len, s = str_from(s, taken);
    if (str_starts(s, STR("."))) {
        number[n++] = '.';
        taken = take_digits(str_from(s, 1), 10, number + n, &len);
        if (taken == 0) return false;
        n += len, s = str_from(s, taken + 1);
    } else if (taken == 0) {
        return false;
    }
    if (s.len && (s.data[0] | 0x20) == 'e') {
        number[n++] = 'e';
        s = str_from(s, 1);
        if (s.len && (s.data[0] == '-' || s.data[0] == '+')) {
            number[n++] = s.data[0];
            s = str_from(s, 1);
        }
        taken = take_digits(s, 10, number + n, &len);
        if (taken == 0) return false;
        n += len, s = str_from(s, taken);
    }
    if (s.len) return false;
    number[n] = '\0';
    *out = value_float(strtod(number, NULL));
    return true;
}

static bool set(struct event *ev, const char *kind, unsigned n, struct value v)
{
    struct str name = arena_printf(ev->arena, "%s%u", kind, n);

    return event_set(ev, field_of_name(ev->arena, name), v);
}

static enum verdict extractnumbers_run(const void *self, struct event *ev,
                                       struct filter_context *cx)
{
    const struct extractnumbers *e = self;
    const struct value          *v = event_get(ev, e->source);
    unsigned                     integers = 0, floats = 0;
    struct value                 number;

    if (v && v->kind == VALUE_LIST) v = v->as.list->len ? &v->as.list->items[0] : NULL;
    if (!v || v->kind != VALUE_STRING) return FILTER_PASS;
    const struct list *words = ruby_split(cx->scratch, value_str(*v), STR(" "), false);
    for (uint32_t i = 0; i < words->len; i++) {
        struct str word = value_str(words->items[i]);
        if (word.len >= DIGITS_MAX) continue;
        if (integer(word, ev->arena, &number)) {
            if (integers < NUMBERS_MAX) set(ev, "int", ++integers, number);
        } else if (real(word, &number)) {
            if (floats < NUMBERS_MAX) set(ev, "float", ++floats, number);
        }
    }
    return integers + floats ? FILTER_MATCH : FILTER_PASS;
}

const struct plugin filter_extractnumbers = {
    .kind = PLUGIN_FILTER,
    .name = "extractnumbers",
    .summary = "Finds all numbers in a text.",
    .size = sizeof(struct extractnumbers),
    .options = extractnumbers_options,
    .filter = {.run = extractnumbers_run},
};
