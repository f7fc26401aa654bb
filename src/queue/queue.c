#include "queue/queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/fatal.h"

struct fifo {
    struct batch *head, **tail;
};

struct queue {
    pthread_mutex_t      lock;
    pthread_cond_t       have_empty, have_full;
    struct fifo          empty, full;
    struct queue_waiter *waiters;
    struct batch        *all;
    uint32_t             count, empties, refill;
    uint64_t             depth;
    bool                 closed, aborted;
};

static void push(struct fifo *f, struct batch *b)
{
    b->next = NULL;
    *f->tail = b;
    f->tail = &b->next;
}

static struct batch *pop(struct fifo *f)
{
    struct batch *b = f->head;
    if (b && !(f->head = b->next)) f->tail = &f->head;
    return b;
}

/* Empty batches go round as a stack: the one used last is still warm in the cache. */
static void push_front(struct fifo *f, struct batch *b)
{
    b->next = f->head;
    if (!f->head) f->tail = &b->next;
    f->head = b;
}

struct queue *queue_new(uint32_t batches, uint32_t refill)
{
    struct queue      *q = xcalloc(1, sizeof(*q));
    pthread_condattr_t monotonic;

    q->all = xcalloc(batches, sizeof(*q->all));
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->have_empty, &monotonic);
    pthread_cond_init(&q->have_full, &monotonic);
    pthread_condattr_destroy(&monotonic);
    q->empty.tail = &q->empty.head;
    q->full.tail = &q->full.head;
    q->count = q->empties = batches;
    q->refill = refill;
    for (uint32_t i = 0; i < batches; i++)
        push(&q->empty, &q->all[i]);
    return q;
}

void queue_free(struct queue *q)
{
    if (!q) return;
    for (uint32_t i = 0; i < q->count; i++)
        batch_release(&q->all[i]);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->have_empty);
    pthread_cond_destroy(&q->have_full);
    free(q->all);
    free(q);
}

static struct batch *take_empty(struct queue *q)
{
    struct batch *b = q->aborted ? NULL : pop(&q->empty);

    if (b) q->empties--;
    return b;
}

static struct batch *wait_empty(struct queue *q, _Atomic uint64_t *waited_ns)
{
    int64_t       start = clock_monotonic_ns();
    struct batch *b;

    while (!(b = take_empty(q)) && !q->aborted)
        pthread_cond_wait(&q->have_empty, &q->lock);
    atomic_fetch_add_explicit(waited_ns, (uint64_t)(clock_monotonic_ns() - start),
                              memory_order_relaxed);
    return b;
}

struct batch *queue_empty(struct queue *q, _Atomic uint64_t *waited_ns)
{
    pthread_mutex_lock(&q->lock);
    struct batch *b = take_empty(q);
    if (!b && !q->aborted) b = wait_empty(q, waited_ns);
    pthread_mutex_unlock(&q->lock);
    return b;
}

struct batch *queue_try_empty(struct queue *q, struct queue_waiter *w, void (*wake)(void *ctx),
                              void *ctx)
{
    pthread_mutex_lock(&q->lock);
    struct batch *b = take_empty(q);
    if (!b && !w->waiting) {
        w->waiting = true;
        w->wake = wake;
        w->ctx = ctx;
        w->next = q->waiters;
        q->waiters = w;
    }
    pthread_mutex_unlock(&q->lock);
    return b;
}

void queue_forget(struct queue *q, struct queue_waiter *w)
{
    pthread_mutex_lock(&q->lock);
    for (struct queue_waiter **link = &q->waiters; *link; link = &(*link)->next) {
        if (*link == w) {
            *link = w->next;
            break;
        }
    }
    w->waiting = false;
    pthread_mutex_unlock(&q->lock);
}

void queue_fill(struct queue *q, struct batch *b)
{
    pthread_mutex_lock(&q->lock);
    push(&q->full, b);
    q->depth += b->len;
    pthread_mutex_unlock(&q->lock);
    pthread_cond_signal(&q->have_full);
}

static struct timespec to_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

struct batch *queue_take(struct queue *q, int64_t deadline_ns, bool *timed_out)
{
    struct timespec until = to_timespec(deadline_ns == INT64_MAX ? 0 : deadline_ns);
    struct batch   *b;

    *timed_out = false;
    pthread_mutex_lock(&q->lock);
    while (!(b = pop(&q->full)) && !q->closed && !*timed_out) {
        if (deadline_ns == INT64_MAX)
            pthread_cond_wait(&q->have_full, &q->lock);
        else
            *timed_out = pthread_cond_timedwait(&q->have_full, &q->lock, &until) != 0;
    }
    if (b) *timed_out = false;
    pthread_mutex_unlock(&q->lock);
    return b;
}

/* Waiters are woken under the lock, so that none is woken after queue_forget(); they only post. */
static void wake_all(struct queue *q)
{
    while (q->waiters) {
        struct queue_waiter *w = q->waiters;
        q->waiters = w->next;
        w->waiting = false;
        w->wake(w->ctx);
    }
}

void queue_return(struct queue *q, struct batch *b)
{
    uint32_t len = b->len;

    batch_clear(b);
    pthread_mutex_lock(&q->lock);
    q->depth -= len;
    push_front(&q->empty, b);
    bool refilled = ++q->empties >= q->refill;
    if (refilled) wake_all(q);
    pthread_mutex_unlock(&q->lock);
    if (refilled) pthread_cond_broadcast(&q->have_empty);
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->have_full);
    pthread_mutex_unlock(&q->lock);
}

void queue_abort(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->aborted = true;
    pthread_cond_broadcast(&q->have_empty);
    wake_all(q);
    pthread_mutex_unlock(&q->lock);
}

uint64_t queue_depth(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    uint64_t depth = q->depth;
    pthread_mutex_unlock(&q->lock);
    return depth;
}
