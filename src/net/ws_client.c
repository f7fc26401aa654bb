/*
 * The client's side of a WebSocket connection: connects and shakes hands.
 *
 * Threads: all of it belongs to the loop's thread.
 */
#include "net/ws_client.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "net/ws_conn_parts.h"

enum { BODY_SHOWN = 200 }; /* bytes of a refusal's body */
static const int64_t body_wait_ns = 1000000000;

struct ws_client {
    struct ws_conn          ws;
    struct ws_client_config config;
    struct buf              headers;
    char                    key[WS_KEY_SIZE];
    int64_t                 due_ns;   /* of the handshake */
    struct buf              location; /* of a refusal */
    size_t                  body;     /* of a refusal: bytes that are waited for */
    bool                    chunked;  /* is how it comes */
};

/* ---- the handshake ---- */

static struct ws_offer offer(const struct ws_client *c)
{
    return (struct ws_offer){
        .url = c->config.url,
        .headers = buf_view(&c->headers),
        .own_host = c->config.own_host,
        .protocols = c->config.subprotocols,
        .deflate = c->ws.rules.deflate,
    };
}

static void send_request(struct ws_client *c)
{
    const struct ws_offer o = offer(c);
    struct buf            out = {0};

    ws_request(&o, c->key, &out);
    ws_conn_write(&c->ws, buf_view(&out));
    OPENSSL_cleanse(out.data, out.len);
    buf_release(&out);
    c->ws.state = HANDSHAKE;
}

static void read_refusal(struct ws_client *c)
{
    if (c->ws.in.len - c->ws.at >= c->body) c->ws.over = true;
}

/* Of the body, what is shown; less when the answer says that it is shorter. */
static size_t wanted_of(const struct http_head *head)
{
    struct str length = http_field(head, "Content-Length");
    size_t     n = 0;

    for (size_t i = 0; i < length.len && n < BODY_SHOWN; i++) {
        if (length.data[i] < '0' || length.data[i] > '9') return BODY_SHOWN;
        n = 10 * n + (size_t)(length.data[i] - '0');
    }
    return length.len > 0 && n < BODY_SHOWN ? n : BODY_SHOWN;
}

/* The answer is not 101: waits a moment for its body, which may tell why. */
static void refused(struct ws_client *c, const struct http_head *head)
{
    if (head->status >= 300 && head->status < 400)
        buf_str(&c->location, http_field(head, "Location"));
    ws_set_end(&c->ws, WS_BY_REFUSAL, "");
    c->ws.state = REFUSED;
    c->body = wanted_of(head);
    c->chunked = http_has_token(head, "Transfer-Encoding", "chunked");
    ws_conn_limit(&c->ws, body_wait_ns);
    read_refusal(c);
}

static void read_answer(struct ws_client *c)
{
    struct ws_conn  *ws = &c->ws;
    struct http_head head;
    int              n = http_head_read(buf_view(&ws->in), &head);

    if (n == 0) return;
    if (n < 0) {
        ws_end_now(ws, WS_BY_PROTOCOL, "the answer is not HTTP");
        return;
    }
    ws->at = head.size;
    ws->end.http_status = head.status;
    if (head.status != 101) {
        refused(c, &head);
        return;
    }
    const struct ws_offer o = offer(c);
    const char           *problem = ws_check_answer(&o, c->key, &head, &ws->agreed);
    if (problem) {
        ws_end_now(ws, WS_BY_PROTOCOL, problem);
        return;
    }
    buf_str(&ws->protocol, ws->agreed.protocol);
    ws_conn_opened(ws);
}

static void shake_hands(struct ws_conn *ws)
{
    if (ws->state == HANDSHAKE)
        read_answer((struct ws_client *)ws);
    else
        read_refusal((struct ws_client *)ws);
}

/* RFC 9112, section 7.1, as far as the body came: each part has its length in a line before it. */
static void put_chunks(struct str body, struct buf *out)
{
    size_t n = 1;

    while (n > 0 && body.len > 0 && out->len < BODY_SHOWN) {
        struct str line = http_take(&body, '\n');
        char       digits[8] = "";
        memcpy(digits, line.data, line.len < 7 ? line.len : 7);
        n = strtoul(digits, NULL, 16);
        buf_str(out, (struct str){body.data, n < body.len ? n : body.len});
        body = str_from(body, n + 2);
    }
    if (out->len > BODY_SHOWN) out->len = BODY_SHOWN;
}

/* ---- life ---- */

static void complete_end(struct ws_conn *ws)
{
    struct ws_client *c = (struct ws_client *)ws;
    struct str        body = str_from(buf_view(&ws->in), ws->at);

    if (ws->state != REFUSED) return;
    if (c->chunked)
        put_chunks(body, &ws->end_text);
    else
        buf_str(&ws->end_text,
                (struct str){body.data, body.len < BODY_SHOWN ? body.len : BODY_SHOWN});
    if (c->location.len) ws->end.location = buf_view(&c->location);
}

static void release(struct ws_conn *ws)
{
    struct ws_client *c = (struct ws_client *)ws;

    buf_release(&c->headers);
    buf_release(&c->location);
}

static void on_opened(void *ctx)
{
    struct ws_client *c = ctx;
    int64_t           left = c->due_ns - clock_monotonic_ns();

    send_request(c);
    if (c->config.connect_timeout_ns) ws_conn_limit(&c->ws, left > 0 ? left : 0);
}

struct ws_conn *ws_client_open(const struct ws_client_config *config, const struct ws_conn_ops *ops,
                               void *ctx)
{
    static const struct conn_ops conn_ops = {on_opened, ws_conn_readable, ws_conn_failed,
                                             ws_conn_drained};
    static const struct ws_side  side = {
         .masks = true,
         .shake_hands = shake_hands,
         .end = complete_end,
         .release = release,
         .no_handshake = "the server closed the connection without an answer",
         .no_close = "the server closed the connection without a close frame",
         .late_handshake = "no answer to the WebSocket handshake",
         .wrong_mask = "masked frame from a server",
    };
    struct ws_client *c = xcalloc(1, sizeof(*c));

    ws_conn_begin(&c->ws, &side, &config->rules, ops, ctx);
    c->config = *config;
    c->due_ns = clock_monotonic_ns() + config->connect_timeout_ns;
    buf_str(&c->headers, config->headers);

    const struct conn_target target = {
        .net = config->rules.net,
        .host = config->url->host.data,
        .port = config->url->port,
        .tls = config->url->tls ? config->tls : NULL,
        .tls_options = config->tls_options,
        .proxy = config->proxy,
        .proxy_tls = config->tls,
        .timeout_ns = config->connect_timeout_ns,
        .tls_timeout_ns = config->tls_timeout_ns,
    };
    c->ws.conn = conn_open(&target, &conn_ops, c);
    return &c->ws;
}
