#ifndef LSC_NET_PROXY_H
#define LSC_NET_PROXY_H

#include "base/buf.h"
#include "net/url.h"

/* A proxy to connect through: HTTP (CONNECT), the same by TLS (https), or SOCKS 5, by the scheme of
   its URL. */
struct proxy {
    struct url url;
    struct str headers; /* further lines of CONNECT, each ended by \r\n */
};

/* Talking to a proxy before the connection belongs to us. Zero-initialised is ready. */
struct proxy_talk {
    const struct proxy *proxy;
    const char         *host;
    uint16_t            port;
    int                 step; /* of SOCKS */
    struct buf          in;
};

/* Appends the first bytes to send. What is pointed to must live as long as the talk. */
void proxy_begin(struct proxy_talk *t, const struct proxy *p, const char *host, uint16_t port,
                 struct buf *out);
/* Takes bytes from the proxy and appends what is to be sent next. 1: connected; 0: not yet; -1: it
   refused, the reason is appended to `problem`. */
int  proxy_take(struct proxy_talk *t, struct str bytes, struct buf *out, struct buf *problem);
void proxy_end(struct proxy_talk *t);

/*
 * The proxy that the environment names for `target`: HTTPS_PROXY for wss and https, else
 * HTTP_PROXY, in capitals or not, unless NO_PROXY has the host or it is this machine. Empty: none.
 */
struct str proxy_from_environment(const struct url *target);

#endif
