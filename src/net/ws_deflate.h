#ifndef LSC_NET_WS_DEFLATE_H
#define LSC_NET_WS_DEFLATE_H

#include "base/str.h"

/* What a side says of permessage-deflate: the parameters of RFC 7692, section 7.1. */
struct ws_deflate_terms {
    bool    server_no_context, client_no_context;
    bool    names_client_bits;        /* in an offer maybe without a value */
    uint8_t server_bits, client_bits; /* of the window, 8 to 15; 0: not said */
};

/* Reads one element of Sec-WebSocket-Extensions, an `offer` or an answer. False: it is another
   extension, or one that has to be declined: a parameter is unknown, there twice or has a wrong
   value. */
bool ws_deflate_read(struct str text, bool offer, struct ws_deflate_terms *out);

#endif
