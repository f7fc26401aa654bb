#ifndef LSC_NET_WS_CONN_PARTS_H
#define LSC_NET_WS_CONN_PARTS_H

#include "net/conn.h"
#include "net/ws_conn.h"
#include "net/ws_handshake.h"
#include "net/ws_inflate.h"
#include "net/ws_metrics.h"

/* What the files of a WebSocket connection share: ws_conn.c (its life, reading), ws_messages.c
   (frames, messages, what is sent), and the handshakes of the two sides, ws_client.c and
   ws_server.c. */
enum { WS_KEEP_MAX = 1024 * 1024 /* of the memory for joined messages, between messages */ };

enum ws_conn_state {
    CONNECTING,
    HANDSHAKE, /* of a client: the request is out; of a server: it is awaited */
    REFUSED,   /* the answer is not 101: its body is read */
    OPEN,
    CLOSING,    /* our close frame is out, messages may still come */
    DISCARDING, /* the end is known: waiting for the peer to hang up */
};

struct ws_conn;

/* What differs between the two sides. A side's struct begins with its struct ws_conn. */
struct ws_side {
    bool masks; /* our frames; the peer's are the other way round */
    /* Works on the bytes that came in the states HANDSHAKE and REFUSED. */
    void (*shake_hands)(struct ws_conn *c);
    /* Optional: completes c->end before it is reported. */
    void (*end)(struct ws_conn *c);
    /* Frees what is the side's own. */
    void (*release)(struct ws_conn *c);
    /* In words: */
    const char *no_handshake, *no_close; /* the peer hung up before one */
    const char *late_handshake;
    const char *wrong_mask;
};

struct ws_conn {
    const struct ws_side     *side;
    struct ws_rules           rules;
    const struct ws_conn_ops *ops;
    void                     *ctx;
    struct conn              *conn;
    struct net_timer          timer;
    enum ws_conn_state        state;
    struct ws_agreement       agreed;
    struct buf                protocol; /* agreed on */

    struct net_timer beat, silence, idle;
    bool             heard;      /* something came since the last ping */
    int64_t          message_ns; /* when the last message came */

    struct buf in;    /* bytes read */
    size_t     at;    /* of in: first byte not worked on */
    size_t     ahead; /* of in: pings before here have been answered; may lie behind its end */
    bool       ahead_in_message; /* what comes there goes on with a message */

    struct ws_frame frame;      /* being read in pieces */
    uint64_t        left;       /* of its payload */
    struct buf      message;    /* joined from frames */
    size_t          checked;    /* of a text message: well-formed UTF-8 up to here */
    uint8_t         opcode;     /* of that message */
    bool            in_message; /* its last frame has not begun or not ended */
    bool            whole;      /* it is complete but not taken */
    bool            compressed; /* it is to be inflated */

    struct ws_inflate inflate;
    struct buf        inflated;
    bool              inflated_waits; /* that message was not taken */

    bool          stood;   /* the handshake has succeeded */
    bool          paused;  /* the owner does not take messages */
    bool          over;    /* no more bytes will come */
    bool          hung_up; /* the peer ended the stream */
    bool          alerted; /* or TLS did */
    struct ws_end end;
    struct buf    end_text;
    struct buf    out; /* one frame */
};

/* ---- ws_conn.c ---- */

/* Begins a connection in zeroed memory that free() takes back; the caller sets c->conn. */
void ws_conn_begin(struct ws_conn *c, const struct ws_side *side, const struct ws_rules *rules,
                   const struct ws_conn_ops *ops, void *ctx);
/* What the connection below calls: bytes came, it failed, all is sent. */
void ws_conn_readable(void *c);
void ws_conn_failed(void *c, enum conn_failure failure, const char *text);
void ws_conn_drained(void *c);
/* The handshake is done. */
void ws_conn_opened(struct ws_conn *c);
/* The handshake, the body of a refusal or the answer to a close frame may take this long. */
void ws_conn_limit(struct ws_conn *c, int64_t after_ns);

/* Sends bytes of frames or of the handshake. */
void ws_conn_write(struct ws_conn *c, struct str bytes);

/* Notes how the connection comes to its end; the first reason counts. */
void ws_set_end(struct ws_conn *c, enum ws_reason reason, const char *text);
/* The same, and no more will be read. */
void ws_end_now(struct ws_conn *c, enum ws_reason reason, const char *text);
/* Our last word is out: reads and forgets until the peer hangs up or the time is over. */
void ws_discard_rest(struct ws_conn *c);

/* ---- ws_messages.c ---- */

void ws_send_frame(struct ws_conn *c, uint8_t opcode, struct str payload);
void ws_send_close(struct ws_conn *c, uint16_t status, struct str reason);
/* Works on the frame that comes next. False: nothing more can be done now. */
bool ws_step(struct ws_conn *c);
/* While messages cannot be taken: answers the pings among what has been read. */
void ws_answer_ahead(struct ws_conn *c);

#endif
