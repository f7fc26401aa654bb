#ifndef LSC_NET_CONN_H
#define LSC_NET_CONN_H

#include <sys/types.h>

#include "net/loop.h"
#include "net/proxy.h"
#include "net/tls.h"

/*
 * One TCP connection on the loop, with or without TLS: a stream of bytes both ways. Functions are
 * for the loop's thread and never block.
 */
struct conn;

/* What went wrong. */
enum conn_failure { CONN_DNS, CONN_TCP, CONN_PROXY, CONN_TLS, CONN_TIMEOUT };

struct conn_target {
    struct net              *net;
    const char              *host;
    uint16_t                 port;
    SSL_CTX                 *tls; /* NULL: plain */
    const struct tls_client *tls_options;
    const struct proxy      *proxy;          /* NULL: none */
    SSL_CTX                 *proxy_tls;      /* for a proxy whose URL says https */
    int64_t                  timeout_ns;     /* for all of DNS, TCP and TLS; 0: none */
    int64_t                  tls_timeout_ns; /* for TLS alone; 0: none */
};

struct conn_ops {
    /* The connection stands, TLS included. */
    void (*opened)(void *ctx);
    /* conn_read() is worth calling. */
    void (*readable)(void *ctx);
    /* It could not be made, or a write failed; once. The owner closes it, then or later. */
    void (*failed)(void *ctx, enum conn_failure failure, const char *text);
    /* Optional: what could not be sent at once is all with the kernel now. */
    void (*drained)(void *ctx);
};

/* Begins to connect; ops are called later, not from here. `target` may be forgotten, what it points
   to must live as long as the connection. Addresses of a name are tried one after the other. */
struct conn *conn_open(const struct conn_target *target, const struct conn_ops *ops, void *ctx);

/* A connection that a client made to us. */
struct conn_accepted {
    struct net *net;
    int         fd;             /* non-blocking; it is the connection's from now on */
    SSL_CTX    *tls;            /* NULL: plain */
    bool        proxy_protocol; /* a load balancer's header comes first */
    int64_t     timeout_ns;     /* for that header and TLS; 0: none */
};
/* Ops are called later; opened() only when there was something before the stream, TLS or a header.
   NULL when the system has no room, with the descriptor closed. */
struct conn *conn_accept(const struct conn_accepted *from, const struct conn_ops *ops, void *ctx);

/* Sends small pieces at once; `keep_alive` has TCP look after a quiet peer. */
void conn_tune(int fd, bool keep_alive);

/* Ends it at once and frees it, also from within ops. NULL is fine. */
void conn_close(struct conn *c);

enum { CONN_AGAIN = 0, CONN_END = -1, CONN_BROKEN = -2, CONN_ALERT = -3 };
/*
 * Reads up to `size` bytes into `into`; returns how many, or CONN_AGAIN when there is nothing now,
 * CONN_END at the end of the stream, or CONN_BROKEN when it broke; conn_problem() then tells why.
 * CONN_ALERT is the same by an alert of TLS: in version 1.3 a server looks at a client's
 * certificate when the client thinks that all is done.
 */
ssize_t conn_read(struct conn *c, char *into, size_t size);
/* TLS holds bytes that no readable() will announce: read again. */
bool        conn_holds_more(const struct conn *c);
const char *conn_problem(const struct conn *c);

/* Sends, later if need be, in order. */
void   conn_send(struct conn *c, struct str bytes);
size_t conn_unsent(const struct conn *c);
/* Bytes that the kernel has taken since conn_unsent() was 0: those of what was sent first. */
size_t conn_sent(const struct conn *c);
/* No more will be sent: the peer reads the end once everything is out. */
void conn_finish(struct conn *c);

/* Whether readable() is called. True at first. */
void conn_want_read(struct conn *c, bool wanted);

/* The peer's address as "192.0.2.1:443" or "[2001:db8::1]:443"; empty before opened(). */
const char *conn_peer(const struct conn *c);

#endif
