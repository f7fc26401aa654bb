#include "net/pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

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

static bool is_jks(BIO *bio)
{
    unsigned char magic[4] = {0};

    BIO_read(bio, magic, sizeof(magic));
    (void)BIO_reset(bio);
    return memcmp(magic, "\xfe\xed\xfe\xed", 4) == 0;
}

bool pkcs12_read(struct str path, struct str password, struct pkcs12 *out, struct buf *problem)
{
    struct buf name = {0}, secret = {0};
    BIO       *bio = NULL;
    PKCS12    *p12 = NULL;
    bool       done = false;

    *out = (struct pkcs12){0};
    buf_str(&name, path);
    if (password.data) buf_str(&secret, password);
    bio = BIO_new_file(buf_cstr(&name), "rb");
    if (!bio)
        buf_printf(problem, "%.*s: %s", STR_ARG(path), strerror(errno));
    else if (is_jks(bio))
        buf_printf(problem,
                   "%.*s is a JKS file; convert it: keytool -importkeystore -srckeystore "
                   "OLD -destkeystore NEW -deststoretype pkcs12",
                   STR_ARG(path));
    else if (!(p12 = d2i_PKCS12_bio(bio, NULL)))
        buf_printf(problem, "%.*s is no PKCS#12 file", STR_ARG(path));
    else if (!(done =
                   PKCS12_parse(p12, buf_cstr(&secret), &out->key, &out->certificate, &out->chain)))
        buf_printf(problem, "%.*s cannot be opened with this password", STR_ARG(path));
    PKCS12_free(p12);
    BIO_free(bio);
    ERR_clear_error();
    if (secret.data) OPENSSL_cleanse(secret.data, secret.cap);
    buf_release(&secret);
    buf_release(&name);
    return done;
}
