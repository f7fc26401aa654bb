#ifndef LSC_EVENT_JSON_SCAN_H
#define LSC_EVENT_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Looks for the bytes that JSON strings treat in a special way (quote, backslash, control
 * characters), many at a time: 16 where every processor of a kind has instructions for it (SSE2,
 * NEON), else 8. Wider blocks gave nothing: nine of ten strings in events are shorter.
 * Internal to event/json_*.c.
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

/*
 * A block of 16 bytes. The marks of its bytes, in their order from the lowest bit on, are
 * JSON_MARK_BITS wide.
 */
#if defined(LSC_PORTABLE) /* for tests */
#elif defined(__SSE2__)
#include <emmintrin.h>
#define JSON_BLOCK 16
#define JSON_MARK_BITS 1
typedef __m128i  json_block;
typedef unsigned json_marks;

static inline json_block json_block_load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline void json_block_store(char *to, json_block x)
{
    _mm_storeu_si128((__m128i *)(void *)to, x);
}

/* Marks the special bytes. */
static inline json_marks json_block_special(json_block x)
{
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1F)), x);

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
}

/* Marks the bytes that are not ASCII. */
static inline json_marks json_block_high(json_block x)
{
    return (unsigned)_mm_movemask_epi8(x);
}
#elif defined(__ARM_NEON) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#include <arm_neon.h>
#define JSON_BLOCK 16
#define JSON_MARK_BITS 4
typedef uint8x16_t json_block;
typedef uint64_t   json_marks;

static inline json_block json_block_load(const char *p)
{
    return vld1q_u8((const uint8_t *)p);
}

static inline void json_block_store(char *to, json_block x)
{
    vst1q_u8((uint8_t *)to, x);
}

/* Half a byte of every byte: all its bits are alike. */
static inline json_marks json_block_marks(uint8x16_t is)
{
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(is), 4)), 0);
}

static inline json_marks json_block_special(json_block x)
{
    uint8x16_t quote = vceqq_u8(x, vdupq_n_u8('"')), slash = vceqq_u8(x, vdupq_n_u8('\\'));

    return json_block_marks(vorrq_u8(vorrq_u8(quote, slash), vcltq_u8(x, vdupq_n_u8(0x20))));
}

static inline json_marks json_block_high(json_block x)
{
    return json_block_marks(vcgeq_u8(x, vdupq_n_u8(0x80)));
}
#endif

#ifdef JSON_BLOCK
/* Which byte of the block the first mark is for; there is one. */
static inline unsigned json_first_mark(json_marks marks)
{
    return (unsigned)__builtin_ctzll(marks) / JSON_MARK_BITS;
}

/* The marks of the first `n` bytes; fewer than 16. */
static inline json_marks json_first_marks(json_marks marks, size_t n)
{
    return marks & (((json_marks)1 << n * JSON_MARK_BITS) - 1);
}
#endif

/*
 * Whether a block can be read at `p` though fewer bytes than that, but at least one, belong to the
 * string: it must not reach into the next page of memory. What is behind the string counts for
 * nothing. Sanitizers cannot know that.
 */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define JSON_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define JSON_SANITIZED
#endif

#if defined(JSON_BLOCK) && !defined(JSON_SANITIZED)
#define JSON_OVERREAD
static inline bool json_block_readable(const char *p)
{
    enum { PAGE = 4096 /* at least, everywhere */ };

    return __builtin_expect(((uintptr_t)p & (PAGE - 1)) <= PAGE - JSON_BLOCK, 1);
}
#endif

/* Copies 1 to 15 bytes, gathered from words that overlap; true when one of them is special.
 */
static inline bool json_copy_words(char *out, const char *p, size_t n)
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
    return (json_special_word(a) | json_special_word(b)) != 0;
}

/* The first special byte of [p, end), or end. Sets bit 7 of `*high` when a byte before it is not
   ASCII (other bits mean nothing). */
static inline const char *json_find_special(const char *p, const char *end, unsigned *high)
{
#ifdef JSON_BLOCK
    for (; end - p >= JSON_BLOCK; p += JSON_BLOCK) {
        json_block x = json_block_load(p);
        json_marks special = json_block_special(x), above = json_block_high(x);
        if (special) {
            if (above && (above & (special - 1) & ~special)) *high |= 0x80;
            return p + json_first_mark(special);
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
