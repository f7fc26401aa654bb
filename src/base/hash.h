#ifndef LSC_BASE_HASH_H
#define LSC_BASE_HASH_H

#include "base/str.h"

/* The first and the last eight bytes of a name: all of it when it has NAME_ENDS_MAX at most. */
enum { NAME_ENDS_MAX = 16 };
struct name_ends {
    uint64_t first, last;
};

static inline struct name_ends name_ends(const char *s, size_t len)
{
    struct name_ends e = {0, 0};

    if (len >= 8) {
        memcpy(&e.first, s, 8);
        memcpy(&e.last, s + len - 8, 8);
    } else if (len >= 4) {
        uint32_t lo, hi;
        memcpy(&lo, s, 4);
        memcpy(&hi, s + len - 4, 4);
        e.first = lo, e.last = hi;
    } else if (len > 0) {
        e.first = (unsigned char)s[0];
        e.last = (uint64_t)(unsigned char)s[len / 2] << 8 | (unsigned char)s[len - 1];
    }
    return e;
}

/*
 * A quick hash of a name for the maps of events: length, first and last eight bytes. Cheap enough
 * to be computed for every key of every event. Maps that strangers could fill with colliding keys
 * must not rely on it alone: see index_home in event/value.c.
 */
static inline uint32_t hash_name(const char *s, size_t len)
{
    struct name_ends e = name_ends(s, len);
    uint64_t         h = (e.first ^ (e.last * 0x9E3779B97F4A7C15u) ^ len) * 0xD6E8FEB86659FD93u;

    return (uint32_t)(h >> 32);
}

/* SipHash-1-3 under a random key of this process: for tables that strangers fill. */
uint64_t hash_keyed(const void *data, size_t len);

/* A cheaper one for short names: whoever does not know the key cannot choose names whose hashes are
   equal more often than chance has it. */
uint64_t hash_name_keyed(const char *name, size_t len);

/* hash_keyed() under a given key; its words are read little-endian on little-endian machines. */
uint64_t hash_siphash13(uint64_t k0, uint64_t k1, const void *data, size_t len);

#endif
