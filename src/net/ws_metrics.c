/*
 * Threads: counts are atomic; all else is under the lock, which nobody holds for long.
 */
#include "net/ws_metrics.h"

#include <stdio.h>

void ws_metrics_init(struct ws_metrics *m)
{
    pthread_mutex_init(&m->lock, NULL);
}

void ws_metrics_release(struct ws_metrics *m)
{
    pthread_mutex_destroy(&m->lock);
}

void ws_metrics_opened(struct ws_metrics *m)
{
    if (!m) return;
    struct ws_figures *f = &m->rest;
    pthread_mutex_lock(&m->lock);
    f->connects++;
    if (f->current_connections++ == 0) f->connected_since = clock_now();
    if (f->current_connections > f->peak_connections) f->peak_connections = f->current_connections;
    pthread_mutex_unlock(&m->lock);
}

/* ---- the end ---- */

static void count_failure(struct ws_figures *f, const struct ws_end *end)
{
    switch (end->reason) {
    case WS_BY_DNS:
        f->failed_connects.dns++;
        break;
    case WS_BY_TCP:
        f->failed_connects.tcp++;
        break;
    case WS_BY_PROXY:
        f->failed_connects.proxy++;
        break;
    case WS_BY_TLS:
        f->failed_connects.tls++;
        break;
    case WS_BY_TIMEOUT:
        f->failed_connects.timeout++;
        break;
    case WS_BY_AUTHENTICATION:
        f->failed_connects.authentication++;
        break;
    case WS_BY_REFUSAL:
        metric_codes_add(&f->failed_connects.http_status, (uint32_t)end->http_status);
        break;
    case WS_BY_PROTOCOL:
    case WS_BY_INVALID_DATA:
    case WS_BY_SIZE:
        f->failed_connects.protocol++;
        break;
    case WS_BY_NO_HANDSHAKE:
    case WS_BY_BREAK:
    case WS_BY_SILENCE:
    case WS_BY_IDLENESS:
    case WS_BY_PEER:
        f->failed_connects.broken++;
        break;
    case WS_BY_US:
        break;
    }
}

static void count_end(struct ws_figures *f, const struct ws_end *end)
{
    switch (end->reason) {
    case WS_BY_PEER:
        metric_codes_add(&f->disconnects.peer_closed, end->status);
        break;
    case WS_BY_US:
        metric_codes_add(&f->disconnects.closed, end->status);
        break;
    case WS_BY_SILENCE:
        f->disconnects.ping_timeout++;
        break;
    case WS_BY_IDLENESS:
        f->disconnects.idle++;
        break;
    case WS_BY_PROTOCOL:
        f->disconnects.protocol++;
        break;
    case WS_BY_INVALID_DATA:
        f->disconnects.invalid_data++;
        break;
    case WS_BY_SIZE:
        f->disconnects.too_big++;
        break;
    default:
        f->disconnects.broken++;
    }
    if (--f->current_connections == 0) f->connected_since = (struct timestamp){0};
}

/* A peer that says good-bye in good order is no error. */
static bool is_error(const struct ws_end *end)
{
    if (end->reason == WS_BY_US) return false;
    return end->reason != WS_BY_PEER || (end->status != WS_NORMAL && end->status != WS_GOING_AWAY &&
                                         end->status != WS_NO_STATUS);
}

static void note_error(struct ws_figures *f, const struct ws_end *end)
{
    struct buf text = {0};

    buf_str(&text, str_of(end->what));
    if (end->reason == WS_BY_REFUSAL)
        buf_printf(&text, " %d", end->http_status);
    else if (end->reason == WS_BY_PEER)
        buf_printf(&text, " %u", end->status);
    /* What a server has to say of a refusal is for the log: it is a page, as often as not. */
    if (end->reason != WS_BY_REFUSAL && end->text.len)
        buf_printf(&text, ": %.*s", STR_ARG(end->text));
    metric_text_set(&f->last_error.message, buf_view(&text));
    f->last_error.timestamp = clock_now();
    buf_release(&text);
}

void ws_metrics_ended(struct ws_metrics *m, const struct ws_end *end, bool stood)
{
    if (!m) return;
    pthread_mutex_lock(&m->lock);
    if (stood)
        count_end(&m->rest, end);
    else
        count_failure(&m->rest, end);
    if (is_error(end)) note_error(&m->rest, end);
    pthread_mutex_unlock(&m->lock);
}

void ws_metrics_limit(struct ws_metrics *m)
{
    if (!m) return;
    pthread_mutex_lock(&m->lock);
    m->rest.failed_connects.limit++;
    pthread_mutex_unlock(&m->lock);
}

/* ---- reading ---- */

static uint64_t count(const struct ws_metrics *m, enum ws_count which)
{
    return metric_get(&m->counts[which]);
}

void ws_metrics_take(const struct ws_metrics *m, struct ws_figures *out)
{
    struct ws_metrics *locked = (struct ws_metrics *)(uintptr_t)m; /* for the lock alone */

    pthread_mutex_lock(&locked->lock);
    *out = m->rest;
    pthread_mutex_unlock(&locked->lock);
    out->messages.in = count(m, WS_MESSAGES_IN);
    out->messages.out = count(m, WS_MESSAGES_OUT);
    out->bytes.in = count(m, WS_BYTES_IN);
    out->bytes.out = count(m, WS_BYTES_OUT);
    out->pings.in = count(m, WS_PINGS_IN);
    out->pings.out = count(m, WS_PINGS_OUT);
    out->pongs.in = count(m, WS_PONGS_IN);
    out->pongs.out = count(m, WS_PONGS_OUT);
    out->dropped.slow_client = count(m, WS_DROPPED_SLOW_CLIENT);
    out->dropped.no_client = count(m, WS_DROPPED_NO_CLIENT);
}
