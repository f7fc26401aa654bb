#ifndef LSC_NET_URL_H
#define LSC_NET_URL_H

#include "base/arena.h"
#include "base/buf.h"

enum url_scheme { URL_WS, URL_WSS, URL_HTTP, URL_HTTPS, URL_SOCKS5, URL_SOCKS5H };

/* A URL taken apart. Texts are views into an arena, each followed by a NUL. */
struct url {
    enum url_scheme scheme;
    bool            tls;            /* wss, https */
    bool            has_userinfo;   /* user and password were given, perhaps empty */
    struct str      user, password; /* percent-decoded */
    struct str      host;           /* without the brackets of an IPv6 address */
    bool            is_ipv6;        /* the host is an IPv6 address */
    uint16_t        port;           /* the scheme's own when none is given */
    struct str      target;         /* path and query, as sent: begins with a slash */
    struct str      masked;         /* the whole, for logs: userinfo is ***:*** */
};

/*
 * Takes `text` apart, copying into `a`. False with a few words in `*problem` when it is not an
 * absolute URL of one of the schemes above. Refused, too: characters that a URL must not hold as
 * they are (blanks, controls, non-ASCII), a fragment, port 0.
 * Source: RFC 3986, RFC 6455 section 3.
 */
bool url_parse(struct arena *a, struct str text, struct url *out, const char **problem);

/* Appends any text that may be a URL with its userinfo, if it has one, as ***:***. */
void url_mask(struct str text, struct buf *out);

/* Appends host and port as in a Host header: without the port when it is the scheme's own. */
void url_authority(const struct url *u, struct buf *out);

/* Appends `s` with all but letters, digits and -._~ as %XX; with `plus` a blank becomes +, as in
   forms. Source: RFC 3986, section 2.3; RFC 5849, section 3.6. */
void url_escape(struct buf *out, struct str s, bool plus);

/* True when the host is this machine, by its name or address. */
bool url_is_local(const struct url *u);

/* True when scheme, host and port are the same: credentials may go to both. */
bool url_same_origin(const struct url *a, const struct url *b);

#endif
