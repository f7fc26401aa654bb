#ifndef LSC_NET_WS_CONN_H
#define LSC_NET_WS_CONN_H

#include "net/loop.h"
#include "net/ws_frame.h"

/*
 * One WebSocket connection (RFC 6455), whichever side opened it: joins fragments, answers pings,
 * closes. ws_client_open() makes one to a server, ws_server_start() one for each client. Functions
 * are for the loop's thread and never block.
 *
 * Frames are read by our own code and not by libwebsockets: version 4.1 takes 1.6 µs for a message
 * of 350 bytes because it looks at each byte for itself, takes masked frames from a server, refuses
 * close codes 1012 to 1014 and cannot answer a ping while reading is held back.
 */
struct ws_conn;
struct ws_metrics;

/* What holds for a connection as long as it stands. */
struct ws_rules {
    struct net        *net;
    bool               deflate;   /* permessage-deflate may be agreed on */
    uint32_t           max_ratio; /* of a message to its compressed size, beyond 64 KiB */
    size_t             max_message;
    size_t             read_ahead; /* bytes, while messages cannot be taken */
    int64_t            close_timeout_ns;
    int64_t            ping_interval_ns, ping_timeout_ns; /* 0: no pings */
    struct str         ping_message;    /* text instead of a ping; data NULL: none */
    struct str         pong_message;    /* a message that is this is swallowed */
    int64_t            idle_timeout_ns; /* without messages; 0: none */
    struct ws_metrics *metrics;         /* of the owner; NULL: nothing is counted */
};

/* How a connection came to its end: what to do about it. */
enum ws_end_kind {
    WS_END_CONNECT,  /* DNS, TCP, TLS or time-out: `what` names it */
    WS_END_REFUSED,  /* the server answered the handshake with `http_status` */
    WS_END_PROTOCOL, /* the peer broke the protocol, in the handshake or later */
    WS_END_BROKEN,   /* the connection broke or ended without a close frame */
    WS_END_CLOSED,   /* by a close frame of the peer's: `status` and `text` */
    WS_END_STOPPED,  /* after ws_conn_close() */
};

/* Why it did. */
enum ws_reason {
    WS_BY_DNS,
    WS_BY_TCP,
    WS_BY_PROXY,
    WS_BY_TLS,
    WS_BY_TIMEOUT, /* of connecting, or of the handshake */
    WS_BY_AUTHENTICATION,
    WS_BY_REFUSAL,
    WS_BY_PROTOCOL,
    WS_BY_INVALID_DATA,
    WS_BY_SIZE,
    WS_BY_NO_HANDSHAKE, /* the peer hung up instead */
    WS_BY_BREAK,
    WS_BY_SILENCE,  /* a ping was not answered */
    WS_BY_IDLENESS, /* no message came */
    WS_BY_PEER,
    WS_BY_US,
};
/* DNS, TCP, proxy, TLS, time-out, authentication, HTTP, protocol, connection, close, stop. */
const char      *ws_reason_name(enum ws_reason reason);
enum ws_end_kind ws_reason_kind(enum ws_reason reason);

struct ws_end {
    enum ws_end_kind kind;
    enum ws_reason   reason;
    const char      *what;        /* the reason's name */
    struct str       text;        /* the reason; for a refusal the first bytes of the body */
    int              http_status; /* 0: there was no answer */
    uint16_t         status;      /* of the close frame, ours if it came first; WS_NO_STATUS or
                                     WS_ABNORMAL */
    struct str location;          /* of a refusal that is a redirect; else data NULL */
};

struct ws_conn_ops {
    /* The handshake is done. */
    void (*opened)(void *ctx);
    /* A whole message; text is valid UTF-8. False: not now; it is given again after
       ws_conn_resume(), and until then little more is read. */
    bool (*message)(void *ctx, enum ws_opcode opcode, struct str bytes);
    /* The last call; every message that was read has been taken. The connection is freed after it.
     */
    void (*ended)(void *ctx, const struct ws_end *end);
    /* Optional: all that was sent is with the kernel. */
    void (*drained)(void *ctx);
};

/* Messages can be taken again. */
void ws_conn_resume(struct ws_conn *c);

/* Sends one message, so many times. False when the connection is not open. */
bool ws_conn_send(struct ws_conn *c, enum ws_opcode opcode, struct str bytes, uint32_t times);
/* Sends frames that were written before, masked as this side has to. */
bool ws_conn_send_frames(struct ws_conn *c, struct str frames);
/* Bytes that the kernel has not taken yet, and those it has taken since there last were none. */
size_t ws_conn_unsent(const struct ws_conn *c);
size_t ws_conn_sent(const struct ws_conn *c);

/*
 * Closes with `status` and waits, up to the close time-out, for the peer's answer; messages that
 * come before it are still given. Then ended() is called; it may be called from here when there is
 * no connection yet.
 */
void ws_conn_close(struct ws_conn *c, enum ws_status status);

/* Ends it at once without a word: ended() is called from here. Not from within its ops. */
void ws_conn_abort(struct ws_conn *c);

/* Whether messages can be sent. */
bool ws_conn_is_open(const struct ws_conn *c);
/* The longest message that may be sent compressed; 0: permessage-deflate was not agreed on. What is
   no longer than the window that the peer asked for cannot refer to anything beyond it. */
size_t ws_conn_deflate_max(const struct ws_conn *c);
/* The peer's address and port. */
const char *ws_conn_peer(const struct ws_conn *c);
/* The subprotocol that was agreed on; empty: none. */
struct str ws_conn_subprotocol(const struct ws_conn *c);

#endif
