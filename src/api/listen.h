#ifndef LSC_API_LISTEN_H
#define LSC_API_LISTEN_H

#include "base/buf.h"

struct port_range {
    uint16_t first, last;
};

/* "9600" or "9600-9700". False: neither. */
bool listen_range(struct str text, struct port_range *out);

/*
 * Listens on the first free port of `range` at `host`, a name or an address. The descriptor, which
 * does not block, and `*port`; or -1 with the reason appended to `problem`.
 */
int listen_open(const char *host, struct port_range range, uint16_t *port, struct buf *problem);

#endif
