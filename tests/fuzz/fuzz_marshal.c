/* What a memcached server may hold as Ruby's Marshal: read, and written so that it can be read. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "event/json.h"
#include "text/marshal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena a;
    static struct buf   out;
    struct value        v;
    const char         *why;

    if (marshal_read(&a, (struct str){(const char *)data, size}, &v, &why)) {
        buf_clear(&out);
        json_encode(v, &out);
        if (!utf8_valid(buf_view(&out))) abort();
        buf_clear(&out);
        marshal_write(v, &out);
        if (!marshal_read(&a, arena_copy(&a, buf_view(&out)), &v, &why)) abort();
    }
    arena_reset(&a);
    return 0;
}
