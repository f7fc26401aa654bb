/*
 * The server's side of WebSocket connections: listens and shakes hands.
 *
 * Threads: all of it belongs to the loop's thread.
 */
#include "net/ws_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fatal.h"
#include "base/log.h"
#include "net/address.h"
#include "net/ws_conn_parts.h"

enum {
    REFUSABLE = 64,     /* connections beyond the limit that may still learn why they are refused */
    ACCEPTS_A_TURN = 64 /* before other sockets are looked at */
};
static const int64_t retry_ns = 1000000000;

struct listener {
    struct ws_server      *server;
    const struct addrinfo *address;
    struct net_watch       watch;
    struct net_timer       retry;
    int                    fd; /* -1: none */
};

struct ws_server {
    struct ws_server_config     config;
    const struct ws_server_ops *ops;
    void                       *ctx;
    struct listener            *listeners;
    uint32_t                    listeners_len;
    struct ws_peer             *peers;
    uint32_t                    count, open; /* connections; those that have shaken hands */
    bool                        stopping;
    struct log_limit            refused, failed, full;
};

/* A client. */
struct ws_peer {
    struct ws_conn    ws;
    struct ws_server *server;
    struct ws_peer   *next, **link;
    bool              open;
};

static void speak(const struct ws_server *s)
{
    log_context(s->config.pipeline_id, s->config.id);
}

/* ---- the end ---- */

static void free_when_empty(struct ws_server *s)
{
    if (!s->stopping || s->count > 0) return;
    s->ops->stopped(s->ctx);
    free(s->listeners);
    free(s);
}

static void after_last(void *ctx)
{
    free_when_empty(ctx);
}

/* A connection is about to be freed. */
static void release(struct ws_conn *c)
{
    struct ws_peer   *p = (struct ws_peer *)c;
    struct ws_server *s = p->server;

    *p->link = p->next;
    if (p->next) p->next->link = p->link;
    if (p->open) s->open--;
    s->count--;
    /* Not from here: whoever ended the connection may still be looking at the server. */
    if (s->stopping && s->count == 0) net_post(s->config.rules.net, after_last, s);
}

/* ---- the handshake ---- */

static void log_refusal(struct ws_server *s, const struct ws_conn *c, const struct ws_verdict *v)
{
    uint64_t missed;

    speak(s);
    if (log_limit_pass(&s->refused, &missed))
        log_warn(s->config.component, "client refused", LOG_CSTR("remote", ws_conn_peer(c)),
                 LOG_INT("status", v->status), LOG_CSTR("reason", v->reason),
                 LOG_INT("not_shown", (int64_t)missed));
}

static void send_answer(struct ws_peer *p, const struct ws_verdict *v)
{
    struct buf *out = &p->ws.out;

    buf_clear(out);
    ws_answer(&p->server->config.policy, v, out);
    ws_conn_write(&p->ws, buf_view(out));
}

static void refuse(struct ws_peer *p, const struct ws_verdict *v)
{
    send_answer(p, v);
    log_refusal(p->server, &p->ws, v);
    p->ws.end.http_status = v->status;
    ws_set_end(&p->ws, WS_BY_REFUSAL, v->reason);
    ws_discard_rest(&p->ws);
}

static void refuse_nonsense(struct ws_peer *p)
{
    bool              long_one = p->ws.in.len > HTTP_HEAD_MAX;
    struct ws_verdict v = {
        .status = long_one ? 431 : 400,
        .reason = long_one ? "the request is too long" : "the request is not HTTP/1.1",
    };

    refuse(p, &v);
}

static void welcome(struct ws_peer *p, const struct http_head *head, const struct ws_verdict *v)
{
    struct ws_server *s = p->server;
    struct ws_conn   *c = &p->ws;

    send_answer(p, v);
    c->agreed = v->agreed;
    buf_str(&c->protocol, v->agreed.protocol);
    p->open = true;
    s->open++;
    c->ctx = s->ops->accept(s->ctx, c, head);
    c->ops = s->ops->connection;
    c->at = head->size;
    ws_conn_opened(c);
}

static void shake_hands(struct ws_conn *c)
{
    struct ws_peer         *p = (struct ws_peer *)c;
    const struct ws_server *s = p->server;
    struct http_head        head;
    struct ws_verdict       verdict;
    int                     n = http_request_read(buf_view(&c->in), &head);

    if (n == 0) return;
    if (n < 0) {
        refuse_nonsense(p);
        return;
    }
    ws_check_request(&s->config.policy, &head, s->open >= s->config.max_connections, &verdict);
    if (verdict.status == 101)
        welcome(p, &head, &verdict);
    else
        refuse(p, &verdict);
}

/* The end of a connection that never got through its handshake. */
static void handshake_ended(void *ctx, const struct ws_end *end)
{
    struct ws_peer   *p = ctx;
    struct ws_server *s = p->server;
    uint64_t          missed;

    if (end->kind == WS_END_STOPPED) return;
    ws_metrics_ended(s->config.rules.metrics, end, false);
    if (end->kind == WS_END_REFUSED) return;
    speak(s);
    if (log_limit_pass(&s->failed, &missed))
        log_warn(s->config.component, "connection failed", LOG_CSTR("remote", ws_conn_peer(&p->ws)),
                 LOG_CSTR("failed", end->what), LOG_STR("exception", end->text),
                 LOG_INT("not_shown", (int64_t)missed));
}

/* ---- accepting ---- */

static void no_op(void *ctx)
{
    (void)ctx;
}

static void begin(struct ws_server *s, int fd)
{
    static const struct conn_ops conn_ops = {no_op, ws_conn_readable, ws_conn_failed,
                                             ws_conn_drained};
    static const struct ws_side  side = {
         .shake_hands = shake_hands,
         .release = release,
         .no_handshake = "the client closed the connection without a request",
         .no_close = "the client closed the connection without a close frame",
         .late_handshake = "no request came in time",
         .wrong_mask = "frame from a client that is not masked",
    };
    static const struct ws_conn_ops ops = {.ended = handshake_ended};
    struct ws_peer                 *p = xcalloc(1, sizeof(*p));
    const struct conn_accepted      from = {
             .net = s->config.rules.net,
             .fd = fd,
             .tls = s->config.tls,
             .proxy_protocol = s->config.proxy_protocol,
             .timeout_ns = s->config.tls_timeout_ns,
    };

    ws_conn_begin(&p->ws, &side, &s->config.rules, &ops, p);
    p->ws.state = HANDSHAKE;
    p->ws.conn = conn_accept(&from, &conn_ops, p);
    if (!p->ws.conn) {
        free(p);
        return;
    }
    p->server = s;
    p->next = s->peers;
    p->link = &s->peers;
    if (p->next) p->next->link = &p->next;
    s->peers = p;
    s->count++;
    if (s->config.handshake_timeout_ns) ws_conn_limit(&p->ws, s->config.handshake_timeout_ns);
}

static void on_client(void *ctx, uint32_t ready);

static void listen_again(void *ctx)
{
    struct listener *l = ctx;

    net_watch_change(l->server->config.rules.net, &l->watch, EPOLLIN);
}

/* The process or the system has no descriptor left: later. */
static void cannot_accept(struct listener *l, int error)
{
    struct ws_server *s = l->server;
    uint64_t          missed;

    speak(s);
    if (log_limit_pass(&s->full, &missed))
        log_warn(s->config.component, "connections cannot be accepted",
                 LOG_CSTR("exception", strerror(error)), LOG_INT("not_shown", (int64_t)missed));
    net_watch_change(s->config.rules.net, &l->watch, 0);
    net_timer_set(s->config.rules.net, &l->retry, retry_ns, listen_again, l);
}

static bool has_room(struct ws_server *s)
{
    uint64_t missed;

    if (s->count < s->config.max_connections + REFUSABLE) return true;
    ws_metrics_limit(s->config.rules.metrics);
    speak(s);
    if (log_limit_pass(&s->full, &missed))
        log_warn(s->config.component, "connections dropped: there are too many",
                 LOG_INT("max_connections", s->config.max_connections),
                 LOG_INT("not_shown", (int64_t)missed));
    return false;
}

static bool passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ECONNABORTED ||
           error == EPROTO || error == EPERM;
}

static void on_client(void *ctx, uint32_t ready)
{
    struct listener  *l = ctx;
    struct ws_server *s = l->server;

    (void)ready;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (!passing(errno)) cannot_accept(l, errno);
            return;
        }
        if (has_room(s)) {
            conn_tune(fd, s->config.keep_alive);
            begin(s, fd);
        } else {
            close(fd);
        }
    }
}

/* ---- listening ---- */

static int bind_to(const struct addrinfo *a)
{
    int on = 1, off = 0;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* "::" takes IPv4 as well. */
    if (a->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void start_listening(void *ctx)
{
    struct listener  *l = ctx;
    struct ws_server *s = l->server;
    char              address[ADDRESS_TEXT];
    uint64_t          missed;

    speak(s);
    address_print(l->address->ai_addr, address);
    l->fd = bind_to(l->address);
    if (l->fd >= 0 &&
        net_watch_start(s->config.rules.net, &l->watch, l->fd, EPOLLIN, on_client, l)) {
        log_info(s->config.component, "listening", LOG_CSTR("address", address),
                 LOG_BOOL("tls", s->config.tls != NULL));
        return;
    }
    if (log_limit_pass(&s->full, &missed))
        log_error(s->config.component, "cannot listen", LOG_CSTR("address", address),
                  LOG_CSTR("exception", strerror(errno)));
    if (l->fd >= 0) close(l->fd);
    l->fd = -1;
    net_timer_set(s->config.rules.net, &l->retry, retry_ns, start_listening, l);
}

struct ws_server *ws_server_start(const struct ws_server_config *config,
                                  const struct ws_server_ops *ops, void *ctx)
{
    struct ws_server      *s = xcalloc(1, sizeof(*s));
    const struct addrinfo *a;

    s->config = *config;
    s->ops = ops;
    s->ctx = ctx;
    for (a = config->addresses; a; a = a->ai_next)
        s->listeners_len++;
    s->listeners = xcalloc(s->listeners_len, sizeof(*s->listeners));
    a = config->addresses;
    for (uint32_t i = 0; i < s->listeners_len; i++, a = a->ai_next) {
        s->listeners[i] = (struct listener){.server = s, .address = a, .fd = -1};
        start_listening(&s->listeners[i]);
    }
    return s;
}

void ws_server_stop(struct ws_server *s)
{
    struct ws_peer *p, *next;

    if (s->stopping) return;
    for (uint32_t i = 0; i < s->listeners_len; i++) {
        struct listener *l = &s->listeners[i];
        net_timer_cancel(s->config.rules.net, &l->retry);
        net_watch_end(s->config.rules.net, &l->watch);
        if (l->fd >= 0) close(l->fd);
    }
    for (p = s->peers; p; p = next) {
        next = p->next;
        if (!p->open) ws_conn_abort(&p->ws);
    }
    s->stopping = true;
    free_when_empty(s);
}
