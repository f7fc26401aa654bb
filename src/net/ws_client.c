/*
 * A WebSocket connection to a server.
 *
 * Threads: all of it belongs to the loop's thread.
 */
#include "net/ws_client.h"

#include <openssl/rand.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/utf8.h"
#include "net/conn.h"
#include "net/ws_handshake.h"
#include "net/ws_inflate.h"

enum {
    READ_MIN = 16 * 1024,         /* room there must be to read */
    READ_FIRST = 64 * 1024,       /* of the buffer at first */
    READ_MAX = 256 * 1024,        /* and when the server is fast */
    READ_AHEAD = 1024 * 1024,     /* while messages cannot be taken: pings are looked for in it */
    WHOLE_MAX = 32 * 1024,        /* frames up to here are waited for in the buffer */
    KEEP_MAX = 1024 * 1024,       /* of the memory for joined messages, between messages */
    UNSENT_PONGS_MAX = 64 * 1024, /* a server that does not read its pongs gets no more */
    RATIO_FROM = 64 * 1024,       /* inflated messages up to here may have any ratio */
    BODY_SHOWN = 200,             /* bytes of a refusal's body */
};
static const int64_t body_wait_ns = 1000000000;

enum state {
    CONNECTING,
    HANDSHAKE, /* the request is out */
    REFUSED,   /* the answer is not 101: its body is read */
    OPEN,
    CLOSING,    /* our close frame is out, messages may still come */
    DISCARDING, /* the end is known: waiting for the server to hang up */
};

struct ws_client {
    struct ws_client_config     config;
    const struct ws_client_ops *ops;
    void                       *ctx;
    struct conn                *conn;
    struct net_timer            timer;
    enum state                  state;
    struct buf                  headers;
    char                        key[WS_KEY_SIZE];
    int64_t                     due_ns; /* of the handshake */
    struct ws_agreement         agreed;
    struct buf                  protocol; /* chosen by the server; of a refusal its Location */

    struct net_timer beat, idle;
    bool             heard;      /* something came since the last ping */
    int64_t          message_ns; /* when the last message came */

    struct buf in;    /* bytes read */
    size_t     at;    /* of in: first byte not worked on */
    size_t     ahead; /* of in: pings before here have been answered; may lie behind its end */

    struct ws_frame frame;      /* being read in pieces */
    uint64_t        left;       /* of its payload */
    struct buf      message;    /* joined from frames */
    uint8_t         opcode;     /* of that message */
    bool            in_message; /* its last frame has not begun or not ended */
    bool            whole;      /* it is complete but not taken */
    bool            compressed; /* it is to be inflated */

    struct ws_inflate inflate;
    struct buf        inflated;

    bool          paused; /* the owner does not take messages */
    bool          over;   /* no more bytes will come */
    struct ws_end end;
    struct buf    end_text;
    struct buf    out; /* one frame */
};

/* ---- the end ---- */

static void set_end(struct ws_client *c, enum ws_end_kind kind, const char *what, const char *text)
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

/* ---- sending ---- */

static void send_frame(struct ws_client *c, uint8_t opcode, struct str payload)
{
    uint8_t mask[4];

    RAND_bytes(mask, sizeof(mask));
    buf_clear(&c->out);
    ws_frame_write(&c->out, opcode, true, false, mask, payload);
    conn_send(c->conn, buf_view(&c->out));
}

static void send_close(struct ws_client *c, uint16_t status, struct str reason)
{
    char   payload[WS_CONTROL_MAX] = {(char)(status >> 8), (char)(status & 0xff)};
    size_t n = utf8_floor(reason, sizeof(payload) - 2);

    memcpy(payload + 2, reason.data, n);
    send_frame(c, WS_CLOSE, (struct str){payload, status == WS_NO_STATUS ? 0 : n + 2});
}

static void give_up_waiting(void *ctx);

static void start_timer(struct ws_client *c, int64_t after_ns)
{
    net_timer_set(c->config.net, &c->timer, after_ns, give_up_waiting, c);
}

/* Our last word is out; the server is given time to read it before the socket goes. */
static void discard_rest(struct ws_client *c)
{
    c->state = DISCARDING;
    conn_finish(c->conn);
    conn_want_read(c->conn, true);
    start_timer(c, c->config.close_timeout_ns);
}

/* RFC 6455, section 7.1.7: Fail the WebSocket Connection. */
static bool break_protocol(struct ws_client *c, uint16_t status, const char *problem)
{
    set_end(c, WS_END_PROTOCOL, "protocol", problem);
    if (c->state == OPEN) send_close(c, status, str_of(problem));
    discard_rest(c);
    return false;
}

bool ws_client_send(struct ws_client *c, enum ws_opcode opcode, struct str bytes)
{
    if (c->state != OPEN || c->over) return false;
    send_frame(c, (uint8_t)opcode, bytes);
    return true;
}

size_t ws_client_unsent(const struct ws_client *c)
{
    return conn_unsent(c->conn);
}

static void pong(struct ws_client *c, struct str payload)
{
    if (c->state == OPEN && conn_unsent(c->conn) < UNSENT_PONGS_MAX)
        send_frame(c, WS_PONG, payload);
}

/* ---- frames ---- */

static struct str rest_of_input(const struct ws_client *c, size_t from)
{
    return str_from(buf_view(&c->in), from);
}

/* Hands a message over. False: the owner does not take it now, or the connection failed. */
static bool give(struct ws_client *c, uint8_t opcode, struct str message)
{
    if (opcode == WS_TEXT && !utf8_valid(message))
        return break_protocol(c, WS_INVALID_PAYLOAD, "text that is not UTF-8");
    if (c->config.pong_message.data && str_eq(message, c->config.pong_message)) return true;
    if (c->config.idle_timeout_ns) c->message_ns = clock_monotonic_ns();
    c->paused = !c->ops->message(c->ctx, (enum ws_opcode)opcode, message);
    return !c->paused;
}

static bool give_inflated(struct ws_client *c, uint8_t opcode, struct str message)
{
    size_t max = RATIO_FROM;

    if (c->inflated.len > 0) { /* it has been inflated already, but was not taken */
        if (!give(c, opcode, buf_view(&c->inflated))) return false;
    } else {
        if (message.len < SIZE_MAX / c->config.max_ratio && message.len * c->config.max_ratio > max)
            max = message.len * c->config.max_ratio;
        if (max > c->config.max_message) max = c->config.max_message;
        switch (ws_inflate(&c->inflate, message, c->agreed.server_context, max, &c->inflated)) {
        case WS_INFLATE_TOO_BIG:
            return break_protocol(c, WS_TOO_BIG, "message too big when decompressed");
        case WS_INFLATE_CORRUPT:
            return break_protocol(c, WS_INVALID_PAYLOAD, "compressed message that is corrupt");
        case WS_INFLATED:
            break;
        }
        if (!give(c, opcode, buf_view(&c->inflated))) return false;
    }
    buf_clear(&c->inflated);
    if (c->inflated.cap > KEEP_MAX) buf_release(&c->inflated);
    return true;
}

static bool give_any(struct ws_client *c, uint8_t opcode, bool compressed, struct str message)
{
    return compressed ? give_inflated(c, opcode, message) : give(c, opcode, message);
}

static bool give_joined(struct ws_client *c)
{
    if (!give_any(c, c->opcode, c->compressed, buf_view(&c->message))) return false;
    c->whole = false;
    buf_clear(&c->message);
    if (c->message.cap > KEEP_MAX) buf_release(&c->message);
    return true;
}

/* More of a frame that is read in pieces. */
static bool take_piece(struct ws_client *c)
{
    struct str piece = rest_of_input(c, c->at);

    if (piece.len == 0) return false;
    if (piece.len > c->left) piece.len = c->left;
    buf_str(&c->message, piece);
    c->at += piece.len;
    c->left -= piece.len;
    if (c->left == 0 && c->frame.final) c->in_message = false, c->whole = true;
    return true;
}

static bool begin_piece(struct ws_client *c, const struct ws_frame *f)
{
    if (!c->in_message) c->opcode = f->opcode, c->compressed = f->compressed;
    c->in_message = true;
    c->frame = *f;
    c->left = f->length;
    c->at += f->header;
    if (c->left == 0 && f->final) c->in_message = false, c->whole = true;
    return true;
}

static bool closed_by_server(struct ws_client *c, struct str payload)
{
    uint16_t status = WS_NO_STATUS;

    if (payload.len == 1) return break_protocol(c, WS_PROTOCOL_ERROR, "close frame of one byte");
    if (payload.len >= 2) {
        status = (uint16_t)((uint8_t)payload.data[0] << 8 | (uint8_t)payload.data[1]);
        payload = str_from(payload, 2);
        if (!ws_status_valid(status))
            return break_protocol(c, WS_PROTOCOL_ERROR, "close frame with an invalid status");
        if (!utf8_valid(payload))
            return break_protocol(c, WS_INVALID_PAYLOAD, "close reason that is not UTF-8");
    }
    if (c->state == CLOSING) {
        c->over = true;
        return false;
    }
    c->end.status = status;
    set_end(c, WS_END_CLOSED, "close", "");
    buf_str(&c->end_text, payload);
    send_close(c, status, STR(""));
    discard_rest(c);
    return false;
}

/* A control frame that is there whole, at c->at. */
static bool control(struct ws_client *c, const struct ws_frame *f)
{
    struct str payload = {c->in.data + c->at + f->header, f->length};
    bool       answered = c->at < c->ahead;

    c->at += f->header + f->length;
    if (f->opcode == WS_CLOSE) return closed_by_server(c, payload);
    if (f->opcode == WS_PING && !answered) pong(c, payload);
    return true;
}

/* What RFC 6455 demands of a frame at this place; NULL when all is well. */
static const char *misplaced(const struct ws_client *c, const struct ws_frame *f)
{
    if (f->masked) return "masked frame from a server";
    if (f->compressed && (!c->agreed.deflate || f->opcode == WS_CONTINUATION))
        return "reserved bit set";
    if (ws_is_control(f->opcode)) return NULL;
    if (f->opcode == WS_CONTINUATION && !c->in_message) return "continuation of nothing";
    if (f->opcode != WS_CONTINUATION && c->in_message) return "message within a message";
    return NULL;
}

/* Works on what comes next. False: nothing more can be done now. */
static bool step(struct ws_client *c)
{
    struct ws_frame f;
    const char     *problem;

    if (c->whole) return give_joined(c);
    if (c->left > 0) return take_piece(c);

    struct str bytes = rest_of_input(c, c->at);
    int        n = ws_frame_read(bytes, &f, &problem);
    if (n == 0) return false;
    if (n > 0) problem = misplaced(c, &f);
    if (problem) return break_protocol(c, WS_PROTOCOL_ERROR, problem);

    bool here = bytes.len - f.header >= f.length;
    if (ws_is_control(f.opcode)) return here && control(c, &f);
    if (f.length > c->config.max_message - c->message.len)
        return break_protocol(c, WS_TOO_BIG, "message too big");
    if (here && f.final && !c->in_message) { /* by far the most frequent case: nothing is copied */
        struct str message = {bytes.data + f.header, f.length};
        if (!give_any(c, f.opcode, f.compressed, message)) return false;
        c->at += f.header + f.length;
        return true;
    }
    if (!here && f.length <= WHOLE_MAX) return false;
    return begin_piece(c, &f);
}

/* While messages cannot be taken: answers the pings among what has been read. */
static void answer_ahead(struct ws_client *c)
{
    struct ws_frame f;
    const char     *problem;
    size_t          from = c->at + c->left;

    if (c->ahead < from) c->ahead = from;
    while (c->ahead < c->in.len) {
        struct str bytes = rest_of_input(c, c->ahead);
        if (ws_frame_read(bytes, &f, &problem) != 1) return;
        if (ws_is_control(f.opcode) && bytes.len - f.header < f.length) return;
        if (f.opcode == WS_PING) pong(c, (struct str){bytes.data + f.header, f.length});
        if (f.length > SIZE_MAX / 2) return;
        c->ahead += f.header + f.length;
    }
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
    set_end(c, kind, what, text);
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
        set_end(c, WS_END_REFUSED, "HTTP", "");
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

static void on_beat(void *ctx);

static void lost(struct ws_client *c, const char *text)
{
    set_end(c, WS_END_BROKEN, "time-out", text);
    send_close(c, WS_GOING_AWAY, STR(""));
    c->over = true;
    settle(c);
}

static void on_silence(void *ctx)
{
    struct ws_client *c = ctx;

    if (c->state != OPEN) return;
    if (c->heard || c->paused)
        net_timer_set(c->config.net, &c->beat, c->config.ping_interval_ns, on_beat, c);
    else
        lost(c, "no answer to a ping");
}

static void on_beat(void *ctx)
{
    struct ws_client *c = ctx;

    if (c->state != OPEN) return;
    if (c->paused) { /* what the server answers would not be read */
        net_timer_set(c->config.net, &c->beat, c->config.ping_interval_ns, on_beat, c);
        return;
    }
    c->heard = false;
    if (c->config.ping_message.data)
        send_frame(c, WS_TEXT, c->config.ping_message);
    else
        send_frame(c, WS_PING, STR(""));
    net_timer_set(c->config.net, &c->beat, c->config.ping_timeout_ns, on_silence, c);
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

static void stream_broke(struct ws_client *c, ssize_t result)
{
    c->over = true;
    if (c->state == CLOSING || c->state == REFUSED) return;
    const char *text = result == CONN_END ? "the server closed the connection without a close frame"
                                          : conn_problem(c->conn);
    if (c->state == HANDSHAKE && result == CONN_END)
        text = "the server closed the connection without an answer";
    set_end(c, WS_END_BROKEN, c->state == HANDSHAKE ? "HTTP" : "connection", text);
}

/* Does with the bytes read what the state asks for. */
static void work(struct ws_client *c)
{
    if (c->state == HANDSHAKE) read_answer(c);
    if (c->state == REFUSED) read_refusal(c);
    while ((c->state == OPEN || c->state == CLOSING) && !c->paused && step(c))
        ;
    if (c->paused && c->state == OPEN) answer_ahead(c);
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
        struct str body = rest_of_input(c, c->at);
        if (body.len > BODY_SHOWN) body.len = BODY_SHOWN;
        buf_str(&c->end_text, body);
        if (c->protocol.len) c->end.location = buf_view(&c->protocol);
    }
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
        set_end(c, WS_END_CONNECT, "time-out", "no answer to the WebSocket handshake");
    c->over = true;
    conn_want_read(c->conn, false);
    settle(c);
}

void ws_client_close(struct ws_client *c, enum ws_status status)
{
    if (c->state == CLOSING || c->over) return;
    if (c->state != OPEN) {
        set_end(c, WS_END_STOPPED, "stop", "");
        c->over = true;
        report_end(c);
        return;
    }
    send_close(c, (uint16_t)status, STR(""));
    set_end(c, WS_END_STOPPED, "stop", "");
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
        .timeout_ns = config->connect_timeout_ns,
    };
    c->conn = conn_open(&target, &conn_ops, c);
    return c;
}
