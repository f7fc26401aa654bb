/* How values are stored: as Ruby's Marshal writes them, packed by zlib when they are long. */
#include <zlib.h>

#include "base/fatal.h"
#include "filters/memcached.h"
#include "text/lossy.h"
#include "text/marshal.h"

enum { FLAG_MARSHAL = 1, FLAG_PACKED = 2, PACKED_FROM = 4096 };

static void pack(struct buf *b)
{
    struct buf packed = {0};
    uLongf     len = compressBound((uLong)b->len);

    if (compress((Bytef *)buf_room(&packed, len), &len, (const Bytef *)b->data, (uLong)b->len) !=
        Z_OK)
        fatal_memory();
    packed.len = len;
    buf_release(b);
    *b = packed;
}

bool memcached_value_write(struct value v, struct buf *out, uint32_t *flags)
{
    *flags = FLAG_MARSHAL;
    buf_clear(out);
    marshal_write(v, out);
    if (out->len >= PACKED_FROM) {
        pack(out);
        *flags |= FLAG_PACKED;
    }
    return out->len <= MEMCACHED_VALUE_MAX;
}

/* In `a`. False: it is no such stream, or a longer one than MEMCACHED_UNPACKED_MAX. */
static bool unpack(struct arena *a, struct str packed, struct str *out)
{
    z_stream   z = {.next_in = (Bytef *)(uintptr_t)packed.data, .avail_in = (uInt)packed.len};
    struct buf b = {0};
    int        status = Z_OK;

    if (inflateInit(&z) != Z_OK) fatal_memory();
    while (status == Z_OK && b.len <= MEMCACHED_UNPACKED_MAX) {
        enum { STEP = 64 << 10 };
        z.next_out = (Bytef *)buf_room(&b, STEP);
        z.avail_out = STEP;
        status = inflate(&z, Z_NO_FLUSH);
        b.len += STEP - z.avail_out;
    }
    inflateEnd(&z);
    bool good = status == Z_STREAM_END && b.len <= MEMCACHED_UNPACKED_MAX;
    if (good) *out = arena_copy(a, buf_view(&b));
    buf_release(&b);
    return good;
}

bool memcached_value_read(struct arena *a, struct str bytes, uint32_t flags, struct value *out,
                          const char **problem)
{
    if (!(flags & FLAG_PACKED)) {
        bytes = arena_copy(a, bytes);
    } else if (!unpack(a, bytes, &bytes)) {
        *problem = "the value cannot be unpacked";
        return false;
    }
    if (flags & FLAG_MARSHAL) return marshal_read(a, bytes, out, problem);
    *out = value_string(lossy_binary(a, bytes));
    return true;
}
