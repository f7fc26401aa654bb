#include "net/tls.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "net/pem.h"

/* True when the folder is made for looking certificates up one by one: has names such as
   4042bcee.0. */
static bool hashed(const char *folder)
{
    DIR           *d = opendir(folder);
    struct dirent *entry;
    bool           found = false;

    while (d && !found && (entry = readdir(d)))
        found = strlen(entry->d_name) == 10 && strcmp(entry->d_name + 8, ".0") == 0;
    if (d) closedir(d);
    return found;
}

/* The folder of roots is read when a root is needed. The one file with all of them, which takes
   tens of milliseconds to read, only when there is no such folder or the user names the file. */
static bool system_roots(SSL_CTX *context)
{
    const char *folder = getenv(X509_get_default_cert_dir_env());
    bool        lazy = hashed(folder ? folder : X509_get_default_cert_dir());

    if (lazy && !getenv(X509_get_default_cert_file_env()))
        return SSL_CTX_set_default_verify_dir(context);
    return SSL_CTX_set_default_verify_paths(context);
}

static bool add_truststore(X509_STORE *store, const struct tls_client *o, struct buf *problem)
{
    struct pkcs12 from;

    if (!pkcs12_read(o->truststore, o->truststore_password, &from, problem)) return false;
    int count = sk_X509_num(from.chain);
    for (int i = 0; i < count; i++)
        X509_STORE_add_cert(store, sk_X509_value(from.chain, i));
    if (from.certificate) X509_STORE_add_cert(store, from.certificate);
    if (count <= 0 && !from.certificate)
        buf_printf(problem, "%.*s holds no certificate", STR_ARG(o->truststore));
    sk_X509_pop_free(from.chain, X509_free);
    bool any = count > 0 || from.certificate;
    X509_free(from.certificate);
    EVP_PKEY_free(from.key);
    return any;
}

static bool given_roots(SSL_CTX *context, const struct tls_client *o, struct buf *problem)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);

    for (uint32_t i = 0; i < o->authorities_len; i++)
        if (!pem_authorities(o->authorities[i], store, problem)) return false;
    return !o->truststore.data || add_truststore(store, o, problem);
}

/* Chooses among several certificates by what the server says that it accepts. */
static int choose_pair(SSL *ssl, void *arg)
{
    const struct tls_client *o = arg;
    const int                wanted = CERT_PKEY_VALID | CERT_PKEY_ISSUER_NAME;

    for (uint32_t i = 0; i < o->pairs_len; i++) {
        const struct tls_pair *p = &o->pairs[i];
        int                    check = SSL_check_chain(ssl, p->certificate, p->key, p->chain);
        if ((check & wanted) == wanted || o->pairs_len == 1)
            return SSL_use_cert_and_key(ssl, p->certificate, p->key, p->chain, 1);
    }
    return 1; /* none fits: the server may do without */
}

/* The certificate of the peer's chain that has the wanted fingerprint. */
static X509 *find_pinned(X509_STORE_CTX *verification, const struct tls_client *o)
{
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(verification);
    unsigned char digest[EVP_MAX_MD_SIZE];

    for (int i = 0; i < sk_X509_num(sent); i++) {
        X509 *certificate = sk_X509_value(sent, i);
        if (X509_digest(certificate, EVP_sha256(), digest, NULL) &&
            memcmp(digest, o->fingerprint, sizeof(o->fingerprint)) == 0)
            return certificate;
    }
    return NULL;
}

/* Trusts what is pinned, then verifies as always: signatures, dates, names. */
static int verify_pinned(X509_STORE_CTX *verification, void *arg)
{
    X509 *pinned = find_pinned(verification, arg);

    if (!pinned) return X509_verify_cert(verification);
    STACK_OF(X509) *trusted = sk_X509_new_null();
    sk_X509_push(trusted, pinned);
    X509_STORE_CTX_set0_trusted_stack(verification, trusted);
    X509_STORE_CTX_set_flags(verification, X509_V_FLAG_PARTIAL_CHAIN);
    int verified = X509_verify_cert(verification);
    X509_STORE_CTX_set0_trusted_stack(verification, NULL);
    sk_X509_free(trusted);
    return verified;
}

static bool set_protocol(SSL_CTX *context, const struct tls_client *o, struct buf *problem)
{
    SSL_CTX_set_min_proto_version(context, o->min_version ? o->min_version : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, o->max_version);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION);
    if (!o->renegotiation) SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    if (o->ciphers && !SSL_CTX_set_cipher_list(context, o->ciphers)) {
        buf_str(problem, STR("OpenSSL has none of the cipher suites for TLS 1.2"));
        return false;
    }
    if (o->ciphersuites && !SSL_CTX_set_ciphersuites(context, o->ciphersuites)) {
        buf_str(problem, STR("OpenSSL has not all of the cipher suites for TLS 1.3"));
        return false;
    }
    return true;
}

static SSL_CTX *new_context(const SSL_METHOD *method, struct buf *problem)
{
    SSL_CTX *context = SSL_CTX_new(method);

    if (context) {
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
        return context;
    }
    buf_str(problem, STR("OpenSSL cannot be used: "));
    tls_explain(NULL, SSL_ERROR_SSL, 0, problem);
    return NULL;
}

/* The context when all was well with it, else NULL. */
static SSL_CTX *finish_context(SSL_CTX *context, bool good)
{
    if (good) return context;
    ERR_clear_error();
    SSL_CTX_free(context);
    return NULL;
}

static bool set_roots(SSL_CTX *context, const struct tls_client *o, struct buf *problem)
{
    bool own = o->authorities_len || o->truststore.data;

    return own ? given_roots(context, o, problem) : system_roots(context);
}

/* All but the roots. */
static bool set_client(SSL_CTX *context, const struct tls_client *o, struct buf *problem)
{
    SSL_CTX_set_verify(context, o->verify == TLS_VERIFY_NONE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                       NULL);
    if (o->pairs_len) SSL_CTX_set_cert_cb(context, choose_pair, (void *)o);
    if (o->pinned) SSL_CTX_set_cert_verify_callback(context, verify_pinned, (void *)o);
    return set_protocol(context, o, problem);
}

SSL_CTX *tls_client_context(const struct tls_client *o, struct buf *problem)
{
    SSL_CTX *context = new_context(TLS_client_method(), problem);

    if (!context) return NULL;
    bool done = set_roots(context, o, problem);
    return finish_context(context, done && set_client(context, o, problem));
}

bool tls_client_apply(SSL_CTX *to, SSL_CTX *from, const struct tls_client *o)
{
    struct buf problem = {0};

    SSL_CTX_set1_cert_store(to, SSL_CTX_get_cert_store(from));
    bool done = set_client(to, o, &problem);
    buf_release(&problem);
    return done;
}

/* Names the authorities to clients, so that they can choose a certificate. */
static void name_authorities(SSL_CTX *context)
{
    STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));

    for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
        X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
        if (certificate) SSL_CTX_add_client_CA(context, certificate);
    }
}

SSL_CTX *tls_server_context(const struct tls_client *o, enum tls_ask ask, struct buf *problem)
{
    static const int modes[] = {
        [TLS_ASK_NOT] = SSL_VERIFY_NONE,
        [TLS_ASK_OPTIONAL] = SSL_VERIFY_PEER,
        [TLS_ASK_REQUIRED] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };
    static const unsigned char session[] = "lsc";
    SSL_CTX                   *context = new_context(TLS_server_method(), problem);

    if (!context) return NULL;
    SSL_CTX_set_verify(context, modes[ask], NULL);
    SSL_CTX_set_session_id_context(context, session, sizeof(session) - 1);
    SSL_CTX_set_cert_cb(context, choose_pair, (void *)o);
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    bool done = ask == TLS_ASK_NOT || set_roots(context, o, problem);
    if (done && ask != TLS_ASK_NOT) name_authorities(context);
    return finish_context(context, done && set_protocol(context, o, problem));
}

SSL *tls_server_new(SSL_CTX *context, int fd)
{
    SSL *ssl = SSL_new(context);

    if (ssl && SSL_set_fd(ssl, fd)) {
        SSL_set_accept_state(ssl);
        return ssl;
    }
    SSL_free(ssl);
    return NULL;
}

/* SNI takes names only, and a certificate names addresses apart from names. */
static bool set_name(SSL *ssl, const struct tls_client *o, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    unsigned char      address[sizeof(struct in6_addr)];
    bool               is_address =
        inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;

    if (!is_address && !SSL_set_tlsext_host_name(ssl, name)) return false;
    if (o->verify != TLS_VERIFY_FULL) return true;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return is_address ? X509_VERIFY_PARAM_set1_ip_asc(param, name)
                      : X509_VERIFY_PARAM_set1_host(param, name, 0);
}

SSL *tls_client_new(SSL_CTX *context, const struct tls_client *o, const char *host,
                    struct buf *problem)
{
    SSL       *ssl = SSL_new(context);
    struct buf name = {0};

    if (o->server_name.data)
        buf_str(&name, o->server_name);
    else
        buf_str(&name, str_of(host));
    bool done = ssl && set_name(ssl, o, buf_cstr(&name));
    buf_release(&name);
    if (done) {
        SSL_set_connect_state(ssl);
        return ssl;
    }
    tls_explain(ssl, SSL_ERROR_SSL, 0, problem);
    SSL_free(ssl);
    return NULL;
}

bool tls_nest(SSL *ssl, SSL *below)
{
    BIO *bio = BIO_new(BIO_f_ssl());

    if (!bio) return false;
    BIO_set_ssl(bio, below, BIO_NOCLOSE);
    SSL_set_bio(ssl, bio, bio);
    return true;
}

void tls_explain(SSL *ssl, int error, int saved_errno, struct buf *out)
{
    unsigned long code = ERR_peek_last_error();
    const char   *reason = ERR_reason_error_string(code);
    long          verified = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;

    ERR_clear_error();
    if (verified != X509_V_OK && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        buf_printf(out, "certificate verify failed: %s", X509_verify_cert_error_string(verified));
    else if (error == SSL_ERROR_SSL && reason)
        buf_str(out, str_of(reason));
    else if (error == SSL_ERROR_SYSCALL && saved_errno)
        buf_str(out, str_of(strerror(saved_errno)));
    else
        buf_str(out, STR("the peer closed the connection"));
}
