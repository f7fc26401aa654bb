#ifndef LSC_OUTPUTS_WEBSOCKET_H
#define LSC_OUTPUTS_WEBSOCKET_H

#include <pthread.h>

#include "base/log.h"
#include "net/ws_dial.h"
#include "net/ws_metrics.h"
#include "net/ws_outbox.h"
#include "net/ws_settings_server.h"
#include "plugin/intake.h"
#include "plugin/plugin.h"

/* What the files of the websocket output share: websocket.c (settings, workers), websocket_hub.c
   (the loop's side: what goes to whom). */
#define COMPONENT "output.websocket"

enum { SLOW_DROP_OLDEST, SLOW_DROP_CLIENT, SLOW_BLOCK };

struct websocket {
    /* settings */
    int                       mode, message_type, slow_client;
    int64_t                   queue_size, buffer_when_no_client;
    struct duration           drain_timeout;
    struct ws_dial_settings   dial;
    struct ws_settings        client;
    struct ws_server_settings server;

    /* made from them by open() */
    bool              serves; /* mode server */
    struct str        id, pipeline_id;
    struct ws_metrics metrics;
    struct hub       *hub; /* from start() to stop() */
};

/* A worker's write, until the loop has taken it. */
struct ticket {
    struct hub       *hub;
    struct ws_frames *frames;
    struct ticket    *next;
    bool              done; /* under hub->lock */
};

struct hub {
    const struct websocket *w;
    struct ws_metrics      *metrics; /* w's */
    struct net             *net;

    /* Between workers and the loop. */
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    bool            ended; /* after hub_begin_stop(): all connections have; under the lock */

    /* Of the loop: */
    struct ticket   *tickets, **last_ticket; /* that wait for room */
    struct ws_outbox box; /* of mode client; of mode server, while there is no client */
    bool             stopping, admitting;

    struct ws_dial dialer;
    bool           connected;

    struct ws_server *server;
    struct peer      *peers;
    uint32_t          peers_len;
    bool              server_ended;
    bool              told; /* that nobody is there */
    uint64_t          lost; /* messages that slow clients did not get, not yet logged */
    struct log_limit  slow, broken;
};

/* On the loop's thread; `ctx` as the comment says. */
void hub_begin(void *hub);
void hub_take(void *ticket);     /* takes the frames, now or when there is room */
void hub_withdraw(void *ticket); /* forgets it, if it was not taken */
void hub_begin_stop(void *hub);  /* sends what waits, then closes */
void hub_abort(void *hub);       /* drops what waits, and all connections */
void hub_end(void *hub);         /* releases what it holds, once it has ended */

#endif
