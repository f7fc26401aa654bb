#include "base/uuid.h"

#include "base/random.h"

void uuid_write(unsigned char bytes[UUID_BYTES], char out[UUID_TEXT])
{
    static const char hex[] = "0123456789abcdef";

    bytes[6] = (bytes[6] & 0x0F) | 0x40; /* version 4 */
    bytes[8] = (bytes[8] & 0x3F) | 0x80; /* variant of RFC 9562 */
    for (int i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
        *out++ = hex[bytes[i] >> 4];
        *out++ = hex[bytes[i] & 15];
    }
}

void uuid_random(char out[UUID_TEXT + 1])
{
    unsigned char bytes[UUID_BYTES];

    random_bytes(bytes, sizeof(bytes));
    uuid_write(bytes, out);
    out[UUID_TEXT] = '\0';
}
