#ifndef LSC_BASE_UTF8_H
#define LSC_BASE_UTF8_H

#include "base/buf.h"
#include "base/str.h"

/* The largest n <= max that does not end inside a character of `s`. `s` is valid UTF-8. */
size_t utf8_floor(struct str s, size_t max);

/* True when `s` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). Fast on ASCII.
 */
bool utf8_valid(struct str s);

/* Bytes of the longest well-formed start of `s`; `s.len` when all of it is. */
size_t utf8_valid_prefix(struct str s);

/* True when `s`, of up to three bytes, may become a well-formed character by more bytes, or is
   empty: what utf8_valid_prefix() leaves of a text that is not all there. */
bool utf8_begun(struct str s);

/* Writes the character `c` (<= 0x10FFFF) to `out`, which has room for 4 bytes; returns its length.
 */
size_t utf8_put(char *out, uint32_t c);

/* Reads the character at the start of `s`, which is valid and not empty; returns its length. */
size_t utf8_get(struct str s, uint32_t *c);

/* Characters (code points) in `s`, which is valid. */
size_t utf8_count(struct str s);

/* Appends `s` in upper or lower case as Java's String.toUpperCase/toLowerCase(Locale.ROOT) do. */
void utf8_upper(struct buf *out, struct str s);
void utf8_lower(struct buf *out, struct str s);

#endif
