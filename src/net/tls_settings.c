/* TLS settings of plugins, of clients and servers alike. */
#include "net/tls_settings.h"

#include "net/pem.h"

const char *const tls_verifications[] = {"full", "certificate", "none", NULL};
const char *const tls_stores[] = {"pkcs12", "jks", NULL};

static bool read_fingerprint(struct tls_settings *s, struct plugin_open *cx)
{
    struct str text = s->ca_trusted_fingerprint;
    size_t     digits = 0;

    if (!text.data) return true;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = strchr("0123456789abcdef", text.data[i] | 0x20);
        if (text.data[i] == ':') continue;
        if (!at || !*at || digits == 64) {
            digits = 0;
            break;
        }
        uint8_t *byte = &s->options.fingerprint[digits / 2];
        *byte = (uint8_t)(*byte << 4 | (at - "0123456789abcdef"));
        digits++;
    }
    s->options.pinned = true;
    return digits == 64 || plugin_error(cx, "ca_trusted_fingerprint",
                                        "\"ca_trusted_fingerprint\" takes 64 hex digits");
}

static bool read_protocols(struct tls_settings *s, struct plugin_open *cx)
{
    bool has12 = s->ssl_supported_protocols.len == 0, has13 = has12;

    for (uint32_t i = 0; i < s->ssl_supported_protocols.len; i++) {
        struct str name = s->ssl_supported_protocols.at[i];
        if (str_is(name, "TLSv1.2"))
            has12 = true;
        else if (str_is(name, "TLSv1.3"))
            has13 = true;
        else
            return plugin_error(cx, "ssl_supported_protocols",
                                "\"%.*s\" is not one of TLSv1.2, TLSv1.3", STR_ARG(name));
    }
    s->options.min_version = has12 ? TLS1_2_VERSION : TLS1_3_VERSION;
    s->options.max_version = has13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    return true;
}

/* Names of the standards become OpenSSL's, and those of TLS 1.3 go into their own list. */
static bool read_ciphers(struct tls_settings *s, struct plugin_open *cx)
{
    struct buf old = {0}, new = {0};
    bool       good = true;

    for (uint32_t i = 0; i < s->ssl_cipher_suites.len; i++) {
        const char *name = arena_cstr(cx->arena, s->ssl_cipher_suites.at[i]);
        bool        of13 = strncmp(name, "TLS_", 4) == 0 && !strstr(name, "_WITH_");
        const char *own = strstr(name, "_WITH_") ? OPENSSL_cipher_name(name) : name;
        if (!own || strcmp(own, "(NONE)") == 0)
            good =
                plugin_error(cx, "ssl_cipher_suites", "OpenSSL has no cipher suite \"%s\"", name);
        else
            buf_printf(of13 ? &new : &old, "%s%s", (of13 ? new.len : old.len) ? ":" : "", own);
    }
    if (old.len) s->options.ciphers = arena_copy(cx->arena, buf_view(&old)).data;
    if (new.len) s->options.ciphersuites = arena_copy(cx->arena, buf_view(&new)).data;
    buf_release(&old);
    buf_release(&new);
    return good;
}

static bool read_pairs(struct tls_settings *s, struct plugin_open *cx)
{
    struct tls_client *t = &s->options;
    struct buf         problem = {0};

    if (s->ssl_certificate.len != s->ssl_key.len)
        return plugin_error(cx, s->ssl_certificate.len ? "ssl_certificate" : "ssl_key",
                            "\"ssl_certificate\" and \"ssl_key\" belong together, one key for each "
                            "certificate");
    t->pairs = arena_zalloc(cx->arena, (s->ssl_key.len + 1) * sizeof(*t->pairs));
    for (uint32_t i = 0; i < s->ssl_key.len && problem.len == 0; i++) {
        struct tls_pair *p = &t->pairs[t->pairs_len++];
        const char      *name = "ssl_certificate";
        p->certificate = pem_certificate(s->ssl_certificate.at[i], &p->chain, &problem);
        if (p->certificate) {
            name = "ssl_key";
            p->key = pem_key(s->ssl_key.at[i], s->ssl_key_passphrase.secret, &problem);
        }
        if (p->key && !X509_check_private_key(p->certificate, p->key))
            buf_str(&problem, STR("the private key does not belong to the certificate"));
        if (problem.len) plugin_error(cx, name, "%s", buf_cstr(&problem));
    }
    bool good = problem.len == 0;
    buf_release(&problem);
    return good;
}

/* A key and certificate from a PKCS#12 file, besides those of ssl_certificate. */
static bool read_keystore(struct tls_settings *s, struct plugin_open *cx)
{
    struct tls_client *t = &s->options;
    struct buf         problem = {0};
    struct pkcs12      from;

    if (!s->ssl_keystore_path.data) return true;
    bool good = pkcs12_read(s->ssl_keystore_path, s->ssl_keystore_password.secret, &from, &problem);
    t->pairs[t->pairs_len++] = (struct tls_pair){from.certificate, from.chain, from.key};
    if (good && (!from.key || !from.certificate)) {
        buf_str(&problem, STR("there is no private key with its certificate in it"));
        good = false;
    }
    if (!good) plugin_error(cx, "ssl_keystore_path", "%s", buf_cstr(&problem));
    buf_release(&problem);
    return good;
}

/* Java's own format is refused in words that help. */
static bool check_store(const char *setting, int type, struct plugin_open *cx)
{
    return type == 0 ||
           plugin_error(cx, setting,
                        "a keystore has to be PKCS#12; convert it: keytool -importkeystore "
                        "-srckeystore OLD -destkeystore NEW -deststoretype pkcs12");
}

bool tls_settings_open(struct tls_settings *s, struct plugin_open *cx)
{
    struct tls_client *t = &s->options;
    bool               good;

    t->verify = (enum tls_verify)s->ssl_verification_mode;
    t->authorities_len = s->ssl_certificate_authorities.len;
    t->authorities = s->ssl_certificate_authorities.at;
    t->renegotiation = s->ssl_renegotiation;
    t->truststore = s->ssl_truststore_path;
    t->truststore_password = s->ssl_truststore_password.secret;
    t->server_name = s->ssl_server_name;
    good = check_store("ssl_keystore_type", s->ssl_keystore_type, cx);
    good = check_store("ssl_truststore_type", s->ssl_truststore_type, cx) && good;
    good = read_fingerprint(s, cx) && good;
    good = read_protocols(s, cx) && good;
    good = read_ciphers(s, cx) && good;
    good = read_pairs(s, cx) && good;
    good = good && read_keystore(s, cx);
    return good;
}

void tls_settings_release(struct tls_client *options)
{
    for (uint32_t i = 0; i < options->pairs_len; i++) {
        struct tls_pair *p = &options->pairs[i];
        X509_free(p->certificate);
        sk_X509_pop_free(p->chain, X509_free);
        EVP_PKEY_free(p->key);
    }
    options->pairs_len = 0;
}
