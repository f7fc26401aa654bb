/*
 * A WebSocket connection, from either side.
 *
 * Threads: all of it belongs to the loop's thread.
 */
#include "net/ws_conn_parts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fatal.h"

enum {
    READ_MIN = 16 * 1024,  /* room there must be to read */
    READ_MAX = 256 * 1024, /* of the buffer, when the peer is fast */
};

/* ---- the end ---- */

static const struct {
    enum ws_end_kind kind;
    const char      *name;
} reasons[] = {
    [WS_BY_DNS] = {WS_END_CONNECT, "DNS"},
    [WS_BY_TCP] = {WS_END_CONNECT, "TCP"},
    [WS_BY_PROXY] = {WS_END_CONNECT, "proxy"},
    [WS_BY_TLS] = {WS_END_CONNECT, "TLS"},
    [WS_BY_TIMEOUT] = {WS_END_CONNECT, "time-out"},
    [WS_BY_AUTHENTICATION] = {WS_END_CONNECT, "authentication"},
    [WS_BY_REFUSAL] = {WS_END_REFUSED, "HTTP"},
    [WS_BY_PROTOCOL] = {WS_END_PROTOCOL, "protocol"},
    [WS_BY_INVALID_DATA] = {WS_END_PROTOCOL, "protocol"},
    [WS_BY_SIZE] = {WS_END_PROTOCOL, "protocol"},
    [WS_BY_NO_HANDSHAKE] = {WS_END_BROKEN, "HTTP"},
    [WS_BY_BREAK] = {WS_END_BROKEN, "connection"},
    [WS_BY_SILENCE] = {WS_END_BROKEN, "time-out"},
    [WS_BY_IDLENESS] = {WS_END_BROKEN, "time-out"},
    [WS_BY_PEER] = {WS_END_CLOSED, "close"},
    [WS_BY_US] = {WS_END_STOPPED, "stop"},
};

enum ws_end_kind ws_reason_kind(enum ws_reason reason)
{
    return reasons[reason].kind;
}

const char *ws_reason_name(enum ws_reason reason)
{
    return reasons[reason].name;
}

void ws_set_end(struct ws_conn *c, enum ws_reason reason, const char *text)
{
    if (c->end.what) return; /* the first reason counts */
    c->end.reason = reason;
    c->end.kind = reasons[reason].kind;
    c->end.what = reasons[reason].name;
    if (c->end.status == 0) c->end.status = WS_ABNORMAL;
    buf_str(&c->end_text, str_of(text));
}

void ws_end_now(struct ws_conn *c, enum ws_reason reason, const char *text)
{
    ws_set_end(c, reason, text);
    c->over = true;
}

static void free_all(struct ws_conn *c)
{
    net_timer_cancel(c->rules.net, &c->timer);
    net_timer_cancel(c->rules.net, &c->beat);
    net_timer_cancel(c->rules.net, &c->silence);
    net_timer_cancel(c->rules.net, &c->idle);
    conn_close(c->conn);
    ws_inflate_release(&c->inflate);
    buf_release(&c->inflated);
    buf_release(&c->protocol);
    buf_release(&c->in);
    buf_release(&c->message);
    buf_release(&c->end_text);
    buf_release(&c->out);
    c->side->release(c);
    free(c);
}

static void report_end(struct ws_conn *c)
{
    if (c->side->end) c->side->end(c);
    c->end.text = buf_view(&c->end_text);
    if (c->stood) ws_metrics_ended(c->rules.metrics, &c->end, true);
    c->ops->ended(c->ctx, &c->end);
    free_all(c);
}

/* ---- waiting for the end ---- */

static void give_up_waiting(void *ctx);

void ws_conn_limit(struct ws_conn *c, int64_t after_ns)
{
    net_timer_set(c->rules.net, &c->timer, after_ns, give_up_waiting, c);
}

void ws_discard_rest(struct ws_conn *c)
{
    c->state = DISCARDING;
    conn_finish(c->conn);
    conn_want_read(c->conn, true);
    ws_conn_limit(c, c->rules.close_timeout_ns);
}

static void settle(struct ws_conn *c);

/* ---- signs of life ---- */

static void lost(struct ws_conn *c, enum ws_reason reason, const char *text)
{
    ws_set_end(c, reason, text);
    ws_send_close(c, WS_GOING_AWAY, STR(""));
    c->over = true;
    settle(c);
}

static void on_silence(void *ctx)
{
    struct ws_conn *c = ctx;

    if (c->state == OPEN && !c->heard && !c->paused) lost(c, WS_BY_SILENCE, "no answer to a ping");
}

static void on_beat(void *ctx)
{
    struct ws_conn *c = ctx;

    if (c->state != OPEN) return;
    net_timer_set(c->rules.net, &c->beat, c->rules.ping_interval_ns, on_beat, c);
    /* While paused, what the peer answers would not be read. */
    if (c->paused || c->silence.armed) return;
    c->heard = false;
    if (c->rules.ping_message.data)
        ws_send_frame(c, WS_TEXT, c->rules.ping_message);
    else
        ws_send_frame(c, WS_PING, STR(""));
    ws_metrics_add(c->rules.metrics, WS_PINGS_OUT, 1);
    if (c->rules.ping_timeout_ns)
        net_timer_set(c->rules.net, &c->silence, c->rules.ping_timeout_ns, on_silence, c);
}

static void on_idle(void *ctx)
{
    struct ws_conn *c = ctx;
    int64_t         left = c->message_ns + c->rules.idle_timeout_ns - clock_monotonic_ns();

    if (c->state != OPEN) return;
    if (c->paused) left = c->rules.idle_timeout_ns;
    if (left <= 0)
        lost(c, WS_BY_IDLENESS, "no message for idle_timeout");
    else
        net_timer_set(c->rules.net, &c->idle, left, on_idle, c);
}

static void start_beats(struct ws_conn *c)
{
    const struct ws_rules *rules = &c->rules;

    c->message_ns = clock_monotonic_ns();
    if (rules->ping_interval_ns)
        net_timer_set(rules->net, &c->beat, rules->ping_interval_ns, on_beat, c);
    if (rules->idle_timeout_ns)
        net_timer_set(rules->net, &c->idle, rules->idle_timeout_ns, on_idle, c);
}

/* ---- reading ---- */

/* What has been worked on at the start of the buffer is gone. */
static void begins_at_start(struct ws_conn *c)
{
    c->ahead = c->ahead > c->at ? c->ahead - c->at : 0;
    c->in.len -= c->at;
    c->at = 0;
}

/* The beginning of a frame that waits for its rest moves from one buffer to the other. */
static void move_rest(struct ws_conn *c, struct buf *to)
{
    size_t held = c->in.len - c->at;

    if (held) buf_put(to, c->in.data + c->at, held);
}

/* Between two reads a connection has no more memory than what waits in it needs, unless it holds
   messages that cannot be taken. */
static void borrow_buffer(struct ws_conn *c)
{
    struct buf large;

    if (c->in.cap >= READ_MIN) return;
    net_lend_buffer(c->rules.net, &large);
    move_rest(c, &large);
    begins_at_start(c);
    buf_release(&c->in);
    c->in = large;
}

static void return_buffer(struct ws_conn *c)
{
    struct buf small = {0};

    if (c->in.cap < READ_MIN || c->paused) return;
    move_rest(c, &small);
    begins_at_start(c);
    net_take_buffer_back(c->rules.net, &c->in);
    c->in = small;
}

/* Makes room at the end of the buffer; how much may be read. 0: it holds all it may. */
static size_t make_room(struct ws_conn *c)
{
    size_t held = c->in.len - c->at;
    size_t most = c->rules.read_ahead > held ? c->rules.read_ahead - held : 0;

    if (!c->paused && most < READ_MIN) most = READ_MIN;
    if (most == 0) return 0;
    size_t least = most < READ_MIN ? most : READ_MIN;
    if (c->in.cap - c->in.len < least) {
        if (held) memmove(c->in.data, c->in.data + c->at, held);
        begins_at_start(c);
        if (c->in.cap - held < least) buf_grow(&c->in, least);
    }
    size_t room = c->in.cap - c->in.len;
    return room < most ? room : most;
}

/* No more bytes come. Why, counts only when those that came say nothing of an end. */
static void stream_broke(struct ws_conn *c, ssize_t result)
{
    c->over = true;
    c->hung_up = result == CONN_END;
    c->alerted = result == CONN_ALERT;
}

static void explain_break(struct ws_conn *c)
{
    bool           shaking = c->state == HANDSHAKE;
    enum ws_reason reason = shaking ? WS_BY_NO_HANDSHAKE : WS_BY_BREAK;
    const char    *text = conn_problem(c->conn);

    if (c->hung_up) text = shaking ? c->side->no_handshake : c->side->no_close;
    if (shaking && c->alerted) reason = WS_BY_TLS;
    ws_set_end(c, reason, text);
}

/* Does with the bytes read what the state asks for. */
static void work(struct ws_conn *c)
{
    if (c->state == HANDSHAKE || c->state == REFUSED) c->side->shake_hands(c);
    while ((c->state == OPEN || c->state == CLOSING) && !c->paused && ws_step(c))
        ;
    if (c->paused && c->state == OPEN) ws_answer_ahead(c);
    if (c->state == DISCARDING) c->at = c->in.len;
    if (c->at == c->in.len) {
        c->ahead = c->ahead > c->at ? c->ahead - c->at : 0;
        c->at = c->in.len = 0;
    }
}

/* Ends the connection when nothing is left to do. It may be gone afterwards. */
static void settle(struct ws_conn *c)
{
    if (!c->over || (c->paused && (c->state == OPEN || c->state == CLOSING))) return;
    explain_break(c);
    report_end(c);
}

static void read_more(struct ws_conn *c)
{
    bool full;

    borrow_buffer(c);
    do {
        size_t room = make_room(c);
        if (room == 0) {
            conn_want_read(c->conn, false);
            return;
        }
        ssize_t n = conn_read(c->conn, c->in.data + c->in.len, room);
        if (n < 0) stream_broke(c, n);
        if (n <= 0) break;
        c->in.len += (size_t)n;
        ws_metrics_add(c->rules.metrics, WS_BYTES_IN, (uint64_t)n);
        c->heard = true;
        if (c->silence.armed) net_timer_cancel(c->rules.net, &c->silence);
        full = (size_t)n == room;
        work(c);
        /* A peer this fast: fewer and larger reads. */
        if (full && !c->paused && c->in.cap < READ_MAX) buf_grow(&c->in, c->in.cap - c->in.len + 1);
    } while (!c->over && conn_holds_more(c->conn));
    work(c);
}

void ws_conn_readable(void *ctx)
{
    struct ws_conn *c = ctx;

    if (!c->over) read_more(c);
    return_buffer(c);
    settle(c);
}

void ws_conn_resume(struct ws_conn *c)
{
    if (!c->paused) return;
    c->paused = false;
    work(c);
    if (!c->paused && !c->over) {
        conn_want_read(c->conn, true);
        if (conn_holds_more(c->conn)) read_more(c);
    }
    return_buffer(c);
    settle(c);
}

void ws_conn_failed(void *ctx, enum conn_failure failure, const char *text)
{
    static const enum ws_reason why[] = {
        [CONN_DNS] = WS_BY_DNS, [CONN_TCP] = WS_BY_TCP,         [CONN_PROXY] = WS_BY_PROXY,
        [CONN_TLS] = WS_BY_TLS, [CONN_TIMEOUT] = WS_BY_TIMEOUT,
    };
    struct ws_conn *c = ctx;

    ws_end_now(c, c->stood ? WS_BY_BREAK : why[failure], text);
    settle(c);
}

void ws_conn_drained(void *ctx)
{
    struct ws_conn *c = ctx;

    if (c->state == OPEN && c->ops->drained) c->ops->drained(c->ctx);
}

/* ---- life ---- */

void ws_conn_begin(struct ws_conn *c, const struct ws_side *side, const struct ws_rules *rules,
                   const struct ws_conn_ops *ops, void *ctx)
{
    c->side = side;
    c->rules = *rules;
    c->ops = ops;
    c->ctx = ctx;
}

void ws_conn_opened(struct ws_conn *c)
{
    net_timer_cancel(c->rules.net, &c->timer);
    c->state = OPEN;
    c->stood = true;
    ws_metrics_opened(c->rules.metrics);
    start_beats(c);
    c->ops->opened(c->ctx);
}

static void give_up_waiting(void *ctx)
{
    struct ws_conn *c = ctx;

    if (c->state == HANDSHAKE) ws_set_end(c, WS_BY_TIMEOUT, c->side->late_handshake);
    c->over = true;
    conn_want_read(c->conn, false);
    settle(c);
}

void ws_conn_abort(struct ws_conn *c)
{
    ws_set_end(c, WS_BY_US, "");
    c->over = true;
    report_end(c);
}

void ws_conn_close(struct ws_conn *c, enum ws_status status)
{
    if (c->state == CLOSING || c->over) return;
    if (c->state == DISCARDING) { /* there is nothing left to wait for */
        ws_conn_limit(c, 0);
        return;
    }
    if (c->state != OPEN) {
        ws_conn_abort(c);
        return;
    }
    ws_send_close(c, (uint16_t)status, STR(""));
    if (!c->end.what) c->end.status = (uint16_t)status;
    ws_set_end(c, WS_BY_US, "");
    c->state = CLOSING;
    ws_conn_limit(c, c->rules.close_timeout_ns);
}

bool ws_conn_is_open(const struct ws_conn *c)
{
    return c->state == OPEN && !c->over;
}

size_t ws_conn_deflate_max(const struct ws_conn *c)
{
    uint8_t bits = c->agreed.own_bits;

    if (!c->agreed.deflate) return 0;
    return bits > 0 && bits < 15 ? (size_t)1 << bits : SIZE_MAX;
}

struct str ws_conn_subprotocol(const struct ws_conn *c)
{
    return c->state == OPEN || c->state == CLOSING ? buf_view(&c->protocol) : STR("");
}

const char *ws_conn_peer(const struct ws_conn *c)
{
    return conn_peer(c->conn);
}
