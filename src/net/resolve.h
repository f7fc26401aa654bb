#ifndef LSC_NET_RESOLVE_H
#define LSC_NET_RESOLVE_H

#include <netdb.h>

#include "net/loop.h"

/* A host name being looked up, on a thread of its own because getaddrinfo(3) blocks. */
struct lookup;

/*
 * Starts looking up `host` for TCP connections to `port`. done() is called on the loop's thread,
 * once and never before net_lookup() has returned: with addresses that are then the callee's
 * (freeaddrinfo), or with NULL and what getaddrinfo has to say.
 */
struct lookup *net_lookup(struct net *n, const char *host, uint16_t port,
                          void (*done)(void *ctx, struct addrinfo *found, const char *problem),
                          void *ctx);
/* done() is not called any more. Not after it was called. */
void net_lookup_cancel(struct lookup *l);

#endif
