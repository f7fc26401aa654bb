/*
 * websocket: messages of a WebSocket server, or of clients, each through the codec.
 *
 * Source: logstash-input-websocket 4.0.5, lib/logstash/inputs/websocket.rb (options, back-off).
 * Threads: all of it runs on the event loop; websocket_wake() comes from workers and only posts to
 * the loop. The API's thread reads the metrics (ws_metrics.c).
 */
#include "inputs/websocket.h"

#include "base/clock.h"

static const char *const modes[] = {"client", "server", NULL};
enum { MODE_CLIENT, MODE_SERVER };

static const char *const message_types[] = {"text", "binary", NULL};

static const int64_t tick_again_ns = 50000000; /* when the pipeline has no room for what is due */

#define SELF struct websocket

static const struct option websocket_options[] = {
    OPT(struct websocket, OPT_STRING, ack_message,
        .doc = "In mode server: a text message that a client is sent for each of its messages, as "
               "soon as the pipeline has taken it; none when not given. A client that does not "
               "read them is closed with status 1008."),
    OPT(struct websocket, OPT_BOOL, auto_replay_nacks, .preset = "true",
        .no_effect = "a message is kept until the pipeline has taken it",
        .doc = "For configs that come from Benthos. A message is always kept until the pipeline "
               "has taken it, so there is nothing to switch off."),
    OPT(struct websocket, OPT_BOOL, metadata, .preset = "true",
        .doc = "Whether [@metadata][input][websocket] says where each message came from: opcode "
               "(text or binary), url (masked; in mode server the path that was asked for), "
               "subprotocol and remote. It does when not given."),
    OPT(struct websocket, OPT_ENUM, mode, .preset = "client", .choices = modes,
        .doc =
            "With client, the default, lsc connects to the server that url names. With server it "
            "listens on host and port, and clients connect to it."),
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
    OPT(struct websocket, OPT_SECONDS, poll_interval, .doc = "How often poll_message is sent."),
    OPT(struct websocket, OPT_STRING, poll_message,
        .doc = "A message to send again and again, every poll_interval, to a server that has to be "
               "asked. None when not given."),
    OPT_NAMED(
        struct websocket, OPT_INT, "retry_max_attempts", dial.retry_max_attempts, .preset = "-1",
        .min = -1, .max = 1000000000,
        .doc = "How many times in a row lsc may fail to connect again before the input ends, and "
               "with the last input the pipeline. -1, the default, is without end; 0 means that "
               "there is only the first connection."),
    OPT(struct websocket, OPT_FIELD, remote_host_target_field,
        .doc = "In mode server: the field that gets the address of the client. None when not "
               "given."),
    OPT(struct websocket, OPT_FIELD, request_headers_target_field,
        .doc = "In mode server: the field that gets the headers of the client's request, named as "
               "by the http input: request_method, request_path, http_version, http_host, "
               "http_user_agent, http_accept, all others in lower case with underscores. "
               "Authorization is left out. None when not given."),
    OPT_NAMED(struct websocket, OPT_INT, "port", server.port, .max = 65535,
              .doc = "In mode server: the port to listen on. Required there."),
#include "net/ws_dial.def"
#include "net/ws_settings.def"
#include "net/ws_settings_server.def"
    OPT_END,
};

/* Rows that only one of the modes has, besides those of the shared tables. */
static const char *const of_client[] = {
    "debug_status",        "max_redirects",        "open_message",
    "open_message_expect", "open_message_timeout", "open_message_type",
    "open_messages",       "poll_interval",        "poll_message",
    "retry_initial",       "retry_jitter",         "retry_max",
    "retry_max_attempts",  "retry_reset",          NULL,
};
static const char *const of_server[] = {
    "ack_message",
    "remote_host_target_field",
    "request_headers_target_field",
    NULL,
};

/* ---- before the start ---- */

static void websocket_close(void *self)
{
    struct websocket *w = self;

    if (w->mode == MODE_SERVER)
        ws_server_settings_close(&w->server, &w->client);
    else
        ws_settings_close(&w->client);
    ws_dial_release(&w->dialer);
    ws_metrics_release(&w->metrics);
}

static bool open_client(struct websocket *w, struct plugin_open *cx)
{
    bool good = ws_refuse_settings(of_server, "server", cx);

    good = ws_refuse_server_settings(cx) && good;
    good = ws_dial_settings_open(&w->dial, cx) && good;
    if (w->poll_message.data && w->poll_interval.ns <= 0)
        good = plugin_error(cx, "poll_message", "\"poll_message\" needs \"poll_interval\"");
    bool opened = ws_settings_open(&w->client, cx);
    if (opened && !good) ws_settings_close(&w->client);
    return opened && good;
}

static bool open_server(struct websocket *w, struct plugin_open *cx)
{
    bool good = ws_refuse_settings(of_client, "client", cx);
    bool opened = ws_server_settings_open(&w->server, &w->client, cx);

    if (opened && !good) ws_server_settings_close(&w->server, &w->client);
    return opened && good;
}

static bool websocket_open(void *self, struct plugin_open *cx)
{
    struct websocket *w = self;

    w->id = cx->id;
    w->pipeline_id = cx->pipeline_id;
    w->metadata_field = field_parse(cx->arena, STR("[@metadata][input][websocket]"), NULL, NULL);
    if (!(w->mode == MODE_CLIENT ? open_client(w, cx) : open_server(w, cx))) return false;
    ws_metrics_init(&w->metrics);
    return true;
}

/* ---- for the monitoring API ---- */

static const struct metric_row websocket_metrics[] = {
#include "net/ws_metrics.def"
    METRIC_END,
};

static void websocket_take_metrics(const void *self, void *out)
{
    const struct websocket *w = self;

    ws_metrics_take(&w->metrics, out);
}

/* ---- a connection's messages ---- */

static void resume(void *ctx)
{
    struct websocket *w = ctx;

    if (w->mode == MODE_SERVER)
        server_resume(w);
    else
        client_resume(w);
}

void websocket_wake(void *ctx)
{
    struct websocket *w = ctx;

    net_post(w->net, resume, w);
}

static void hand_over(void *ctx)
{
    struct websocket *w = ctx;

    intake_flush(w->to);
    if (w->mode == MODE_SERVER) server_handed_over(w);
}

static void on_tick(void *ctx);

/* A codec that holds something back may want to be asked for it. */
static void schedule_tick(struct reader *r)
{
    int64_t due = stream_deadline(r->stream);

    if (due == INT64_MAX || r->tick.armed) return;
    int64_t after = due - clock_monotonic_ns();
    net_timer_set(r->w->net, &r->tick, after > 0 ? after : 0, on_tick, r);
}

static void on_tick(void *ctx)
{
    struct reader *r = ctx;

    if (!intake_ready(r->w->to, websocket_wake, r->w)) {
        net_timer_set(r->w->net, &r->tick, tick_again_ns, on_tick, r);
        return;
    }
    stream_tick(r->stream, NULL);
    net_idle_mark(r->w->net, &r->w->idle);
    schedule_tick(r);
}

void reader_begin(struct reader *r, struct websocket *w)
{
    *r = (struct reader){.w = w, .stream = stream_open(w->to, true)};
}

/* The next line of what is left of a message; `*used` of its bytes are then done with. */
static struct str next_line(const struct framing *f, struct str rest, size_t *used)
{
    ptrdiff_t at = str_find(rest, f->delimiter);

    *used = at < 0 ? rest.len : (size_t)at + f->delimiter.len;
    if (at >= 0) rest.len = (size_t)at;
    if (f->max > 0 && rest.len > f->max) rest.len = *used = f->max;
    if (f->drop_cr && str_ends(rest, STR("\r"))) rest.len--;
    return rest;
}

bool reader_take(struct reader *r, struct str message, const struct origin *origin)
{
    struct str part = str_from(message, r->taken);
    size_t     used = part.len;
    bool       lines = r->w->lines.delimiter.len > 0;

    if (lines) part = next_line(&r->w->lines, part, &used);
    if (!lines || used > 0) stream_feed(r->stream, part, origin);
    r->taken += used;
    if (r->taken < message.len) return false;
    r->taken = 0;
    net_idle_mark(r->w->net, &r->w->idle);
    schedule_tick(r);
    return true;
}

void reader_flush(struct reader *r)
{
    r->taken = 0;
    stream_flush(r->stream, NULL);
    net_idle_mark(r->w->net, &r->w->idle);
}

void reader_free(struct reader *r)
{
    net_timer_cancel(r->w->net, &r->tick);
    stream_free(r->stream);
    r->stream = NULL;
}

/* ---- where a message came from ---- */

void reader_add(struct reader *r, struct map *m, const char *name, struct str text)
{
    struct arena *a = intake_arena(r->w->to);

    *map_append(m, a, key_make(str_of(name))) = value_string(arena_copy(a, text));
}

static struct value metadata(struct reader *r, enum ws_opcode opcode, const struct ws_conn *c,
                             struct str url)
{
    struct map *m = map_new(intake_arena(r->w->to), 4);

    reader_add(r, m, "opcode", opcode == WS_TEXT ? STR("text") : STR("binary"));
    reader_add(r, m, "url", url);
    reader_add(r, m, "remote", str_of(ws_conn_peer(c)));
    if (ws_conn_subprotocol(c).len > 0) reader_add(r, m, "subprotocol", ws_conn_subprotocol(c));
    return value_map(m);
}

struct origin *reader_origin(struct reader *r, enum ws_opcode opcode, const struct ws_conn *c,
                             struct str url, uint32_t more, bool *fresh)
{
    struct websocket *w = r->w;
    int               kind = opcode == WS_TEXT ? 0 : 1;
    uint64_t          generation = intake_generation(w->to);

    *fresh = false;
    if (!w->metadata && more == 0) return NULL;
    if (r->generation != generation) r->origins[0] = r->origins[1] = NULL;
    r->generation = generation;
    if (r->origins[kind]) return r->origins[kind];

    struct origin *o = intake_origin(w->to, more + 1);
    o->len = 0;
    if (w->metadata)
        o->fields[o->len++] = (struct origin_field){
            .field = w->metadata_field, .value = metadata(r, opcode, c, url), .always = true};
    r->origins[kind] = o;
    *fresh = true;
    return o;
}

/* ---- start and stop ---- */

/* A codec of lines finds several in one message. One that reads streams only when asked to (plain,
   json) or remembers (multiline) gets messages whole. */
static void ask_for_lines(const struct codec *codec, struct framing *lines)
{
    const struct codec_ops *ops = &codec->plugin->codec_ops;

    if (ops->framing && !ops->read_streams && !ops->feed) ops->framing(codec->self, lines);
}

static void websocket_listen(void *self, struct net *net, struct intake *to)
{
    struct websocket *w = self;

    w->net = net;
    w->to = to;
    ask_for_lines(intake_node(to)->common.codec, &w->lines);
    w->idle.fn = hand_over;
    w->idle.ctx = w;
    if (w->mode == MODE_SERVER)
        server_listen(w);
    else
        client_listen(w);
}

static void websocket_unlisten(void *self, struct net *net)
{
    struct websocket *w = self;

    (void)net;
    if (w->stopping) return;
    w->stopping = true;
    if (w->mode == MODE_SERVER)
        server_unlisten(w);
    else
        client_unlisten(w);
}

const struct plugin input_websocket = {
    .kind = PLUGIN_INPUT,
    .name = "websocket",
    .summary = "Reads the messages of a WebSocket server, or of its clients.",
    .size = sizeof(struct websocket),
    .options = websocket_options,
    .open = websocket_open,
    .close = websocket_close,
    .codec = "json",
    .metrics = {websocket_metrics, sizeof(struct ws_figures), websocket_take_metrics},
    .input = {.listen = websocket_listen, .unlisten = websocket_unlisten, .whole_messages = true},
};
