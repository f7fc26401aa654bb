#ifndef LSC_NET_HTTP_HEAD_H
#define LSC_NET_HTTP_HEAD_H

#include "base/str.h"

/* The head of an HTTP/1.1 answer. Views into the text that was read. */
struct http_head {
    int        status;
    struct str reason;
    struct str fields; /* all header lines */
    size_t     size;   /* of the head with the empty line */
};

enum { HTTP_HEAD_MAX = 32 * 1024 };

/* Reads the head of an answer at the start of `bytes`. 1: read; 0: more bytes are needed; -1: this
   is no HTTP/1.x answer, or its head is longer than HTTP_HEAD_MAX. Source: RFC 9112. */
int http_head_read(struct str bytes, struct http_head *out);

/* The value of the first field called `name`, blanks trimmed; data NULL when there is none. */
struct str http_field(const struct http_head *h, const char *name);

/* True when one of the comma-separated tokens of any field called `name` is `token`, whatever its
   case. */
bool http_has_token(const struct http_head *h, const char *name, const char *token);

#endif
