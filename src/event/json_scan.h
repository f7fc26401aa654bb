#ifndef LSC_EVENT_JSON_SCAN_H
#define LSC_EVENT_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * Looks for the bytes that JSON strings treat in a special way (quote, backslash, control
 * characters), many at a time. Internal to event/json_*.c.
 */

static inline bool json_is_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* Marks (with 0x80, possibly also in bytes behind a true one) the special bytes of a word. */
static inline uint64_t json_special_word(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t       quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');

    return ((quote - ones) & ~quote & high) | ((slash - ones) & ~slash & high) |
           ((w - ones * 0x20) & ~w & high);
}

#ifdef __SSE2__
enum { JSON_BLOCK = 16 };

/* A bit for each of the 16 bytes of `x` that is special. */
static inline unsigned json_special_block(__m128i x)
{
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1F)), x);

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
}
#endif

/* Whether one of the `n` bytes at `p` is special; n is 1 to 15. They are gathered from words that
   overlap, which `out` gets as well. */
static inline bool json_copy_short(char *out, const char *p, size_t n)
{
    uint64_t a, b = 0;

    if (n >= 8) {
        memcpy(&a, p, 8);
        memcpy(&b, p + n - 8, 8);
        memcpy(out, &a, 8);
        memcpy(out + n - 8, &b, 8);
    } else if (n >= 4) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + n - 4, 4);
        memcpy(out, &low, 4);
        memcpy(out + n - 4, &high, 4);
        a = b = (uint64_t)high << 32 | low;
    } else {
        char first = p[0], middle = p[n / 2], last = p[n - 1];
        out[0] = first;
        out[n / 2] = middle;
        out[n - 1] = last;
        a = b = 0x3030303030000000u | (unsigned char)first | (uint64_t)(unsigned char)middle << 8 |
                (uint64_t)(unsigned char)last << 16;
    }
#ifdef __SSE2__
    return json_special_block(_mm_set_epi64x((long long)b, (long long)a)) != 0;
#else
    return (json_special_word(a) | json_special_word(b)) != 0;
#endif
}

/* The first special byte of [p, end), or end. Sets bit 7 of `*high` when a byte before it is not
   ASCII (other bits mean nothing). */
static inline const char *json_find_special(const char *p, const char *end, unsigned *high)
{
#ifdef __SSE2__
    for (; end - p >= JSON_BLOCK; p += JSON_BLOCK) {
        __m128i  x = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned special = json_special_block(x), above = (unsigned)_mm_movemask_epi8(x);
        if (special) {
            if (above && (above & (special - 1) & ~special)) *high |= 0x80;
            return p + __builtin_ctz(special);
        }
        if (above) *high |= 0x80;
    }
#else
    for (uint64_t w; end - p >= 8; p += 8) {
        memcpy(&w, p, 8);
        if (json_special_word(w)) break;
        if (w & 0x8080808080808080u) *high |= 0x80;
    }
#endif
    while (p < end && !json_is_special((unsigned char)*p))
        *high |= (unsigned char)*p++;
    return p;
}

#endif
