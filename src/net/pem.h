#ifndef LSC_NET_PEM_H
#define LSC_NET_PEM_H

#include <openssl/ssl.h>

#include "base/buf.h"

/* Certificates and keys as settings give them: the path of a file, or the PEM text itself, which
   is recognised by "-----BEGIN". On failure the reason is appended to `problem`. */

/* Adds all certificates of `from` as trusted roots. */
bool pem_authorities(struct str from, X509_STORE *store, struct buf *problem);

/* The first certificate of `from`, and in `*chain` those behind it. NULL on failure. */
X509 *pem_certificate(struct str from, STACK_OF(X509) * *chain, struct buf *problem);

/* A private key: PKCS#1, SEC1 or PKCS#8, also encrypted, then with `passphrase` (data NULL: none).
   NULL on failure. */
EVP_PKEY *pem_key(struct str from, struct str passphrase, struct buf *problem);

/* The contents of a PKCS#12 file; each may be NULL when the file has none. False on failure, also
   for Java's own JKS format, with how to convert it. */
struct pkcs12 {
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};
bool pkcs12_read(struct str path, struct str password, struct pkcs12 *out, struct buf *problem);

#endif
