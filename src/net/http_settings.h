#ifndef LSC_NET_HTTP_SETTINGS_H
#define LSC_NET_HTTP_SETTINGS_H

#include "net/http_client.h"
#include "net/tls_settings.h"

/*
 * The settings of plugins that are HTTP clients, by the names of Logstash's mixin http_client. A
 * plugin has them as its member `connection`, and their rows from tls_settings.def and, unless it
 * has names of its own, http_settings.def. Source: logstash-mixin-http_client.
 */
struct http_settings {
    struct tls_settings     tls;
    struct duration         request_timeout, socket_timeout, connect_timeout;
    bool                    follow_redirects, keepalive, cookies, retry_non_idempotent;
    int64_t                 automatic_retries, pool_max, pool_max_per_route;
    const struct ast_value *proxy;
    struct str              user;
    struct password         password;
    /* Names that Logstash 9 removed. */
    struct str      cacert, client_cert, client_key, keystore, truststore;
    struct password keystore_password, truststore_password;
    int             keystore_type, truststore_type;

    /* made from them by http_settings_open() */
    struct proxy        proxy_used;
    struct http_client *client;
};

extern const char *const http_stores[]; /* choices of keystore_type; NULL after the last */

/* Checks the settings together, loads keys and certificates and makes the client, which connects
   to nobody yet. False after plugin_error(). */
bool http_settings_open(struct http_settings *s, struct plugin_open *cx);
void http_settings_close(struct http_settings *s);

/* The setting `proxy`: a URL, or a hash of url, or of host, port and scheme, with user and
   password. `*given` is false for an empty text: no proxy. False after plugin_error(). */
bool http_read_proxy(const struct ast_value *v, struct proxy *out, bool *given,
                     struct plugin_open *cx);

#endif
