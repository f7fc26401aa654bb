#ifndef LSC_QUEUE_QUEUE_H
#define LSC_QUEUE_QUEUE_H

#include "event/batch.h"

/*
 * A fixed number of batches goes round: empty ones to the inputs, full ones to the workers, and
 * back. An input that finds no empty batch waits, and that is all of back-pressure: memory is
 * bounded by the number of batches, and no counter, watermark or window is needed.
 */
struct queue;

/* Inputs that found no empty batch are woken once `refill` are: waking one for each would cost a
   switch of threads per batch. It must be reachable while every input holds a batch. */
struct queue *queue_new(uint32_t batches, uint32_t refill);
void          queue_free(struct queue *q);

/* For inputs. queue_empty() waits, and adds how long to *waited_ns; NULL once queue_abort() was
   called. */
struct batch *queue_empty(struct queue *q, _Atomic uint64_t *waited_ns);

/* Someone who cannot wait for an empty batch. In the list at most once. */
struct queue_waiter {
    void (*wake)(void *ctx); /* called once, by the thread that gives a batch back */
    void                *ctx;
    struct queue_waiter *next;
    bool                 waiting;
};
/* NULL instead of waiting; then wake(ctx) is called when batches come back. */
struct batch *queue_try_empty(struct queue *q, struct queue_waiter *w, void (*wake)(void *ctx),
                              void *ctx);
void          queue_forget(struct queue *q, struct queue_waiter *w); /* no longer to be woken */
void          queue_fill(struct queue *q, struct batch *b);

/* For workers. Returns NULL once the queue is closed and drained, or, with *timed_out true, when
   nothing came until `deadline_ns` (monotonic; INT64_MAX: waits for ever). */
struct batch *queue_take(struct queue *q, int64_t deadline_ns, bool *timed_out);
void          queue_return(struct queue *q, struct batch *b);

void queue_close(struct queue *q); /* no more will be filled: workers drain and end */
void queue_abort(struct queue *q); /* inputs must not wait any more */

/* Items handed over and not yet returned, for the API. */
uint64_t queue_depth(struct queue *q);

#endif
