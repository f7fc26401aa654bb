#ifndef LSC_NET_WS_DIAL_H
#define LSC_NET_WS_DIAL_H

#include "net/ws_settings.h"

/*
 * A client that keeps coming back: connects to one of the URLs of the settings, follows redirects,
 * and after each end pauses and connects again. For the input and the output. Functions are for the
 * loop's thread.
 */

/* The rows are in ws_dial.def, each with the member of the same name. */
struct ws_dial_settings {
    double         retry_initial, retry_max, retry_reset, retry_jitter;
    int64_t        retry_max_attempts; /* -1: without end */
    struct strings debug_status;
    int64_t        max_redirects;

    /* made from them by ws_dial_settings_open() */
    uint32_t quiet_len;
    int     *quiet; /* debug_status as numbers */
};
bool ws_dial_settings_open(struct ws_dial_settings *s, struct plugin_open *cx);

struct ws_dial_ops {
    /* As those of a connection; it is dial->connection. */
    void (*opened)(void *ctx);
    bool (*message)(void *ctx, enum ws_opcode opcode, struct str bytes);
    void (*drained)(void *ctx); /* optional */
    /* The connection, or the attempt to make one, came to its end, which has been logged. The owner
       calls ws_dial_again() when it wants another, here or later. */
    void (*ended)(void *ctx, const struct ws_conn *last);
};

struct ws_dial {
    /* set by the owner */
    struct net                    *net;
    const struct ws_dial_settings *settings;
    const struct ws_settings      *client;
    const struct ws_dial_ops      *ops;
    void                          *ctx;
    const char                    *component; /* that log lines come from */
    struct str                     pipeline_id, id;
    struct ws_metrics             *metrics; /* NULL: nothing is counted */

    struct ws_conn *connection; /* NULL: none, not even an attempt */
    uint64_t        passed;     /* messages of this connection, counted by the owner */

    /* its own */
    struct oauth2_request *token; /* being fetched; NULL: none */
    struct net_timer       retry;
    double                 interval_s; /* the next pause */
    uint32_t               server;     /* which of the URLs */
    int64_t                attempts;   /* to connect, since the last connection stood */
    bool                   stood;      /* the last attempt brought a connection */
    bool                   failed;     /* it did not, or one of no use */
    bool                   stopping;
    int64_t                redirects; /* followed since the last pause */
    struct url             elsewhere; /* where the last of them led; host NULL: nowhere */
    struct arena           redirect_arena;
};

/* Connects for the first time. */
void ws_dial_start(struct ws_dial *d);
/* After ended(): connects again, in time. False: that was the last attempt, or it is stopping. */
bool ws_dial_again(struct ws_dial *d);
/* Closes with WS_GOING_AWAY. True: ended() is still called, perhaps it was from here. */
bool ws_dial_stop(struct ws_dial *d);
/* Ends at once, without a close frame; ended() is called from here if there is a connection. */
void ws_dial_abort(struct ws_dial *d);
void ws_dial_release(struct ws_dial *d);

/* Where it is connected to, or trying to. */
const struct url *ws_dial_url(const struct ws_dial *d);

#endif
