#include "text/uuid.h"

struct str uuid_text(struct arena *a, unsigned char bytes[UUID_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    char             *text = arena_alloc(a, UUID_TEXT), *p = text;

    bytes[6] = (bytes[6] & 0x0F) | 0x40; /* version 4 */
    bytes[8] = (bytes[8] & 0x3F) | 0x80; /* variant of RFC 9562 */
    for (int i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
        *p++ = hex[bytes[i] >> 4];
        *p++ = hex[bytes[i] & 15];
    }
    return (struct str){text, UUID_TEXT};
}
