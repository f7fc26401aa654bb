#ifndef LSC_TEXT_DIGEST_H
#define LSC_TEXT_DIGEST_H

#include "base/arena.h"
#include "base/buf.h"

/* Hashes by OpenSSL: SHA1, SHA256, SHA384, SHA512, MD5; with a key HMACs of them (RFC 2104). */
enum { DIGEST_MAX = 64 /* bytes of a result */ };

/* An algorithm and a key: constant, any thread. */
struct digest;

/* `name` as above. `key.data` NULL: a plain hash. NULL when the library has no such algorithm. */
struct digest *digest_new(const char *name, struct str key);
void           digest_free(struct digest *d); /* NULL: nothing */

/* What one thread hashes with, again and again. */
void *digest_context_new(const struct digest *d);
void  digest_context_free(void *context);

/* Returns the length of the result; 0 when the library failed. */
size_t digest_run(const struct digest *d, void *context, struct str data,
                  unsigned char out[DIGEST_MAX]);

/* Bytes as text in `a`: hexadecimal in small letters, or base64 (RFC 4648 section 4) with its =.
   `len` up to INT_MAX. */
struct str text_of_hex(struct arena *a, const unsigned char *bytes, size_t len);
struct str text_of_base64(struct arena *a, const unsigned char *bytes, size_t len);

/* Reads base64 as strictly as Ruby's strict_decode64; false when it is none. Lives in `a`. */
bool base64_read(struct arena *a, struct str text, struct str *out);

#endif
