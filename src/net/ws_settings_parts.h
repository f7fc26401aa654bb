#ifndef LSC_NET_WS_SETTINGS_PARTS_H
#define LSC_NET_WS_SETTINGS_PARTS_H

#include "net/ws_settings.h"

/* What the files of the settings share: ws_settings.c (of a client), ws_settings_server.c (of a
   server), ws_settings_tls.c, ws_settings_auth.c and ws_settings_headers.c. Each is false after
   plugin_error(). */

/* Fills s->tls_options: keys, certificates, versions, ciphers. */
bool ws_tls_options(struct ws_settings *s, struct plugin_open *cx);
void ws_tls_release(struct ws_settings *s);

/* Settings that have two names. */
bool ws_read_aliases(struct ws_settings *s, struct plugin_open *cx);
/* Finds the one kind of authentication that is set, and loads its keys; two are an error. */
bool ws_choose_auth(struct ws_settings *s, struct plugin_open *cx);
/* Reads `proxy`, or the environment, for a connection to `target`; NULL in `*out`: none. */
bool ws_read_proxy(const struct ws_settings *s, const struct url *target, const struct proxy **out,
                   struct plugin_open *cx);
/* Makes s->oauth2, after keys and proxies were read. */
bool ws_open_oauth2(struct ws_settings *s, struct plugin_open *cx);
/* Appends the header line that says to targets[n] who we are, if one does. False with the reason.
 */
bool ws_put_auth(const struct ws_settings *s, uint32_t n, struct buf *out, struct buf *problem);

/* True when the setting `headers` has the name. */
bool ws_has_header(const struct ws_settings *s, const char *name);
/* Names and values of header lines. */
bool ws_check_headers(const struct pairs *headers, const char *setting, struct plugin_open *cx);
/* Appends the lines of `headers` and of `headers_file` as it is now. False with the reason, which
   shows nothing of the file. */
bool ws_put_headers(const struct ws_settings *s, struct buf *out, struct buf *problem);
/* Appends a file that holds secrets. False with the reason, also when it is too long. */
enum { WS_SMALL_FILE_MAX = 64 * 1024 };
bool ws_read_small_file(struct str path, struct buf *out, struct buf *problem);
/* Checks and joins them in s->protocols. */
bool ws_read_subprotocols(struct ws_settings *s, struct plugin_open *cx);

#endif
