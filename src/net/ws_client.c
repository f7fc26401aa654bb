/*
 * A WebSocket connection to a server.
 *
 * Threads: all of it belongs to the loop's thread.
 */
#include "net/ws_client_parts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fatal.h"

enum {
    READ_MIN = 16 * 1024,     /* room there must be to read */
    READ_FIRST = 64 * 1024,   /* of the buffer at first */
    READ_MAX = 256 * 1024,    /* and when the server is fast */
    READ_AHEAD = 1024 * 1024, /* while messages cannot be taken: pings are looked for in it */
    BODY_SHOWN = 200,         /* bytes of a refusal's body */
};
static const int64_t body_wait_ns = 1000000000;

/* ---- the end ---- */

void ws_set_end(struct ws_client *c, enum ws_end_kind kind, const char *what, const char *text)
{
    if (c->end.what) return; /* the first reason counts */
    c->end.kind = kind;
    c->end.what = what;
    if (c->end.status == 0) c->end.status = WS_ABNORMAL;
    buf_str(&c->end_text, str_of(text));
}

static void client_free(struct ws_client *c)
{
    net_timer_cancel(c->config.net, &c->timer);
    net_timer_cancel(c->config.net, &c->beat);
    net_timer_cancel(c->config.net, &c->silence);
    net_timer_cancel(c->config.net, &c->idle);
    conn_close(c->conn);
    ws_inflate_release(&c->inflate);
    buf_release(&c->inflated);
    buf_release(&c->protocol);
    buf_release(&c->headers);
    buf_release(&c->in);
    buf_release(&c->message);
    buf_release(&c->end_text);
    buf_release(&c->out);
    free(c);
}

static void report_end(struct ws_client *c)
{
    c->end.text = buf_view(&c->end_text);
    c->ops->ended(c->ctx, &c->end);
    client_free(c);
}

/* ---- waiting for the end ---- */

static void give_up_waiting(void *ctx);

static void start_timer(struct ws_client *c, int64_t after_ns)
{
    net_timer_set(c->config.net, &c->timer, after_ns, give_up_waiting, c);
}

void ws_discard_rest(struct ws_client *c)
{
    c->state = DISCARDING;
    conn_finish(c->conn);
    conn_want_read(c->conn, true);
    start_timer(c, c->config.close_timeout_ns);
}

static void start_beats(struct ws_client *c);
static void settle(struct ws_client *c);

/* ---- the handshake ---- */

static struct ws_offer offer(const struct ws_client *c)
{
    return (struct ws_offer){
        .url = c->config.url,
        .headers = buf_view(&c->headers),
        .own_host = c->config.own_host,
        .protocols = c->config.subprotocols,
        .deflate = c->config.deflate,
    };
}

static void send_request(struct ws_client *c)
{
    const struct ws_offer o = offer(c);
    struct buf            out = {0};

    ws_request(&o, c->key, &out);
    conn_send(c->conn, buf_view(&out));
    OPENSSL_cleanse(out.data, out.len);
    buf_release(&out);
    c->state = HANDSHAKE;
}

static void end_now(struct ws_client *c, enum ws_end_kind kind, const char *what, const char *text)
{
    ws_set_end(c, kind, what, text);
    c->over = true;
}

static void read_refusal(struct ws_client *c)
{
    if (c->in.len - c->at >= BODY_SHOWN) c->over = true;
}

static void read_answer(struct ws_client *c)
{
    struct http_head head;
    int              n = http_head_read(buf_view(&c->in), &head);

    if (n == 0) return;
    if (n < 0) {
        end_now(c, WS_END_PROTOCOL, "protocol", "the answer is not HTTP");
        return;
    }
    c->at = head.size;
    c->end.http_status = head.status;
    if (head.status != 101) {
        struct str location = http_field(&head, "Location");
        if (head.status >= 300 && head.status < 400) buf_str(&c->protocol, location);
        ws_set_end(c, WS_END_REFUSED, "HTTP", "");
        c->state = REFUSED;
        start_timer(c, body_wait_ns);
        read_refusal(c);
        return;
    }
    const struct ws_offer o = offer(c);
    const char           *problem = ws_check_answer(&o, c->key, &head, &c->agreed);
    if (problem) {
        end_now(c, WS_END_PROTOCOL, "protocol", problem);
        return;
    }
    net_timer_cancel(c->config.net, &c->timer);
    buf_str(&c->protocol, c->agreed.protocol);
    c->state = OPEN;
    start_beats(c);
    c->ops->opened(c->ctx);
}

/* ---- signs of life ---- */

static void lost(struct ws_client *c, const char *text)
{
    ws_set_end(c, WS_END_BROKEN, "time-out", text);
    ws_send_close(c, WS_GOING_AWAY, STR(""));
    c->over = true;
    settle(c);
}

static void on_silence(void *ctx)
{
    struct ws_client *c = ctx;

    if (c->state == OPEN && !c->heard && !c->paused) lost(c, "no answer to a ping");
}

static void on_beat(void *ctx)
{
    struct ws_client *c = ctx;

    if (c->state != OPEN) return;
    net_timer_set(c->config.net, &c->beat, c->config.ping_interval_ns, on_beat, c);
    /* While paused, what the server answers would not be read. */
    if (c->paused || c->silence.armed) return;
    c->heard = false;
    if (c->config.ping_message.data)
        ws_send_frame(c, WS_TEXT, c->config.ping_message);
    else
        ws_send_frame(c, WS_PING, STR(""));
    if (c->config.ping_timeout_ns)
        net_timer_set(c->config.net, &c->silence, c->config.ping_timeout_ns, on_silence, c);
}

static void on_idle(void *ctx)
{
    struct ws_client *c = ctx;
    int64_t           left = c->message_ns + c->config.idle_timeout_ns - clock_monotonic_ns();

    if (c->state != OPEN) return;
    if (c->paused) left = c->config.idle_timeout_ns;
    if (left <= 0)
        lost(c, "no message for idle_timeout");
    else
        net_timer_set(c->config.net, &c->idle, left, on_idle, c);
}

static void start_beats(struct ws_client *c)
{
    const struct ws_client_config *config = &c->config;

    c->message_ns = clock_monotonic_ns();
    if (config->ping_interval_ns)
        net_timer_set(config->net, &c->beat, config->ping_interval_ns, on_beat, c);
    if (config->idle_timeout_ns)
        net_timer_set(config->net, &c->idle, config->idle_timeout_ns, on_idle, c);
}

/* ---- reading ---- */

/* Makes room at the end of the buffer. False: it holds all it may. */
static bool make_room(struct ws_client *c)
{
    size_t held = c->in.len - c->at;

    if (held >= READ_AHEAD) return false;
    if (c->in.cap - c->in.len >= READ_MIN) return true;
    memmove(c->in.data, c->in.data + c->at, held);
    c->ahead = c->ahead > c->at ? c->ahead - c->at : 0;
    c->in.len = held;
    c->at = 0;
    if (c->in.cap - held < READ_MIN) buf_grow(&c->in, READ_MIN);
    return true;
}

/* No more bytes come. Why, counts only when those that came say nothing of an end. */
static void stream_broke(struct ws_client *c, ssize_t result)
{
    c->over = true;
    c->hung_up = result == CONN_END;
}

static void explain_break(struct ws_client *c)
{
    const char *text = conn_problem(c->conn);

    if (c->hung_up)
        text = c->state == HANDSHAKE ? "the server closed the connection without an answer"
                                     : "the server closed the connection without a close frame";
    ws_set_end(c, WS_END_BROKEN, c->state == HANDSHAKE ? "HTTP" : "connection", text);
}

/* Does with the bytes read what the state asks for. */
static void work(struct ws_client *c)
{
    if (c->state == HANDSHAKE) read_answer(c);
    if (c->state == REFUSED) read_refusal(c);
    while ((c->state == OPEN || c->state == CLOSING) && !c->paused && ws_step(c))
        ;
    if (c->paused && c->state == OPEN) ws_answer_ahead(c);
    if (c->state == DISCARDING) c->at = c->in.len;
    if (c->at == c->in.len) {
        c->ahead = c->ahead > c->at ? c->ahead - c->at : 0;
        c->at = c->in.len = 0;
    }
}

/* Ends the connection when nothing is left to do. The client may be gone afterwards. */
static void settle(struct ws_client *c)
{
    if (!c->over || (c->paused && (c->state == OPEN || c->state == CLOSING))) return;
    if (c->state == REFUSED) {
        struct str body = str_from(buf_view(&c->in), c->at);
        if (body.len > BODY_SHOWN) body.len = BODY_SHOWN;
        buf_str(&c->end_text, body);
        if (c->protocol.len) c->end.location = buf_view(&c->protocol);
    }
    explain_break(c);
    report_end(c);
}

static void read_more(struct ws_client *c)
{
    bool full;

    do {
        if (!make_room(c)) {
            conn_want_read(c->conn, false);
            return;
        }
        size_t  room = c->in.cap - c->in.len;
        ssize_t n = conn_read(c->conn, c->in.data + c->in.len, room);
        if (n < 0) stream_broke(c, n);
        if (n <= 0) break;
        c->in.len += (size_t)n;
        c->heard = true;
        if (c->silence.armed) net_timer_cancel(c->config.net, &c->silence);
        full = (size_t)n == room;
        work(c);
        /* A server this fast: fewer and larger reads. */
        if (full && !c->paused && c->in.cap < READ_MAX) buf_grow(&c->in, c->in.cap - c->in.len + 1);
    } while (!c->over && conn_holds_more(c->conn));
    work(c);
}

static void on_readable(void *ctx)
{
    struct ws_client *c = ctx;

    if (!c->over) read_more(c);
    settle(c);
}

void ws_client_resume(struct ws_client *c)
{
    if (!c->paused) return;
    c->paused = false;
    work(c);
    if (!c->paused && !c->over) {
        conn_want_read(c->conn, true);
        if (conn_holds_more(c->conn)) read_more(c);
    }
    settle(c);
}

/* ---- life ---- */

static void on_opened(void *ctx)
{
    struct ws_client *c = ctx;
    int64_t           left = c->due_ns - clock_monotonic_ns();

    send_request(c);
    if (c->config.connect_timeout_ns) start_timer(c, left > 0 ? left : 0);
}

static void on_failed(void *ctx, enum conn_failure failure, const char *text)
{
    struct ws_client *c = ctx;

    end_now(c, WS_END_CONNECT, conn_failure_name(failure), text);
    settle(c);
}

static void give_up_waiting(void *ctx)
{
    struct ws_client *c = ctx;

    if (c->state == HANDSHAKE)
        ws_set_end(c, WS_END_CONNECT, "time-out", "no answer to the WebSocket handshake");
    c->over = true;
    conn_want_read(c->conn, false);
    settle(c);
}

void ws_client_close(struct ws_client *c, enum ws_status status)
{
    if (c->state == CLOSING || c->over) return;
    if (c->state != OPEN) {
        ws_set_end(c, WS_END_STOPPED, "stop", "");
        c->over = true;
        report_end(c);
        return;
    }
    ws_send_close(c, (uint16_t)status, STR(""));
    ws_set_end(c, WS_END_STOPPED, "stop", "");
    c->state = CLOSING;
    start_timer(c, c->config.close_timeout_ns);
}

struct str ws_client_subprotocol(const struct ws_client *c)
{
    return c->state == OPEN || c->state == CLOSING ? buf_view(&c->protocol) : STR("");
}

const char *ws_client_peer(const struct ws_client *c)
{
    return conn_peer(c->conn);
}

struct ws_client *ws_client_open(const struct ws_client_config *config,
                                 const struct ws_client_ops *ops, void *ctx)
{
    static const struct conn_ops conn_ops = {on_opened, on_readable, on_failed};
    struct ws_client            *c = xcalloc(1, sizeof(*c));

    c->config = *config;
    c->ops = ops;
    c->ctx = ctx;
    c->due_ns = clock_monotonic_ns() + config->connect_timeout_ns;
    buf_str(&c->headers, config->headers);
    buf_grow(&c->in, READ_FIRST);

    const struct conn_target target = {
        .net = config->net,
        .host = config->url->host.data,
        .port = config->url->port,
        .tls = config->url->tls ? config->tls : NULL,
        .tls_options = config->tls_options,
        .proxy = config->proxy,
        .timeout_ns = config->connect_timeout_ns,
        .tls_timeout_ns = config->tls_timeout_ns,
    };
    c->conn = conn_open(&target, &conn_ops, c);
    return c;
}
