#ifndef LSC_NET_WS_SETTINGS_SERVER_H
#define LSC_NET_WS_SETTINGS_SERVER_H

#include "net/ws_server.h"
#include "net/ws_settings.h"

/*
 * The settings of a WebSocket server that the input and the output share, besides those of struct
 * ws_settings that mean the same for a server: the rows are in ws_settings_server.def.
 */
struct ws_server_settings {
    struct str     host, path;
    int64_t        port; /* 0: not given */
    int64_t        max_connections;
    struct strings allowed_origins;
    struct pairs   response_headers;
    int            ssl_client_authentication;
    bool           tcp_keep_alive, proxy_protocol;

    /* made from them by ws_server_settings_open() */
    struct addrinfo *addresses;
    struct ws_policy policy;
};

/* The choices of a row; NULL after the last. */
extern const char *const ws_client_authentications[];

/* Checks the settings together with those in `s`, of which the ones that only a client has must not
   be given; loads keys and certificates. False after plugin_error(). */
bool ws_server_settings_open(struct ws_server_settings *server, struct ws_settings *s,
                             struct plugin_open *cx);
void ws_server_settings_close(struct ws_server_settings *server, struct ws_settings *s);

/* Fills what the settings say of the server; the caller sets the rest. */
void ws_server_settings_config(const struct ws_server_settings *server, const struct ws_settings *s,
                               struct ws_server_config *out);

/* False after plugin_error() when one of `settings` (ends with NULL), which belong to mode `mode`,
   is given. */
bool ws_refuse_settings(const char *const *settings, const char *mode, struct plugin_open *cx);
/* The same for the rows of ws_settings_server.def. */
bool ws_refuse_server_settings(struct plugin_open *cx);

#endif
