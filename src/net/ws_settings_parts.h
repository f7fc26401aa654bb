#ifndef LSC_NET_WS_SETTINGS_PARTS_H
#define LSC_NET_WS_SETTINGS_PARTS_H

#include "net/ws_settings.h"

/* What the files of the settings share: ws_settings.c (of a client), ws_settings_server.c (of a
   server) and ws_settings_tls.c. Each is false after plugin_error(). */

/* Fills s->tls_options: keys, certificates, versions, ciphers. */
bool ws_tls_options(struct ws_settings *s, struct plugin_open *cx);
void ws_tls_release(struct ws_settings *s);

/* Names and values of header lines. */
bool ws_check_headers(const struct pairs *headers, const char *setting, struct plugin_open *cx);
/* Checks and joins them in s->protocols. */
bool ws_read_subprotocols(struct ws_settings *s, struct plugin_open *cx);

#endif
