#ifndef LSC_NET_AUTH_H
#define LSC_NET_AUTH_H

#include <openssl/evp.h>

#include "event/value.h"
#include "net/url.h"

/*
 * What proves to a server who we are: one Authorization header, made anew for each connection.
 * Functions append the value of the header ("Basic …"); those that can fail return false with the
 * reason appended to `problem`.
 */

/* RFC 7617. */
void auth_basic(struct str user, struct str password, struct buf *out);

/* OAuth 1, RFC 5849, as a GET of `url`, whose ws counts as http. */
enum oauth1_method { OAUTH1_HMAC_SHA1, OAUTH1_HMAC_SHA256, OAUTH1_PLAINTEXT };
struct oauth1 {
    enum oauth1_method method;
    /* As Benthos writes it, byte for byte: no "OAuth" before it, an empty method, the URL as it
       is, and form encoding. For servers that were written against that. */
    bool       benthos;
    struct str consumer_key, consumer_secret, access_token, access_token_secret;
};
/* `nonce` and `timestamp` are for tests; data NULL: fresh ones. */
void auth_oauth1(const struct oauth1 *o, const struct url *url, struct str whole_url,
                 struct str nonce, struct str timestamp, struct buf *out);

/* A JSON Web Token, RFC 7519, signed as RFC 7515 and 7518 say. */
struct jwt {
    const char  *algorithm; /* RS256 … */
    EVP_PKEY    *key;       /* NULL: `secret` (HS256 …) */
    struct str   secret;
    struct value claims, headers; /* maps, or null */
    int64_t      lifetime_s;      /* 0: nothing is added to the claims */
};
/* Names of the algorithms; NULL after the last. */
extern const char *const jwt_algorithms[];
/* True when the key is of the kind and size that the algorithm needs. */
bool jwt_key_fits(const struct jwt *j, struct buf *problem);
/* Appends the signature of a JWS signing input (RFC 7515, section 5.1) in base64url. */
bool jwt_sign(const struct jwt *j, struct str signing_input, struct buf *out);
/* "Bearer " and the token as of `now_s`. */
bool auth_jwt(const struct jwt *j, int64_t now_s, struct buf *out, struct buf *problem);

#endif
