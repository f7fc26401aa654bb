#ifndef LSC_NET_ADDRESS_H
#define LSC_NET_ADDRESS_H

#include <netdb.h>

#include "base/buf.h"

enum { ADDRESS_TEXT = 64 };

/* "192.0.2.1:443" or "[2001:db8::1]:443"; empty for other families. An IPv4 client of an IPv6
   socket is shown as what it is. */
void address_print(const struct sockaddr *address, char out[ADDRESS_TEXT]);
/* The address without the port and brackets: a view into `text`. */
struct str address_host(const char *text);

/* The addresses to listen on for `host`, to be freed by freeaddrinfo(3); NULL with the reason
   appended. May block when `host` is a name. */
struct addrinfo *address_local(const char *host, uint16_t port, struct buf *problem);

#endif
