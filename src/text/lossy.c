#include "text/lossy.h"

#include "base/utf8.h"

struct str lossy_binary(struct arena *a, struct str bytes)
{
    if (utf8_valid(bytes)) return bytes;

    char  *text = arena_alloc(a, 2 * bytes.len);
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i++)
        len += utf8_put(text + len, (unsigned char)bytes.data[i]);
    arena_trim(a, text, len);
    return (struct str){text, len};
}

/* Bytes at the start of `s`, which begins with a broken sequence, that one U+FFFD stands for: the
   longest start of a character. Source: Unicode, section 3.9, "maximal subparts". */
static size_t broken_part(struct str s)
{
    unsigned char first = (unsigned char)s.data[0];
    unsigned char second = s.len > 1 ? (unsigned char)s.data[1] : 0;
    size_t        whole = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2, n = 1;
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;

    if (first < 0xC2 || first > 0xF4 || second < low || second > high) return 1;
    while (n < whole - 1 && n < s.len && ((unsigned char)s.data[n] & 0xC0) == 0x80)
        n++;
    return n;
}

struct str lossy_utf8(struct arena *a, struct str bytes)
{
    size_t good = utf8_valid_prefix(bytes);
    if (good == bytes.len) return bytes;

    char  *text = arena_alloc(a, 3 * bytes.len);
    size_t len = 0;
    for (;;) {
        if (good > 0) memcpy(text + len, bytes.data, good);
        len += good;
        bytes = str_from(bytes, good);
        if (bytes.len == 0) break;
        len += utf8_put(text + len, 0xFFFD);
        bytes = str_from(bytes, broken_part(bytes));
        good = utf8_valid_prefix(bytes);
    }
    arena_trim(a, text, len);
    return (struct str){text, len};
}
