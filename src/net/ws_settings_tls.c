/* The TLS settings of WebSocket plugins, of clients and servers alike. */
#include "net/ws_settings_parts.h"

bool ws_tls_options(struct ws_settings *s, struct plugin_open *cx)
{
    struct tls_settings t = {
        .ssl_verification_mode = s->ssl_verification_mode,
        .ssl_renegotiation = s->ssl_renegotiation,
        .ssl_certificate_authorities = s->ssl_certificate_authorities,
        .ssl_certificate = s->ssl_certificate,
        .ssl_key = s->ssl_key,
        .ssl_key_passphrase = s->ssl_key_passphrase,
        .ssl_keystore_path = s->ssl_keystore_path,
        .ssl_truststore_path = s->ssl_truststore_path,
        .ssl_keystore_password = s->ssl_keystore_password,
        .ssl_truststore_password = s->ssl_truststore_password,
        .ssl_keystore_type = s->ssl_keystore_type,
        .ssl_truststore_type = s->ssl_truststore_type,
        .ssl_cipher_suites = s->ssl_cipher_suites,
        .ssl_supported_protocols = s->ssl_supported_protocols,
        .ssl_server_name = s->ssl_server_name,
        .ca_trusted_fingerprint = s->ca_trusted_fingerprint,
    };
    bool good = tls_settings_open(&t, cx);

    s->tls_options = t.options;
    return good;
}

void ws_tls_release(struct ws_settings *s)
{
    tls_settings_release(&s->tls_options);
    SSL_CTX_free(s->tls);
    s->tls = NULL;
}
