#include "event/json_number.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/fatal.h"

const double json_power_of_ten[JSON_EXACT_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

const char json_digit_pairs[201] = "00010203040506070809101112131415161718192021222324"
                                   "25262728293031323334353637383940414243444546474849"
                                   "50515253545556575859606162636465666768697071727374"
                                   "75767778798081828384858687888990919293949596979899";

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
    size_t   digits;   /* of it, leading zeros included */
    int32_t  exponent;
};

enum { DIGITS_MAX = 19 /* that a uint64_t holds, whatever they are */ };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* How many of the eight bytes at `p` are digits before the first that is not; their value. All
   lengths take the same steps, so that no branch depends on them. */
static inline unsigned eight_digits(const char *p, uint64_t *value)
{
    uint64_t w;

    memcpy(&w, p, 8);
    w ^= 0x3030303030303030u;
    uint64_t others = ((w + 0x7676767676767676u) | w) & 0x8080808080808080u;
    unsigned n = others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
    if (n == 0) return 0;
    w <<= 8 * (8 - n); /* now zeros stand before the digits */
    w = w * 10 + (w >> 8);
    *value = ((w & 0x000000FF000000FFu) * 0x000F424000000064u +
              ((w >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u) >>
             32;
    return n;
}
#endif

static inline const char *read_digits(const char *p, const char *end, uint64_t *mantissa)
{
    uint64_t m = *mantissa;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    while (end - p >= 8) {
        static const uint64_t power[] = {1,      10,      100,      1000,     10000,
                                         100000, 1000000, 10000000, 100000000};
        uint64_t              value = 0;
        unsigned              n = eight_digits(p, &value);
        m = m * power[n] + value;
        p += n;
        if (n < 8) {
            *mantissa = m;
            return p;
        }
    }
#endif
    for (; is_digit(p, end); p++)
        m = 10 * m + (uint64_t)(*p - '0');
    *mantissa = m;
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
static inline bool fast_float(const struct decimal *d, double *out)
{
    double f = (double)d->mantissa;

    if (d->digits > DIGITS_MAX || d->mantissa > (uint64_t)1 << 53) return false;
    if (d->exponent < -JSON_EXACT_POWER || d->exponent > JSON_EXACT_POWER) return false;
    f = d->exponent < 0 ? f / json_power_of_ten[-d->exponent] : f * json_power_of_ten[d->exponent];
    *out = d->negative ? -f : f;
    return true;
}

#ifdef __SIZEOF_INT128__
/* m / 10^places, correctly rounded: a long division with 54 bits and whether anything is left. */
static double divide(uint64_t m, unsigned places)
{
    unsigned  shift = 63 + (unsigned)__builtin_clzll(m);
    json_u128 n = (json_u128)m << shift, q = n / (uint64_t)json_power_of_ten[places];
    bool      rest = q * (uint64_t)json_power_of_ten[places] != n;
    uint64_t  high = (uint64_t)(q >> 64);
    unsigned  bits =
        high ? 128 - (unsigned)__builtin_clzll(high) : 64 - (unsigned)__builtin_clzll((uint64_t)q);
    unsigned drop = bits - 54;
    uint64_t top = (uint64_t)(q >> drop);

    rest |= (q & (((json_u128)1 << drop) - 1)) != 0;
    return ldexp((double)((top >> 1) + ((top & 1) && (rest || (top & 2)))),
                 (int)drop + 1 - (int)shift);
}
#endif

/* Decimals of up to 19 digits: what programs print that print all digits. */
static inline bool exact_float(const struct decimal *d, double *out)
{
#ifdef __SIZEOF_INT128__
    if (d->digits > DIGITS_MAX || d->mantissa == 0) return false;
    if (d->exponent > 0 || d->exponent < -DIGITS_MAX) return false;
    double f = divide(d->mantissa, (unsigned)-d->exponent);
    *out = d->negative ? -f : f;
    return true;
#else
    (void)d, (void)out;
    return false;
#endif
}

/* A number that neither an int64_t nor a double holds stays as it is written. */
static struct value number_text(const char *start, const char *end)
{
    return (struct value){.kind = VALUE_NUMBER, .len = (uint32_t)(end - start), .as.s = start};
}

/* Any float, from its sign on. */
__attribute__((noinline)) static const char *read_float(const char *start, const char *end,
                                                        struct value *out)
{
    struct decimal d = {.negative = *start == '-'};
    const char    *first = start + d.negative, *p = read_digits(first, end, &d.mantissa);
    double         f;

    d.digits = (size_t)(p - first);
    if (*p == '.') {
        const char *fraction = ++p;
        p = read_digits(p, end, &d.mantissa);
        if (p == fraction) return NULL;
        d.digits += (size_t)(p - fraction);
        if (d.digits <= DIGITS_MAX) d.exponent = -(int32_t)(p - fraction);
    }
    if (p < end && (*p | 0x20) == 'e') p = read_exponent(p + 1, end, &d);
    if (!p) return NULL;
    if (!fast_float(&d, &f) && !exact_float(&d, &f)) f = slow_float(start, (size_t)(p - start));
    *out = isfinite(f) ? value_float(f) : number_text(start, p);
    return p;
}

/* Reads on at the point of a number with few digits, as most have; NULL: it is not one. */
static inline const char *read_short_float(const char *p, const char *end, bool negative,
                                           uint64_t mantissa, size_t digits, struct value *out)
{
    const char *fraction = p + 1;

    p = read_digits(fraction, end, &mantissa);
    size_t places = (size_t)(p - fraction);
    if (places == 0 || digits + places > 15 || p == end || (*p | 0x20) == 'e') return NULL;
    double f = (double)mantissa / json_power_of_ten[places]; /* both exact: correctly rounded */
    *out = value_float(negative ? -f : f);
    out->len = (uint32_t)places;
    return p;
}

const char *json_read_number(const char *start, const char *end, struct value *out)
{
    bool        negative = start < end && *start == '-';
    uint64_t    mantissa = 0;
    const char *first = start + negative, *p = read_digits(first, end, &mantissa);
    size_t      digits = (size_t)(p - first);

    if (digits == 0 || (*first == '0' && digits > 1)) return NULL;
    if (p < end && *p == '.') {
        p = read_short_float(p, end, negative, mantissa, digits, out);
        return p ? p : read_float(start, end, out);
    }
    if (p < end && (*p | 0x20) == 'e') return read_float(start, end, out);
    if (digits > DIGITS_MAX || mantissa > (uint64_t)INT64_MAX + negative)
        *out = number_text(start, p);
    else
        *out = value_int((int64_t)(negative ? 0 - mantissa : mantissa));
    return p;
}
