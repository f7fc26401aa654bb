#ifndef LSC_NET_WS_HANDSHAKE_H
#define LSC_NET_WS_HANDSHAKE_H

#include "net/http_head.h"
#include "net/url.h"

/* The handshake of RFC 6455, section 4.1, from the client's side. */
struct ws_offer {
    const struct url *url;
    struct str        headers;   /* further lines, each ended by \r\n */
    bool              own_host;  /* Host is among them */
    struct str        protocols; /* "a, b"; empty: none */
    bool              deflate;   /* permessage-deflate, RFC 7692 */
};

/* What the server agreed to. */
struct ws_agreement {
    struct str protocol; /* a view into the answer; data NULL: none */
    bool       deflate;
    bool       peer_context; /* the peer compresses with what it sent before */
    uint8_t    own_bits;     /* of the window that what we compress keeps to; 0: not limited */
};

enum { WS_KEY_SIZE = 25 };

/* Makes a key and appends the request. */
void ws_request(const struct ws_offer *offer, char key[WS_KEY_SIZE], struct buf *out);

/* Checks an answer of status 101. NULL when all is well, else what is wrong. */
const char *ws_check_answer(const struct ws_offer *offer, const char *key,
                            const struct http_head *head, struct ws_agreement *agreed);

#endif
