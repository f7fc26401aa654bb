/*
 * A WebSocket connection to a server.
 *
 * Threads: all of it belongs to the loop's thread.
 */
#include "net/ws_client.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/utf8.h"
#include "net/conn.h"
#include "net/http_head.h"

enum {
    READ_MIN = 16 * 1024,         /* room there must be to read */
    READ_FIRST = 64 * 1024,       /* of the buffer at first */
    READ_MAX = 256 * 1024,        /* and when the server is fast */
    READ_AHEAD = 1024 * 1024,     /* while messages cannot be taken: pings are looked for in it */
    WHOLE_MAX = 32 * 1024,        /* frames up to here are waited for in the buffer */
    KEEP_MAX = 1024 * 1024,       /* of the memory for joined messages, between messages */
    UNSENT_PONGS_MAX = 64 * 1024, /* a server that does not read its pongs gets no more */
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
    char                        key[25];
    int64_t                     due_ns; /* of the handshake */

    struct buf in;    /* bytes read */
    size_t     at;    /* of in: first byte not worked on */
    size_t     ahead; /* of in: pings before here have been answered; may lie behind its end */

    struct ws_frame frame;      /* being read in pieces */
    uint64_t        left;       /* of its payload */
    struct buf      message;    /* joined from frames */
    uint8_t         opcode;     /* of that message */
    bool            in_message; /* its last frame has not begun or not ended */
    bool            whole;      /* it is complete but not taken */

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
    conn_close(c->conn);
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
    c->paused = !c->ops->message(c->ctx, (enum ws_opcode)opcode, message);
    return !c->paused;
}

static bool give_joined(struct ws_client *c)
{
    if (!give(c, c->opcode, buf_view(&c->message))) return false;
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
    if (!c->in_message) c->opcode = f->opcode;
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
    if (f->compressed) return "reserved bit set";
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
        if (!give(c, f.opcode, (struct str){bytes.data + f.header, f.length})) return false;
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

/* ---- the handshake ---- */

static void send_request(struct ws_client *c)
{
    const struct url *u = c->config.url;
    unsigned char     nonce[16];
    struct buf        out = {0};

    RAND_bytes(nonce, sizeof(nonce));
    EVP_EncodeBlock((unsigned char *)c->key, nonce, sizeof(nonce));
    buf_printf(&out, "GET %.*s HTTP/1.1\r\nHost: ", STR_ARG(u->target));
    url_authority(u, &out);
    buf_printf(&out,
               "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: %s\r\n",
               c->key);
    buf_str(&out, buf_view(&c->headers));
    buf_str(&out, STR("\r\n"));
    conn_send(c->conn, buf_view(&out));
    OPENSSL_cleanse(out.data, out.len);
    buf_release(&out);
    c->state = HANDSHAKE;
}

/* Section 4.1, the client's checks. NULL when all is well. */
static const char *check_answer(const struct ws_client *c, const struct http_head *h)
{
    char accept[29];

    ws_accept(str_of(c->key), accept);
    if (!http_has_token(h, "Upgrade", "websocket")) return "answer without Upgrade: websocket";
    if (!http_has_token(h, "Connection", "upgrade")) return "answer without Connection: Upgrade";
    if (!str_eq(http_field(h, "Sec-WebSocket-Accept"), str_of(accept)))
        return "answer with a wrong Sec-WebSocket-Accept";
    if (http_field(h, "Sec-WebSocket-Extensions").len > 0)
        return "answer with an extension that was not asked for";
    if (http_field(h, "Sec-WebSocket-Protocol").len > 0)
        return "answer with a subprotocol that was not asked for";
    return NULL;
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
        set_end(c, WS_END_REFUSED, "HTTP", "");
        c->state = REFUSED;
        start_timer(c, body_wait_ns);
        read_refusal(c);
        return;
    }
    const char *problem = check_answer(c, &head);
    if (problem) {
        end_now(c, WS_END_PROTOCOL, "protocol", problem);
        return;
    }
    net_timer_cancel(c->config.net, &c->timer);
    c->state = OPEN;
    c->ops->opened(c->ctx);
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
