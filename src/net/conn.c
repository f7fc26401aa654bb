#include "net/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "net/address.h"
#include "net/proxy_protocol.h"
#include "net/resolve.h"

enum stage {
    RESOLVING,
    CONNECTING,
    SECURING_PROXY,
    PROXYING,
    READING_SOURCE,
    SHAKING_HANDS,
    OPEN,
    FAILED
};

struct conn {
    struct conn_target     target;
    const struct conn_ops *ops;
    void                  *ctx;
    enum stage             stage;
    struct lookup         *lookup;
    struct addrinfo       *found, *next; /* addresses; the next one to try */
    struct net_watch       watch;
    struct net_timer       limit;     /* for the address being tried */
    int64_t                due_ns;    /* for all of it */
    bool                   accepted;  /* the peer connected to us */
    int                    fd;        /* -1: none */
    SSL                   *ssl;       /* NULL: plain */
    SSL                   *below;     /* TLS with the proxy, when `ssl` goes through it */
    bool                   want_read; /* of the owner */
    bool                   tls_needs_write;
    bool                   finishing;
    bool                   write_broken; /* nothing more can be sent */
    bool                   hung_up;      /* noticed while nobody wanted to read: not watched */
    struct buf             out;
    size_t                 sent; /* of out */
    struct proxy_talk      talk;
    struct buf             problem;
    char                   peer[ADDRESS_TEXT];
    struct buf             source; /* of a client behind a load balancer, as far as it came */
};

enum { OUT_KEEP_MAX = 1024 * 1024 /* of the memory for unsent bytes, once all are sent */ };

static void try_next(struct conn *c);
static void ready(void *ctx, uint32_t events);
static void timed_out(void *ctx);

/* ---- ends ---- */

static void drop_socket(struct conn *c)
{
    net_watch_end(c->target.net, &c->watch);
    SSL_free(c->ssl);
    SSL_free(c->below);
    c->ssl = c->below = NULL;
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

void conn_close(struct conn *c)
{
    if (!c) return;
    if (c->lookup) net_lookup_cancel(c->lookup);
    net_timer_cancel(c->target.net, &c->limit);
    if (c->ssl && c->stage == OPEN) SSL_shutdown(c->ssl); /* tells the peer, waits for nothing */
    if (c->ssl) ERR_clear_error();
    drop_socket(c);
    if (c->found) freeaddrinfo(c->found);
    proxy_end(&c->talk);
    buf_release(&c->out);
    buf_release(&c->problem);
    buf_release(&c->source);
    free(c);
}

const char *conn_problem(const struct conn *c)
{
    return c->problem.len ? c->problem.data : "the peer closed the connection";
}

/* The reason stands in c->problem. */
static void fail(struct conn *c, enum conn_failure failure)
{
    buf_cstr(&c->problem);
    net_timer_cancel(c->target.net, &c->limit);
    drop_socket(c);
    c->stage = FAILED;
    c->ops->failed(c->ctx, failure, conn_problem(c));
}

static void explain(struct conn *c, const char *text)
{
    buf_clear(&c->problem);
    buf_str(&c->problem, str_of(text));
    buf_cstr(&c->problem);
}

/* ---- what is waited for ---- */

static void update_watch(struct conn *c)
{
    uint32_t events = 0;

    bool unsent = c->sent < c->out.len && !c->write_broken;
    if (c->stage == CONNECTING || c->tls_needs_write || unsent) events |= EPOLLOUT;
    if (c->stage > CONNECTING && c->stage < OPEN) events |= EPOLLIN;
    if (c->stage == OPEN && c->want_read) events |= EPOLLIN;
    net_watch_change(c->target.net, &c->watch, events);
}

void conn_want_read(struct conn *c, bool wanted)
{
    if (c->want_read == wanted) return;
    c->want_read = wanted;
    if (wanted && c->hung_up) {
        c->hung_up = false;
        net_watch_start(c->target.net, &c->watch, c->fd, EPOLLIN, ready, c);
    }
    update_watch(c);
}

/* ---- bytes ---- */

/* What an OpenSSL call that did not succeed means: CONN_AGAIN, CONN_END, CONN_BROKEN, CONN_ALERT.
 */
static ssize_t tls_result(struct conn *c, int result)
{
    int saved = errno;
    int error = SSL_get_error(c->ssl, result);
    int reason = ERR_GET_REASON(ERR_peek_last_error());

    c->tls_needs_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return CONN_AGAIN;
    if (error == SSL_ERROR_ZERO_RETURN) return CONN_END;
    buf_clear(&c->problem);
    tls_explain(c->ssl, error, saved, &c->problem);
    buf_cstr(&c->problem);
    return error == SSL_ERROR_SSL && reason > SSL_AD_REASON_OFFSET ? CONN_ALERT : CONN_BROKEN;
}

static ssize_t plain_result(struct conn *c)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return CONN_AGAIN;
    explain(c, strerror(errno));
    return CONN_BROKEN;
}

/* OpenSSL gives one record at a time, up to 16 KiB: take all there are. */
static ssize_t read_tls(struct conn *c, char *into, size_t size)
{
    size_t got = 0, n;

    ERR_clear_error();
    while (got < size && SSL_read_ex(c->ssl, into + got, size - got, &n))
        got += n;
    if (got > 0) return (ssize_t)got; /* what stopped it comes back at the next call */
    ssize_t result = tls_result(c, 0);
    if (c->tls_needs_write) update_watch(c);
    return result;
}

bool conn_holds_more(const struct conn *c)
{
    return c->ssl && (SSL_has_pending(c->ssl) || (c->below && SSL_has_pending(c->below)));
}

static ssize_t read_some(struct conn *c, char *into, size_t size)
{
    if (c->ssl) return read_tls(c, into, size);
    ssize_t n = recv(c->fd, into, size, 0);
    if (n > 0) return n;
    return n == 0 ? CONN_END : plain_result(c);
}

ssize_t conn_read(struct conn *c, char *into, size_t size)
{
    return c->stage == OPEN ? read_some(c, into, size) : CONN_AGAIN;
}

static ssize_t write_some(struct conn *c, const char *data, size_t size)
{
    if (!c->ssl) {
        ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);
        return n >= 0 ? n : plain_result(c);
    }
    ERR_clear_error();
    int n = SSL_write(c->ssl, data, size > INT32_MAX ? INT32_MAX : (int)size);
    return n > 0 ? n : tls_result(c, n);
}

/* Sends what the kernel takes. That the peer is gone is better learnt by reading: there may be a
   last word. */
static void send_out(struct conn *c)
{
    while (c->sent < c->out.len) {
        if (c->write_broken) return;
        ssize_t n = write_some(c, c->out.data + c->sent, c->out.len - c->sent);
        if (n < 0) c->write_broken = true;
        if (n <= 0) return;
        c->sent += (size_t)n;
    }
    buf_clear(&c->out);
    if (c->out.cap > OUT_KEEP_MAX) buf_release(&c->out);
    c->sent = 0;
    if (c->finishing) {
        if (c->ssl) SSL_shutdown(c->ssl);
        shutdown(c->fd, SHUT_WR);
        c->finishing = false;
    }
}

void conn_send(struct conn *c, struct str bytes)
{
    if (c->stage != OPEN || c->write_broken) return;
    buf_str(&c->out, bytes);
    send_out(c);
    update_watch(c);
}

size_t conn_sent(const struct conn *c)
{
    return c->sent;
}

size_t conn_unsent(const struct conn *c)
{
    return c->out.len - c->sent;
}

void conn_finish(struct conn *c)
{
    if (c->stage != OPEN) return;
    c->finishing = true;
    send_out(c);
    update_watch(c);
}

/* ---- connecting ---- */

static void read_peer(struct conn *c)
{
    struct sockaddr_storage s = {0};
    socklen_t               len = sizeof(s);

    if (getpeername(c->fd, (struct sockaddr *)&s, &len) == 0)
        address_print((const struct sockaddr *)&s, c->peer);
}

const char *conn_peer(const struct conn *c)
{
    return c->peer;
}

static void opened(struct conn *c)
{
    net_timer_cancel(c->target.net, &c->limit);
    c->stage = OPEN;
    if (!c->peer[0]) read_peer(c);
    update_watch(c);
    c->ops->opened(c->ctx);
}

static void begin_proxy(struct conn *c)
{
    int64_t left = c->due_ns - clock_monotonic_ns(); /* that of a handshake with it is over */

    net_timer_cancel(c->target.net, &c->limit);
    if (c->target.timeout_ns)
        net_timer_set(c->target.net, &c->limit, left > 0 ? left : 0, timed_out, c);
    c->stage = PROXYING;
    proxy_begin(&c->talk, c->target.proxy, c->target.host, c->target.port, &c->out);
    send_out(c);
    update_watch(c);
}

static void shake_hands(struct conn *c)
{
    ERR_clear_error();
    int n = SSL_do_handshake(c->ssl);
    if (n == 1) {
        c->tls_needs_write = false;
        if (c->stage == SECURING_PROXY)
            begin_proxy(c);
        else
            opened(c);
        return;
    }
    switch (tls_result(c, n)) {
    case CONN_AGAIN:
        update_watch(c);
        break;
    case CONN_END:
        explain(c, "the peer closed the connection");
        /* fall through */
    default:
        fail(c, c->stage == SECURING_PROXY ? CONN_PROXY : CONN_TLS);
    }
}

static SSL *proxy_tls_new(struct conn *c)
{
    struct tls_client o = *c->target.tls_options;

    o.server_name.data = NULL; /* is the target's */
    return tls_client_new(c->target.proxy_tls, &o, c->target.proxy->url.host.data, &c->problem);
}

static SSL *tls_new(struct conn *c)
{
    if (c->accepted) return tls_server_new(c->target.tls, c->fd);
    SSL *ssl = c->stage == SECURING_PROXY ? proxy_tls_new(c)
                                          : tls_client_new(c->target.tls, c->target.tls_options,
                                                           c->target.host, &c->problem);
    if (ssl && (c->below ? tls_nest(ssl, c->below) : SSL_set_fd(ssl, c->fd))) return ssl;
    SSL_free(ssl);
    return NULL;
}

static void begin_tls(struct conn *c, enum stage stage)
{
    buf_clear(&c->problem);
    c->stage = stage;
    c->below = c->ssl;
    c->ssl = tls_new(c);
    if (!c->ssl) {
        fail(c, stage == SECURING_PROXY ? CONN_PROXY : CONN_TLS);
        return;
    }
    int64_t left = c->limit.armed ? c->limit.due_ns - clock_monotonic_ns() : INT64_MAX;
    if (c->target.tls_timeout_ns && c->target.tls_timeout_ns < left)
        net_timer_set(c->target.net, &c->limit, c->target.tls_timeout_ns, timed_out, c);
    shake_hands(c);
}

/* The connection leads to the host itself. */
static void begin_stream(struct conn *c)
{
    if (c->target.tls)
        begin_tls(c, SHAKING_HANDS);
    else
        opened(c);
}

static void talk_to_proxy(struct conn *c)
{
    char    bytes[4096];
    ssize_t n = read_some(c, bytes, sizeof(bytes));

    if (n == CONN_AGAIN) {
        send_out(c);
        update_watch(c);
        return;
    }
    buf_clear(&c->problem);
    if (n <= 0) {
        buf_str(&c->problem, STR("the proxy closed the connection"));
        fail(c, CONN_PROXY);
        return;
    }
    switch (proxy_take(&c->talk, (struct str){bytes, (size_t)n}, &c->out, &c->problem)) {
    case 1:
        begin_stream(c);
        return;
    case 0:
        send_out(c);
        update_watch(c);
        if (conn_holds_more(c)) talk_to_proxy(c); /* of an answer that has its limit */
        return;
    default:
        fail(c, CONN_PROXY);
    }
}

/*
 * The load balancer's header. What is looked at is taken off the socket only up to its end: what
 * comes behind is TLS or the stream.
 */
static void read_source(struct conn *c)
{
    char                    bytes[1024];
    struct sockaddr_storage source;
    size_t                  size, before = c->source.len;
    ssize_t                 n = recv(c->fd, bytes, sizeof(bytes), MSG_PEEK);

    if (n < 0 && plain_result(c) == CONN_AGAIN) return;
    if (n <= 0) {
        if (n == 0) explain(c, "the peer closed the connection");
        fail(c, CONN_PROXY);
        return;
    }
    buf_put(&c->source, bytes, (size_t)n);
    int    read = proxy_protocol_read(buf_view(&c->source), &source, &size);
    size_t taken = read == 1 ? size - before : (size_t)n;
    if (read < 0 || recv(c->fd, bytes, taken, 0) != (ssize_t)taken) {
        explain(c, "no PROXY protocol header");
        fail(c, CONN_PROXY);
        return;
    }
    if (read == 0) return;
    if (source.ss_family != AF_UNSPEC) address_print((struct sockaddr *)&source, c->peer);
    begin_stream(c);
}

static void connected(struct conn *c)
{
    int       error = 0;
    socklen_t len = sizeof(error);

    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        explain(c, strerror(error));
        try_next(c);
        return;
    }
    if (!c->target.proxy)
        begin_stream(c);
    else if (c->target.proxy->url.tls)
        begin_tls(c, SECURING_PROXY);
    else
        begin_proxy(c);
}

/* The socket takes more. */
static void send_rest(struct conn *c)
{
    bool waited = c->sent < c->out.len;

    send_out(c);
    if (waited && c->out.len == 0 && c->ops->drained) c->ops->drained(c->ctx);
}

static void ready(void *ctx, uint32_t events)
{
    struct conn *c = ctx;

    switch (c->stage) {
    case CONNECTING:
        connected(c);
        return;
    case PROXYING:
        talk_to_proxy(c);
        return;
    case READING_SOURCE:
        read_source(c);
        return;
    case SECURING_PROXY:
    case SHAKING_HANDS:
        shake_hands(c);
        return;
    case OPEN:
        c->tls_needs_write = false;
        if (events & EPOLLOUT) send_rest(c);
        update_watch(c);
        if (c->want_read) {
            if (events & ~(uint32_t)EPOLLOUT) c->ops->readable(c->ctx);
        } else if (events & (EPOLLERR | EPOLLHUP)) {
            /* epoll would say so again and again; reading will tell the rest. */
            net_watch_end(c->target.net, &c->watch);
            c->hung_up = true;
        }
        return;
    default:
        return;
    }
}

static void timed_out(void *ctx)
{
    struct conn *c = ctx;
    const char  *what = c->stage == RESOLVING        ? "no answer from DNS"
                        : c->stage == CONNECTING     ? "no answer from the host"
                        : c->stage == PROXYING       ? "no answer from the proxy"
                        : c->stage == READING_SOURCE ? "no PROXY protocol header"
                                                     : "no answer to the TLS handshake";

    explain(c, what);
    if (c->stage == CONNECTING && c->next)
        try_next(c);
    else
        fail(c, CONN_TIMEOUT);
}

/* Shares the time that is left among the addresses that are. */
static void limit_attempt(struct conn *c)
{
    int64_t left = c->due_ns - clock_monotonic_ns();
    int     addresses = 1;

    if (c->target.timeout_ns == 0) return;
    for (struct addrinfo *a = c->next; a; a = a->ai_next)
        addresses++;
    net_timer_set(c->target.net, &c->limit, left > 0 ? left / addresses : 0, timed_out, c);
}

void conn_tune(int fd, bool keep_alive)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (keep_alive) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static bool start_connect(struct conn *c, const struct addrinfo *a)
{
    c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) return false;
    conn_tune(c->fd, true);
    if (connect(c->fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS) return false;
    if (!net_watch_start(c->target.net, &c->watch, c->fd, EPOLLOUT, ready, c)) return false;
    c->stage = CONNECTING;
    return true;
}

static void try_next(struct conn *c)
{
    while (c->next) {
        const struct addrinfo *a = c->next;
        c->next = a->ai_next;
        drop_socket(c);
        limit_attempt(c);
        if (start_connect(c, a)) return;
        explain(c, strerror(errno));
    }
    fail(c, CONN_TCP);
}

static void looked_up(void *ctx, struct addrinfo *found, const char *problem)
{
    struct conn *c = ctx;

    c->lookup = NULL;
    c->found = c->next = found;
    if (found) {
        try_next(c);
        return;
    }
    explain(c, problem);
    fail(c, CONN_DNS);
}

struct conn *conn_open(const struct conn_target *target, const struct conn_ops *ops, void *ctx)
{
    struct conn *c = xcalloc(1, sizeof(*c));

    c->target = *target;
    c->ops = ops;
    c->ctx = ctx;
    c->fd = -1;
    c->want_read = true;
    c->due_ns = clock_monotonic_ns() + target->timeout_ns;
    limit_attempt(c);
    if (target->proxy)
        c->lookup = net_lookup(target->net, target->proxy->url.host.data, target->proxy->url.port,
                               looked_up, c);
    else
        c->lookup = net_lookup(target->net, target->host, target->port, looked_up, c);
    return c;
}

/* ---- accepted connections ---- */

struct conn *conn_accept(const struct conn_accepted *from, const struct conn_ops *ops, void *ctx)
{
    struct conn *c = xcalloc(1, sizeof(*c));

    c->target = (struct conn_target){.net = from->net, .tls = from->tls};
    c->accepted = true;
    c->ops = ops;
    c->ctx = ctx;
    c->fd = from->fd;
    c->want_read = true;
    c->stage = from->proxy_protocol ? READING_SOURCE : from->tls ? SHAKING_HANDS : OPEN;
    read_peer(c);
    if (from->tls && !from->proxy_protocol) c->ssl = tls_server_new(from->tls, c->fd);
    bool good = c->stage != SHAKING_HANDS || c->ssl;
    if (good && net_watch_start(from->net, &c->watch, c->fd, EPOLLIN, ready, c)) {
        if (c->stage != OPEN && from->timeout_ns)
            net_timer_set(from->net, &c->limit, from->timeout_ns, timed_out, c);
        return c;
    }
    conn_close(c);
    return NULL;
}
