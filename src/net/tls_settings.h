#ifndef LSC_NET_TLS_SETTINGS_H
#define LSC_NET_TLS_SETTINGS_H

#include "net/tls.h"
#include "plugin/plugin.h"

/*
 * The TLS settings of plugins, by Logstash's names. Rows for plugins that speak HTTP are in
 * tls_settings.def.
 */
struct tls_settings {
    int             ssl_verification_mode;
    bool            ssl_renegotiation;
    struct strings  ssl_certificate_authorities;
    struct strings  ssl_certificate, ssl_key; /* one key for each */
    struct password ssl_key_passphrase;
    struct str      ssl_keystore_path, ssl_truststore_path;
    struct password ssl_keystore_password, ssl_truststore_password;
    int             ssl_keystore_type, ssl_truststore_type;
    struct strings  ssl_cipher_suites, ssl_supported_protocols;
    struct str      ssl_server_name, ca_trusted_fingerprint;

    struct tls_client options; /* made of them by tls_settings_open() */
};

/* The choices of rows; NULL after the last. */
extern const char *const tls_verifications[], *const tls_stores[];

/* Checks the settings and loads keys and certificates. False after plugin_error(). */
bool tls_settings_open(struct tls_settings *s, struct plugin_open *cx);
/* Frees what was loaded; what lives in arenas stays. */
void tls_settings_release(struct tls_client *options);

#endif
