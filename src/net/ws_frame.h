#ifndef LSC_NET_WS_FRAME_H
#define LSC_NET_WS_FRAME_H

#include "base/buf.h"

/* The frames of RFC 6455, section 5.2: headers read and written. Knows nothing of connections. */
enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

/* Status codes of close frames. */
enum ws_status {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_NO_STATUS = 1005, /* never sent: the frame had none */
    WS_ABNORMAL = 1006,  /* never sent: there was no close frame */
    WS_INVALID_PAYLOAD = 1007,
    WS_POLICY = 1008,
    WS_TOO_BIG = 1009,
};

enum { WS_HEADER_MAX = 14, WS_CONTROL_MAX = 125 };

struct ws_frame {
    bool     final, compressed /* RSV1 */, masked;
    uint8_t  opcode;
    uint8_t  mask[4];
    uint8_t  header; /* bytes of the header */
    uint64_t length; /* of the payload */
};

static inline bool ws_is_control(uint8_t opcode)
{
    return opcode >= WS_CLOSE;
}

/*
 * Reads the header at the start of `bytes`. 1: read; 0: more bytes are needed; -1: it breaks the
 * protocol, `*problem` says how in a few words. What depends on the connection is left to the
 * caller: the order of fragments, who masks, and whether RSV1 was agreed on.
 */
int ws_frame_read(struct str bytes, struct ws_frame *f, const char **problem);

/* XORs `data` with the mask, which begins at its byte `offset`. */
void ws_mask(char *data, size_t len, const uint8_t mask[4], uint64_t offset);

/* Appends a whole frame. `mask` NULL: not masked (servers). `compressed` sets RSV1. */
void ws_frame_write(struct buf *out, uint8_t opcode, bool final, bool compressed,
                    const uint8_t *mask, struct str payload);

/* True for a status code that a peer may send. Section 7.4 and the IANA registry. */
bool ws_status_valid(uint16_t status);

/* "Sec-WebSocket-Accept" for a key, 28 characters and a NUL. */
void ws_accept(struct str key, char out[29]);

#endif
