#ifndef LSC_FILTERS_HTTP_H
#define LSC_FILTERS_HTTP_H

#include "net/http_settings.h"

/* The filter http: its settings (http.c), making a request for an event (http_request.c) and
   reading the answer (http_answer.c). */

/* A name and a value that may refer to fields: of a header, or of the query. */
struct http_parameter {
    const struct template *name, *value;
};
struct http_parameters {
    uint32_t               len;
    struct http_parameter *at;
};

/* The setting `body`, as deep as it is. */
struct http_body {
    enum { HTTP_BODY_TEXT, HTTP_BODY_VALUE, HTTP_BODY_LIST, HTTP_BODY_MAP } kind;
    const struct template *name; /* of a member */
    const struct template *text;
    struct value           value; /* a number */
    uint32_t               len;
    struct http_body      *items;
};

struct http {
    struct http_settings    connection;
    const struct template  *url;
    int                     verb, body_format, ecs_compatibility;
    struct pairs            headers, query;
    const struct ast_value *body;
    const struct field     *target_body, *target_headers;
    struct strings          tag_on_request_failure, tag_on_json_failure;

    struct http_parameters header_lines, query_parameters;
    struct http_body      *body_parts; /* NULL: none */
    bool                   typed;      /* headers have a Content-Type */
    uint32_t               parallel;   /* requests of one worker at the same time */
    struct owned          *workers;
};

enum { HTTP_FORMAT_TEXT, HTTP_FORMAT_JSON };
extern const char *const http_verbs[]; /* NULL after the last */

/* Compiles headers, query and body. False after plugin_error(). */
bool http_request_open(struct http *h, struct plugin_open *cx);
/* The request for the event; what it points to lives in cx->arena. */
void http_request_make(const struct http *h, struct event *ev, struct filter_context *cx,
                       struct http_request *out);

/* What an answer gives an event. */
struct http_found {
    struct value headers, body;
    bool         broken; /* it says that it is JSON, and is not */
};

/* Reads an answer of a good status into `a`. */
void http_answer_read(const struct http_answer *answer, struct arena *a, struct http_found *out);

#endif
