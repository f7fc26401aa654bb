#ifndef LSC_NET_WS_CLIENT_H
#define LSC_NET_WS_CLIENT_H

#include "net/loop.h"
#include "net/proxy.h"
#include "net/tls.h"
#include "net/url.h"
#include "net/ws_frame.h"

/*
 * One WebSocket connection to a server (RFC 6455): connects, shakes hands, joins fragments, answers
 * pings, closes. It does not reconnect: its owner opens another. Functions are for the loop's
 * thread and never block.
 *
 * Frames are read by our own code and not by libwebsockets: version 4.1 takes 1.6 µs for a message
 * of 350 bytes because it looks at each byte for itself, takes masked frames from a server, refuses
 * close codes 1012 to 1014 and cannot answer a ping while reading is held back.
 */
struct ws_client;

struct ws_client_config {
    struct net              *net;
    const struct url        *url;
    struct str               headers;      /* further lines of the request, each ended by \r\n */
    bool                     own_host;     /* Host is among them */
    struct str               subprotocols; /* "a, b"; empty: none */
    bool                     deflate;      /* offer permessage-deflate */
    uint32_t                 max_ratio;    /* of a message to its compressed size, beyond 64 KiB */
    SSL_CTX                 *tls;          /* for url->tls */
    const struct tls_client *tls_options;
    const struct proxy      *proxy; /* NULL: none */
    int64_t                  connect_timeout_ns, close_timeout_ns;
    int64_t                  tls_timeout_ns; /* 0: none of its own */
    size_t                   max_message;
    int64_t                  ping_interval_ns, ping_timeout_ns; /* 0: no pings */
    struct str               ping_message;    /* text instead of a ping frame; data NULL: none */
    struct str               pong_message;    /* a message that is this is swallowed */
    int64_t                  idle_timeout_ns; /* without messages; 0: none */
};

/* How a connection came to its end. */
enum ws_end_kind {
    WS_END_CONNECT,  /* DNS, TCP, TLS or time-out: `what` names it */
    WS_END_REFUSED,  /* the server answered the handshake with `http_status` */
    WS_END_PROTOCOL, /* the server broke the protocol, in the handshake or later */
    WS_END_BROKEN,   /* the connection broke or ended without a close frame */
    WS_END_CLOSED,   /* by a close frame of the server's: `status` and `text` */
    WS_END_STOPPED,  /* after ws_client_close() */
};

struct ws_end {
    enum ws_end_kind kind;
    const char      *what;        /* in a word: DNS, TCP, TLS, time-out, HTTP, protocol, close */
    struct str       text;        /* the reason; for a refusal the first bytes of the body */
    int              http_status; /* 0: there was no answer */
    uint16_t         status;      /* of the close frame, WS_NO_STATUS or WS_ABNORMAL */
    struct str       location;    /* of a refusal that is a redirect; else data NULL */
};

struct ws_client_ops {
    /* The handshake is done. */
    void (*opened)(void *ctx);
    /* A whole message; text is valid UTF-8. False: not now; it is given again after
       ws_client_resume(), and until then little more is read. */
    bool (*message)(void *ctx, enum ws_opcode opcode, struct str bytes);
    /* The last call; every message that was read has been taken. The client is freed after it. */
    void (*ended)(void *ctx, const struct ws_end *end);
};

/* Begins to connect. What `config` points to must live as long as the client; headers are copied.
   Ops are called later, not from here. */
struct ws_client *ws_client_open(const struct ws_client_config *config,
                                 const struct ws_client_ops *ops, void *ctx);

/* Messages can be taken again. */
void ws_client_resume(struct ws_client *c);

/* Sends one message. False when the connection is not open. */
bool   ws_client_send(struct ws_client *c, enum ws_opcode opcode, struct str bytes);
size_t ws_client_unsent(const struct ws_client *c);

/*
 * Closes with `status` and waits, up to the close time-out, for the server's answer; messages that
 * come before it are still given. Then ended() is called; it may be called from here when there is
 * no connection yet.
 */
void ws_client_close(struct ws_client *c, enum ws_status status);

const char *ws_client_peer(const struct ws_client *c);
/* The subprotocol that the server chose; empty: none. */
struct str ws_client_subprotocol(const struct ws_client *c);

#endif
