#ifndef LSC_NET_WS_CLIENT_H
#define LSC_NET_WS_CLIENT_H

#include "net/proxy.h"
#include "net/tls.h"
#include "net/url.h"
#include "net/ws_conn.h"

/* The client's side of a WebSocket connection: connects and shakes hands. It does not reconnect:
   net/ws_dial.h does. */
struct ws_client_config {
    struct ws_rules          rules;
    const struct url        *url;
    struct str               headers;      /* further lines of the request, each ended by \r\n */
    bool                     own_host;     /* Host is among them */
    struct str               subprotocols; /* "a, b"; empty: none */
    SSL_CTX                 *tls;          /* for url->tls, and for a proxy that is https */
    const struct tls_client *tls_options;
    const struct proxy      *proxy; /* NULL: none */
    int64_t                  connect_timeout_ns;
    int64_t                  tls_timeout_ns; /* 0: none of its own */
};

/* Begins to connect. What `config` points to must live as long as the connection; headers are
   copied. Ops are called later, not from here. */
struct ws_conn *ws_client_open(const struct ws_client_config *config, const struct ws_conn_ops *ops,
                               void *ctx);

#endif
