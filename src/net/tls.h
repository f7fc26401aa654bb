#ifndef LSC_NET_TLS_H
#define LSC_NET_TLS_H

#include <openssl/ssl.h>

#include "base/buf.h"

enum tls_verify {
    TLS_VERIFY_FULL,        /* chain and host name */
    TLS_VERIFY_CERTIFICATE, /* chain only */
    TLS_VERIFY_NONE,
};

/* What a client asks of TLS. Zero-initialised: verified against the system's roots, TLS 1.2 or
   later. Texts that hold PEM instead of a path are recognised by "-----BEGIN". */
struct tls_client {
    enum tls_verify   verify;
    uint32_t          authorities_len; /* 0: the system's roots */
    const struct str *authorities;
    struct str        server_name; /* instead of the host; data NULL: the host */
};

/* NULL with the reason appended to `problem`. Any thread. */
SSL_CTX *tls_client_context(const struct tls_client *options, struct buf *problem);

/* A connection to `host`, verified as `options` say, not yet begun; NULL with the reason. */
SSL *tls_client_new(SSL_CTX *context, const struct tls_client *options, const char *host,
                    struct buf *problem);

/* Appends why the last call on `ssl` failed, from its result (SSL_get_error) and the error queue of
   this thread, which is emptied. */
void tls_explain(SSL *ssl, int error, int saved_errno, struct buf *out);

#endif
