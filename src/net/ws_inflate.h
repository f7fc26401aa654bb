#ifndef LSC_NET_WS_INFLATE_H
#define LSC_NET_WS_INFLATE_H

#include <zlib.h>

#include "base/buf.h"

/* Decompresses the messages of a connection, RFC 7692, section 7.2.2. Zero-initialised is ready. */
struct ws_inflate {
    z_stream z;
    bool     begun;
};

enum ws_inflated { WS_INFLATED, WS_INFLATE_CORRUPT, WS_INFLATE_TOO_BIG };

/* Appends `message` to `out`, which may then hold at most `max` bytes. `keeps_context`: the next
   message may refer to this one. */
enum ws_inflated ws_inflate(struct ws_inflate *i, struct str message, bool keeps_context,
                            size_t max, struct buf *out);
void             ws_inflate_release(struct ws_inflate *i);

#endif
