/*
 * The module http_client.so: requests by libcurl. Its easy interface would look for the end of the
 * process once a second only, so each handle has a multi handle that waits for that as well.
 *
 * Threads: a handle is used by one thread at a time. libcurl itself is set up once.
 */
#include <curl/curl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/fatal.h"
#include "base/module.h"
#include "net/http_engine.h"

/* One of the requests at work, and what is kept for those after it. */
struct transfer {
    struct handle      *handle;
    CURL               *easy;
    char                text[CURL_ERROR_SIZE]; /* what the library says when it fails */
    struct http_answer *answer;
    CURLcode            code;
    bool                too_large, ended;
    struct curl_slist  *lines, *proxy_lines;
};

struct handle {
    struct http_handle_config config;
    CURLM                    *multi;
    CURLSH                   *cookies;
    uint32_t                  len;
    struct transfer         **transfers;
};

static const int64_t millisecond_ns = 1000000, second_ns = 1000000000;

/* ---- what comes ---- */

static size_t on_head(const char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    struct buf      *head = &t->answer->head;
    struct str       line = {data, size * count};

    /* Another answer: behind a redirect, or behind one that only says to go on. */
    if (str_starts(line, STR("HTTP/"))) buf_clear(head);
    if (str_ends(buf_view(head), STR("\r\n\r\n"))) return line.len; /* behind the body */
    t->too_large |= head->len + line.len > HTTP_HEAD_MAX;
    if (t->too_large) return 0;
    buf_str(head, line);
    return line.len;
}

static size_t on_body(const char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    struct buf      *body = &t->answer->body;

    t->too_large |= body->len + size * count > t->handle->config.config->max_body;
    if (t->too_large) return 0;
    buf_put(body, data, size * count);
    return size * count;
}

/* The library has made a context for a connection: it gets our settings. */
static CURLcode on_tls(CURL *easy, void *context, void *ctx)
{
    struct transfer *t = ctx;
    bool done = tls_client_apply(context, t->handle->config.context, t->handle->config.tls);

    (void)easy;
    return done ? CURLE_OK : CURLE_SSL_CONNECT_ERROR;
}

/* ---- what is asked for ---- */

static long milliseconds(int64_t ns)
{
    return ns > 0 && ns / millisecond_ns < INT_MAX ? (long)(ns / millisecond_ns) : INT_MAX;
}

static bool set_tls(struct transfer *t)
{
    enum tls_verify verify = t->handle->config.tls->verify;
    long            chain = verify != TLS_VERIFY_NONE, name = verify == TLS_VERIFY_FULL ? 2 : 0;

    /* The roots are those of our context, and reading others takes long. */
    curl_easy_setopt(t->easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(t->easy, CURLOPT_PROXY_CAINFO, NULL);
    curl_easy_setopt(t->easy, CURLOPT_PROXY_CAPATH, NULL);
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, chain);
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, name);
    curl_easy_setopt(t->easy, CURLOPT_PROXY_SSL_VERIFYPEER, chain);
    curl_easy_setopt(t->easy, CURLOPT_PROXY_SSL_VERIFYHOST, name);
    return curl_easy_setopt(t->easy, CURLOPT_SSL_CTX_FUNCTION, on_tls) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_SSL_CTX_DATA, t) == CURLE_OK;
}

static void set_behaviour(struct transfer *t, bool tls)
{
    const struct http_config *c = t->handle->config.config;

    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L); /* does not wait for getaddrinfo(3) */
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->text);
    curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(t->easy, CURLOPT_REDIR_PROTOCOLS_STR, tls ? "https" : "http,https");
    curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, c->max_redirects > 0 ? 1L : 0L);
    curl_easy_setopt(t->easy, CURLOPT_MAXREDIRS, (long)c->max_redirects);
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(c->connect_timeout_ns));
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, milliseconds(c->timeout_ns));
    if (c->idle_timeout_ns > 0) {
        curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME,
                         (long)((c->idle_timeout_ns + second_ns - 1) / second_ns));
    }
    curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, c->one_shot ? 1L : 0L);
    if (c->compressed) curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "lsc/" PACKAGE_VERSION);
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
}

static void append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer) fatal_memory();
    *list = longer;
}

/* The library's way to say that a header is empty is a semicolon. */
static struct curl_slist *request_lines(const struct http_call *call)
{
    const struct http_request *r = call->request;
    struct curl_slist         *list = NULL;
    bool                       typed = false;

    for (size_t i = 0; i < r->headers_len; i++) {
        const struct http_line *l = &r->headers[i];
        typed |= http_same(l->name, "Content-Type");
        append(&list, arena_printf(call->arena, l->value.len ? "%.*s: %.*s" : "%.*s;%.*s",
                                   STR_ARG(l->name), STR_ARG(l->value))
                          .data);
    }
    if (!typed) append(&list, "Content-Type:"); /* none, where the library would say: a form */
    append(&list, "Expect:");
    return list;
}

static struct curl_slist *set_proxy(struct transfer *t, struct arena *a)
{
    const struct proxy *p = t->handle->config.config->proxy;
    struct curl_slist  *list = NULL;

    curl_easy_setopt(t->easy, CURLOPT_NOPROXY, ""); /* the environment is the caller's */
    if (!p) {
        curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
        return NULL;
    }
    static const char *const schemes[] = {[URL_HTTP] = "http",
                                          [URL_HTTPS] = "https",
                                          [URL_SOCKS5] = "socks5h", /* as net/proxy.c */
                                          [URL_SOCKS5H] = "socks5h"};
    const char              *form = p->url.is_ipv6 ? "%s://[%.*s]:%u" : "%s://%.*s:%u";
    curl_easy_setopt(
        t->easy, CURLOPT_PROXY,
        arena_printf(a, form, schemes[p->url.scheme], STR_ARG(p->url.host), (unsigned)p->url.port)
            .data);
    if (p->url.has_userinfo) {
        curl_easy_setopt(t->easy, CURLOPT_PROXYUSERNAME, arena_cstr(a, p->url.user));
        curl_easy_setopt(t->easy, CURLOPT_PROXYPASSWORD, arena_cstr(a, p->url.password));
    }
    for (struct str rest = p->headers; rest.len > 0;)
        append(&list, arena_cstr(a, http_take(&rest, '\n')));
    curl_easy_setopt(t->easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    curl_easy_setopt(t->easy, CURLOPT_PROXYHEADER, list);
    return list;
}

static void set_user(struct transfer *t, const struct http_call *call)
{
    const struct http_request *r = call->request;
    bool                       own = r->user.data != NULL;

    if (!own && !call->url->has_userinfo) return;
    curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(t->easy, CURLOPT_USERNAME,
                     arena_cstr(call->arena, own ? r->user : call->url->user));
    curl_easy_setopt(t->easy, CURLOPT_PASSWORD,
                     arena_cstr(call->arena, own ? r->password : call->url->password));
}

static bool same(const char *a, const char *b)
{
    return str_is(str_of(a), b);
}

static void set_method(struct transfer *t, const struct http_call *call)
{
    const char *method = call->method;
    struct str  body = call->request->body;
    bool        post = same(method, "POST"), carries = post || same(method, "PUT");

    if (same(method, "HEAD")) {
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (body.data || carries) {
        curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, body.data ? body.data : "");
        if (!post) curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method);
    } else if (!same(method, "GET")) {
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method);
    }
}

/* ---- the requests at work ---- */

static void note_ended(struct handle *h)
{
    const CURLMsg   *message;
    struct transfer *t;
    int              more;

    while ((message = curl_multi_info_read(h->multi, &more))) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
        t->ended = true;
        t->code = code;
    }
}

static void wait_for(struct curl_waitfd *ends, unsigned n, int fd)
{
    ends[n] = (struct curl_waitfd){.fd = fd, .events = CURL_WAIT_POLLIN};
}

/* Until all have ended, or are to. False: the library cannot go on. */
static bool perform(struct handle *h, int stop_fd)
{
    struct curl_waitfd ends[2];
    unsigned           n = stop_fd >= 0 ? 2 : 1;
    bool               ended = false;
    int                running = 0;

    wait_for(ends, 0, h->config.cancel_fd);
    wait_for(ends, 1, stop_fd);
    CURLMcode working = curl_multi_perform(h->multi, &running);
    while (working == CURLM_OK && running > 0 && !ended) {
        ends[0].revents = ends[1].revents = 0;
        working = curl_multi_poll(h->multi, ends, n, 1000, NULL);
        ended = ends[0].revents || (n == 2 && ends[1].revents);
        if (working == CURLM_OK && !ended) working = curl_multi_perform(h->multi, &running);
    }
    note_ended(h);
    return working == CURLM_OK;
}

static enum http_result kind_of(const struct transfer *t, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_ANSWERED;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return HTTP_NO_NAME;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return HTTP_NO_SERVER;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CLIENTCERT:
        return HTTP_NO_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMEOUT;
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT: /* ours was checked: it is a redirect's */
        return HTTP_REDIRECTS;
    case CURLE_ABORTED_BY_CALLBACK:
        return HTTP_STOPPED;
    default:
        return t->too_large ? HTTP_TOO_LARGE : HTTP_BROKEN;
    }
}

static void explain(struct transfer *t, enum http_result result, CURLcode code)
{
    struct buf *problem = &t->answer->problem;
    long        system = 0;

    if (result == HTTP_TOO_LARGE) {
        buf_printf(problem, "the answer is longer than %zu bytes",
                   t->handle->config.config->max_body);
        return;
    }
    if (result == HTTP_STOPPED) {
        buf_str(problem, STR("stopped"));
        return;
    }
    buf_str(problem, str_of(t->text[0] ? t->text : curl_easy_strerror(code)));
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &system);
    if (code == CURLE_COULDNT_CONNECT && system)
        buf_printf(problem, " (%s)", strerror((int)system));
}

static enum http_result finish(struct transfer *t, CURLcode code)
{
    enum http_result result = kind_of(t, code);
    long             status = 0, sent = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    t->answer->status = (int)status;
    t->answer->sent = sent > 0;
    if (result != HTTP_ANSWERED) explain(t, result, code);
    return result;
}

static void begin(struct handle *h, struct transfer *t, const struct http_call *call)
{
    t->answer = call->answer;
    t->too_large = t->ended = false;
    t->code = CURLE_ABORTED_BY_CALLBACK; /* until it has ended by itself */
    t->text[0] = '\0';
    curl_easy_reset(t->easy); /* keeps the connections */
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    if (h->config.config->cookies) {
        curl_easy_setopt(t->easy, CURLOPT_SHARE, h->cookies);
        curl_easy_setopt(t->easy, CURLOPT_COOKIEFILE, ""); /* no file, but keep cookies */
    }
    set_behaviour(t, call->url->tls);
    set_tls(t);
    set_user(t, call);
    set_method(t, call);
    t->proxy_lines = set_proxy(t, call->arena);
    t->lines = request_lines(call);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lines);
    curl_easy_setopt(t->easy, CURLOPT_URL, call->place);
    if (curl_multi_add_handle(h->multi, t->easy) != CURLM_OK) fatal_memory();
}

static void end(struct handle *h, struct transfer *t, struct http_call *call, bool working)
{
    curl_multi_remove_handle(h->multi, t->easy);
    call->result = finish(t, working || t->ended ? t->code : CURLE_FAILED_INIT);
    /* Nothing of the request stays behind; the list of files is not freed by a reset. */
    if (h->config.config->cookies) curl_easy_setopt(t->easy, CURLOPT_COOKIEFILE, NULL);
    curl_easy_reset(t->easy);
    curl_slist_free_all(t->lines);
    curl_slist_free_all(t->proxy_lines);
    t->answer = NULL;
}

static struct transfer *transfer_new(struct handle *h)
{
    struct transfer *t = xcalloc(1, sizeof(*t));

    t->handle = h;
    t->easy = curl_easy_init();
    if (!t->easy) fatal_memory();
    return t;
}

static void curl_fetch(void *handle, struct http_call *calls, uint32_t n, int stop_fd)
{
    struct handle *h = handle;

    if (n > h->len) {
        h->transfers = xrealloc(h->transfers, n * sizeof(struct transfer *));
        while (h->len < n)
            h->transfers[h->len++] = transfer_new(h);
    }
    for (uint32_t i = 0; i < n; i++)
        begin(h, h->transfers[i], &calls[i]);
    bool working = perform(h, stop_fd);
    for (uint32_t i = 0; i < n; i++)
        end(h, h->transfers[i], &calls[i], working);
}

/* ---- life ---- */

static void set_up(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) fatal_memory();
}

static void curl_close(void *handle)
{
    struct handle *h = handle;

    for (uint32_t i = 0; i < h->len; i++) {
        curl_easy_cleanup(h->transfers[i]->easy);
        free(h->transfers[i]);
    }
    curl_multi_cleanup(h->multi);
    curl_share_cleanup(h->cookies);
    free(h->transfers);
    free(h);
}

static void *curl_open(const struct http_handle_config *config, struct buf *problem)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_up);
    struct handle *h = xcalloc(1, sizeof(*h));
    h->config = *config;
    h->multi = curl_multi_init();
    h->cookies = curl_share_init();
    if (!h->multi || !h->cookies) fatal_memory();
    curl_share_setopt(h->cookies, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    h->transfers = xcalloc(1, sizeof(struct transfer *));
    h->transfers[h->len++] = transfer_new(h);
    const char *backend = curl_version_info(CURLVERSION_NOW)->ssl_version;
    if (backend && strncmp(backend, "OpenSSL/3", 9) == 0 && set_tls(h->transfers[0])) return h;
    buf_printf(problem, "libcurl does TLS by %s, not by OpenSSL 3", backend ? backend : "nothing");
    curl_close(h);
    return NULL;
}

extern const struct http_engine lsc_http_engine;
const struct http_engine        lsc_http_engine = {curl_open, curl_fetch, curl_close};

MODULE_OFFERS(struct http_engine);
