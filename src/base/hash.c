#include "base/hash.h"

#include <errno.h>
#include <pthread.h>
#include <sys/random.h>

#include "base/clock.h"

static struct {
    pthread_once_t once;
    uint64_t       k0, k1;
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
