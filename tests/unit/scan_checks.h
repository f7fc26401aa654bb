/*
 * What reads many bytes at a time, against loops that read one: the search in JSON strings, their
 * escaping, the check of UTF-8. Shared by tests/unit/test_scan.c and tests/fuzz/fuzz_scan.c.
 */
#ifndef LSC_TESTS_SCAN_CHECKS_H
#define LSC_TESTS_SCAN_CHECKS_H

#include <stdio.h>

#include "base/utf8.h"
#include "event/json.h"
#include "event/json_scan.h"

static bool find_special_agrees(struct str s)
{
    const char *end = s.data + s.len, *p = s.data;
    unsigned    high = 0, found = 0;

    for (; p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20; p++)
        high |= (unsigned char)*p;
    return json_find_special(s.data, end, &found) == p && ((high ^ found) & 0x80) == 0;
}

/* RFC 8259, section 7, with the short forms and capital digits that Jackson writes. */
static void escape_slowly(struct str s, struct buf *out)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";

    buf_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        const char *short_form = s.data[i] ? strchr(plain, s.data[i]) : NULL;
        if (short_form) {
            buf_char(out, '\\');
            buf_char(out, letters[short_form - plain]);
        } else if ((unsigned char)s.data[i] < 0x20) {
            buf_printf(out, "\\u%04X", (unsigned)(unsigned char)s.data[i]);
        } else {
            buf_char(out, s.data[i]);
        }
    }
    buf_char(out, '"');
}

static bool escapes_agree(struct str s)
{
    static struct buf fast, slow;

    buf_clear(&fast);
    buf_clear(&slow);
    json_encode_string(s, &fast);
    escape_slowly(s, &slow);
    return str_eq(buf_view(&fast), buf_view(&slow));
}

/* The bytes of the well-formed character at the start of `s`; 0: there is none. Source: RFC 3629.
 */
static size_t character_at(struct str s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char         b = (unsigned char)s.data[0];
    size_t   len = b < 0x80 ? 1 : b >> 5 == 6 ? 2 : b >> 4 == 14 ? 3 : b >> 3 == 30 ? 4 : 0;
    uint32_t c = len == 1 ? b : b & (0x7Fu >> len);

    if (len == 0 || len > s.len) return 0;
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)s.data[i] & 0xC0) != 0x80) return 0;
        c = c << 6 | ((unsigned char)s.data[i] & 0x3F);
    }
    return c >= least[len] && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF) ? len : 0;
}

static bool valid_prefix_agrees(struct str s)
{
    size_t at = 0, len;

    while (at < s.len && (len = character_at(str_from(s, at))) > 0)
        at += len;
    return utf8_valid_prefix(s) == at;
}

static bool scans_agree(struct str s)
{
    return find_special_agrees(s) && escapes_agree(s) && valid_prefix_agrees(s);
}

#endif
