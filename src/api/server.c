/*
 * The HTTP server of the API.
 *
 * Threads: everything runs on the loop's thread, but server_start() and server_stop().
 */
#include "api/server.h"

#include <errno.h>
#include <libwebsockets.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/auth.h"
#include "api/reply.h"
#include "base/fatal.h"
#include "base/log.h"
#include "net/loop.h"

static const int64_t SAMPLE_NS = 5000000000, BODY_NS = 20000000000;
enum {
    CONNECTIONS_MAX = 32,
    BODY_MAX = 64 * 1024,
    ARGS_MAX = 2048,
    TIMEOUT_S = 20, /* for a request to come, and for a reply to be taken */
    IDLE_S = 30,    /* between requests of one connection */
    CHUNK = 16 * 1024,
    POLL_MS = 200, /* while a request waits for a status */
    HEAD_MAX = 1024,
};

/* What a connection is doing. */
enum doing { WAITING_FOR_REQUEST, READING_BODY, WAITING_FOR_STATUS, REPLYING };

/* One request of a connection and its reply; the next one uses it again. */
struct exchange {
    struct request request;
    char           path[512];
    struct buf     body;
    struct reply   reply;
    enum doing     doing;
    bool           too_large; /* for a body to be read: the connection ends with the reply */
    size_t         sent;
    int64_t        since_ns;
};

struct server {
    struct state        *state;
    struct net          *net;
    struct lws_vhost    *vhost;
    const struct pkcs12 *tls;
    struct net_watch     listener;
    struct net_timer     sampler;
    uint32_t             connections;
    bool                 full;
    int                  fd;
    struct lws_protocols protocols[2];
};

/* ---- replies ---- */

static int write_head(struct lws *wsi, const struct exchange *x)
{
    unsigned char  head[LWS_PRE + HEAD_MAX], *at = head + LWS_PRE, *end = head + sizeof(head) - 1;
    const char    *type = x->reply.text ? "text/plain" : "application/json";
    unsigned int   status = (unsigned int)x->reply.status;
    struct str     realm = STR("Basic realm=\"lsc\"");
    unsigned char *start = at;

    if (lws_add_http_common_headers(wsi, status, type, (lws_filepos_t)x->reply.body.len, &at, end))
        return -1;
    if (status == 401 &&
        lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_WWW_AUTHENTICATE,
                                     (const unsigned char *)realm.data, (int)realm.len, &at, end))
        return -1;
    if (x->reply.allow && lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_ALLOW,
                                                       (const unsigned char *)x->reply.allow,
                                                       (int)strlen(x->reply.allow), &at, end))
        return -1;
    return lws_finalize_write_http_header(wsi, start, &at, end) ? -1 : 0;
}

/* The exchange is over; its buffers stay for the next one unless they are large. */
static void clear(struct exchange *x)
{
    buf_release(&x->request.args);
    buf_release(&x->body);
    buf_release(&x->reply.body);
    memset(x, 0, sizeof(*x));
}

static int finish(struct lws *wsi, struct exchange *x)
{
    bool bad = x->too_large;

    clear(x);
    if (bad || lws_http_transaction_completed(wsi)) return -1;
    return 0;
}

static int begin_reply(struct lws *wsi, struct exchange *x)
{
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, TIMEOUT_S);
    x->doing = REPLYING;
    if (write_head(wsi, x) != 0) return -1;
    if (x->request.method == METHOD_HEAD) x->reply.body.len = 0;
    lws_callback_on_writable(wsi);
    return 0;
}

static int write_some(struct lws *wsi, struct exchange *x)
{
    unsigned char chunk[LWS_PRE + CHUNK];

    if (x->doing != REPLYING) return 0;
    size_t left = x->reply.body.len - x->sent, n = left < CHUNK ? left : CHUNK;
    if (n > 0) {
        memcpy(chunk + LWS_PRE, x->reply.body.data + x->sent, n);
        x->sent += n;
        enum lws_write_protocol how = n == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP;
        if (lws_write(wsi, chunk + LWS_PRE, n, how) < (int)n) return -1;
    }
    if (x->sent == x->reply.body.len) return finish(wsi, x);
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, TIMEOUT_S);
    lws_callback_on_writable(wsi);
    return 0;
}

static int refuse(struct lws *wsi, struct exchange *x, int status, const char *message)
{
    reply_error(&x->reply, &x->request, status, message);
    return begin_reply(wsi, x);
}

/* The request is there. A reply that waits for a status is asked for again by the timer. */
static int answer(struct server *s, struct lws *wsi, struct exchange *x)
{
    x->request.body = buf_view(&x->body);
    int64_t waited_ms = (clock_monotonic_ns() - x->since_ns) / 1000000;

    buf_clear(&x->reply.body);
    x->reply = (struct reply){.body = x->reply.body};
    api_answer(s->state, &x->request, &x->reply);
    if (x->reply.wait_ms > waited_ms) {
        x->doing = WAITING_FOR_STATUS;
        lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
        lws_set_timer_usecs(wsi, POLL_MS * LWS_US_PER_MS);
        return 0;
    }
    if (x->reply.wait_ms) {
        x->request.no_wait = true;
        api_answer(s->state, &x->request, &x->reply);
    }
    return begin_reply(wsi, x);
}

/* ---- requests ---- */

static enum method method_of(int lws_method)
{
    if (lws_method == LWSHUMETH_GET) return METHOD_GET;
    if (lws_method == LWSHUMETH_HEAD) return METHOD_HEAD;
    if (lws_method == LWSHUMETH_PUT) return METHOD_PUT;
    return METHOD_OTHER;
}

/* Each argument with a NUL behind it. */
static void read_args(struct lws *wsi, struct request *r)
{
    char one[256];
    int  len;

    for (int i = 0; r->args.len < ARGS_MAX; i++) {
        len = lws_hdr_copy_fragment(wsi, one, sizeof(one), WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len < 0) return;
        if (len == 0) continue;
        buf_put(&r->args, one, strnlen(one, (size_t)len));
        buf_char(&r->args, '\0');
    }
}

static bool authorized(const struct server *s, struct lws *wsi)
{
    char header[2048];
    int  len = lws_hdr_copy(wsi, header, sizeof(header), WSI_TOKEN_HTTP_AUTHORIZATION);

    return auth_passes(s->state->settings, (struct str){header, len > 0 ? (size_t)len : 0});
}

static size_t body_length(struct lws *wsi)
{
    char text[24];

    if (lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0) return 0;
    return strtoul(text, NULL, 10);
}

static int on_request(struct server *s, struct lws *wsi, struct exchange *x)
{
    char *uri;
    int   len, method = lws_http_get_uri_and_method(wsi, &uri, &len);

    clear(x);
    x->since_ns = clock_monotonic_ns();
    x->request.method = method_of(method);
    if (method < 0 || len >= (int)sizeof(x->path)) len = 0;
    if (len > 0) memcpy(x->path, uri, (size_t)len);
    x->request.path = (struct str){x->path, (size_t)len};
    read_args(wsi, &x->request);

    /* What follows a refused body would be taken for a request: such a connection ends. */
    size_t body = body_length(wsi);
    x->too_large = body > BODY_MAX || (body > 0 && x->request.method != METHOD_PUT);
    if (!authorized(s, wsi)) {
        x->too_large = body > 0;
        return refuse(wsi, x, 401, "Unauthorized");
    }
    if (body > BODY_MAX) return refuse(wsi, x, 413, "Payload Too Large");
    if (body > 0 && x->request.method == METHOD_PUT) {
        x->doing = READING_BODY;
        lws_set_timer_usecs(wsi, BODY_NS / 1000);
        return 0;
    }
    return answer(s, wsi, x);
}

/* A timer of libwebsockets 4.1 cannot be cancelled, so it may also come for nothing. */
static int on_timer(struct server *s, struct lws *wsi, struct exchange *x)
{
    int64_t left_ns = x->since_ns + BODY_NS - clock_monotonic_ns();

    if (x->doing == WAITING_FOR_STATUS) return answer(s, wsi, x);
    if (x->doing != READING_BODY) return 0;
    if (left_ns <= 0) return -1;
    lws_set_timer_usecs(wsi, left_ns / 1000 + 1);
    return 0;
}

static int on_body(struct exchange *x, struct str part)
{
    if (x->doing != READING_BODY) return 0; /* refused already */
    if (x->body.len + part.len > BODY_MAX) return -1;
    buf_str(&x->body, part);
    return 0;
}

/* ---- connections ---- */

static void accept_all(void *ctx, uint32_t ready)
{
    struct server *s = ctx;
    int            on = 1;

    (void)ready;
    while (s->connections < CONNECTIONS_MAX) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* head and body go apart */
        s->connections++; /* WSI_DESTROY takes it back, also when this fails */
        if (!lws_adopt_socket_vhost(s->vhost, fd))
            log_debug("api", "a connection could not be taken");
    }
    /* The others wait in the backlog until one of these has ended. */
    net_watch_end(s->net, &s->listener);
    s->full = true;
}

static void watch(struct server *s)
{
    s->full = false;
    net_watch_start(s->net, &s->listener, s->fd, EPOLLIN, accept_all, s);
}

static void connection_ended(struct server *s)
{
    if (s->connections > 0) s->connections--;
    if (s->full) watch(s);
}

/* api.ssl.supported_protocols, which is TLSv1.2, TLSv1.3 or both. */
static void set_versions(SSL_CTX *context, const struct strings *versions)
{
    bool has12 = versions->len == 0, has13 = has12;

    for (uint32_t i = 0; i < versions->len; i++) {
        has12 |= str_is(versions->at[i], "TLSv1.2");
        has13 |= str_is(versions->at[i], "TLSv1.3");
    }
    SSL_CTX_set_min_proto_version(context, has12 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(context, has13 ? TLS1_3_VERSION : TLS1_2_VERSION);
}

/* 0 when it worked, as libwebsockets wants it. */
static int load_keys(const struct server *s, SSL_CTX *context)
{
    if (!s->tls->key) return 0;
    set_versions(context, &s->state->settings->api_ssl_supported_protocols);
    return SSL_CTX_use_cert_and_key(context, s->tls->certificate, s->tls->key, s->tls->chain, 1) !=
           1;
}

static int serve(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                 size_t len)
{
    struct lws_vhost *vhost = wsi ? lws_get_vhost(wsi) : NULL;
    struct server    *s = vhost ? lws_vhost_user(vhost) : NULL;

    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS)
        return load_keys(lws_vhost_user(in), user);
    if (!s) return 0;
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return on_request(s, wsi, user);
    case LWS_CALLBACK_HTTP_BODY:
        return on_body(user, (struct str){in, len});
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return ((struct exchange *)user)->doing == READING_BODY ? answer(s, wsi, user) : 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return write_some(wsi, user);
    case LWS_CALLBACK_TIMER:
        return user ? on_timer(s, wsi, user) : 0;
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
        if (user) clear(user);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        connection_ended(s);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return -1; /* there is nothing to change to */
    default:
        return 0;
    }
}

/* ---- start and stop ---- */

static void sample(void *ctx)
{
    struct server *s = ctx;

    pthread_mutex_lock(&s->state->lock);
    state_sample(s->state);
    pthread_mutex_unlock(&s->state->lock);
    net_timer_set(s->net, &s->sampler, SAMPLE_NS, sample, s);
}

static void begin(void *ctx)
{
    struct server                   *s = ctx;
    struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN_SERVER,
                                             .protocols = s->protocols,
                                             .vhost_name = "lsc-api",
                                             .timeout_secs = TIMEOUT_S,
                                             .keepalive_timeout = IDLE_S,
                                             .alpn = "http/1.1",
                                             .user = s};

    if (s->tls->key)
        info.options =
            LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
    s->vhost = lws_create_vhost(net_context(s->net), &info);
    if (!s->vhost) return;
    watch(s);
    sample(s);
}

static void end(void *ctx)
{
    struct server *s = ctx;

    net_timer_cancel(s->net, &s->sampler);
    net_watch_end(s->net, &s->listener);
    s->full = false;
}

struct server *server_start(struct state *state, int fd, const struct pkcs12 *tls)
{
    struct server *s = xcalloc(1, sizeof(*s));

    *s = (struct server){.state = state, .fd = fd, .tls = tls};
    s->protocols[0] = (struct lws_protocols){
        .name = "http", .callback = serve, .per_session_data_size = sizeof(struct exchange)};
    s->net = net_start();
    if (s->net) net_call(s->net, begin, s);
    if (s->vhost) return s;
    log_error("api", "the monitoring API cannot be started");
    server_stop(s);
    return NULL;
}

void server_stop(struct server *s)
{
    if (!s) return;
    if (s->net) {
        net_call(s->net, end, s);
        net_stop(s->net);
    }
    close(s->fd);
    free(s);
}
