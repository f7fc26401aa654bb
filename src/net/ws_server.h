#ifndef LSC_NET_WS_SERVER_H
#define LSC_NET_WS_SERVER_H

#include <netdb.h>

#include "net/tls.h"
#include "net/ws_accept.h"
#include "net/ws_conn.h"

/*
 * A WebSocket server: listens, shakes hands and hands connections over. Functions are for the
 * loop's thread and never block.
 */
struct ws_server;

struct ws_server_config {
    struct ws_rules        rules;
    struct ws_policy       policy;
    const struct addrinfo *addresses; /* to listen on: all of them */
    SSL_CTX               *tls;       /* NULL: plain */
    bool                   proxy_protocol, keep_alive;
    uint32_t               max_connections;
    int64_t                handshake_timeout_ns; /* for all that comes before the first message */
    int64_t                tls_timeout_ns;       /* for TLS alone; 0: none of its own */
    const char            *component;            /* that log lines come from */
    struct str             pipeline_id, id;
};

struct ws_server_ops {
    /* A client has asked for the path, is who it should be, and will be welcomed. What is returned
       is the context of `connection`, of which opened() is called next. `request` is gone after
       the call. */
    void *(*accept)(void *ctx, struct ws_conn *c, const struct http_head *request);
    const struct ws_conn_ops *connection;
    /* After ws_server_stop(): the last connection has ended. The server is freed after it. */
    void (*stopped)(void *ctx);
};

/* What cannot be listened on now, because another process has the port, is tried again each second,
   which is logged. What `config` points to must live as long as the server. */
struct ws_server *ws_server_start(const struct ws_server_config *config,
                                  const struct ws_server_ops *ops, void *ctx);

/* No more clients. Those that have not shaken hands are dropped, the others are for the owner to
   close; stopped() is called once all have ended, perhaps from here. */
void ws_server_stop(struct ws_server *s);

#endif
