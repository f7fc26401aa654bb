#ifndef LSC_TEXT_MURMUR3_H
#define LSC_TEXT_MURMUR3_H

#include "event/value.h"

/* MurmurHash3 by Austin Appleby: the variants x86_32 and x64_128. Source: smhasher,
   MurmurHash3.cpp (public domain). */
uint32_t murmur3_32(struct str data, uint32_t seed);

/* The two words of the result, the first of which comes first. */
void murmur3_128(struct str data, uint64_t seed, uint64_t out[2]);

/*
 * As Logstash's filters hash a value whose text is `text`: an integer by its bytes, the lowest
 * first (8 of them, but 4 for the long hash when they are enough), else the text. The long hash
 * writes 16 bytes and returns that.
 */
uint32_t murmur3_32_of(struct value v, struct str text);
size_t   murmur3_128_of(struct value v, struct str text, unsigned char *out);

#endif
