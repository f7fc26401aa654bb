#ifndef LSC_NET_PEM_H
#define LSC_NET_PEM_H

#include <openssl/ssl.h>

#include "base/buf.h"

/* Certificates and keys as settings give them: the path of a file, or the PEM text itself, which
   is recognised by "-----BEGIN". On failure the reason is appended to `problem`. */

/* Adds all certificates of `from` as trusted roots. */
bool pem_authorities(struct str from, X509_STORE *store, struct buf *problem);

#endif
