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
struct shortest {
    char digits[DIGITS_MAX + 8];
    int  len, point;
};

/* The digits of `m` (> 0), trailing zeros left out; m counts units of 10^-places. */
static void from_integer(struct shortest *s, uint64_t m, int places)
{
    char reversed[24];
    int  n = 0;

    while (m % 10 == 0)
        m /= 10, places--;
    for (; m; m /= 10)
        reversed[n++] = (char)('0' + m % 10);
    for (int i = 0; i < n; i++)
        s->digits[i] = reversed[n - 1 - i];
    s->len = n;
    s->point = n - places;
}

/*
 * Finds decimals of up to 15 digits, which most floats in events are. With m below 10^15 and a
 * power of ten below 10^23 both are exact, so m / 10^k is correctly rounded: when that is f, the
 * decimal m * 10^-k reads back as f, and no two decimals of up to 15 digits read as the same f.
 */
static bool short_decimal(double f, struct shortest *s)
{
    if (!(f >= 1e-5 && f < 1e15)) return false;
    for (int k = 0; k <= 19; k++) {
        double scaled = f * json_power_of_ten[k];
        if (scaled >= 1e15) return false;
        double m = (double)(int64_t)(scaled + 0.5);
        if (m / json_power_of_ten[k] != f || m == 0) continue;
        from_integer(s, (uint64_t)m, k);
        return true;
    }
    return false;
}

/* Reads "d.ddde±xx" into digits and point. */
static void from_text(struct shortest *s, const char *text)
{
    s->len = 0;
    for (; *text != 'e'; text++)
        if (*text != '.' && *text != ',') s->digits[s->len++] = *text;
    s->point = atoi(text + 1) + 1;
    while (s->len > 1 && s->digits[s->len - 1] == '0')
        s->len--;
}

/* Any float: the fewest digits, two at least, that read back. */
static void long_decimal(double f, struct shortest *s)
{
    char text[40];

    for (int digits = 2; digits <= DIGITS_MAX; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, f);
        if (strtod(text, NULL) == f) break;
    }
    from_text(s, text);
}

static char *put_zeros(char *out, int n)
{
    memset(out, '0', (size_t)n);
    return out + n;
}

/* 123.0, 1.5, 0.001 */
static char *put_plain(char *out, const struct shortest *s)
{
    int whole = s->point > 0 ? s->point : 0, copied = whole < s->len ? whole : s->len;

    if (whole == 0) *out++ = '0';
    memcpy(out, s->digits, (size_t)copied);
    out = put_zeros(out + copied, whole - copied);
    *out++ = '.';
    if (copied == s->len) {
        *out++ = '0';
        return out;
    }
    if (s->point < 0) out = put_zeros(out, -s->point);
    memcpy(out, s->digits + copied, (size_t)(s->len - copied));
    return out + s->len - copied;
}

/* 1.0E7, 1.2345E-4 */
static char *put_exponent(char *out, const struct shortest *s)
{
    int exponent = s->point - 1, n = s->len - 1;

    *out++ = s->digits[0];
    *out++ = '.';
    memcpy(out, n ? s->digits + 1 : "0", (size_t)(n ? n : 1));
    out += n ? n : 1;
    *out++ = 'E';
    if (exponent < 0) *out++ = '-';
    exponent = abs(exponent);
    if (exponent >= 100) *out++ = (char)('0' + exponent / 100);
    if (exponent >= 10) *out++ = (char)('0' + exponent / 10 % 10);
    *out++ = (char)('0' + exponent % 10);
    return out;
}

static void put_special(double f, struct buf *out)
{
    if (isnan(f))
        buf_str(out, STR("NaN"));
    else if (isinf(f))
        buf_str(out, f < 0 ? STR("-Infinity") : STR("Infinity"));
    else
        buf_str(out, signbit(f) ? STR("-0.0") : STR("0.0"));
}

void json_encode_float(double f, struct buf *out)
{
    struct shortest s;
    double          size = fabs(f);

    if (!isfinite(f) || f == 0) {
        put_special(f, out);
        return;
    }
    if (!short_decimal(size, &s)) long_decimal(size, &s);
    char *start = buf_room(out, 48), *to = start;
    if (f < 0) *to++ = '-';
    to = size >= 1e-3 && size < 1e7 ? put_plain(to, &s) : put_exponent(to, &s);
    out->len += (size_t)(to - start);
}
