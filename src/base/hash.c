#include "base/hash.h"

#include <errno.h>
#include <pthread.h>
#include <sys/random.h>

#include "base/clock.h"

static struct {
    pthread_once_t once;
    uint64_t       k0, k1;
    uint64_t       pieces[2], len; /* of hash_name_keyed() */
} secret = {.once = PTHREAD_ONCE_INIT};

static void make_secret(void)
{
    uint64_t k[2];

    while (getrandom(k, sizeof(k), 0) != (ssize_t)sizeof(k)) {
        if (errno == EINTR) continue;
        /* A kernel without getrandom: what an attacker can hardly guess has to do. */
        k[0] = (uint64_t)clock_monotonic_ns();
        k[1] = (uint64_t)(uintptr_t)&secret;
        break;
    }
    secret.k0 = k[0];
    secret.k1 = k[1];
    secret.pieces[0] = hash_siphash13(k[0], k[1], "0", 1);
    secret.pieces[1] = hash_siphash13(k[0], k[1], "1", 1);
    secret.len = hash_siphash13(k[0], k[1], "len", 3) | 1;
}

static inline uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

uint64_t hash_siphash13(uint64_t k0, uint64_t k1, const void *data, size_t len)
{
    uint64_t    v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                        k1 ^ 0x7465646279746573};
    uint64_t    word;
    const char *p = data;
    size_t      left = len;

    for (; left >= 8; p += 8, left -= 8) {
        memcpy(&word, p, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)len << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)(unsigned char)p[i] << 8 * i;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_keyed(const void *data, size_t len)
{
    pthread_once(&secret.once, make_secret);
    return hash_siphash13(secret.k0, secret.k1, data, len);
}

/* Both halves of a piece, each with a key of its own added, multiplied. */
static inline uint64_t multiplied(uint64_t piece, uint64_t key)
{
    return (uint64_t)((uint32_t)piece + (uint32_t)key) *
           (uint32_t)((uint32_t)(piece >> 32) + (uint32_t)(key >> 32));
}

/* Source: NH of UMAC (RFC 4418): under a random key two texts collide as rarely as can be. */
uint64_t hash_name_keyed(const char *name, size_t len)
{
    if (len > NAME_ENDS_MAX) return hash_keyed(name, len);
    pthread_once(&secret.once, make_secret);
    struct name_ends e = name_ends(name, len);
    uint64_t h = multiplied(e.first, secret.pieces[0]) + multiplied(e.last, secret.pieces[1]) +
                 len * secret.len;
    return (h ^ h >> 32) * 0xD6E8FEB86659FD93u >> 32;
}
