#ifndef LSC_NET_PROXY_PROTOCOL_H
#define LSC_NET_PROXY_PROTOCOL_H

#include <sys/socket.h>

#include "base/str.h"

enum { PROXY_PROTOCOL_MAX = 16 + 65535 };

/*
 * Reads the header with which a load balancer tells whose connection it passes on, version 1 or 2.
 * 1: it is the first `*size` bytes, `*source` is the client, of family AF_UNSPEC when the balancer
 * speaks for itself or does not say; 0: more bytes are needed; -1: this is no such header.
 * Source: haproxy.org, doc/proxy-protocol.txt.
 */
int proxy_protocol_read(struct str bytes, struct sockaddr_storage *source, size_t *size);

#endif
