#include "text/gunzip.h"

#include <zlib.h>

#include "base/fatal.h"

enum { STEP = 64 * 1024, GZIP_ONLY = 16 };

/* One member; z->next_in stands behind it afterwards. */
static bool inflate_member(z_stream *z, size_t max, struct buf *out, const char **why)
{
    for (;;) {
        z->next_out = (Bytef *)buf_room(out, STEP);
        z->avail_out = STEP;
        int status = inflate(z, Z_NO_FLUSH);
        if (status == Z_MEM_ERROR) fatal_memory();
        out->len += STEP - z->avail_out;
        if (out->len > max) {
            out->len = max;
            *why = "holds too much";
            return false;
        }
        if (status == Z_STREAM_END) return true;
        if (status != Z_OK || (z->avail_in == 0 && z->avail_out > 0)) {
            *why = status == Z_OK || status == Z_BUF_ERROR ? "ends too early" : "not gzip";
            return false;
        }
    }
}

bool gunzip(struct str packed, size_t max, struct buf *out, const char **why)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.data};
    bool     good = packed.len > 0 && packed.len <= UINT32_MAX;

    *why = packed.len == 0 ? "ends too early" : "too long";
    if (!good) return false;
    z.avail_in = (uInt)packed.len;
    if (inflateInit2(&z, MAX_WBITS + GZIP_ONLY) != Z_OK) fatal_memory();
    max = max > SIZE_MAX - out->len ? SIZE_MAX : out->len + max;
    do {
        good = inflate_member(&z, max, out, why);
    } while (good && z.avail_in > 0 && inflateReset(&z) == Z_OK);
    inflateEnd(&z);
    return good;
}
