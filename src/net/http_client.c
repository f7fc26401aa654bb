/*
 * The client: checks requests, and keeps the handles of the module.
 *
 * Threads: `lock` guards the list of idle handles; a handle that is not in it belongs to the thread
 * that fetches. The module is opened by the thread that loads configs.
 */
#include "net/http_client.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fatal.h"
#include "base/module.h"
#include "net/http_engine.h"
#include "plugin/intake.h"

enum { BODY_MAX = 64 * 1024 * 1024, BODY_KEPT = 1024 * 1024 /* of memory, for the next one */ };

struct idle_handle {
    void               *handle;
    struct idle_handle *next;
};

struct http_client {
    struct http_config        config;
    struct tls_client         plain; /* when the config has no settings of TLS */
    const struct http_engine *engine;
    struct http_handle_config handles;
    pthread_mutex_t           lock;
    struct idle_handle       *idle;
};

/* ---- life ---- */

static const struct http_engine *find_engine(struct buf *problem)
{
    static const struct http_engine *engine;

    if (engine) return engine;
    struct buf why = {0};
    engine = module_symbol("http_client", "libcurl4-openssl-dev", sizeof(*engine),
                           "lsc_http_engine", &why);
    if (!engine) buf_printf(problem, "HTTP cannot be used: %s", buf_cstr(&why));
    buf_release(&why);
    return engine;
}

/* An idle handle, or a new one. */
static struct idle_handle *take_handle(struct http_client *c, struct buf *problem)
{
    pthread_mutex_lock(&c->lock);
    struct idle_handle *h = c->idle;
    if (h) c->idle = h->next;
    pthread_mutex_unlock(&c->lock);
    if (h) return h;

    void *handle = c->engine->open(&c->handles, problem);
    if (!handle) return NULL;
    h = xcalloc(1, sizeof(*h));
    h->handle = handle;
    return h;
}

static void give_handle(struct http_client *c, struct idle_handle *h)
{
    pthread_mutex_lock(&c->lock);
    h->next = c->idle;
    c->idle = h;
    pthread_mutex_unlock(&c->lock);
}

struct http_client *http_client_new(const struct http_config *config, struct buf *problem)
{
    const struct http_engine *engine = find_engine(problem);

    if (!engine) return NULL;
    struct http_client *c = xcalloc(1, sizeof(*c));
    c->config = *config;
    if (c->config.max_body == 0) c->config.max_body = BODY_MAX;
    c->engine = engine;
    c->handles.config = &c->config;
    c->handles.tls = config->tls ? config->tls : &c->plain;
    c->handles.cancel_fd = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&c->lock, NULL);
    c->handles.context = tls_client_context(c->handles.tls, problem);
    if (c->handles.cancel_fd < 0) buf_str(problem, STR("there are too many open files"));
    struct idle_handle *first =
        c->handles.context && c->handles.cancel_fd >= 0 ? take_handle(c, problem) : NULL;
    if (first) {
        give_handle(c, first);
        return c;
    }
    http_client_free(c);
    return NULL;
}

void http_client_cancel(struct http_client *c)
{
    uint64_t one = 1;

    if (write(c->handles.cancel_fd, &one, sizeof(one)) < 0) return; /* it was cancelled before */
}

void http_client_free(struct http_client *c)
{
    if (!c) return;
    while (c->idle) {
        struct idle_handle *h = c->idle;
        c->idle = h->next;
        c->engine->close(h->handle);
        free(h);
    }
    SSL_CTX_free(c->handles.context);
    if (c->handles.cancel_fd >= 0) close(c->handles.cancel_fd);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- a request ---- */

static const char *check_lines(const struct http_request *r)
{
    for (size_t i = 0; i < r->headers_len; i++) {
        if (!http_is_token(r->headers[i].name)) return "a header has a name that is none";
        if (!http_is_line(r->headers[i].value)) return "a header has a value of several lines";
    }
    return NULL;
}

/* NULL, or what is wrong with the request. */
static const char *check(const struct http_request *r, struct url *url, struct http_call *call)
{
    struct arena *a = call->arena;
    struct buf    place = {0};
    const char   *problem;

    call->method = r->method ? r->method : r->body.data ? "POST" : "GET";
    if (!http_is_token(str_of(call->method))) return "the method is no word";
    if (!url_parse(a, r->url, url, &problem)) return arena_printf(a, "the URL %s", problem).data;
    if (url->scheme != URL_HTTP && url->scheme != URL_HTTPS)
        return "the URL does not begin with http:// or https://";
    url_authority(url, &place);
    call->place = arena_printf(a, "%s://%.*s%.*s", url->tls ? "https" : "http",
                               STR_ARG(buf_view(&place)), STR_ARG(url->target))
                      .data;
    buf_release(&place);
    return check_lines(r);
}

static bool cancelled(const struct http_client *c)
{
    struct pollfd p = {.fd = c->handles.cancel_fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* The calls that can be made, with one handle. */
static void fetch(struct http_client *c, struct http_call *calls, uint32_t n, int stop_fd)
{
    struct buf          problem = {0};
    struct idle_handle *h = cancelled(c) ? NULL : take_handle(c, &problem);
    enum http_result    failed = problem.len > 0 ? HTTP_BROKEN : HTTP_STOPPED;

    if (h) {
        c->engine->fetch(h->handle, calls, n, stop_fd);
        give_handle(c, h);
    } else if (problem.len == 0) {
        buf_str(&problem, STR("stopped"));
    }
    for (uint32_t i = 0; i < n && !h; i++) {
        calls[i].result = failed;
        buf_str(&calls[i].answer->problem, buf_view(&problem));
    }
    buf_release(&problem);
}

/* Ready for `e`; false, with the exchange's result, when the request is unfit. */
static bool prepare(struct http_call *call, struct http_exchange *e, struct arena *a)
{
    struct http_answer *answer = e->answer;
    struct url         *url = arena_alloc(a, sizeof(*url));

    answer->status = 0;
    answer->sent = false;
    if (answer->body.cap > BODY_KEPT) buf_release(&answer->body);
    buf_clear(&answer->head);
    buf_clear(&answer->body);
    buf_clear(&answer->problem);
    *call = (struct http_call){.request = &e->request, .url = url, .arena = a, .answer = answer};
    const char *unfit = check(&e->request, url, call);
    if (!unfit) return true;
    buf_str(&answer->problem, str_of(unfit));
    e->result = HTTP_UNFIT;
    return false;
}

void http_fetch_all(struct http_client *c, struct http_exchange *at, uint32_t n)
{
    struct arena      a = {0};
    struct http_call *calls = arena_alloc(&a, n * sizeof(*calls));
    uint32_t         *of = arena_alloc(&a, n * sizeof(*of)), len = 0;

    for (uint32_t i = 0; i < n; i++)
        if (prepare(&calls[len], &at[i], &a)) of[len++] = i;
    int stop = n > 0 && at[0].request.stop ? stop_fd(at[0].request.stop) : -1;
    if (len > 0) fetch(c, calls, len, stop);
    for (uint32_t i = 0; i < len; i++)
        at[of[i]].result = calls[i].result;
    arena_release(&a);
}

enum http_result http_fetch(struct http_client *c, const struct http_request *request,
                            struct http_answer *answer)
{
    struct http_exchange e = {.request = *request, .answer = answer};

    http_fetch_all(c, &e, 1);
    return e.result;
}

/* ---- an answer ---- */

bool http_answer_head(const struct http_answer *answer, struct http_head *out)
{
    return http_head_read(buf_view(&answer->head), out) > 0;
}

void http_answer_release(struct http_answer *answer)
{
    buf_release(&answer->head);
    buf_release(&answer->body);
    buf_release(&answer->problem);
}
