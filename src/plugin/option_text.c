#include "plugin/option.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "text/ruby_inspect.h"

bool option_bool(struct str text, bool *out)
{
    if (str_is(text, "true")) return *out = true, true;
    if (str_is(text, "false")) return *out = false, true;
    return false;
}

/* Digits from `at` on; returns the offset behind them. */
static size_t digits(struct str s, size_t at)
{
    while (at < s.len && isdigit((unsigned char)s.data[at]))
        at++;
    return at;
}

/* Copies a number to a C string for strto*(). False when it is too long to be one. */
static bool number_text(struct str s, char *out, size_t size)
{
    if (s.len == 0 || s.len >= size) return false;
    memcpy(out, s.data, s.len);
    out[s.len] = '\0';
    return true;
}

/*
 * -?(0|[1-9][0-9]*)(\.[0-9]+)? and nothing else: what survives Ruby's to_i.to_s or to_f.to_s, so
 * neither "05" nor "1e3" nor "5 ". Source: mixin.rb. `*point`: there was a fraction.
 */
static bool is_number(struct str s, bool *point)
{
    size_t from = s.len && s.data[0] == '-', whole = digits(s, from), end = whole;

    if (whole == from || (s.data[from] == '0' && whole > from + 1)) return false;
    *point = whole < s.len && s.data[whole] == '.';
    if (*point && (end = digits(s, whole + 1)) == whole + 1) return false;
    return end == s.len;
}

bool option_int(struct str text, int64_t *out)
{
    char   z[64], *end;
    bool   point;
    double f;

    if (!is_number(text, &point) || !number_text(text, z, sizeof(z))) return false;
    if (point) { /* "5.0" is a whole number, too */
        if (!option_float(text, &f) || f != floor(f) || fabs(f) > 9e15) return false;
        return *out = (int64_t)f, true;
    }
    errno = 0;
    *out = strtoll(z, &end, 10);
    return errno == 0;
}

bool option_float(struct str text, double *out)
{
    char z[512];
    bool point;

    if (!is_number(text, &point) || !number_text(text, z, sizeof(z))) return false;
    *out = strtod(z, NULL);
    return isfinite(*out);
}

/* A number with an optional fraction at the start of `s`; `*rest` is what follows its blanks. */
static bool leading_number(struct str s, double *out, struct str *rest)
{
    size_t end = digits(s, 0);
    char   z[64];

    if (end == 0) return false;
    if (end < s.len && s.data[end] == '.') end = digits(s, end + 1);
    if (!number_text((struct str){s.data, end}, z, sizeof(z))) return false;
    *out = strtod(z, NULL);
    while (end < s.len && s.data[end] == ' ')
        end++;
    *rest = str_from(s, end);
    return true;
}

/* Source: the filesize gem that mixin.rb asks: "10 mb" is decimal, "10 mib" binary, case-blind. */
bool option_bytes(struct str text, int64_t *out)
{
    static const char units[] = "kmgtpe";
    double            n;
    struct str        rest;

    if (option_int(text, out)) return *out >= 0;
    if (!leading_number(text, &n, &rest) || rest.len == 0 || rest.len > 3) return false;
    if (tolower((unsigned char)rest.data[rest.len - 1]) != 'b') return false;
    if (rest.len > 1) {
        bool        binary = rest.len == 3;
        const char *unit = strchr(units, tolower((unsigned char)rest.data[0]));
        if (!unit || !*unit || (binary && tolower((unsigned char)rest.data[1]) != 'i'))
            return false;
        n *= pow(binary ? 1024 : 1000, (double)(unit - units + 1));
    }
    if (n >= 9.2e18) return false;
    return *out = (int64_t)n, true;
}

/* Source: the file input's friendly durations, and :time_duration of plugin mixins. */
bool option_duration(struct str text, struct duration *out)
{
    static const struct {
        const char *names[5];
        double      ns;
    } units[] = {
        {{"w", "week", "weeks"}, 604800e9},
        {{"d", "day", "days"}, 86400e9},
        {{"h", "hour", "hours"}, 3600e9},
        {{"m", "min", "mins", "minute", "minutes"}, 60e9},
        {{"", "s", "sec", "second", "seconds"}, 1e9},
        {{"ms", "msec", "msecs", "millisecond", "milliseconds"}, 1e6},
        {{"us", "usec", "usecs", "microsecond", "microseconds"}, 1e3},
        {{"ns", "nsec", "nsecs", "nanosecond", "nanoseconds"}, 1},
    };
    double     n;
    struct str rest;

    if (!leading_number(text, &n, &rest)) return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        for (int j = 0; j < 5 && units[i].names[j]; j++)
            if (str_is(rest, units[i].names[j])) {
                n *= units[i].ns;
                if (n >= 9.2e18) return false;
                return out->ns = (int64_t)llround(n), true;
            }
    return false;
}

struct str ast_text(const struct ast_value *v)
{
    if (v->kind == AST_STRING || v->kind == AST_BAREWORD || v->kind == AST_NUMBER) return v->text;
    return (struct str){0};
}

/* A number of a config: a leading zero means octal, as to Ruby's Integer(). */
static struct value number_value(struct arena *a, struct str text)
{
    char   z[512], *end;
    size_t from = text.len && text.data[0] == '-';

    if (!number_text(text, z, sizeof(z))) return value_string(arena_copy(a, text));
    if (strchr(z, '.')) return value_float(strtod(z, NULL));
    errno = 0;
    bool    octal = z[from] == '0' && z[from + 1] != '\0';
    int64_t i = strtoll(z, &end, octal ? 8 : 10);
    if (*end != '\0') i = strtoll(z, &end, 10); /* 09 is no octal number: Logstash refuses it */
    if (errno == 0) return value_int(i);
    struct value big = value_string(arena_copy(a, text));
    big.kind = VALUE_NUMBER;
    return big;
}

struct value ast_to_value(struct arena *a, const struct ast_value *v)
{
    switch (v->kind) {
    case AST_NUMBER:
        return number_value(a, v->text);
    case AST_LIST: {
        struct list *l = list_new(a, v->len);
        for (uint32_t i = 0; i < v->len; i++)
            list_push(l, a, ast_to_value(a, &v->items[i]));
        return value_list(l);
    }
    case AST_HASH: {
        struct map *m = map_new(a, v->len);
        for (uint32_t i = 0; i < v->len; i++) {
            struct value x = ast_to_value(a, &v->entries[i].value);
            *map_add(m, a, key_make(arena_copy(a, ast_to_s(a, &v->entries[i].key)))) = x;
        }
        return value_map(m);
    }
    case AST_PLUGIN:
        return value_string(arena_copy(a, v->plugin->name));
    case AST_STRING:
    case AST_BAREWORD:
        break;
    }
    return value_string(arena_copy(a, v->text));
}

static void inspect_list(const struct ast_value *v, struct buf *out)
{
    buf_char(out, '[');
    for (uint32_t i = 0; i < v->len; i++) {
        if (i) buf_str(out, STR(", "));
        ast_inspect(&v->items[i], out);
    }
    buf_char(out, ']');
}

static void inspect_hash(const struct ast_value *v, struct buf *out)
{
    buf_char(out, '{');
    for (uint32_t i = 0; i < v->len; i++) {
        if (i) buf_str(out, STR(", "));
        ast_inspect(&v->entries[i].key, out);
        buf_str(out, STR("=>"));
        ast_inspect(&v->entries[i].value, out);
    }
    buf_char(out, '}');
}

void ast_inspect(const struct ast_value *v, struct buf *out)
{
    switch (v->kind) {
    case AST_LIST:
        inspect_list(v, out);
        break;
    case AST_HASH:
        inspect_hash(v, out);
        break;
    case AST_NUMBER:
        buf_str(out, v->text);
        break;
    case AST_PLUGIN:
        buf_str(out, v->plugin->name);
        buf_str(out, STR(" { … }"));
        break;
    case AST_STRING:
    case AST_BAREWORD:
        buf_char(out, '"');
        ruby_inspect(out, v->text);
        buf_char(out, '"');
        break;
    }
}

struct str ast_to_s(struct arena *a, const struct ast_value *v)
{
    struct buf b = {0};
    struct str s;

    if (v->kind == AST_STRING || v->kind == AST_BAREWORD) return v->text;
    if (v->kind == AST_NUMBER) {
        struct value n = number_value(a, v->text);
        if (n.kind == VALUE_FLOAT)
            ruby_inspect_float(&b, n.as.f);
        else
            value_text(n, &b);
    } else {
        ast_inspect(v, &b);
    }
    s = arena_copy(a, buf_view(&b));
    buf_release(&b);
    return s;
}

struct loc ast_loc_at(const struct ast_value *v, size_t at)
{
    struct loc loc = v->loc;

    if (!loc.source || at > v->text.len) return loc;
    size_t quote = loc.len == v->text.len + 2; /* unless escapes or variables changed the text */
    if (loc.len != v->text.len + 2 * quote || loc.offset + loc.len > loc.source->text.len)
        return loc;
    if (memcmp(loc.source->text.data + loc.offset + quote, v->text.data, v->text.len) != 0)
        return loc;
    return (struct loc){loc.source, (uint32_t)(loc.offset + quote + at), 1};
}

static bool equal_entries(const struct ast_value *a, const struct ast_value *b)
{
    for (uint32_t i = 0; i < a->len; i++)
        if (!ast_equal(&a->entries[i].key, &b->entries[i].key) ||
            !ast_equal(&a->entries[i].value, &b->entries[i].value))
            return false;
    return true;
}

bool ast_equal(const struct ast_value *a, const struct ast_value *b)
{
    if (ast_text(a).data && ast_text(b).data)
        return (a->kind == AST_NUMBER) == (b->kind == AST_NUMBER) && str_eq(a->text, b->text);
    if (a->kind != b->kind || a->kind == AST_PLUGIN || a->len != b->len) return false;
    if (a->kind == AST_HASH) return equal_entries(a, b);
    for (uint32_t i = 0; i < a->len; i++)
        if (!ast_equal(&a->items[i], &b->items[i])) return false;
    return true;
}
