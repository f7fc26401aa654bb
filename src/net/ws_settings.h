#ifndef LSC_NET_WS_SETTINGS_H
#define LSC_NET_WS_SETTINGS_H

#include "net/auth.h"
#include "net/oauth2.h"
#include "net/tls_settings.h"
#include "net/ws_client.h"
#include "plugin/plugin.h"

/*
 * The settings of a WebSocket client that the input and the output share: the rows are in
 * ws_settings.def, each with the member of the same name.
 */
struct ws_settings {
    /* settings */
    struct strings          url;
    struct pairs            headers;
    struct str              headers_file;
    struct str              user;
    struct password         password;
    struct password         bearer_token;
    struct str              bearer_token_file;
    struct str              oauth1_consumer_key, oauth1_access_token;
    struct password         oauth1_consumer_secret, oauth1_access_token_secret;
    int                     oauth1_signature_method, oauth1_style;
    struct str              oauth2_client_id, oauth2_token_url;
    struct password         oauth2_client_secret;
    struct strings          oauth2_scopes;
    struct pairs            oauth2_endpoint_params;
    struct duration         oauth2_token_expiry_buffer;
    struct str              jwt_private_key_file;
    int                     jwt_signing_method;
    struct password         jwt_secret, jwt_private_key_passphrase;
    const struct ast_value *jwt_claims, *jwt_headers;
    struct duration         jwt_lifetime;
    bool                    ssl_enabled, ssl_renegotiation;
    int                     ssl_verification_mode;
    struct strings          ssl_certificate_authorities, ssl_certificate, ssl_key;
    struct password         ssl_key_passphrase;
    struct str              ssl_keystore_path, ssl_truststore_path;
    struct password         ssl_keystore_password, ssl_truststore_password;
    int                     ssl_keystore_type, ssl_truststore_type;
    int64_t                 ssl_handshake_timeout;
    struct strings          ssl_cipher_suites, ssl_ciphersuites, ssl_supported_protocols;
    struct str              ssl_server_name, ca_trusted_fingerprint;
    const struct ast_value *proxy;
    struct pairs            proxy_headers;
    struct str              origin;
    struct strings          subprotocols;
    int64_t                 max_message_size;
    int                     compression;
    int64_t                 compression_max_ratio;
    struct duration         connect_timeout, close_timeout;
    struct duration         ping_interval, keepalive, ping_timeout, idle_timeout;
    struct str              ping_message, pong_message;

    /* made from them by ws_settings_open() */
    uint32_t             targets_len;
    struct url          *targets;     /* where to connect: the first, the others when that fails */
    const struct proxy **proxies;     /* for each of them; NULL: none */
    struct str           proxy_lines; /* proxy_headers */
    enum ws_auth_kind {
        WS_AUTH_NONE,
        WS_AUTH_BASIC,
        WS_AUTH_BEARER,
        WS_AUTH_BEARER_FILE,
        WS_AUTH_OAUTH1,
        WS_AUTH_JWT,
        WS_AUTH_OAUTH2,
    } auth;
    struct oauth1     oauth1;
    struct oauth2    *oauth2; /* NULL: not that kind */
    struct jwt        jwt;
    struct tls_client tls_options;
    SSL_CTX          *tls;       /* NULL: no target needs it */
    struct str        protocols; /* subprotocols, joined by ", " */
};

/* The choices of the rows; NULL after the last. */
extern const char *const ws_verifications[], *const ws_compressions[];
extern const char *const oauth1_methods[], *const oauth1_styles[];

/* Checks the settings together and loads keys and certificates. False after plugin_error(). */
bool ws_settings_open(struct ws_settings *s, struct plugin_open *cx);
void ws_settings_close(struct ws_settings *s);

/* What the settings say of every connection; the caller sets the rest. */
void ws_settings_rules(const struct ws_settings *s, struct ws_rules *out);

/* True when ws_settings_config() with these arguments needs a token that has to be fetched first:
   oauth2_fetch(). */
bool ws_settings_want_token(const struct ws_settings *s, uint32_t n, const struct url *redirect);

/*
 * Fills what the settings say of the connection to targets[n] into `out`, of which the caller sets
 * the rest. The lines of the request, made anew, are appended to `headers`, which must live until
 * ws_client_open() returns. `redirect` (NULL: none) is where targets[n] sent us: when that is
 * another host, it gets neither headers nor authentication. False with the reason: a token's file
 * cannot be read.
 */
bool ws_settings_config(const struct ws_settings *s, uint32_t n, const struct url *redirect,
                        struct ws_client_config *out, struct buf *headers, struct buf *problem);

#endif
