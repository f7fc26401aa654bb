#ifndef LSC_BASE_UUID_H
#define LSC_BASE_UUID_H

enum { UUID_BYTES = 16, UUID_TEXT = 36 };

/* Random bytes, which it changes, as the text of a version 4 UUID, in small letters; no NUL.
   Source: RFC 9562 section 5.4. */
void uuid_write(unsigned char bytes[UUID_BYTES], char out[UUID_TEXT]);

/* A new one, with a NUL behind it. */
void uuid_random(char out[UUID_TEXT + 1]);

#endif
