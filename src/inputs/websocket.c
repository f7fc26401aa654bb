/*
 * websocket: messages of a WebSocket server, each through the codec.
 *
 * Source: logstash-input-websocket 4.0.5, lib/logstash/inputs/websocket.rb (options, back-off).
 * Threads: all of it runs on the event loop; wake() comes from workers and only posts to the loop.
 */
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/log.h"
#include "net/loop.h"
#include "net/ws_client.h"
#include "plugin/common.h"
#include "plugin/intake.h"
#include "plugin/plugin.h"

#define COMPONENT "input.websocket"

static const int64_t second_ns = 1000000000;
enum { MESSAGE_MAX = 32 * 1024 * 1024, CONNECT_S = 10, CLOSE_S = 5 };
/* No pause is longer, whatever the settings say: a day. */
static const double pause_max_s = 86400;

struct websocket {
    /* settings */
    int            mode;
    struct str     url;
    double         retry_initial, retry_max, retry_reset;
    struct strings debug_status;

    /* made from them by open() */
    struct str        id, pipeline_id;
    struct url        target;
    struct tls_client tls_options;
    SSL_CTX          *tls;
    struct buf        headers; /* of the request */
    uint32_t          quiet_len;
    int              *quiet; /* debug_status as numbers */

    /* while running */
    struct net       *net;
    struct intake    *to;
    struct stream    *stream;
    bool              lines; /* the codec cuts messages into lines; a message ends one, too */
    struct ws_client *client;
    struct net_timer  retry, tick;
    struct net_idle   idle;
    double            interval_s;   /* the next pause */
    uint64_t          taken;        /* messages of this connection */
    bool              disconnected; /* the end of a connection has not been dealt with */
    bool              stopping;
};

static const char *const modes[] = {"client", "server", NULL};
enum { MODE_CLIENT, MODE_SERVER };

static const struct option websocket_options[] = {
    OPT(struct websocket, OPT_STRINGS, debug_status,
        .doc = "HTTP statuses with which a server may refuse the connection as a matter of course, "
               "such as 404 while it has nothing to send: they are logged at level debug instead "
               "of warn. Numbers or strings. Empty when not given."),
    OPT(struct websocket, OPT_ENUM, mode, .preset = "client", .choices = modes,
        .doc = "With client, the default, lsc connects to the server that url names. The mode "
               "server is not built yet."),
    OPT(struct websocket, OPT_FLOAT, retry_initial, .preset = "1",
        .doc = "Seconds before the first attempt to connect again, 1 when not given. After an "
               "attempt or connection that brought no more than retry_reset messages the pause is "
               "doubled."),
    OPT(struct websocket, OPT_FLOAT, retry_max, .preset = "60",
        .doc = "The longest pause between two attempts to connect, in seconds; 60 when not given. "
               "Attempts go on for ever."),
    OPT(struct websocket, OPT_FLOAT, retry_reset, .preset = "1",
        .doc = "A connection that brought more messages than this, 1 when not given, sets the "
               "pause back to retry_initial. The pause that follows it is still the old one."),
    OPT(struct websocket, OPT_URI, url,
        .doc =
            "The server: ws://host:port/path, or wss:// for TLS, which is verified against the "
            "system's certificates. http:// and https:// mean the same as ws:// and wss://. User "
            "and password in the URL are sent as Basic authentication and never logged. Required "
            "in mode client."),
    OPT_END,
};

/* ---- before the start ---- */

static bool read_statuses(struct websocket *w, struct plugin_open *cx)
{
    bool good = true;

    w->quiet = arena_alloc(cx->arena, (w->debug_status.len + 1) * sizeof(*w->quiet));
    for (uint32_t i = 0; i < w->debug_status.len; i++) {
        int64_t status;
        if (option_int(w->debug_status.at[i], &status) && status >= 100 && status <= 999)
            w->quiet[w->quiet_len++] = (int)status;
        else
            good = plugin_error(cx, "debug_status", "\"%.*s\" is no HTTP status",
                                STR_ARG(w->debug_status.at[i]));
    }
    return good;
}

/* RFC 7617. */
static void add_basic_auth(struct buf *headers, struct str user, struct str password)
{
    struct buf plain = {0};

    buf_str(&plain, user);
    buf_char(&plain, ':');
    buf_str(&plain, password);
    buf_str(headers, STR("Authorization: Basic "));
    char *base64 = buf_room(headers, plain.len / 3 * 4 + 8);
    headers->len += (size_t)EVP_EncodeBlock((unsigned char *)base64, (unsigned char *)plain.data,
                                            (int)plain.len);
    buf_str(headers, STR("\r\n"));
    OPENSSL_cleanse(plain.data, plain.len);
    buf_release(&plain);
}

static bool read_url(struct websocket *w, struct plugin_open *cx)
{
    const char *problem;

    if (w->mode == MODE_SERVER) return plugin_error(cx, "mode", "the mode server is not built yet");
    if (!w->url.data) return plugin_error(cx, "url", "the setting \"url\" is required");
    if (!url_parse(cx->arena, w->url, &w->target, &problem))
        return plugin_error(cx, "url", "the URL %s", problem);
    if (w->target.scheme >= URL_SOCKS5)
        return plugin_error(cx, "url",
                            "the URL does not begin with ws://, wss://, http:// or "
                            "https://");
    if (w->target.has_userinfo) add_basic_auth(&w->headers, w->target.user, w->target.password);
    return true;
}

static bool open_tls(struct websocket *w, struct plugin_open *cx)
{
    struct buf problem = {0};

    if (!w->target.tls) return true;
    w->tls = tls_client_context(&w->tls_options, &problem);
    if (!w->tls) plugin_error(cx, "url", "TLS cannot be used: %s", buf_cstr(&problem));
    buf_release(&problem);
    return w->tls != NULL;
}

static bool check_retry(const struct websocket *w, struct plugin_open *cx)
{
    if (w->retry_initial < 0) return plugin_error(cx, "retry_initial", "a pause is not negative");
    if (w->retry_max < 0) return plugin_error(cx, "retry_max", "a pause is not negative");
    return true;
}

static void websocket_close(void *self)
{
    struct websocket *w = self;

    SSL_CTX_free(w->tls);
    buf_release(&w->headers);
}

static bool websocket_open(void *self, struct plugin_open *cx)
{
    struct websocket *w = self;

    w->id = cx->id;
    w->pipeline_id = cx->pipeline_id;
    bool good = read_statuses(w, cx);
    good = check_retry(w, cx) && good;
    good = read_url(w, cx) && open_tls(w, cx) && good;
    if (!good) websocket_close(w);
    return good;
}

/* ---- connections ---- */

static void connect_now(void *ctx);
static void go_on(struct websocket *w);
static void resume(void *ctx);

/* On the thread of a worker. */
static void wake(void *ctx)
{
    struct websocket *w = ctx;

    net_post(w->net, resume, w);
}

static void resume(void *ctx)
{
    struct websocket *w = ctx;

    if (w->client)
        ws_client_resume(w->client);
    else if (w->disconnected)
        go_on(w);
}

static void hand_over(void *ctx)
{
    struct websocket *w = ctx;

    intake_flush(w->to);
}

static void on_tick(void *ctx);

/* A codec that holds something back may want to be asked for it. */
static void schedule_tick(struct websocket *w)
{
    int64_t due = stream_deadline(w->stream);

    if (due == INT64_MAX || w->tick.armed) return;
    int64_t after = due - clock_monotonic_ns();
    net_timer_set(w->net, &w->tick, after > 0 ? after : 0, on_tick, w);
}

static void on_tick(void *ctx)
{
    struct websocket *w = ctx;

    if (intake_ready(w->to, wake, w)) {
        stream_tick(w->stream, NULL);
        net_idle_mark(w->net, &w->idle);
    }
    schedule_tick(w);
}

static bool on_message(void *ctx, enum ws_opcode opcode, struct str bytes)
{
    struct websocket *w = ctx;

    (void)opcode;
    if (!intake_ready(w->to, wake, w)) return false;
    stream_feed(w->stream, bytes, NULL);
    if (w->lines) stream_flush(w->stream, NULL);
    w->taken++;
    net_idle_mark(w->net, &w->idle);
    schedule_tick(w);
    return true;
}

static void on_opened(void *ctx)
{
    struct websocket *w = ctx;

    log_context(w->pipeline_id, w->id);
    log_info(COMPONENT, "connected", LOG_STR("url", w->target.masked),
             LOG_CSTR("remote", ws_client_peer(w->client)));
}

static bool expected_status(const struct websocket *w, int status)
{
    for (uint32_t i = 0; i < w->quiet_len; i++)
        if (w->quiet[i] == status) return true;
    return false;
}

static void log_end(const struct websocket *w, const struct ws_end *end)
{
    struct log_value url = LOG_STR("url", w->target.masked);
    struct log_value retry = LOG_FLOAT("retry", w->interval_s);
    enum log_level   level = LOG_WARN;

    log_context(w->pipeline_id, w->id);
    switch (end->kind) {
    case WS_END_STOPPED:
        return;
    case WS_END_REFUSED:
        if (expected_status(w, end->http_status)) level = LOG_DEBUG;
        LOG_AT(level, COMPONENT, "request failed", LOG_INT("status", end->http_status), url,
               LOG_STR("body", end->text), retry);
        return;
    case WS_END_CLOSED:
        LOG_AT(LOG_INFO, COMPONENT, "connection closed by the server", LOG_INT("code", end->status),
               LOG_STR("reason", end->text), url, retry);
        return;
    case WS_END_BROKEN:
    case WS_END_PROTOCOL:
    case WS_END_CONNECT:
        LOG_AT(level, COMPONENT,
               end->kind == WS_END_CONNECT ? "connection failed" : "connection lost",
               LOG_CSTR("failed", end->what), LOG_STR("exception", end->text), url, retry);
    }
}

/* The 4.0.5 rule: the pause that is due now is the old one, what the connection brought decides
   about the next. */
static double next_pause(struct websocket *w)
{
    double pause = w->interval_s < pause_max_s ? w->interval_s : pause_max_s;
    double doubled = 2 * w->interval_s;

    if ((double)w->taken > w->retry_reset)
        w->interval_s = w->retry_initial;
    else
        w->interval_s = doubled < w->retry_max ? doubled : w->retry_max;
    return pause;
}

static void finish(struct websocket *w)
{
    net_timer_cancel(w->net, &w->tick);
    intake_flush(w->to);
    stream_free(w->stream);
    w->stream = NULL;
    intake_end(w->to);
}

/* After a connection: empties the codec, then pauses or ends. Comes again when the queue is full.
 */
static void go_on(struct websocket *w)
{
    if (!intake_ready(w->to, wake, w)) return;
    w->disconnected = false;
    stream_flush(w->stream, NULL);
    intake_flush(w->to);
    if (w->stopping) {
        finish(w);
        return;
    }
    int64_t pause_ns = (int64_t)(next_pause(w) * (double)second_ns);
    net_timer_set(w->net, &w->retry, pause_ns, connect_now, w);
}

static void on_ended(void *ctx, const struct ws_end *end)
{
    struct websocket *w = ctx;

    w->client = NULL;
    w->disconnected = true;
    if (!w->stopping) log_end(w, end);
    go_on(w);
}

static void connect_now(void *ctx)
{
    static const struct ws_client_ops ops = {on_opened, on_message, on_ended};
    struct websocket                 *w = ctx;
    const struct ws_client_config     config = {
            .net = w->net,
            .url = &w->target,
            .headers = buf_view(&w->headers),
            .tls = w->tls,
            .tls_options = &w->tls_options,
            .connect_timeout_ns = CONNECT_S * second_ns,
            .close_timeout_ns = CLOSE_S * second_ns,
            .max_message = MESSAGE_MAX,
    };

    w->taken = 0;
    w->client = ws_client_open(&config, &ops, w);
}

/* ---- start and stop ---- */

/* A codec of lines finds several in one message. One that reads streams only when asked to (json)
   or remembers (multiline) gets messages whole. */
static bool cuts_lines(const struct intake *to)
{
    const struct codec_ops *ops = &intake_node(to)->common.codec->plugin->codec_ops;

    return ops->framing && !ops->read_streams && !ops->feed;
}

static void websocket_listen(void *self, struct net *net, struct intake *to)
{
    struct websocket *w = self;

    w->net = net;
    w->to = to;
    w->lines = cuts_lines(to);
    w->stream = stream_open(to, !w->lines);
    w->idle.fn = hand_over;
    w->idle.ctx = w;
    w->interval_s = w->retry_initial;
    connect_now(w);
}

static void websocket_unlisten(void *self, struct net *net)
{
    struct websocket *w = self;

    if (w->stopping || !w->stream) return;
    w->stopping = true;
    net_timer_cancel(net, &w->retry);
    if (w->client)
        ws_client_close(w->client, WS_GOING_AWAY);
    else if (!w->disconnected)
        finish(w);
}

const struct plugin input_websocket = {
    .kind = PLUGIN_INPUT,
    .name = "websocket",
    .summary = "Reads the messages of a WebSocket server.",
    .size = sizeof(struct websocket),
    .options = websocket_options,
    .open = websocket_open,
    .close = websocket_close,
    .codec = "json",
    .input = {.listen = websocket_listen, .unlisten = websocket_unlisten, .whole_messages = true},
};
