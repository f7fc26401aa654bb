#ifndef LSC_NET_WS_OUTBOX_H
#define LSC_NET_WS_OUTBOX_H

#include "net/ws_conn.h"

/*
 * Messages on their way to peers. A worker makes frames of the events of a batch, once for all
 * peers; on the loop each connection has an outbox of references to them.
 */

/* The frames of some messages. Made by one thread, then owned by the loop. */
struct ws_frames {
    uint32_t   refs; /* outboxes' entries, and the owner's own */
    uint32_t   len;
    uint32_t   cap;
    bool       deflate; /* there are compressed forms, too */
    struct buf bytes;
    struct ws_frame_pair {
        size_t len; /* of the message */
        size_t plain, plain_len;
        size_t packed, packed_len; /* for connections that have agreed on permessage-deflate */
    } * at;
};

struct ws_frames *ws_frames_new(uint32_t cap, bool deflate);
/* Appends the message as one frame, masked if the sender is a client. */
void ws_frames_add(struct ws_frames *f, enum ws_opcode opcode, struct str message, bool mask);
void ws_frames_unref(struct ws_frames *f);

/* Zero-initialised is empty. */
struct ws_outbox {
    struct ws_outgoing {
        struct ws_frames *of;
        uint32_t          i;
    } * ring;
    uint32_t   cap, first, len;
    uint32_t   in_flight; /* the first of them: in the connection's hands, not with the kernel */
    size_t     pack_max;  /* those up to this length are compressed */
    struct buf chunk;
};

void ws_outbox_push(struct ws_outbox *o, struct ws_frames *f, uint32_t i);
/* Drops the oldest that is not in flight. False: there is none. */
bool ws_outbox_drop(struct ws_outbox *o);
/* Hands messages to the connection as long as the kernel takes them; to be called again when it is
   drained. Returns how many have become the kernel's. */
uint32_t ws_outbox_pump(struct ws_outbox *o, struct ws_conn *c);
/* The connection came to its end: what was not fully with the kernel will be sent again. Returns
   how many were. */
uint32_t ws_outbox_rewind(struct ws_outbox *o, const struct ws_conn *c);
/* Moves all messages behind those of `to`. */
void ws_outbox_move(struct ws_outbox *from, struct ws_outbox *to);
void ws_outbox_release(struct ws_outbox *o);

#endif
