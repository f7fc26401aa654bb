#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "event/time.h"
#include "text/yaml.h"

/* Which plain scalars of YAML 1.1 are more than text, as Ruby reads them. Source: Psych's
   scalar_scanner.rb. */

struct scan {
    const char *p, *end;
};

static bool take(struct scan *s, const char *any)
{
    if (s->p == s->end || !strchr(any, *s->p) || !*s->p) return false;
    s->p++;
    return true;
}

/* Digits of `base` and what separates groups of them, copied to `out` without the latter. */
static size_t take_digits(struct scan *s, int base, char *out, size_t max)
{
    static const char digits[] = "0123456789abcdef";
    size_t            n = 0;

    for (; s->p < s->end && n < max; s->p++) {
        const char *at = strchr(digits, tolower((unsigned char)*s->p));
        if (*s->p == '_' || *s->p == ',') continue;
        if (!*s->p || !at || at - digits >= base) break;
        out[n++] = *s->p;
    }
    out[n] = '\0';
    return n;
}

/* An integer of up to 18 digits, more only as text: NUMBER. */
static bool integer(struct arena *a, struct str text, struct value *out)
{
    struct scan s = {text.data, text.data + text.len};
    char        digits[400];
    bool        negative = s.p < s.end && *s.p == '-';
    int         base = 10;

    take(&s, "+-");
    if (s.end - s.p > 1 && *s.p == '0') {
        char kind = s.p[1];
        base = kind == 'x' || kind == 'X' ? 16 : kind == 'b' ? 2 : 8;
        s.p += base == 8 ? 1 : 2;
    }
    if (s.p == s.end && base != 8) return false;
    if (base == 10 && (s.p == s.end || !isdigit((unsigned char)*s.p))) return false;
    size_t n = take_digits(&s, base, digits, sizeof(digits) - 2);
    if (s.p != s.end || n == 0) return false;
    size_t fits = base == 16 ? 15 : base == 10 ? 18 : base == 8 ? 20 : 62;
    if (n > fits && base != 10) return false;
    if (n > fits) {
        *out = value_string(arena_printf(a, "%s%s", negative ? "-" : "", digits));
        out->kind = VALUE_NUMBER;
        return true;
    }
    int64_t i = strtoll(digits, NULL, base);
    *out = value_int(negative ? -i : i);
    return true;
}

/* Digits, a point, digits, and an exponent with its sign. */
static bool real(struct str text, struct value *out)
{
    struct scan s = {text.data, text.data + text.len};
    char        number[400];
    size_t      n = 0, before, behind;

    if (text.len > 300) return false;
    number[0] = s.p < s.end ? *s.p : '\0';
    if (take(&s, "+-")) n = 1;
    before = take_digits(&s, 10, number + n, sizeof(number) - n - 1);
    n += before;
    if (!take(&s, ".")) return false;
    number[n++] = '.';
    behind = take_digits(&s, 10, number + n, sizeof(number) - n - 1);
    n += behind;
    if (before + behind == 0) return false;
    if (take(&s, "eE")) {
        number[n++] = 'e';
        if (s.end - s.p < 2 || (*s.p != '+' && *s.p != '-')) return false;
        number[n++] = *s.p++;
        if (take_digits(&s, 10, number + n, sizeof(number) - n - 1) == 0) return false;
    }
    if (s.p != s.end) return false;
    *out = value_float(strtod(number, NULL));
    return true;
}

static bool is_any(struct str text, const char *const *words)
{
    for (; *words; words++) {
        if (text.len == strlen(*words) && strncasecmp(text.data, *words, text.len) == 0)
            return true;
    }
    return false;
}

static bool word(struct str text, struct value *out)
{
    static const char *const yes[] = {"yes", "true", "on", NULL};
    static const char *const no[] = {"no", "false", "off", NULL};
    static const char *const nothing[] = {"", "~", "null", NULL};

    if (is_any(text, nothing))
        *out = value_null();
    else if (is_any(text, yes))
        *out = value_bool(true);
    else if (is_any(text, no))
        *out = value_bool(false);
    else
        return false;
    return true;
}

static bool infinity(struct str text, struct value *out)
{
    static const char *const plus[] = {".inf", "+.inf", NULL}, *const minus[] = {"-.inf", NULL},
                             *const none[] = {".nan", NULL};

    if (is_any(text, plus))
        *out = value_float(INFINITY);
    else if (is_any(text, minus))
        *out = value_float(-INFINITY);
    else if (is_any(text, none))
        *out = value_float(NAN);
    else
        return false;
    return true;
}

/* A date with a time of day behind it; without a zone in UTC. */
static bool moment(struct arena *a, struct str text, struct value *out)
{
    struct timestamp t;
    const char      *colon = memchr(text.data, ':', text.len);

    if (text.len < 16 || text.len > 40 || !colon || text.data[4] != '-') return false;
    struct str iso = arena_copy(a, text);
    char      *p = arena_alloc(a, text.len + 2);
    size_t     n = 0;
    bool       zone = false;
    for (size_t i = 0; i < iso.len; i++) {
        char c = iso.data[i];
        if (c == ' ' && (n > 10 || (n == 10 && i > 10))) continue;
        if (n == 10) c = 'T';
        if (n > 10 && (c == 'Z' || c == '+' || c == '-')) zone = true;
        p[n++] = c;
    }
    if (!zone) p[n++] = 'Z';
    if (!time_parse((struct str){p, n}, &t)) return false;
    *out = value_time(t);
    return true;
}

bool yaml_is_date(struct str text)
{
    static const char form[] = "dddd-dd-dd";

    if (text.len != sizeof(form) - 1) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (form[i] == 'd' ? !isdigit((unsigned char)text.data[i]) : text.data[i] != form[i])
            return false;
    }
    return true;
}

struct value yaml_scalar(struct arena *a, struct str text)
{
    struct value v;
    char         first = text.len ? text.data[0] : '\0';

    if (text.len <= 5 && word(text, &v)) return v;
    if (!isdigit((unsigned char)first) && !strchr("+-.", first)) return value_string(text);
    if (integer(a, text, &v) || real(text, &v) || infinity(text, &v) || moment(a, text, &v))
        return v;
    return value_string(text);
}
