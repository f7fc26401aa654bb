#ifndef LSC_NET_WS_CLIENT_PARTS_H
#define LSC_NET_WS_CLIENT_PARTS_H

#include "net/conn.h"
#include "net/ws_client.h"
#include "net/ws_handshake.h"
#include "net/ws_inflate.h"

/* What the files of the WebSocket client share: ws_client.c (its life, reading) and ws_messages.c
   (frames, messages, what is sent). */
enum { WS_KEEP_MAX = 1024 * 1024 /* of the memory for joined messages, between messages */ };

enum ws_client_state {
    CONNECTING,
    HANDSHAKE, /* the request is out */
    REFUSED,   /* the answer is not 101: its body is read */
    OPEN,
    CLOSING,    /* our close frame is out, messages may still come */
    DISCARDING, /* the end is known: waiting for the server to hang up */
};

struct ws_client {
    struct ws_client_config     config;
    const struct ws_client_ops *ops;
    void                       *ctx;
    struct conn                *conn;
    struct net_timer            timer;
    enum ws_client_state        state;
    struct buf                  headers;
    char                        key[WS_KEY_SIZE];
    int64_t                     due_ns; /* of the handshake */
    struct ws_agreement         agreed;
    struct buf                  protocol; /* chosen by the server; of a refusal its Location */

    struct net_timer beat, silence, idle;
    bool             heard;      /* something came since the last ping */
    int64_t          message_ns; /* when the last message came */

    struct buf in;    /* bytes read */
    size_t     at;    /* of in: first byte not worked on */
    size_t     ahead; /* of in: pings before here have been answered; may lie behind its end */

    struct ws_frame frame;      /* being read in pieces */
    uint64_t        left;       /* of its payload */
    struct buf      message;    /* joined from frames */
    uint8_t         opcode;     /* of that message */
    bool            in_message; /* its last frame has not begun or not ended */
    bool            whole;      /* it is complete but not taken */
    bool            compressed; /* it is to be inflated */

    struct ws_inflate inflate;
    struct buf        inflated;
    bool              inflated_waits; /* that message was not taken */

    bool          paused;  /* the owner does not take messages */
    bool          over;    /* no more bytes will come */
    bool          hung_up; /* the server ended the stream */
    struct ws_end end;
    struct buf    end_text;
    struct buf    out; /* one frame */
};

/* Notes how the connection comes to its end; the first reason counts. */
void ws_set_end(struct ws_client *c, enum ws_end_kind kind, const char *what, const char *text);

void ws_send_frame(struct ws_client *c, uint8_t opcode, struct str payload);
void ws_send_close(struct ws_client *c, uint16_t status, struct str reason);
/* Our last word is out: reads and forgets until the server hangs up or the time is over. */
void ws_discard_rest(struct ws_client *c);

/* Works on the frame that comes next. False: nothing more can be done now. */
bool ws_step(struct ws_client *c);
/* While messages cannot be taken: answers the pings among what has been read. */
void ws_answer_ahead(struct ws_client *c);

#endif
