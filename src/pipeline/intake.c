#include "pipeline/intake.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/fatal.h"

enum { BATCH_BYTES = 1024 * 1024 }; /* of messages: a batch with more is handed over */

struct intake *intake_new(struct node *node, struct queue *q, uint32_t batch_size, struct str host,
                          void (*ended)(void *ctx), void *ctx)
{
    struct intake *to = xcalloc(1, sizeof(*to));

    *to = (struct intake){.node = node,
                          .queue = q,
                          .batch_size = batch_size,
                          .host = host,
                          .ended = ended,
                          .ended_ctx = ctx};
    return to;
}

void intake_free(struct intake *to)
{
    if (!to) return;
    queue_forget(to->queue, &to->waiter);
    free(to);
}

/* Makes sure that there is a batch to put things into. False: the pipeline stops by force. */
static bool have_batch(struct intake *to)
{
    if (!to->batch) to->batch = queue_empty(to->queue, &to->node->metrics.push_ns);
    return to->batch != NULL;
}

struct arena *intake_arena(struct intake *to)
{
    if (have_batch(to)) return &to->batch->arena;
    return &to->spare; /* stopping by force: what is made now goes nowhere */
}

static bool full(const struct intake *to)
{
    return to->batch->len >= to->batch_size || to->batch->bytes >= BATCH_BYTES;
}

static bool hold(struct intake *to, struct item item)
{
    if (!to->batch) return false;
    if (to->batch->len == 0) to->batch->time = clock_now();
    item.input = to->node;
    batch_push(to->batch, item);
    return true;
}

void intake_settle(struct intake *to)
{
    if (to->batch && full(to)) intake_flush(to);
}

static bool take(struct intake *to, struct item item)
{
    bool taken = hold(to, item);
    intake_settle(to);
    return taken;
}

bool intake_message(struct intake *to, struct str bytes, const struct origin *origin)
{
    if (!have_batch(to)) return false;
    to->batch->bytes += bytes.len;
    struct str copy = arena_copy(&to->batch->arena, bytes);
    return take(to, (struct item){.message = copy, .origin = origin});
}

bool intake_event(struct intake *to, struct event *ev, const struct origin *origin)
{
    return take(to, (struct item){.ev = ev, .origin = origin});
}

void intake_hold(struct intake *to, struct event *ev, const struct origin *origin)
{
    hold(to, (struct item){.ev = ev, .origin = origin});
}

void intake_flush(struct intake *to)
{
    if (!to->batch || to->batch->len == 0) return;
    queue_fill(to->queue, to->batch);
    to->batch = NULL;
    to->generation++;
}

/* The time between the first question that was denied and the one that was not. */
static void count_wait(struct intake *to)
{
    if (to->batch && to->waiting_since_ns) {
        uint64_t waited = (uint64_t)(clock_monotonic_ns() - to->waiting_since_ns);
        atomic_fetch_add_explicit(&to->node->metrics.push_ns, waited, memory_order_relaxed);
        to->waiting_since_ns = 0;
    } else if (!to->batch && !to->waiting_since_ns) {
        to->waiting_since_ns = clock_monotonic_ns();
    }
}

bool intake_ready(struct intake *to, void (*wake)(void *ctx), void *ctx)
{
    if (to->batch) return true;
    to->batch = queue_try_empty(to->queue, &to->waiter, wake, ctx);
    count_wait(to);
    return to->batch != NULL;
}

void intake_end(struct intake *to)
{
    if (to->done) return;
    to->done = true;
    intake_flush(to);
    if (to->batch) queue_return(to->queue, to->batch);
    to->batch = NULL;
    queue_forget(to->queue, &to->waiter);
    arena_release(&to->spare);
    to->ended(to->ended_ctx);
}

struct origin *intake_origin(struct intake *to, uint32_t fields)
{
    struct arena  *a = intake_arena(to);
    struct origin *o = arena_zalloc(a, sizeof(*o));

    o->len = fields;
    o->fields = arena_zalloc(a, fields * sizeof(*o->fields));
    return o;
}

uint64_t intake_generation(const struct intake *to)
{
    return to->generation;
}

const struct node *intake_node(const struct intake *to)
{
    return to->node;
}

struct str intake_host(const struct intake *to)
{
    return to->host;
}
