#include "net/ws_inflate.h"

#include "base/fatal.h"

enum { ROOM = 16 * 1024 };

/* Feeds one part. More than `max` bytes in `out` is too big. */
static enum ws_inflated feed(struct ws_inflate *i, struct str part, size_t max, struct buf *out)
{
    int result = Z_OK;

    i->z.next_in = (unsigned char *)(uintptr_t)part.data;
    i->z.avail_in = (uInt)part.len;
    do {
        i->z.next_out = (unsigned char *)buf_room(out, ROOM);
        i->z.avail_out = ROOM;
        result = inflate(&i->z, Z_SYNC_FLUSH);
        out->len += ROOM - i->z.avail_out;
        if (out->len > max) return WS_INFLATE_TOO_BIG;
        if (result == Z_STREAM_END) inflateReset(&i->z); /* a block marked as the last one */
        if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
            return WS_INFLATE_CORRUPT;
    } while (i->z.avail_out == 0 || (i->z.avail_in > 0 && result == Z_STREAM_END));
    return i->z.avail_in == 0 ? WS_INFLATED : WS_INFLATE_CORRUPT;
}

enum ws_inflated ws_inflate(struct ws_inflate *i, struct str message, bool keeps_context,
                            size_t max, struct buf *out)
{
    if (!i->begun && inflateInit2(&i->z, -MAX_WBITS) != Z_OK) fatal_memory();
    i->begun = true;
    enum ws_inflated result = feed(i, message, max, out);
    if (result == WS_INFLATED) result = feed(i, STR("\0\0\xff\xff"), max, out);
    if (!keeps_context) inflateReset(&i->z);
    return result;
}

void ws_inflate_release(struct ws_inflate *i)
{
    if (i->begun) inflateEnd(&i->z);
    i->begun = false;
}
