#ifndef LSC_NET_HTTP_CLIENT_H
#define LSC_NET_HTTP_CLIENT_H

#include "net/http_head.h"
#include "net/proxy.h"
#include "net/tls.h"

struct stop;

/*
 * An HTTP client that blocks: for workers and for threads made for it, never for the event loop's.
 * libcurl does the work, in a module that the first client opens (base/module.h).
 *
 *     struct http_client *c = http_client_new(&config, &problem);   in the plugin's open()
 *     struct http_answer  answer = {0};                             kept and reused by its thread
 *     const struct http_request request = {.url = url, .stop = cx->stop};
 *     if (http_fetch(c, &request, &answer) == HTTP_ANSWERED) … answer.status, answer.body …
 *     else … answer.problem …
 *     http_answer_release(&answer);
 *     http_client_free(c);                                          in the plugin's close()
 */
struct http_client;

/* How a client behaves. Zero-initialised: system's roots, no proxy, no limits of time, 64 MiB. What
   it points to must live as long as the client. */
struct http_config {
    const struct tls_client *tls;                /* NULL: as zero-initialised; no server_name */
    const struct proxy      *proxy;              /* NULL: none; its scheme may be https, too */
    int64_t                  connect_timeout_ns; /* DNS, TCP and TLS together; 0: none */
    int64_t                  idle_timeout_ns; /* nothing sent or received: whole seconds; 0: none */
    int64_t                  timeout_ns;      /* the whole request with redirects; 0: none */
    size_t                   max_body;        /* longest body of an answer, unpacked; 0: 64 MiB */
    uint32_t                 max_redirects;   /* 0: a redirect is an answer like any other */
    bool                     one_shot;        /* each request has a connection of its own */
    bool                     compressed;      /* asks for gzip or deflate, and unpacks */
    bool                     cookies; /* sends back what servers set; each thread keeps its own */
};

struct http_line {
    struct str name, value;
};

struct http_request {
    const char *method; /* GET, POST …; NULL: GET, or POST with a body */
    struct str  url;    /* http or https; userinfo in it stands for user and password */
    /* In order. Checked: a name that is no token or a value with a line end is HTTP_UNFIT. A
       redirect to another host takes all of them along but Authorization and Cookie. */
    const struct http_line *headers;
    size_t                  headers_len;
    struct str              body;           /* data NULL: none; Content-Type is the caller's */
    struct str              user, password; /* Basic; user.data NULL: none. Not to other hosts. */
    const struct stop      *stop;           /* ends the request when it comes; NULL: nothing does */
};

enum http_result {
    HTTP_ANSWERED,  /* whatever the status */
    HTTP_UNFIT,     /* the request itself is wrong: URL, method, header */
    HTTP_NO_NAME,   /* the host is not known */
    HTTP_NO_SERVER, /* TCP, or the proxy */
    HTTP_NO_TLS,
    HTTP_TIMEOUT,
    HTTP_TOO_LARGE,
    HTTP_REDIRECTS, /* too many, or to something else than HTTP */
    HTTP_BROKEN,    /* the connection broke, or what came is not HTTP */
    HTTP_STOPPED,   /* by `stop` or http_client_cancel() */
};

/* What came back. Zero-initialised is ready; each http_fetch() begins anew in the same memory. */
struct http_answer {
    int        status;
    struct buf head;    /* of the last answer, with its status line: see http_answer_head() */
    struct buf body;    /* all of it when HTTP_ANSWERED, else perhaps a part */
    struct buf problem; /* unless HTTP_ANSWERED: what failed and why, without secrets */
    bool       sent;    /* the server may have seen the request: only idempotent ones go again */
};

/* NULL with the reason appended to `problem`: the module, the files of config->tls. In the thread
   that loads configs. */
struct http_client *http_client_new(const struct http_config *config, struct buf *problem);

/* Sends the request and waits for the answer. Connections are kept for later requests. Any number
   of threads; each request at work has a connection of its own. */
enum http_result http_fetch(struct http_client *c, const struct http_request *request,
                            struct http_answer *answer);

/* One of several requests. */
struct http_exchange {
    struct http_request request;
    struct http_answer *answer;
    enum http_result    result;
};

/* The same for `n` requests at the same time; waits for all of them. They have a connection each,
   so callers limit `n`. The `stop` of the first counts for all. */
void http_fetch_all(struct http_client *c, struct http_exchange *at, uint32_t n);

/* Requests at work end now, later ones at once: HTTP_STOPPED. Any thread. */
void http_client_cancel(struct http_client *c);
/* When no request is at work. NULL: nothing. */
void http_client_free(struct http_client *c);

/* The head, for http_field(). False: it is not one. */
bool http_answer_head(const struct http_answer *answer, struct http_head *out);
void http_answer_release(struct http_answer *answer);

#endif
