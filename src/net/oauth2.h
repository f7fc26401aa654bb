#ifndef LSC_NET_OAUTH2_H
#define LSC_NET_OAUTH2_H

#include "net/http_client.h"
#include "net/loop.h"

/*
 * Tokens by the client credentials grant of OAuth 2 (RFC 6749, section 4.4): one is fetched when it
 * is wanted, and kept until it is about to expire or a server refuses it. Functions are for the
 * loop's thread unless said otherwise; the request itself has a thread of its own.
 */
struct oauth2;

struct oauth2_settings {
    struct str token_url;
    struct str client_id, client_secret;
    struct str parameters;       /* of the request, in the form of forms: "scope=a+b&x=y" */
    int64_t    expiry_buffer_ns; /* how long before its end a token is renewed */
};

/* What `settings` and `http` point to must live as long. NULL with the reason appended to
   `problem`. In the thread that loads configs. */
struct oauth2 *oauth2_new(const struct oauth2_settings *settings, const struct http_config *http,
                          struct buf *problem);
/* Any thread but the loop's; no token may be wanted any more. NULL: nothing. */
void oauth2_free(struct oauth2 *o);

/* The token, if there is one that need not be renewed; else data NULL. Valid until the next call of
   any of these functions. */
struct str oauth2_fresh(const struct oauth2 *o);
/* The token, however old. */
struct str oauth2_token(const struct oauth2 *o);
/* A server has refused it: the next one is to be another. */
void oauth2_forget(struct oauth2 *o);

/*
 * Fetches a token. done() is called once and never before oauth2_fetch() has returned: with NULL
 * when oauth2_token() has it, or with what went wrong. One at a time.
 */
struct oauth2_request *oauth2_fetch(struct oauth2 *o, struct net                       *n,
                                    void (*done)(void *ctx, const char *problem), void *ctx);
/* done() is not called any more, and nothing else can be fetched. Not after it was called. */
void oauth2_cancel(struct oauth2_request *r);

#endif
