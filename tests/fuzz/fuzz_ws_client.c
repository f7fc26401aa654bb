/*
 * A scripted peer of a WebSocket client that keeps coming back: any bytes as the answers to its
 * handshakes (refusals, redirects, extensions) and as frames; or as a client's frames to the
 * server's side.
 *
 * In cuts of any size, with messages that are not taken at first, the same bytes must give the same
 * messages and ends. Frames that are sent are whole and masked, text is UTF-8, and no other server
 * than the one in the settings gets a password.
 *
 * The transport (net/conn.h), the loop (net/loop.h) and chance (base/random.h) are played here.
 *
 * Input: a byte of switches, a byte that the cuts are made from, then the peer's bytes; "|next|"
 * ends a connection and begins the next.
 */
#include <stdlib.h>
#include <string.h>

#include "base/fatal.h"
#include "base/log.h"
#include "base/random.h"
#include "base/utf8.h"
#include "net/ws_conn_parts.h"
#include "net/ws_dial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    DEFLATE = 1,     /* is offered */
    HONEST = 2,      /* the peer shakes hands by itself; the bytes are frames */
    SERVER_SIDE = 4, /* the bytes are those of a client that was let in */
    SMALL = 8,       /* messages of 1000 bytes at most */
    PONG_TEXT = 16,  /* the message "pong" is swallowed */
    PROTOCOLS = 32,  /* a and b are offered */
    CONNECTIONS_MAX = 4,
    SENT_MAX = 1024 * 1024,
};

/* ---- one run over the input ---- */

static struct run {
    uint8_t      switches, cuts; /* cuts 0: none, and every message is taken at once */
    uint32_t     dice;
    struct str   script;   /* what has not begun */
    struct str   now;      /* of this connection */
    struct buf   answer;   /* comes before it */
    size_t       answered; /* of that */
    struct buf   log;      /* messages and ends */
    struct buf   sent;     /* by our side on this connection */
    struct conn *conn;     /* NULL: none stands */
    int          count;    /* of connections */
    bool         accepted; /* they are of a server's side */
} run;

static uint32_t roll(uint32_t below)
{
    run.dice = run.dice * 1664525 + 1013904223;
    return (run.dice >> 16) % below;
}

static void note(struct run *r, char kind, int64_t number, struct str text)
{
    buf_char(&r->log, kind);
    buf_printf(&r->log, " %lld %zu ", (long long)number, text.len);
    buf_str(&r->log, text);
}

/* ---- the loop: nothing happens by itself ---- */

void net_timer_set(struct net *n, struct net_timer *t, int64_t after_ns, void (*fn)(void *ctx),
                   void *ctx)
{
    (void)n, (void)after_ns;
    *t = (struct net_timer){.fn = fn, .ctx = ctx, .armed = true};
}

void net_timer_cancel(struct net *n, struct net_timer *t)
{
    (void)n;
    t->armed = false;
}

void net_lend_buffer(struct net *n, struct buf *b)
{
    (void)n;
    *b = (struct buf){0};
}

void net_take_buffer_back(struct net *n, struct buf *b)
{
    (void)n;
    buf_release(b);
}

void net_post(struct net *n, void (*fn)(void *ctx), void *ctx)
{
    (void)n, (void)fn, (void)ctx;
    abort();
}

/* The key of each handshake is the same, so that a script can hold the right answer. */
void random_bytes(void *to, size_t len)
{
    memset(to, 'k', len);
}

/* ---- the transport ---- */

struct conn {
    struct conn_target     target;
    const struct conn_ops *ops;
    void                  *ctx;
    bool                   wanted, finished, honest;
};

static struct conn *conn_new(const struct conn_ops *ops, void *ctx)
{
    struct conn *c = xcalloc(1, sizeof(*c));

    if (run.conn) abort(); /* one at a time */
    c->ops = ops;
    c->ctx = ctx;
    c->wanted = true;
    run.conn = c;
    run.count++;
    buf_clear(&run.sent);
    buf_clear(&run.answer);
    run.answered = 0;
    ptrdiff_t end = str_find(run.script, STR("|next|"));
    run.now = run.script;
    if (end >= 0) run.now.len = (size_t)end;
    run.script = end >= 0 ? str_from(run.script, (size_t)end + 6) : STR("");
    return c;
}

struct conn *conn_open(const struct conn_target *target, const struct conn_ops *ops, void *ctx)
{
    struct conn *c = conn_new(ops, ctx);

    c->target = *target;
    return c;
}

void conn_close(struct conn *c)
{
    if (!c) return;
    run.conn = NULL;
    free(c);
}

static struct str waiting(void)
{
    bool answers = run.answered < run.answer.len;

    return answers ? str_from(buf_view(&run.answer), run.answered) : run.now;
}

ssize_t conn_read(struct conn *c, char *into, size_t size)
{
    struct str left = waiting();
    size_t     n = run.cuts ? 1 + roll(roll(2) ? 8 : (uint32_t)size) : size;

    if (left.len == 0) return CONN_END;
    if (run.cuts && roll(4) == 0 && c->wanted) return CONN_AGAIN;
    n = n > size ? size : n > left.len ? left.len : n;
    memcpy(into, left.data, n);
    if (run.answered < run.answer.len)
        run.answered += n;
    else
        run.now = str_from(run.now, n);
    return (ssize_t)n;
}

bool conn_holds_more(const struct conn *c)
{
    (void)c;
    return run.cuts % 2 && waiting().len > 0;
}

const char *conn_problem(const struct conn *c)
{
    (void)c;
    return "it ended";
}

/* What the peer says to a request when it is honest. */
static void answer_well(void)
{
    struct str key =
        str_from(buf_view(&run.sent),
                 (size_t)str_find(buf_view(&run.sent), STR("Sec-WebSocket-Key: ")) + 19);
    char accept[29];

    key.len = 24;
    ws_accept(key, accept);
    buf_printf(&run.answer,
               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "%sSec-WebSocket-Accept: %s\r\n\r\n",
               run.switches & DEFLATE ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "",
               accept);
}

/* A request's password is only for the server that the settings name. */
static void look_at_request(const struct conn *c)
{
    struct str request = buf_view(&run.sent);
    bool       ours = strcmp(c->target.host, "home.example") == 0 && c->target.port == 80;

    if (!str_starts(request, STR("GET /"))) abort();
    if (str_find(request, STR("\r\n\r\n")) != (ptrdiff_t)request.len - 4) abort();
    if ((str_find(request, STR("Authorization: Basic")) >= 0) != ours) abort();
}

static void look_at_frames(void)
{
    struct str      rest = buf_view(&run.sent);
    struct ws_frame f;
    const char     *problem;

    while (rest.len > 0) {
        if (ws_frame_read(rest, &f, &problem) != 1 || f.length > rest.len - f.header) abort();
        if (f.masked == run.accepted) abort();
        rest = str_from(rest, f.header + f.length);
    }
    buf_clear(&run.sent);
}

void conn_send(struct conn *c, struct str bytes)
{
    if (c->finished) abort();
    buf_str(&run.sent, bytes);
    if (run.sent.len > SENT_MAX) abort();
    if (!run.accepted && !c->honest) { /* the first that is sent is the request */
        look_at_request(c);
        c->honest = true;
        if (run.switches & HONEST) answer_well();
        buf_clear(&run.sent);
    } else {
        look_at_frames();
    }
}

size_t conn_sent(const struct conn *c)
{
    (void)c;
    return 0;
}

size_t conn_unsent(const struct conn *c)
{
    (void)c;
    return 0;
}

void conn_finish(struct conn *c)
{
    c->finished = true;
}

void conn_want_read(struct conn *c, bool wanted)
{
    c->wanted = wanted;
}

const char *conn_peer(const struct conn *c)
{
    (void)c;
    return "192.0.2.1:80";
}

/* ---- the owner of the connections ---- */

static bool on_message(void *ctx, enum ws_opcode opcode, struct str bytes)
{
    struct run *r = ctx;

    if (opcode == WS_TEXT && !utf8_valid(bytes)) abort();
    if (r->switches & SMALL && bytes.len > 1000) abort();
    if (r->cuts && roll(3) == 0) return false;
    note(r, 'm', opcode, bytes);
    return true;
}

static void on_opened(void *ctx)
{
    note(ctx, 'o', 0, STR(""));
}

static void on_dial_ended(void *ctx, const struct ws_conn *last)
{
    (void)last;
    note(ctx, 'd', 0, STR(""));
}

static void on_ended(void *ctx, const struct ws_end *end)
{
    if (end->text.len > 0 && !end->text.data) abort();
    note(ctx, 'e', end->kind * 100000 + end->status, end->text);
}

/* Everything that the script has for the connection, and its end. */
static void play_connection(void)
{
    struct conn    *c = run.conn;
    struct ws_conn *ws = c->ctx;

    if (!run.accepted) c->ops->opened(c->ctx);
    while (run.conn == c) {
        if (ws->paused)
            ws_conn_resume(ws);
        else if (c->wanted)
            c->ops->readable(c->ctx);
        else
            abort(); /* it would wait for ever */
    }
}

static void play_client(struct arena *a)
{
    static const struct ws_dial_ops ops = {
        .opened = on_opened, .message = on_message, .ended = on_dial_ended};
    static const struct ws_dial_settings dial = {
        .retry_initial = 1, .retry_max = 1, .retry_max_attempts = -1, .max_redirects = 2};
    struct url          home;
    const char         *problem;
    const struct proxy *none = NULL;
    struct ws_settings  settings = {
         .user = STR("user"),
         .password = {STR("secret")},
         .auth = WS_AUTH_BASIC,
         .targets = &home,
         .targets_len = 1,
         .proxies = &none,
         .tls = (SSL_CTX *)(uintptr_t)&ops, /* not used: the transport is played */
         .protocols = run.switches & PROTOCOLS ? STR("a, b") : STR(""),
         .compression = run.switches & DEFLATE,
         .compression_max_ratio = 100,
         .max_message_size = run.switches & SMALL ? 1000 : 256 * 1024,
         .pong_message = run.switches & PONG_TEXT ? STR("pong") : (struct str){0},
    };
    struct ws_dial d = {
        .settings = &dial, .client = &settings, .ops = &ops, .ctx = &run, .component = "fuzz"};

    url_parse(a, STR("ws://home.example/path"), &home, &problem);
    ws_dial_start(&d);
    while (run.conn) {
        play_connection();
        if (run.count == CONNECTIONS_MAX) break;
        if (!d.retry.armed) ws_dial_again(&d);
        d.retry.armed = false;
        if (run.script.len) d.retry.fn(d.retry.ctx);
    }
    ws_dial_release(&d);
}

static void shake_hands(struct ws_conn *c)
{
    c->agreed.deflate = c->agreed.peer_context = run.switches & DEFLATE;
    ws_conn_opened(c);
}

static void no_release(struct ws_conn *c)
{
    (void)c;
}

static void play_server(void)
{
    static const struct conn_ops    conn_ops = {.readable = ws_conn_readable,
                                                .failed = ws_conn_failed};
    static const struct ws_side     side = {.shake_hands = shake_hands,
                                            .release = no_release,
                                            .no_handshake = "",
                                            .no_close = "",
                                            .wrong_mask = "no mask"};
    static const struct ws_conn_ops ops = {on_opened, on_message, on_ended, NULL};
    const struct ws_rules           rules = {.read_ahead = 16 * 1024,
                                             .max_ratio = 100,
                                             .max_message = run.switches & SMALL ? 1000 : 256 * 1024};
    struct ws_conn                 *c = xcalloc(1, sizeof(*c));

    run.accepted = true;
    ws_conn_begin(c, &side, &rules, &ops, &run);
    c->state = HANDSHAKE;
    c->conn = conn_new(&conn_ops, c);
    play_connection();
}

static struct buf play(uint8_t switches, uint8_t cuts, struct str script)
{
    struct arena a = {0};

    run = (struct run){.switches = switches, .cuts = cuts, .dice = cuts, .script = script};
    if (switches & SERVER_SIDE)
        play_server();
    else
        play_client(&a);
    buf_release(&run.answer);
    buf_release(&run.sent);
    arena_release(&a);
    return run.log;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    log_set_level(NULL, LOG_FATAL);
    struct str script = {(const char *)data + 2, size - 2};
    struct buf once = play(data[0], 0, script);
    struct buf cut = play(data[0], data[1] | 128, script);
    if (!str_eq(buf_view(&once), buf_view(&cut))) abort();
    buf_release(&once);
    buf_release(&cut);
    return 0;
}
