#ifndef LSC_API_SERVER_H
#define LSC_API_SERVER_H

#include <openssl/ssl.h>

#include "api/state.h"
#include "net/pem.h"

/*
 * The HTTP side of the API: libwebsockets' server on a loop of its own. Requests are limited in
 * number, size and time.
 */
struct server;

/* Serves at `fd`, a listening socket that it takes over; `tls` has a certificate and a key, or
   nothing for plain HTTP, and lives as long. NULL after logging why. */
struct server *server_start(struct state *state, int fd, const struct pkcs12 *tls);
void           server_stop(struct server *s);

#endif
