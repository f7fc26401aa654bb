#include "text/ruby_inspect.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <wctype.h>

#include "base/utf8.h"

/* The C library's Unicode tables know what can be printed, whatever locale the process has. */
static locale_t unicode;

static void unicode_open(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static bool printable(uint32_t c)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (c < 0x80) return c >= 0x20 && c < 0x7F;
    if (c < 0xA0) return false;
    pthread_once(&once, unicode_open);
    return !unicode || iswprint_l((wint_t)c, unicode);
}

/* The letter behind the backslash of a short escape, or 0. */
static char short_escape(char c)
{
    static const char from[] = "\"\\\n\t\r\f\v\b\a\033";
    static const char to[] = "\"\\ntrfvbae";
    const char       *at = c ? strchr(from, c) : NULL;

    return at ? to[at - from] : '\0';
}

/* #{x}, #$x and #@x would be evaluated in a Ruby literal. */
static bool interpolates(struct str s)
{
    return s.len > 1 && s.data[0] == '#' &&
           (s.data[1] == '{' || s.data[1] == '$' || s.data[1] == '@');
}

static void inspect_valid(struct buf *out, struct str s)
{
    while (s.len > 0) {
        uint32_t c;
        size_t   len = utf8_get(s, &c);
        char     escape = short_escape(s.data[0]);

        if (escape) {
            buf_char(out, '\\');
            buf_char(out, escape);
        } else if (!printable(c)) {
            buf_printf(out, c > 0xFFFF ? "\\u{%X}" : "\\u%04X", (unsigned)c);
        } else {
            if (interpolates(s)) buf_char(out, '\\');
            buf_put(out, s.data, len);
        }
        s = str_from(s, len);
    }
}

void ruby_inspect(struct buf *out, struct str s)
{
    for (;;) {
        size_t good = utf8_valid_prefix(s);
        inspect_valid(out, (struct str){s.data, good});
        if (good == s.len) return;
        buf_printf(out, "\\x%02X", (unsigned)(unsigned char)s.data[good]);
        s = str_from(s, good + 1);
    }
}

/* The fewest digits that read back as `f` (finite, not zero), and the power of ten of the first.
   Fifteen digits name every shorter decimal exactly, so what is behind those is zeros. */
static int shortest_digits(double f, char digits[24], int *exponent)
{
    char text[40];

    for (int precision = 14; precision < 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, f);
        if (strtod(text, NULL) == f) break;
    }
    int len = 0;
    for (const char *p = text; *p != 'e'; p++) {
        if ((*p >= '0' && *p <= '9')) digits[len++] = *p;
    }
    *exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    while (len > 1 && digits[len - 1] == '0')
        len--;
    return len;
}

/* 1.5e-05: at least one digit behind the point, at least two of the exponent. */
static void float_scientific(const char *digits, int len, int exponent, struct buf *out)
{
    buf_char(out, digits[0]);
    buf_char(out, '.');
    if (len > 1)
        buf_put(out, digits + 1, (size_t)len - 1);
    else
        buf_char(out, '0');
    buf_printf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void float_plain(const char *digits, int len, int exponent, struct buf *out)
{
    for (int i = exponent < 0 ? exponent : 0; i <= exponent || i < len; i++) {
        if (exponent >= 0 && i == exponent + 1) buf_char(out, '.');
        buf_char(out, i >= 0 && i < len ? digits[i] : '0');
        if (exponent < 0 && i == exponent) buf_char(out, '.');
    }
    if (exponent >= 0 && len <= exponent + 1) buf_str(out, STR(".0"));
}

/* JRuby prints with "%#.20g": plain from 0.0001 up to 20 digits before the point. */
void ruby_inspect_float(struct buf *out, double f)
{
    char digits[24];
    int  exponent;

    if (isnan(f)) {
        buf_str(out, STR("NaN"));
        return;
    }
    if (signbit(f)) buf_char(out, '-');
    if (isinf(f)) {
        buf_str(out, STR("Infinity"));
    } else if (f == 0) {
        buf_str(out, STR("0.0"));
    } else {
        int len = shortest_digits(fabs(f), digits, &exponent);
        if (exponent < -4 || exponent >= 20)
            float_scientific(digits, len, exponent, out);
        else
            float_plain(digits, len, exponent, out);
    }
}
