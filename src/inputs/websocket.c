/*
 * websocket: messages of a WebSocket server, each through the codec.
 *
 * Source: logstash-input-websocket 4.0.5, lib/logstash/inputs/websocket.rb (options, back-off).
 * Threads: all of it runs on the event loop; wake() comes from workers and only posts to the loop.
 */
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/log.h"
#include "net/loop.h"
#include "net/ws_settings.h"
#include "plugin/common.h"
#include "plugin/intake.h"
#include "plugin/plugin.h"

#define COMPONENT "input.websocket"

static const int64_t second_ns = 1000000000;
/* No pause is longer, whatever the settings say: a day. */
static const double pause_max_s = 86400;

struct websocket {
    /* settings */
    int                mode;
    double             retry_initial, retry_max, retry_reset, retry_jitter;
    int64_t            retry_max_attempts;
    struct strings     debug_status;
    struct str         open_message;
    struct strings     open_messages;
    int                open_message_type;
    struct regex      *open_message_expect;
    struct duration    open_message_timeout;
    struct str         poll_message;
    struct duration    poll_interval;
    bool               auto_replay_nacks, metadata;
    int64_t            max_redirects;
    struct ws_settings client;

    /* made from them by open() */
    struct str          id, pipeline_id;
    const struct field *metadata_field;
    uint32_t            quiet_len;
    int                *quiet; /* debug_status as numbers */

    /* while running */
    struct net          *net;
    struct intake       *to;
    struct stream       *stream;
    bool                 lines; /* the codec cuts messages into lines; a message ends one, too */
    struct ws_conn      *connection;
    struct net_timer     retry, tick, answer, poll;
    struct net_idle      idle;
    double               interval_s;   /* the next pause */
    uint64_t             taken;        /* messages of this connection */
    uint32_t             server;       /* which of the URLs */
    int64_t              attempts;     /* to connect, since the last connection stood */
    bool                 failed;       /* the last attempt brought no connection */
    bool                 expecting;    /* the answer to the open messages has not come */
    bool                 disconnected; /* the end of a connection has not been dealt with */
    bool                 stopping;
    const struct origin *origins[2]; /* of the current batch: text, binary */
    uint64_t             origins_generation;
    int64_t              redirects; /* followed since the last pause */
    struct url           elsewhere; /* where the last of them led; host NULL: nowhere */
    struct arena         redirect_arena;
};

static const char *const modes[] = {"client", "server", NULL};
enum { MODE_CLIENT, MODE_SERVER };

static const char *const message_types[] = {"text", "binary", NULL};
static const char *const ws_verifications[] = {"full", "certificate", "none", NULL};
static const char *const ws_stores[] = {"pkcs12", NULL};
static const char *const ws_compressions[] = {"none", "permessage-deflate", NULL};
static const char *const oauth1_methods[] = {"HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT", NULL};
static const char *const oauth1_styles[] = {"rfc5849", "benthos", NULL};

#define SELF struct websocket

static const struct option websocket_options[] = {
    OPT_REFUSED("ack_message", .not_built = "the mode server is not built yet",
                .doc = "Sent to a client once its message has been taken, in mode server."),
    OPT_REFUSED("allowed_origins", .not_built = "the mode server is not built yet",
                .doc = "The Origin headers that clients may send, in mode server."),
    OPT(struct websocket, OPT_BOOL, auto_replay_nacks, .preset = "true",
        .no_effect = "a message is kept until the pipeline has taken it",
        .doc = "For configs that come from Benthos. A message is always kept until the pipeline "
               "has taken it, so there is nothing to switch off."),
    OPT(struct websocket, OPT_STRINGS, debug_status,
        .doc = "HTTP statuses with which a server may refuse the connection as a matter of course, "
               "such as 404 while it has nothing to send: they are logged at level debug instead "
               "of warn. Numbers or strings. Empty when not given."),
    OPT_REFUSED("host", .not_built = "the mode server is not built yet",
                .doc = "The address to listen on, in mode server."),
    OPT_REFUSED("max_connections", .not_built = "the mode server is not built yet",
                .doc = "How many clients there may be at a time, in mode server."),
    OPT(struct websocket, OPT_INT, max_redirects, .preset = "0", .max = 20,
        .doc = "How many redirects (HTTP status 301, 302, 303, 307 or 308) are followed when "
               "connecting; none when not given. Neither authentication nor headers are sent to "
               "another host or port, and never from TLS to a connection without."),
    OPT(struct websocket, OPT_BOOL, metadata, .preset = "true",
        .doc = "Whether [@metadata][input][websocket] says where each message came from: opcode "
               "(text or binary), url (masked), subprotocol and remote. It does when not given."),
    OPT(struct websocket, OPT_ENUM, mode, .preset = "client", .choices = modes,
        .doc = "With client, the default, lsc connects to the server that url names. The mode "
               "server is not built yet."),
    OPT(struct websocket, OPT_STRING, open_message,
        .doc = "A message that is sent as soon as a connection stands, each time, such as the "
               "subscription that a public feed wants. None when not given."),
    OPT(struct websocket, OPT_REGEX, open_message_expect,
        .doc = "A regular expression for the server's answer to the open messages. The first "
               "message that it matches makes no event; when none has come within "
               "open_message_timeout, lsc connects again. No answer is expected when not given."),
    OPT(struct websocket, OPT_SECONDS, open_message_timeout, .preset = "2",
        .doc = "How long to wait for what open_message_expect describes, 2 seconds when not "
               "given."),
    OPT(struct websocket, OPT_ENUM, open_message_type, .preset = "text", .choices = message_types,
        .doc = "Whether open_message, open_messages and poll_message are sent as text, the "
               "default, or as binary messages."),
    OPT(struct websocket, OPT_STRINGS, open_messages,
        .doc = "Further messages to send after open_message, in this order, each time."),
    OPT_REFUSED("path", .not_built = "the mode server is not built yet",
                .doc = "The path that clients have to ask for, in mode server."),
    OPT(struct websocket, OPT_SECONDS, poll_interval, .doc = "How often poll_message is sent."),
    OPT(struct websocket, OPT_STRING, poll_message,
        .doc = "A message to send again and again, every poll_interval, to a server that has to be "
               "asked. None when not given."),
    OPT_REFUSED("port", .not_built = "the mode server is not built yet",
                .doc = "The port to listen on, in mode server."),
    OPT_REFUSED(
        "proxy_protocol", .not_built = "the mode server is not built yet",
        .doc = "Whether clients come through a load balancer that tells their addresses, in mode "
               "server."),
    OPT_REFUSED("remote_host_target_field", .not_built = "the mode server is not built yet",
                .doc = "Where the address of the client goes, in mode server."),
    OPT_REFUSED("request_headers_target_field", .not_built = "the mode server is not built yet",
                .doc = "Where the headers of the client's request go, in mode server."),
    OPT_REFUSED("response_headers", .not_built = "the mode server is not built yet",
                .doc = "Further header lines of the answer to a client, in mode server."),
    OPT(struct websocket, OPT_FLOAT, retry_initial, .preset = "1",
        .doc = "Seconds before the first attempt to connect again, 1 when not given. After an "
               "attempt or connection that brought no more than retry_reset messages the pause is "
               "doubled."),
    OPT(struct websocket, OPT_FLOAT, retry_jitter, .preset = "0.2",
        .doc = "Makes pauses longer or shorter at random by up to this part of them, so that many "
               "clients do not come back at the same moment; 0.2 when not given, 0 for none."),
    OPT(struct websocket, OPT_FLOAT, retry_max, .preset = "60",
        .doc = "The longest pause between two attempts to connect, in seconds; 60 when not given."),
    OPT(struct websocket, OPT_INT, retry_max_attempts, .preset = "-1", .min = -1, .max = 1000000000,
        .doc = "How many times in a row lsc may fail to connect again before the input ends, and "
               "with the last input the pipeline. -1, the default, is without end; 0 means that "
               "there is only the first connection."),
    OPT(struct websocket, OPT_FLOAT, retry_reset, .preset = "1",
        .doc = "A connection that brought more messages than this, 1 when not given, sets the "
               "pause back to retry_initial. The pause that follows it is still the old one."),
    OPT_REFUSED("ssl_client_authentication", .not_built = "the mode server is not built yet",
                .doc = "Whether clients must show a certificate, in mode server."),
    OPT_REFUSED(
        "tcp_keep_alive", .not_built = "the mode server is not built yet",
        .doc = "Whether TCP looks after quiet clients, in mode server; lsc as a client always has "
               "it on."),
#include "net/ws_settings.def"
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

static bool check_numbers(const struct websocket *w, struct plugin_open *cx)
{
    bool good = true;

    if (w->retry_initial < 0) good = plugin_error(cx, "retry_initial", "a pause is not negative");
    if (w->retry_max < 0) good = plugin_error(cx, "retry_max", "a pause is not negative");
    if (w->retry_jitter < 0 || w->retry_jitter > 1)
        good = plugin_error(cx, "retry_jitter", "\"retry_jitter\" lies between 0.0 and 1.0");
    if (w->poll_message.data && w->poll_interval.ns <= 0)
        good = plugin_error(cx, "poll_message", "\"poll_message\" needs \"poll_interval\"");
    return good;
}

static void websocket_close(void *self)
{
    struct websocket *w = self;

    ws_settings_close(&w->client);
    arena_release(&w->redirect_arena);
}

static bool websocket_open(void *self, struct plugin_open *cx)
{
    struct websocket *w = self;

    w->id = cx->id;
    w->pipeline_id = cx->pipeline_id;
    w->metadata_field = field_parse(cx->arena, STR("[@metadata][input][websocket]"), NULL, NULL);
    if (w->mode == MODE_SERVER) return plugin_error(cx, "mode", "the mode server is not built yet");
    bool good = read_statuses(w, cx);
    good = check_numbers(w, cx) && good;
    return ws_settings_open(&w->client, cx) && good;
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

    if (w->connection)
        ws_conn_resume(w->connection);
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

/* Where we are connected to, or trying to. */
static const struct url *url_now(const struct websocket *w)
{
    return w->elsewhere.host.data ? &w->elsewhere : &w->client.targets[w->server];
}

static void cancel_timers(struct websocket *w)
{
    net_timer_cancel(w->net, &w->answer);
    net_timer_cancel(w->net, &w->poll);
}

static void add(struct intake *to, struct map *m, const char *name, struct str text)
{
    struct arena *a = intake_arena(to);

    *map_append(m, a, key_make(str_of(name))) = value_string(arena_copy(a, text));
}

/* What [@metadata][input][websocket] says of messages of this opcode; made once a batch. */
static const struct origin *origin_of(struct websocket *w, enum ws_opcode opcode)
{
    int      kind = opcode == WS_TEXT ? 0 : 1;
    uint64_t generation = intake_generation(w->to);

    if (!w->metadata) return NULL;
    if (w->origins[kind] && w->origins_generation == generation) return w->origins[kind];
    if (w->origins_generation != generation) w->origins[0] = w->origins[1] = NULL;
    w->origins_generation = generation;

    struct origin *o = intake_origin(w->to, 1);
    struct map    *m = map_new(intake_arena(w->to), 4);
    add(w->to, m, "opcode", opcode == WS_TEXT ? STR("text") : STR("binary"));
    add(w->to, m, "url", url_now(w)->masked);
    add(w->to, m, "remote", str_of(ws_conn_peer(w->connection)));
    if (ws_conn_subprotocol(w->connection).len > 0)
        add(w->to, m, "subprotocol", ws_conn_subprotocol(w->connection));
    o->fields[0] =
        (struct origin_field){.field = w->metadata_field, .value = value_map(m), .always = true};
    w->origins[kind] = o;
    return o;
}

static bool on_message(void *ctx, enum ws_opcode opcode, struct str bytes)
{
    struct websocket *w = ctx;

    if (w->expecting && regex_test(w->open_message_expect, bytes)) {
        w->expecting = false;
        net_timer_cancel(w->net, &w->answer);
        return true;
    }
    if (!intake_ready(w->to, wake, w)) return false;
    stream_feed(w->stream, bytes, origin_of(w, opcode));
    if (w->lines) stream_flush(w->stream, NULL);
    w->taken++;
    net_idle_mark(w->net, &w->idle);
    schedule_tick(w);
    return true;
}

static void no_answer(void *ctx)
{
    struct websocket *w = ctx;

    log_context(w->pipeline_id, w->id);
    log_warn(COMPONENT, "no answer to the open message", LOG_STR("url", url_now(w)->masked));
    if (w->connection) ws_conn_close(w->connection, WS_NORMAL);
}

static void send_message(struct websocket *w, struct str text)
{
    ws_conn_send(w->connection, w->open_message_type == 0 ? WS_TEXT : WS_BINARY, text);
}

static void poll_server(void *ctx)
{
    struct websocket *w = ctx;

    if (!w->connection) return;
    if (ws_conn_unsent(w->connection) == 0) send_message(w, w->poll_message);
    net_timer_set(w->net, &w->poll, w->poll_interval.ns, poll_server, w);
}

static void on_opened(void *ctx)
{
    struct websocket *w = ctx;

    log_context(w->pipeline_id, w->id);
    log_info(COMPONENT, "connected", LOG_STR("url", url_now(w)->masked),
             LOG_CSTR("remote", ws_conn_peer(w->connection)));
    w->attempts = 0;
    if (w->open_message.len > 0) send_message(w, w->open_message);
    for (uint32_t i = 0; i < w->open_messages.len; i++)
        send_message(w, w->open_messages.at[i]);
    w->expecting = w->open_message_expect != NULL;
    if (w->expecting) net_timer_set(w->net, &w->answer, w->open_message_timeout.ns, no_answer, w);
    if (w->poll_message.data) net_timer_set(w->net, &w->poll, w->poll_interval.ns, poll_server, w);
}

static bool expected_status(const struct websocket *w, int status)
{
    for (uint32_t i = 0; i < w->quiet_len; i++)
        if (w->quiet[i] == status) return true;
    return false;
}

static void log_end(const struct websocket *w, const struct ws_end *end)
{
    struct log_value url = LOG_STR("url", url_now(w)->masked);
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

/* Between 1 - jitter and 1 + jitter. */
static double jitter(const struct websocket *w)
{
    uint32_t n = 0;

    RAND_bytes((unsigned char *)&n, sizeof(n));
    return 1 + w->retry_jitter * (2 * (double)n / UINT32_MAX - 1);
}

/* Takes the redirect of a refusal, if it may. */
static bool redirected(struct websocket *w, const struct ws_end *end)
{
    struct arena next = {0};
    struct url   u;
    const char  *problem;
    struct str   place = end->location;

    if (end->kind != WS_END_REFUSED || place.len == 0 || w->redirects >= w->max_redirects)
        return false;
    if (end->http_status == 300 || (end->http_status > 303 && end->http_status < 307)) return false;
    if (str_starts(place, STR("/")) && !str_starts(place, STR("//"))) {
        struct buf authority = {0};
        url_authority(url_now(w), &authority);
        place = arena_printf(&next, "%s://%.*s%.*s", url_now(w)->tls ? "wss" : "ws",
                             STR_ARG(buf_view(&authority)), STR_ARG(place));
        buf_release(&authority);
    }
    bool good = url_parse(&next, place, &u, &problem) && u.scheme < URL_SOCKS5 && !u.has_userinfo &&
                (u.tls || !url_now(w)->tls) && (!u.tls || w->client.tls);
    if (!good) {
        arena_release(&next);
        return false;
    }
    arena_release(&w->redirect_arena);
    w->redirect_arena = next;
    w->elsewhere = u;
    w->redirects++;
    return true;
}

/* Pauses, unless another server of the list has not been tried yet. */
static void connect_later(struct websocket *w)
{
    double pause_s = 0;

    w->elsewhere.host.data = NULL;
    w->redirects = 0;
    w->server = w->failed ? (w->server + 1) % w->client.targets_len : 0;
    if (w->server == 0) pause_s = next_pause(w) * jitter(w);
    net_timer_set(w->net, &w->retry, (int64_t)(pause_s * (double)second_ns), connect_now, w);
}

/* After a connection: empties the codec, then goes on or ends. Comes again when the queue is full.
 */
static void go_on(struct websocket *w)
{
    if (!intake_ready(w->to, wake, w)) return;
    w->disconnected = false;
    stream_flush(w->stream, NULL);
    intake_flush(w->to);
    if (!w->stopping && w->retry_max_attempts >= 0 && w->attempts > w->retry_max_attempts) {
        log_error(COMPONENT, "gave up: retry_max_attempts",
                  LOG_INT("attempts", w->retry_max_attempts));
        w->stopping = true;
    }
    if (w->stopping)
        finish(w);
    else
        connect_later(w);
}

static void on_ended(void *ctx, const struct ws_end *end)
{
    struct websocket *w = ctx;

    cancel_timers(w);
    w->connection = NULL;
    w->disconnected = true;
    w->failed = end->kind == WS_END_CONNECT || end->kind == WS_END_REFUSED ||
                (end->kind == WS_END_PROTOCOL && w->taken == 0);
    if (!w->stopping && redirected(w, end)) {
        w->disconnected = false;
        net_timer_set(w->net, &w->retry, 0, connect_now, w);
        return;
    }
    w->attempts++;
    if (!w->stopping) log_end(w, end);
    go_on(w);
}

static void connect_now(void *ctx)
{
    static const struct ws_conn_ops ops = {on_opened, on_message, on_ended, NULL};
    struct websocket               *w = ctx;
    struct ws_client_config         config = {.rules.net = w->net};
    struct buf                      headers = {0}, problem = {0};

    w->taken = 0;
    w->expecting = false;
    w->origins[0] = w->origins[1] = NULL;
    const struct url *other = w->elsewhere.host.data ? &w->elsewhere : NULL;
    if (ws_settings_config(&w->client, w->server, other, &config, &headers, &problem)) {
        w->connection = ws_client_open(&config, &ops, w);
    } else {
        const struct ws_end end = {
            .kind = WS_END_CONNECT, .what = "authentication", .text = buf_view(&problem)};
        on_ended(w, &end);
    }
    if (headers.data) OPENSSL_cleanse(headers.data, headers.cap);
    buf_release(&headers);
    buf_release(&problem);
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
    if (w->connection)
        ws_conn_close(w->connection, WS_GOING_AWAY);
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
