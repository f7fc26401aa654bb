#ifndef LSC_NET_WS_METRICS_H
#define LSC_NET_WS_METRICS_H

#include <pthread.h>

#include "net/ws_conn.h"
#include "plugin/metric.h"

/*
 * What a plugin with WebSocket connections counts. The loop's thread writes, any thread reads.
 * ws_metrics.def has the rows.
 */

/* As the monitoring API shows it. */
struct ws_figures {
    uint64_t         connects, current_connections, peak_connections;
    struct timestamp connected_since;
    struct {
        uint64_t            dns, tcp, proxy, tls, timeout, broken, protocol, authentication, limit;
        struct metric_codes http_status;
    } failed_connects;
    struct {
        struct metric_codes peer_closed, closed;
        uint64_t            broken, ping_timeout, idle, protocol, invalid_data, too_big;
    } disconnects;
    struct {
        uint64_t in, out;
    } messages, bytes, pings, pongs;
    struct {
        uint64_t slow_client, no_client;
    } dropped;
    struct {
        struct metric_text message;
        struct timestamp   timestamp;
    } last_error;
};

/* Written for each message or read. */
enum ws_count {
    WS_MESSAGES_IN,
    WS_MESSAGES_OUT,
    WS_BYTES_IN,
    WS_BYTES_OUT,
    WS_PINGS_IN,
    WS_PINGS_OUT,
    WS_PONGS_IN,
    WS_PONGS_OUT,
    WS_DROPPED_SLOW_CLIENT,
    WS_DROPPED_NO_CLIENT,
    WS_COUNTS,
};

struct ws_metrics {
    _Atomic uint64_t  counts[WS_COUNTS];
    pthread_mutex_t   lock;
    struct ws_figures rest; /* what `counts` has not; under the lock */
};

void ws_metrics_init(struct ws_metrics *m);
void ws_metrics_release(struct ws_metrics *m);

/* A NULL `m` counts nothing. */
static inline void ws_metrics_add(struct ws_metrics *m, enum ws_count which, uint64_t n)
{
    if (m) metric_add_alone(&m->counts[which], n);
}
/* A handshake has succeeded. */
void ws_metrics_opened(struct ws_metrics *m);
/* The end of a connection, which stood or did not come about. */
void ws_metrics_ended(struct ws_metrics *m, const struct ws_end *end, bool stood);
/* A client was turned away unheard: there are too many. */
void ws_metrics_limit(struct ws_metrics *m);

/* All of it, as of one moment but for the counts, which go on meanwhile. Any thread. */
void ws_metrics_take(const struct ws_metrics *m, struct ws_figures *out);

#endif
