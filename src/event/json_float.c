#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "event/json.h"
#include "event/json_number.h"

/*
 * Floats as Java's Double.toString prints them since JDK 19: the shortest decimal that reads back
 * as the same double, of those the nearest, with at least two digits; 1.0E7 and above and below
 * 1.0E-3 with an exponent.
 */
enum { DIGITS_MAX = 17 };

/* A decimal: 0.DIGITS times ten to the `point`. */
struct decimal {
    char digits[DIGITS_MAX + 8];
    int  len, point;
};

/* The digits of `m` (> 0), trailing zeros left out; m counts units of 10^-places. */
static void from_integer(struct decimal *d, uint64_t m, int places)
{
    char reversed[24];
    int  n = 0;

    while (m % 10 == 0)
        m /= 10, places--;
    for (; m; m /= 10)
        reversed[n++] = (char)('0' + m % 10);
    for (int i = 0; i < n; i++)
        d->digits[i] = reversed[n - 1 - i];
    d->len = n;
    d->point = n - places;
}

/*
 * Whether `f` is a decimal of up to 15 digits: m units of 10^-places. With m below 10^15 and the
 * power of ten below 10^23 both are exact, so m / 10^places is correctly rounded: when that is f,
 * the decimal reads back as f, and no two decimals of up to 15 digits read as the same f. The first
 * look is a cheap one, as a division takes long.
 */
static inline bool is_decimal(double f, double scaled, int places, uint64_t *m)
{
    double whole = (double)(int64_t)(scaled + 0.5), off = scaled - whole;

    if (off > scaled * 0x1p-51 || -off > scaled * 0x1p-51) return false;
    *m = (uint64_t)whole;
    return whole / json_power_of_ten[places] == f;
}

/* Finds decimals of up to 15 digits, which most floats in events are: those that were read as such
   with the number of places that they had then, unless zeros were at the end. */
static inline bool short_decimal(double f, uint32_t hint, uint64_t *m, int *places)
{
    if (hint > 0 && hint < 15) {
        double scaled = f * json_power_of_ten[hint];
        *places = (int)hint;
        if (scaled < 1e15 && is_decimal(f, scaled, *places, m) && (hint == 1 || *m % 10))
            return true;
    }
    for (*places = 0; *places <= 20; ++*places) {
        double scaled = f * json_power_of_ten[*places];
        if (scaled >= 1e15) return false;
        if (is_decimal(f, scaled, *places, m)) return true;
    }
    return false;
}

#ifdef __SIZEOF_INT128__
/* Doubles with a fraction: `m` / 2^`shift`. False for powers of two, whose neighbours lie at two
   distances. */
static bool as_fraction(double f, uint64_t *m, int *shift)
{
    int    exponent;
    double half = frexp(f, &exponent);

    *m = (uint64_t)(half * 0x1p53);
    *shift = 53 - exponent;
    return *shift > 0 && half != 0.5;
}

/*
 * The shortest decimal of a double between 1e-5 and 1e15 that needs 16 or 17 digits: all exact,
 * because 2^54 * 10^21 fits into 128 bits. The double is middle / 2^shift; what lies between low
 * and high reads back as it, with the ends when its last bit is 0.
 */
static bool medium_decimal(double f, struct decimal *d)
{
    uint64_t m;
    int      shift, places = 16;

    if (!as_fraction(f, &m, &shift)) return false;
    for (int i = 1; i < 15 && f >= json_power_of_ten[i]; i++)
        places--;
    for (double g = f; g < 1; places++)
        g *= 10;
    if (places > 21) return false;
    json_u128 power = (json_u128)json_power_of_ten[places > 18 ? 18 : places];
    for (int i = 18; i < places; i++)
        power *= 10;
    shift++;
    json_u128 twice = (json_u128)2 * m;
    json_u128 low = power * (twice - 1), high = power * (twice + 1), middle = power * twice;
    uint64_t  digits = (uint64_t)(middle >> shift), tens = (digits + 5) / 10;
    json_u128 rest = middle - ((json_u128)digits << shift), half = (json_u128)1 << (shift - 1),
              near;
    if (digits % 10 == 5 && rest == 0) tens &= ~(uint64_t)1; /* half-way: to the even one */
    near = (json_u128)(tens * 10) << shift;
    if (m % 2 ? near > low && near < high : near >= low && near <= high)
        from_integer(d, tens, places - 1);
    else
        from_integer(d, digits + (rest > half || (rest == half && digits % 2)), places);
    return true;
}
#else
static bool medium_decimal(double f, struct decimal *d)
{
    (void)f, (void)d;
    return false;
}
#endif

/* Reads "d.ddde±xx" into digits and point. */
static void from_text(struct decimal *d, const char *text)
{
    d->len = 0;
    for (; *text != 'e'; text++)
        if (*text >= '0' && *text <= '9') d->digits[d->len++] = *text;
    d->point = (int)strtol(text + 1, NULL, 10) + 1;
    while (d->len > 1 && d->digits[d->len - 1] == '0')
        d->len--;
}

/* The decimal in `text` with the last of its `count` digits one higher; false when that does not
   read as `f`. */
static bool next_decimal(double f, const char *text, int count, struct decimal *d)
{
    char     higher[48];
    uint64_t m = 0;

    from_text(d, text);
    for (int i = 0; i < count; i++)
        m = 10 * m + (uint64_t)(i < d->len ? d->digits[i] - '0' : 0);
    snprintf(higher, sizeof(higher), "%llue%d", (unsigned long long)m + 1, d->point - count);
    from_integer(d, m + 1, count - d->point);
    return strtod(higher, NULL) == f;
}

/* Any float: the fewest digits that read back, two at least. Decimals of up to 15 digits all read
   as different floats, except where floats are so small that they have fewer bits. A power of two
   is nearer to the float below than to the one above, so a decimal above it may do where a nearer
   one below it does not. */
static void long_decimal(double f, struct decimal *d)
{
    char text[48];
    int  exponent;
    bool power = frexp(f, &exponent) == 0.5;

    for (int count = f < 0x1p-1022 ? 2 : 15; count <= DIGITS_MAX; count++) {
        snprintf(text, sizeof(text), "%.*e", count - 1, f);
        if (strtod(text, NULL) == f) break;
        if (power && next_decimal(f, text, count, d)) return;
    }
    from_text(d, text);
}

static char *put_zeros(char *to, int n)
{
    memset(to, '0', (size_t)n);
    return to + n;
}

/* 123.0, 1.5, 0.001 */
static char *put_plain(char *to, const struct decimal *d)
{
    int whole = d->point > 0 ? d->point : 0, copied = whole < d->len ? whole : d->len;

    if (whole == 0) *to++ = '0';
    memcpy(to, d->digits, (size_t)copied);
    to = put_zeros(to + copied, whole - copied);
    *to++ = '.';
    if (copied == d->len) {
        *to++ = '0';
        return to;
    }
    if (d->point < 0) to = put_zeros(to, -d->point);
    memcpy(to, d->digits + copied, (size_t)(d->len - copied));
    return to + d->len - copied;
}

/* The same for m units of 10^-places with a whole part below 10^7: its digits, and zeros before
   them as need be; then those behind the point move on by one. */
static char *put_short(char *to, uint64_t m, int places)
{
    int missing = places + 1 - (int)json_count_digits(m);

    if (places == 0) {
        to = json_put_uint(to, m);
        memcpy(to, ".0", 2);
        return to + 2;
    }
    if (missing > 0) to = put_zeros(to, missing);
    char *end = json_put_uint(to, m), *point = end - places;
    memmove(point + 1, point, (size_t)places);
    *point = '.';
    return end + 1;
}

/* 1.0E7, 1.2345E-4 */
static char *put_exponent(char *to, const struct decimal *d)
{
    int exponent = d->point - 1, n = d->len - 1;

    *to++ = d->digits[0];
    *to++ = '.';
    memcpy(to, n ? d->digits + 1 : "0", (size_t)(n ? n : 1));
    to += n ? n : 1;
    *to++ = 'E';
    if (exponent < 0) *to++ = '-';
    exponent = abs(exponent);
    if (exponent >= 100) *to++ = (char)('0' + exponent / 100);
    if (exponent >= 10) *to++ = (char)('0' + exponent / 10 % 10);
    *to++ = (char)('0' + exponent % 10);
    return to;
}

static char *put_special(char *to, double f)
{
    const char *text = isnan(f) ? "NaN" : isinf(f) ? "Infinity" : "0.0";
    size_t      len = strlen(text);

    if (!isnan(f) && signbit(f)) *to++ = '-';
    memcpy(to, text, len);
    return to + len;
}

char *json_put_float(char *to, double f, uint32_t hint)
{
    double         size = fabs(f);
    bool           plain = size >= 1e-3 && size < 1e7;
    uint64_t       m;
    int            places;
    struct decimal d;

    if (!isfinite(f) || f == 0) return put_special(to, f);
    if (f < 0) *to++ = '-';
    bool usual = size >= 1e-5 && size < 1e15;
    if (usual && short_decimal(size, hint, &m, &places)) {
        if (plain) return put_short(to, m, places);
        from_integer(&d, m, places);
    } else if (!usual || !medium_decimal(size, &d)) {
        long_decimal(size, &d);
    }
    return plain ? put_plain(to, &d) : put_exponent(to, &d);
}

void json_encode_float(double f, struct buf *out)
{
    char *to = buf_room(out, JSON_FLOAT_MAX);

    out->len += (size_t)(json_put_float(to, f, 0) - to);
}
