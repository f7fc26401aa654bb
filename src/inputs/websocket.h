#ifndef LSC_INPUTS_WEBSOCKET_H
#define LSC_INPUTS_WEBSOCKET_H

#include "base/log.h"
#include "net/ws_dial.h"
#include "net/ws_metrics.h"
#include "net/ws_settings_server.h"
#include "plugin/common.h"
#include "plugin/intake.h"
#include "plugin/plugin.h"

/* What the files of the websocket input share: websocket.c (settings, what becomes of a message),
   websocket_client.c and websocket_server.c (the two modes). */
#define COMPONENT "input.websocket"

struct websocket;

/* One connection's messages on their way into the pipeline. */
struct reader {
    struct websocket *w;
    struct stream    *stream;
    struct net_timer  tick;
    struct origin    *origins[2]; /* of the current batch: text, binary */
    uint64_t          generation; /* of that batch */
    size_t            taken;      /* bytes of the message that is being taken line by line */
};

/* What reading as a server needs. */
struct server {
    struct ws_server *listening;
    struct client    *clients;
    struct client    *waiting, **last_waiting; /* for room in the pipeline, in turn */
    struct client    *to_ack;
    struct log_limit  lost, deaf;
    bool              resuming; /* clients are being looked at: they must not go away */
    bool              stopped;  /* the last connection has ended */
};

struct websocket {
    /* settings */
    int                       mode;
    struct str                open_message;
    struct strings            open_messages;
    int                       open_message_type;
    struct regex             *open_message_expect;
    struct duration           open_message_timeout;
    struct str                poll_message;
    struct duration           poll_interval;
    bool                      auto_replay_nacks, metadata;
    struct str                ack_message;
    const struct field       *remote_host_target_field, *request_headers_target_field;
    struct ws_dial_settings   dial;
    struct ws_settings        client;
    struct ws_server_settings server;

    /* made from them by open() */
    struct str          id, pipeline_id;
    const struct field *metadata_field;
    struct ws_metrics   metrics;

    /* while running */
    struct net     *net;
    struct intake  *to;
    struct framing  lines; /* into which the codec cuts messages; no delimiter: it does not */
    bool            stopping;
    struct net_idle idle;

    /* of mode client */
    struct ws_dial   dialer;
    struct reader    reader;
    struct net_timer answer, poll;
    bool             expecting;    /* the answer to the open messages has not come */
    bool             disconnected; /* the end of a connection has not been dealt with */

    /* of mode server */
    struct server serving;
};

/* ---- websocket.c ---- */

/* Posts resume(), of either mode, to the loop; for intake_ready(). */
void websocket_wake(void *w);

void reader_begin(struct reader *r, struct websocket *w);
/*
 * Takes a message, or one line of it where the codec cuts lines: what there has to be room for.
 * `origin`, NULL: none, is of the current batch. False: more of the message is left, so ask for
 * room and take it again, now or when the connection gives it again.
 */
bool reader_take(struct reader *r, struct str message, const struct origin *origin);
/* The end of the connection, while there is room: what the codec holds back comes out. */
void reader_flush(struct reader *r);
void reader_free(struct reader *r);

/* The origin of messages of this kind, one for each batch. NULL: there is nothing to say. When it
   is new, `*fresh`, it holds the metadata, and the caller appends up to `more` fields. */
struct origin *reader_origin(struct reader *r, enum ws_opcode opcode, const struct ws_conn *c,
                             struct str url, uint32_t more, bool *fresh);
/* Adds a member with a copy of the text to a map of the current batch. */
void reader_add(struct reader *r, struct map *m, const char *name, struct str text);

/* ---- the modes ---- */

void client_listen(struct websocket *w);
void client_unlisten(struct websocket *w);
void client_resume(struct websocket *w);

void server_listen(struct websocket *w);
void server_unlisten(struct websocket *w);
void server_resume(struct websocket *w);
/* The batch has been handed over. */
void server_handed_over(struct websocket *w);

#endif
