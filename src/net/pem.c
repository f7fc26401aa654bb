#include "net/pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static bool is_inline(struct str from)
{
    return str_find(from, STR("-----BEGIN")) >= 0;
}

/* What to call it in messages: never the text itself, which may be a key. */
static struct str name_of(struct str from)
{
    return is_inline(from) ? STR("the given PEM text") : from;
}

static BIO *open_pem(struct str from, struct buf *problem)
{
    if (is_inline(from)) return BIO_new_mem_buf(from.data, (int)from.len);

    struct buf path = {0};
    buf_str(&path, from);
    BIO *bio = BIO_new_file(buf_cstr(&path), "r");
    int  saved = errno;
    buf_release(&path);
    if (!bio) buf_printf(problem, "%.*s: %s", STR_ARG(from), strerror(saved));
    ERR_clear_error();
    return bio;
}

bool pem_authorities(struct str from, X509_STORE *store, struct buf *problem)
{
    BIO  *bio = open_pem(from, problem);
    X509 *certificate;
    int   count = 0;

    if (!bio) return false;
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        X509_STORE_add_cert(store, certificate);
        X509_free(certificate);
        count++;
    }
    BIO_free(bio);
    ERR_clear_error(); /* the end of the text counts as an error */
    if (count == 0) buf_printf(problem, "%.*s holds no certificate", STR_ARG(name_of(from)));
    return count > 0;
}

X509 *pem_certificate(struct str from, STACK_OF(X509) * *chain, struct buf *problem)
{
    BIO  *bio = open_pem(from, problem);
    X509 *first, *next;

    *chain = NULL;
    if (!bio) return NULL;
    first = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (first) *chain = sk_X509_new_null();
    while (first && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        sk_X509_push(*chain, next);
    BIO_free(bio);
    ERR_clear_error();
    if (!first) buf_printf(problem, "%.*s holds no certificate", STR_ARG(name_of(from)));
    return first;
}

/* OpenSSL asks for the passphrase only when the key is encrypted. */
static int give_passphrase(char *into, int size, int writing, void *arg)
{
    const struct str *passphrase = arg;

    (void)writing;
    if (!passphrase->data || passphrase->len > (size_t)size) return -1;
    memcpy(into, passphrase->data, passphrase->len);
    return (int)passphrase->len;
}

EVP_PKEY *pem_key(struct str from, struct str passphrase, struct buf *problem)
{
    BIO *bio = open_pem(from, problem);

    if (!bio) return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
    BIO_free(bio);
    if (!key) {
        const char *why = ERR_reason_error_string(ERR_peek_error());
        buf_printf(problem, "%.*s holds no private key that can be read%s%s",
                   STR_ARG(name_of(from)), why ? ": " : "", why ? why : "");
    }
    ERR_clear_error();
    return key;
}
