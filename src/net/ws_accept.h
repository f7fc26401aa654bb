#ifndef LSC_NET_WS_ACCEPT_H
#define LSC_NET_WS_ACCEPT_H

#include "net/http_head.h"
#include "net/ws_handshake.h"
#include "plugin/option.h"

/* The handshake of RFC 6455, section 4.2, from the server's side: what to make of a request. */
struct ws_policy {
    struct str     path;            /* that clients must ask for; a query behind it is fine */
    struct strings allowed_origins; /* none: any; "*" is any, "" a request without Origin */
    /* What the Authorization header must be, by its scheme; data NULL: not that one. Both NULL: no
       authentication. */
    struct str     basic, bearer;
    struct strings subprotocols;
    bool           deflate; /* permessage-deflate may be agreed on */
    struct str     headers; /* further lines of each answer, each ended by \r\n */
};

struct ws_verdict {
    int                 status; /* 101: welcome */
    const char         *reason; /* of a refusal: one line for the client and the log */
    struct str          key;
    struct ws_agreement agreed; /* views into the request and the policy */
};

/* `full`: there are as many clients as there may be. */
void ws_check_request(const struct ws_policy *policy, const struct http_head *head, bool full,
                      struct ws_verdict *out);

/* Appends the answer, with the body of a refusal. */
void ws_answer(const struct ws_policy *policy, const struct ws_verdict *verdict, struct buf *out);

#endif
