#ifndef LSC_NET_TLS_H
#define LSC_NET_TLS_H

#include <openssl/ssl.h>

#include "base/buf.h"

enum tls_verify {
    TLS_VERIFY_FULL,        /* chain and host name */
    TLS_VERIFY_CERTIFICATE, /* chain only */
    TLS_VERIFY_NONE,
};

/* A certificate chain and its key. */
struct tls_pair {
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};

/* What a client asks of TLS. Zero-initialised: verified against the system's roots, TLS 1.2 or
   later. */
struct tls_client {
    enum tls_verify   verify;
    uint32_t          authorities_len; /* 0: the system's roots */
    const struct str *authorities;     /* paths or PEM, see net/pem.h */
    struct str        truststore;      /* a PKCS#12 file with more of them; data NULL: none */
    struct str        truststore_password;
    uint32_t          pairs_len; /* the one that the server's request fits is sent */
    struct tls_pair  *pairs;
    int               min_version, max_version; /* TLS1_2_VERSION …; 0: 1.2 and 1.3 */
    const char       *ciphers;                  /* of TLS 1.2, OpenSSL's list; NULL: its own */
    const char       *ciphersuites;             /* of TLS 1.3 */
    bool              renegotiation;            /* the server may ask for it */
    struct str        server_name;              /* instead of the host; data NULL: the host */
    bool              pinned; /* a certificate with this SHA-256 in the server's chain is trusted */
    uint8_t           fingerprint[32];
};

/* NULL with the reason appended to `problem`. `options` must live as long. Any thread. */
SSL_CTX *tls_client_context(const struct tls_client *options, struct buf *problem);

/* Sets `to`, which another library made, up as tls_client_context() did `from`: with its roots.
   Names are that library's to check. */
bool tls_client_apply(SSL_CTX *to, SSL_CTX *from, const struct tls_client *options);

/* A connection to `host`, verified as `options` say, not yet begun; NULL with the reason. */
SSL *tls_client_new(SSL_CTX *context, const struct tls_client *options, const char *host,
                    struct buf *problem);

/* `ssl` speaks through the TLS connection `below`, which lives longer. False: there is no memory.
 */
bool tls_nest(SSL *ssl, SSL *below);

/* How a server treats its clients' certificates. */
enum tls_ask { TLS_ASK_NOT, TLS_ASK_OPTIONAL, TLS_ASK_REQUIRED };

/* The same for a server, which shows the first of `pairs` that fits the client. Without
   authorities the system's roots count. */
SSL_CTX *tls_server_context(const struct tls_client *options, enum tls_ask ask,
                            struct buf *problem);
/* The server's side of a connection on `fd`, not yet begun. NULL: there is no memory. */
SSL *tls_server_new(SSL_CTX *context, int fd);

/* Appends why the last call on `ssl` failed, from its result (SSL_get_error) and the error queue of
   this thread, which is emptied. */
void tls_explain(SSL *ssl, int error, int saved_errno, struct buf *out);

#endif
