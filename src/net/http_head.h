#ifndef LSC_NET_HTTP_HEAD_H
#define LSC_NET_HTTP_HEAD_H

#include "base/str.h"

/* The head of an HTTP/1.1 answer or request. Views into the text that was read. */
struct http_head {
    int        status; /* of an answer */
    struct str reason;
    struct str method, target, version; /* of a request */
    struct str fields;                  /* all header lines */
    size_t     size;                    /* of the head with the empty line */
};

enum { HTTP_HEAD_MAX = 32 * 1024 };

/* Reads the head of an answer at the start of `bytes`. 1: read; 0: more bytes are needed; -1: this
   is no HTTP/1.x answer, or its head is longer than HTTP_HEAD_MAX. Source: RFC 9112. */
int http_head_read(struct str bytes, struct http_head *out);

/* The same for a request, of which every line is looked at. */
int http_request_read(struct str bytes, struct http_head *out);

/* The value of the first field called `name`, blanks trimmed; data NULL when there is none. */
struct str http_field(const struct http_head *h, const char *name);

/* True when one of the comma-separated tokens of any field called `name` is `token`, whatever its
   case. */
bool http_has_token(const struct http_head *h, const char *name, const char *token);

/* All fields one by one, or those called `name`: `rest` begins as h->fields. */
bool http_next_field(struct str *rest, struct str *name, struct str *value);
bool http_next_value(struct str *rest, const char *name, struct str *value);

/* Takes the part before `separator` off `rest`, or all of it; blanks around it are trimmed. */
struct str http_take(struct str *rest, char separator);
/* What a method or the name of a field is made of. Source: RFC 9110, section 5.6.2. */
bool http_is_token(struct str s);
/* What a field's value may be: no line end nor another control but tabs. */
bool http_is_line(struct str s);
/* Whatever their case. */
bool http_same(struct str a, const char *b);

#endif
