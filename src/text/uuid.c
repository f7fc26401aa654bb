#include "text/uuid.h"

struct str uuid_text(struct arena *a, unsigned char bytes[UUID_BYTES])
{
    char *text = arena_alloc(a, UUID_TEXT);

    uuid_write(bytes, text);
    return (struct str){text, UUID_TEXT};
}
