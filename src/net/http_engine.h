#ifndef LSC_NET_HTTP_ENGINE_H
#define LSC_NET_HTTP_ENGINE_H

#include "net/http_client.h"
#include "net/url.h"

/* What the module http_client.so offers to net/http_client.c, as `lsc_http_engine`. A handle sends
   requests, some at the same time, and keeps its connections; one thread at a time uses it. */
struct http_handle_config {
    const struct http_config *config;
    const struct tls_client  *tls;       /* never NULL */
    SSL_CTX                  *context;   /* made of them: the roots are taken from it */
    int                       cancel_fd; /* readable when all requests are to end */
};

/* A request that was checked. */
struct http_call {
    const struct http_request *request;
    const char                *method;
    const struct url          *url;
    const char                *place; /* the URL without its userinfo */
    struct arena              *arena; /* ends with the call */
    struct http_answer        *answer;
    enum http_result           result;
};

struct http_engine {
    /* NULL with the reason: the library cannot do what is needed. The config is copied. */
    void *(*open)(const struct http_handle_config *config, struct buf *problem);
    /* All calls at the same time; fills in answers and results. `stop_fd` is readable when they are
       to end; -1: never. */
    void (*fetch)(void *handle, struct http_call *calls, uint32_t n, int stop_fd);
    void (*close)(void *handle);
};

#endif
