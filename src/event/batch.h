#ifndef LSC_EVENT_BATCH_H
#define LSC_EVENT_BATCH_H

#include "event/event.h"

/*
 * Where a message came from, and so what is added to the events decoded from it. Made by the
 * input, in the batch's arena or for as long as the input lives; never changed once messages refer
 * to it.
 */
struct origin {
    uint32_t len;
    bool     decorated_first; /* the input's common options come before these fields */
    bool     insists; /* an event with no room for a field counts as a message not decoded */
    struct origin_field {
        const struct field *field;
        struct value        value;
        bool                always; /* false: only when the event has no such field */
        bool is_message; /* the value is the message itself, with `value` (text) behind it */
    } * fields;
};

struct node;

/*
 * What a batch carries: an event, or, when `ev` is NULL, a message not decoded yet. Decoding waits
 * until a worker has the batch, so it runs on as many cores as there are workers and next to the
 * work that reads its result.
 */
struct item {
    struct event        *ev;
    struct str           message;
    const struct origin *origin; /* NULL: none */
    const struct node   *input;  /* whose codec decodes and whose options decorate */
};

/*
 * The unit that travels: up to pipeline.batch.size items and the arena that all of them live in.
 * Exactly one thread owns a batch at any time, so nothing in it needs a lock or a refcount.
 */
struct batch {
    struct arena     arena;
    struct item     *items;
    uint32_t         len, cap;
    size_t           bytes; /* of all messages */
    struct timestamp time;  /* when its first item came: @timestamp of what is decoded */
    struct batch    *next;  /* while in a queue */
};

void batch_push(struct batch *b, struct item item);
void batch_clear(struct batch *b);   /* empty, memory kept */
void batch_release(struct batch *b); /* frees */

/* A growing list of events, memory kept between uses. */
struct event_list {
    struct event **at;
    uint32_t       len, cap;
};
void event_list_push(struct event_list *l, struct event *ev);
void event_list_release(struct event_list *l);

#endif
