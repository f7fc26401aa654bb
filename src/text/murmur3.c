#include "text/murmur3.h"

/* `len` bytes, the first the lowest. */
static uint64_t little_endian(const char *p, size_t len)
{
    uint64_t x = 0;

    for (size_t i = 0; i < len; i++)
        x |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return x;
}

static uint32_t turn32(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

static uint64_t turn64(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static uint32_t scramble32(uint32_t k)
{
    return turn32(k * 0xCC9E2D51u, 15) * 0x1B873593u;
}

uint32_t murmur3_32(struct str data, uint32_t seed)
{
    uint32_t h = seed;
    size_t   i = 0;

    for (; data.len - i >= 4; i += 4) {
        h ^= scramble32((uint32_t)little_endian(data.data + i, 4));
        h = turn32(h, 13) * 5 + 0xE6546B64u;
    }
    if (i < data.len) h ^= scramble32((uint32_t)little_endian(data.data + i, data.len - i));
    h ^= (uint32_t)data.len;
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    return h ^ h >> 16;
}

static uint64_t first64(uint64_t k)
{
    return turn64(k * 0x87C37B91114253D5u, 31) * 0x4CF5AD432745937Fu;
}

static uint64_t second64(uint64_t k)
{
    return turn64(k * 0x4CF5AD432745937Fu, 33) * 0x87C37B91114253D5u;
}

static uint64_t finish64(uint64_t k)
{
    k = (k ^ k >> 33) * 0xFF51AFD7ED558CCDu;
    k = (k ^ k >> 33) * 0xC4CEB9FE1A85EC53u;
    return k ^ k >> 33;
}

void murmur3_128(struct str data, uint64_t seed, uint64_t out[2])
{
    uint64_t a = seed, b = seed;
    size_t   i = 0;

    for (; data.len - i >= 16; i += 16) {
        a ^= first64(little_endian(data.data + i, 8));
        a = (turn64(a, 27) + b) * 5 + 0x52DCE729u;
        b ^= second64(little_endian(data.data + i + 8, 8));
        b = (turn64(b, 31) + a) * 5 + 0x38495AB5u;
    }
    size_t rest = data.len - i;
    if (rest > 8) b ^= second64(little_endian(data.data + i + 8, rest - 8));
    if (rest > 0) a ^= first64(little_endian(data.data + i, rest > 8 ? 8 : rest));
    a ^= data.len, b ^= data.len;
    a += b, b += a;
    a = finish64(a), b = finish64(b);
    a += b, b += a;
    out[0] = a, out[1] = b;
}

static struct str bytes_of(int64_t i, size_t len, char out[8])
{
    for (size_t n = 0; n < 8; n++)
        out[n] = (char)((uint64_t)i >> (8 * n));
    return (struct str){out, len};
}

uint32_t murmur3_32_of(struct value v, struct str text)
{
    char bytes[8];

    return murmur3_32(v.kind == VALUE_INT ? bytes_of(v.as.i, 8, bytes) : text, 0);
}

size_t murmur3_128_of(struct value v, struct str text, unsigned char *out)
{
    enum { SEED = 2 }; /* Logstash's */
    char     bytes[8];
    uint64_t words[2];
    bool     few = v.kind == VALUE_INT && v.as.i >= INT32_MIN && v.as.i <= INT32_MAX;

    murmur3_128(v.kind == VALUE_INT ? bytes_of(v.as.i, few ? 4 : 8, bytes) : text, SEED, words);
    for (int i = 0; i < 16; i++)
        out[i] = (unsigned char)(words[i / 8] >> (8 * (i % 8)));
    return 16;
}
