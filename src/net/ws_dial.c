/*
 * A WebSocket client that keeps coming back.
 *
 * Source: logstash-input-websocket 4.0.5, lib/logstash/inputs/websocket.rb (back-off).
 * Threads: all of it belongs to the loop's thread.
 */
#include "net/ws_dial.h"

#include <openssl/crypto.h>

#include "base/log.h"
#include "base/random.h"
#include "net/ws_metrics.h"

static const int64_t second_ns = 1000000000;
/* No pause is longer, whatever the settings say: a day. */
static const double pause_max_s = 86400;

/* ---- before the start ---- */

static bool read_statuses(struct ws_dial_settings *s, struct plugin_open *cx)
{
    bool good = true;

    s->quiet = arena_alloc(cx->arena, (s->debug_status.len + 1) * sizeof(*s->quiet));
    for (uint32_t i = 0; i < s->debug_status.len; i++) {
        int64_t status;
        if (option_int(s->debug_status.at[i], &status) && status >= 100 && status <= 999)
            s->quiet[s->quiet_len++] = (int)status;
        else
            good = plugin_error(cx, "debug_status", "\"%.*s\" is no HTTP status",
                                STR_ARG(s->debug_status.at[i]));
    }
    return good;
}

bool ws_dial_settings_open(struct ws_dial_settings *s, struct plugin_open *cx)
{
    bool good = read_statuses(s, cx);

    if (s->retry_initial < 0) good = plugin_error(cx, "retry_initial", "a pause is not negative");
    if (s->retry_max < 0) good = plugin_error(cx, "retry_max", "a pause is not negative");
    if (s->retry_jitter < 0 || s->retry_jitter > 1)
        good = plugin_error(cx, "retry_jitter", "\"retry_jitter\" lies between 0.0 and 1.0");
    return good;
}

/* ---- what is logged ---- */

const struct url *ws_dial_url(const struct ws_dial *d)
{
    return d->elsewhere.host.data ? &d->elsewhere : &d->client->targets[d->server];
}

static void speak(const struct ws_dial *d)
{
    log_context(d->pipeline_id, d->id);
}

static bool expected_status(const struct ws_dial_settings *s, int status)
{
    for (uint32_t i = 0; i < s->quiet_len; i++)
        if (s->quiet[i] == status) return true;
    return false;
}

static void log_end(const struct ws_dial *d, const struct ws_end *end)
{
    struct log_value url = LOG_STR("url", ws_dial_url(d)->masked);
    struct log_value retry = LOG_FLOAT("retry", d->interval_s);
    enum log_level   level = LOG_WARN;

    speak(d);
    switch (end->kind) {
    case WS_END_STOPPED:
        return;
    case WS_END_REFUSED:
        if (expected_status(d->settings, end->http_status)) level = LOG_DEBUG;
        LOG_AT(level, d->component, "request failed", LOG_INT("status", end->http_status), url,
               LOG_STR("body", end->text), retry);
        return;
    case WS_END_CLOSED:
        LOG_AT(LOG_INFO, d->component, "connection closed by the server",
               LOG_INT("code", end->status), LOG_STR("reason", end->text), url, retry);
        return;
    case WS_END_BROKEN:
    case WS_END_PROTOCOL:
    case WS_END_CONNECT:
        LOG_AT(level, d->component,
               end->kind == WS_END_CONNECT ? "connection failed" : "connection lost",
               LOG_CSTR("failed", end->what), LOG_STR("exception", end->text), url, retry);
    }
}

/* ---- pauses ---- */

/* The 4.0.5 rule: the pause that is due now is the old one, what the connection brought decides
   about the next. */
static double next_pause(struct ws_dial *d)
{
    const struct ws_dial_settings *s = d->settings;
    double pause = d->interval_s < pause_max_s ? d->interval_s : pause_max_s;
    double doubled = 2 * d->interval_s;

    if ((double)d->passed > s->retry_reset)
        d->interval_s = s->retry_initial;
    else
        d->interval_s = doubled < s->retry_max ? doubled : s->retry_max;
    return pause;
}

/* Between 1 - jitter and 1 + jitter. */
static double jitter(const struct ws_dial *d)
{
    uint32_t n = 0;

    random_bytes(&n, sizeof(n));
    return 1 + d->settings->retry_jitter * (2 * (double)n / UINT32_MAX - 1);
}

static void connect_now(void *ctx);

/* Pauses, unless another server of the list has not been tried yet. */
static void connect_later(struct ws_dial *d)
{
    double pause_s = 0;

    d->elsewhere.host.data = NULL;
    d->redirects = 0;
    d->server = d->failed ? (d->server + 1) % d->client->targets_len : 0;
    if (d->server == 0) pause_s = next_pause(d) * jitter(d);
    net_timer_set(d->net, &d->retry, (int64_t)(pause_s * (double)second_ns), connect_now, d);
}

/* ---- redirects ---- */

/* The place that a Location header names, also when it is only a path. */
static struct str whole_place(const struct ws_dial *d, struct str place, struct arena *a)
{
    struct buf authority = {0};

    if (!str_starts(place, STR("/")) || str_starts(place, STR("//"))) return place;
    url_authority(ws_dial_url(d), &authority);
    place = arena_printf(a, "%s://%.*s%.*s", ws_dial_url(d)->tls ? "wss" : "ws",
                         STR_ARG(buf_view(&authority)), STR_ARG(place));
    buf_release(&authority);
    return place;
}

static bool may_follow(const struct ws_dial *d, const struct ws_end *end)
{
    int status = end->http_status;

    return end->kind == WS_END_REFUSED && end->location.len > 0 &&
           d->redirects < d->settings->max_redirects && status != 300 &&
           (status <= 303 || status >= 307);
}

/* Takes the redirect of a refusal, if it may. */
static bool redirected(struct ws_dial *d, const struct ws_end *end)
{
    struct arena next = {0};
    struct url   u;
    const char  *problem;

    if (!may_follow(d, end)) return false;
    bool good = url_parse(&next, whole_place(d, end->location, &next), &u, &problem) &&
                u.scheme < URL_SOCKS5 && !u.has_userinfo && (u.tls || !ws_dial_url(d)->tls) &&
                (!u.tls || d->client->tls);
    if (!good) {
        arena_release(&next);
        return false;
    }
    arena_release(&d->redirect_arena);
    d->redirect_arena = next;
    d->elsewhere = u;
    d->redirects++;
    return true;
}

/* ---- connections ---- */

static void on_opened(void *ctx)
{
    struct ws_dial *d = ctx;

    speak(d);
    log_info(d->component, "connected", LOG_STR("url", ws_dial_url(d)->masked),
             LOG_CSTR("remote", ws_conn_peer(d->connection)));
    d->attempts = 0;
    d->stood = true;
    d->ops->opened(d->ctx);
}

static bool on_message(void *ctx, enum ws_opcode opcode, struct str bytes)
{
    struct ws_dial *d = ctx;

    return d->ops->message(d->ctx, opcode, bytes);
}

static void on_drained(void *ctx)
{
    struct ws_dial *d = ctx;

    if (d->ops->drained) d->ops->drained(d->ctx);
}

/* Another server of the list is worth trying at once when this one could not be had. */
static void end_attempt(struct ws_dial *d, const struct ws_end *end, bool try_next)
{
    const struct ws_conn *last = d->connection;

    d->connection = NULL;
    d->failed = try_next;
    d->attempts++;
    if (!d->stood && !d->stopping) ws_metrics_ended(d->metrics, end, false);
    if (!d->stopping) log_end(d, end);
    d->ops->ended(d->ctx, last);
}

static void on_ended(void *ctx, const struct ws_end *end)
{
    struct ws_dial *d = ctx;

    if (end->kind == WS_END_REFUSED && end->http_status == 401 && d->client->oauth2)
        oauth2_forget(d->client->oauth2);
    if (!d->stopping && redirected(d, end)) {
        d->connection = NULL;
        net_timer_set(d->net, &d->retry, 0, connect_now, d);
        return;
    }
    end_attempt(d, end,
                end->kind == WS_END_CONNECT || end->kind == WS_END_REFUSED ||
                    (end->kind == WS_END_PROTOCOL && d->passed == 0));
}

static void end_unauthenticated(struct ws_dial *d, struct str problem, bool try_next)
{
    const struct ws_end end = {.kind = ws_reason_kind(WS_BY_AUTHENTICATION),
                               .reason = WS_BY_AUTHENTICATION,
                               .what = ws_reason_name(WS_BY_AUTHENTICATION),
                               .text = problem};

    end_attempt(d, &end, try_next);
}

static const struct url *led_to(const struct ws_dial *d)
{
    return d->elsewhere.host.data ? &d->elsewhere : NULL;
}

static void open_connection(struct ws_dial *d)
{
    static const struct ws_conn_ops ops = {on_opened, on_message, on_ended, on_drained};
    struct ws_client_config         config = {.rules = {.net = d->net, .metrics = d->metrics}};
    struct buf                      headers = {0}, problem = {0};

    if (ws_settings_config(d->client, d->server, led_to(d), &config, &headers, &problem))
        d->connection = ws_client_open(&config, &ops, d);
    else
        end_unauthenticated(d, buf_view(&problem), true);
    if (headers.data) OPENSSL_cleanse(headers.data, headers.cap);
    buf_release(&headers);
    buf_release(&problem);
}

/* Without a token no other server of the list is worth trying. */
static void on_token(void *ctx, const char *problem)
{
    struct ws_dial *d = ctx;

    d->token = NULL;
    if (problem)
        end_unauthenticated(d, str_of(problem), false);
    else
        open_connection(d);
}

static void connect_now(void *ctx)
{
    struct ws_dial *d = ctx;

    d->passed = 0;
    d->stood = false;
    if (ws_settings_want_token(d->client, d->server, led_to(d)))
        d->token = oauth2_fetch(d->client->oauth2, d->net, on_token, d);
    else
        open_connection(d);
}

/* ---- start and stop ---- */

void ws_dial_start(struct ws_dial *d)
{
    d->interval_s = d->settings->retry_initial;
    connect_now(d);
}

bool ws_dial_again(struct ws_dial *d)
{
    int64_t most = d->settings->retry_max_attempts;

    if (d->stopping) return false;
    if (most >= 0 && d->attempts > most) {
        speak(d);
        log_error(d->component, "gave up: retry_max_attempts", LOG_INT("attempts", most));
        return false;
    }
    connect_later(d);
    return true;
}

static void stop_trying(struct ws_dial *d)
{
    d->stopping = true;
    net_timer_cancel(d->net, &d->retry);
    if (d->token) oauth2_cancel(d->token);
    d->token = NULL;
}

bool ws_dial_stop(struct ws_dial *d)
{
    stop_trying(d);
    if (!d->connection) return false;
    ws_conn_close(d->connection, WS_GOING_AWAY);
    return true;
}

void ws_dial_abort(struct ws_dial *d)
{
    stop_trying(d);
    if (d->connection) ws_conn_abort(d->connection);
}

void ws_dial_release(struct ws_dial *d)
{
    arena_release(&d->redirect_arena);
}
