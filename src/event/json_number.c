#include "event/json_number.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/fatal.h"

const double json_power_of_ten[JSON_EXACT_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Any float, correctly rounded, whatever locale the process runs in. */
static double slow_float(const char *p, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char                  local[128], *text = len < sizeof(local) ? local : xmalloc(len + 1);

    pthread_once(&once, make_c_locale);
    memcpy(text, p, len);
    text[len] = '\0';
    double f = strtod_l(text, NULL, c_locale);
    if (text != local) free(text);
    return f;
}

static inline bool is_digit(const char *p, const char *end)
{
    return p < end && (unsigned char)(*p - '0') < 10;
}

/* What the digits before and behind the point say. */
struct decimal {
    bool     negative;
    uint64_t mantissa; /* all digits; wraps around when there are more than 19 */
    size_t   digits;   /* of it, without leading zeros */
    int32_t  exponent;
};

static inline const char *read_digits(const char *p, const char *end, struct decimal *d)
{
    const char *from = p;
    bool        any = d->mantissa != 0;

    for (; is_digit(p, end); p++)
        d->mantissa = 10 * d->mantissa + (uint64_t)(*p - '0');
    if (!any) /* leading zeros are no digits */
        while (from < p && *from == '0')
            from++;
    d->digits += (size_t)(p - from);
    return p;
}

/* Reads behind 'e'. Exponents are cut off at a million: 0 or infinity either way. */
static const char *read_exponent(const char *p, const char *end, struct decimal *d)
{
    bool    negative = p < end && *p == '-';
    int32_t n = 0;

    if (p < end && (*p == '-' || *p == '+')) p++;
    if (!is_digit(p, end)) return NULL;
    for (; is_digit(p, end); p++)
        if (n < 1000000) n = 10 * n + (*p - '0');
    d->exponent += negative ? -n : n;
    return p;
}

/* Digits and power of ten as a double when one correctly rounded operation gives it (Clinger). */
static bool fast_float(const struct decimal *d, double *out)
{
    double f = (double)d->mantissa;

    if (d->digits > 19 || d->mantissa > (uint64_t)1 << 53) return false;
    if (d->exponent < -JSON_EXACT_POWER || d->exponent > JSON_EXACT_POWER) return false;
    f = d->exponent < 0 ? f / json_power_of_ten[-d->exponent] : f * json_power_of_ten[d->exponent];
    *out = d->negative ? -f : f;
    return true;
}

static const char *read_float(const char *start, const char *p, const char *end, struct decimal *d,
                              struct value *out)
{
    double f;

    if (*p == '.') {
        const char *fraction = ++p;
        p = read_digits(p, end, d);
        if (p == fraction) return NULL;
        /* 2^31 digits would wrap the count; more than a million are slow anyway */
        d->exponent = p - fraction < 1000000 ? -(int32_t)(p - fraction) : -1000000;
    }
    if (p < end && (*p | 0x20) == 'e') p = read_exponent(p + 1, end, d);
    if (!p) return NULL;
    if (!fast_float(d, &f)) f = slow_float(start, (size_t)(p - start));
    *out = value_float(f);
    return p;
}

static struct value integer(const char *start, const char *p, const struct decimal *d)
{
    uint64_t limit = (uint64_t)INT64_MAX + d->negative;

    if (d->digits > 19 || d->mantissa > limit)
        return (struct value){.kind = VALUE_NUMBER, .len = (uint32_t)(p - start), .as.s = start};
    return value_int((int64_t)(d->negative ? 0 - d->mantissa : d->mantissa));
}

const char *json_read_number(const char *start, const char *end, struct value *out)
{
    struct decimal d = {.negative = start < end && *start == '-'};
    const char    *first = start + d.negative, *p = read_digits(first, end, &d);

    if (p == first || (*first == '0' && p > first + 1)) return NULL;
    if (p < end && (*p == '.' || (*p | 0x20) == 'e')) return read_float(start, p, end, &d, out);
    *out = integer(start, p, &d);
    return p;
}
