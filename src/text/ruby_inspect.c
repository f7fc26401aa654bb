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

/* The fewest digits that read back as the same number, as "d.ddde±xx". */
static void shortest(double f, char *out, size_t size)
{
    for (int digits = 0; digits < 17; digits++) {
        snprintf(out, size, "%.*e", digits, f);
        if (strtod(out, NULL) == f) return;
    }
}

void ruby_inspect_float(struct buf *out, double f)
{
    char text[40];

    if (isnan(f)) {
        buf_str(out, STR("NaN"));
        return;
    }
    if (isinf(f)) {
        buf_str(out, f < 0 ? STR("-Infinity") : STR("Infinity"));
        return;
    }
    shortest(f, text, sizeof(text));
    char *e = strchr(text, 'e');
    int   exponent = (int)strtol(e + 1, NULL, 10);
    int   digits =
        (int)(e - text) - (text[0] == '-') - (memchr(text, '.', (size_t)(e - text)) != NULL);

    if (f != 0 && (exponent < -4 || exponent >= 16)) {
        buf_put(out, text, (size_t)(e - text));
        buf_printf(out, "%se%+03d", digits == 1 ? ".0" : "", exponent);
    } else {
        int behind = digits - 1 - exponent;
        buf_printf(out, "%.*f", behind > 0 ? behind : 1, f);
    }
}
