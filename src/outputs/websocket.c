/*
 * websocket: sends each event as a message, to the clients of a server of its own or to a server.
 *
 * Source: logstash-output-websocket 3.1.0, lib/logstash/outputs/websocket.rb (server, host, port).
 * Threads: workers encode and mask, then wait for the loop, which has all else (websocket_hub.c);
 * hub->lock guards what both look at. The API's thread reads the metrics (ws_metrics.c).
 */
#include "outputs/websocket.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "text/lossy.h"

static const char *const modes[] = {"client", "server", NULL};
enum { MODE_CLIENT, MODE_SERVER };
static const char *const message_types[] = {"text", "binary", NULL};
static const char *const slow_clients[] = {"drop_oldest", "drop_client", "block", NULL};

static const int64_t look_ns = 200000000; /* how often a wait looks whether it is forced to end */

#define SELF struct websocket

static const struct option websocket_options[] = {
    OPT(struct websocket, OPT_INT, buffer_when_no_client, .preset = "0", .max = 1000000,
        .doc = "In mode server: how many messages are kept while no client is connected; the first "
               "one that comes gets them. Older ones are dropped, and with 0, the default, all."),
    OPT(struct websocket, OPT_SECONDS, drain_timeout, .preset = "10",
        .doc = "How long, at the end, messages that still wait are given to be sent; 10 seconds "
               "when not given. How many were not is logged."),
    OPT(struct websocket, OPT_ENUM, message_type, .preset = "text", .choices = message_types,
        .doc = "Whether events are sent as text messages, the default, or as binary ones. In text "
               "bytes that are not UTF-8 are replaced by U+FFFD."),
    OPT(struct websocket, OPT_ENUM, mode, .choices = modes,
        .doc =
            "With server lsc listens on host and port, and every client that connects gets every "
            "event from then on. With client lsc connects to the server that url names. When "
            "not given, client if there is a url, else server. What the other side sends is "
            "read and forgotten in either mode."),
    OPT_NAMED(struct websocket, OPT_INT, "port", server.port, .preset = "3232", .min = 1,
              .max = 65535, .doc = "In mode server: the port to listen on, 3232 when not given."),
    OPT(struct websocket, OPT_INT, queue_size, .preset = "1000", .min = 1, .max = 1000000,
        .doc = "How many messages may wait to be sent, for each client in mode server; 1000 when "
               "not given. In mode client, and with slow_client => block, the pipeline waits when "
               "there are that many, so that there may be a batch more."),
    OPT(struct websocket, OPT_ENUM, slow_client, .preset = "drop_oldest", .choices = slow_clients,
        .doc =
            "In mode server: what happens when queue_size messages wait for a client. With "
            "drop_oldest, the default, it misses the oldest of them. With drop_client it is "
            "closed with status 1008. With block the pipeline, and so all clients, wait for it."),
#include "net/ws_dial.def"
#include "net/ws_settings.def"
#include "net/ws_settings_server.def"
    OPT_END,
};

static const char *const of_client[] = {
    "debug_status", "max_redirects", "retry_initial", "retry_jitter", "retry_max", "retry_reset",
    NULL,
};
static const char *const of_server[] = {"buffer_when_no_client", "slow_client", NULL};

/* ---- before the start ---- */

static bool open_settings(struct websocket *w, struct plugin_open *cx)
{
    bool good =
        ws_refuse_settings(w->serves ? of_client : of_server, w->serves ? "client" : "server", cx);
    if (w->serves) {
        bool opened = ws_server_settings_open(&w->server, &w->client, cx);
        if (opened && !good) ws_server_settings_close(&w->server, &w->client);
        return opened && good;
    }
    good = ws_refuse_server_settings(cx) && good;
    good = ws_dial_settings_open(&w->dial, cx) && good;
    bool opened = ws_settings_open(&w->client, cx);
    if (opened && !good) ws_settings_close(&w->client);
    return opened && good;
}

static bool websocket_open(void *self, struct plugin_open *cx)
{
    struct websocket *w = self;
    bool              given = plugin_setting(cx, "mode") != NULL;

    w->id = cx->id;
    w->pipeline_id = cx->pipeline_id;
    w->serves = given ? w->mode == MODE_SERVER : w->client.url.len == 0;
    w->dial.retry_max_attempts = -1;
    if (!open_settings(w, cx)) return false;
    ws_metrics_init(&w->metrics);
    return true;
}

static void websocket_close(void *self)
{
    struct websocket *w = self;

    if (w->serves)
        ws_server_settings_close(&w->server, &w->client);
    else
        ws_settings_close(&w->client);
    ws_metrics_release(&w->metrics);
}

/* ---- for the monitoring API ---- */

static const struct metric_row websocket_metrics[] = {
#include "net/ws_metrics.def"
    METRIC(struct ws_figures, METRIC_COUNT, dropped.slow_client,
           "In mode server: messages that a client did not get because queue_size of them waited "
           "for it."),
    METRIC(struct ws_figures, METRIC_COUNT, dropped.no_client,
           "In mode server: messages beyond buffer_when_no_client that came while no client was "
           "connected."),
    METRIC_END,
};

static void websocket_take_metrics(const void *self, void *out)
{
    const struct websocket *w = self;

    ws_metrics_take(&w->metrics, out);
}

/* ---- start ---- */

static bool websocket_start(void *self, struct net *net)
{
    struct websocket  *w = self;
    struct hub        *h = xcalloc(1, sizeof(*h));
    pthread_condattr_t attr;

    h->w = w;
    h->metrics = &w->metrics;
    h->net = net;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->changed, &attr);
    pthread_condattr_destroy(&attr);
    w->hub = h;
    net_post(net, hub_begin, h);
    return true;
}

/* ---- waiting for the loop ---- */

/* Waits until `*flag`, which the loop sets. False: the time is over, or the process is forced to
   quit. */
static bool wait_for(struct hub *h, const bool *flag, int64_t until_ns, const struct stop *stop)
{
    pthread_mutex_lock(&h->lock);
    while (!*flag && !stop_requested(stop)) {
        int64_t now = clock_monotonic_ns();
        if (now >= until_ns) break;
        int64_t         next = until_ns - now < look_ns ? until_ns : now + look_ns;
        struct timespec t = {.tv_sec = next / 1000000000, .tv_nsec = next % 1000000000};
        pthread_cond_timedwait(&h->changed, &h->lock, &t);
    }
    bool set = *flag;
    pthread_mutex_unlock(&h->lock);
    return set;
}

/* ---- events ---- */

/* The events as frames; `*failures` grows by those that the codec cannot write. */
static struct ws_frames *encode_all(const struct websocket *w, struct event *const *ev, uint32_t n,
                                    struct output_context *cx)
{
    const struct codec *codec = cx->codec;
    struct ws_frames   *f = ws_frames_new(n, w->client.compression == 1);
    bool                text = w->message_type == 0;

    for (uint32_t i = 0; i < n; i++) {
        buf_clear(cx->buf);
        if (!codec->plugin->codec_ops.encode(codec->self, ev[i], cx->buf)) {
            ++*cx->failures;
            continue;
        }
        struct str message = buf_view(cx->buf);
        if (text) message = lossy_utf8(cx->arena, message);
        ws_frames_add(f, text ? WS_TEXT : WS_BINARY, message, !w->serves);
    }
    return f;
}

static enum result websocket_write(const void *self, struct event *const *ev, uint32_t n,
                                   struct output_context *cx)
{
    const struct websocket *w = self;
    struct hub             *h = w->hub;
    uint64_t                before = *cx->failures;
    struct ticket           t = {.hub = h, .frames = encode_all(w, ev, n, cx)};
    uint32_t                len = t.frames->len;

    net_post(h->net, hub_take, &t);
    if (!wait_for(h, &t.done, INT64_MAX, cx->stop)) {
        net_call(h->net, hub_withdraw, &t);
        if (!t.done) {
            *cx->failures += len;
            log_error(COMPONENT, "messages were not sent", LOG_INT("lost", len));
        }
    }
    return *cx->failures == before ? OUTPUT_DONE : OUTPUT_FAILED;
}

/* ---- the end ---- */

static void hub_free(struct hub *h)
{
    net_call(h->net, hub_end, h);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->changed);
    free(h);
}

static void websocket_stop(void *self, struct stop *stop)
{
    struct websocket *w = self;
    struct hub       *h = w->hub;
    int64_t           until_ns = clock_monotonic_ns() + w->drain_timeout.ns;

    net_call(h->net, hub_begin_stop, h);
    if (!wait_for(h, &h->ended, until_ns, stop)) {
        net_call(h->net, hub_abort, h);
        /* Only jobs of the loop are left: no peer has a say. */
        while (!wait_for(h, &h->ended, clock_monotonic_ns() + look_ns, stop))
            net_call(h->net, hub_abort, h);
    }
    w->hub = NULL;
    hub_free(h);
}

const struct plugin output_websocket = {
    .kind = PLUGIN_OUTPUT,
    .name = "websocket",
    .summary = "Sends events to the clients of a WebSocket server, or to a server.",
    .size = sizeof(struct websocket),
    .options = websocket_options,
    .open = websocket_open,
    .close = websocket_close,
    .codec = "json",
    .metrics = {websocket_metrics, sizeof(struct ws_figures), websocket_take_metrics},
    .output = {.start = websocket_start, .write = websocket_write, .stop = websocket_stop},
};
