/*
 * drop: takes events out of the pipeline, all of them or a share.
 *
 * Source: logstash-filter-drop, lib/logstash/filters/drop.rb.
 * Threads: each worker has a random generator of its own.
 */
#include <sys/random.h>

#include "plugin/plugin.h"

struct drop {
    double percentage;
};

struct drop_state {
    uint64_t random; /* 0: not seeded yet */
};

static const struct option drop_options[] = {
    OPT(struct drop, OPT_FLOAT, percentage, .preset = "100",
        .doc = "How many of a hundred events are dropped, picked at random. By default all are."),
    OPT_END,
};

/* xorshift64*: a number from 0 up to, not including, 1. */
static double next_random(struct drop_state *state)
{
    while (state->random == 0) {
        if (getrandom(&state->random, sizeof(state->random), 0) < 0) state->random = 1;
    }
    state->random ^= state->random >> 12;
    state->random ^= state->random << 25;
    state->random ^= state->random >> 27;
    return (double)(state->random * 0x2545F4914F6CDD1Du >> 11) * 0x1p-53;
}

static enum verdict drop_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct drop *d = self;

    (void)ev;
    if (d->percentage == 100) return FILTER_DROP;
    return next_random(cx->state) < d->percentage / 100 ? FILTER_DROP : FILTER_PASS;
}

const struct plugin filter_drop = {
    .kind = PLUGIN_FILTER,
    .name = "drop",
    .summary = "Takes events out of the pipeline.",
    .size = sizeof(struct drop),
    .options = drop_options,
    .filter = {.run = drop_run, .worker_size = sizeof(struct drop_state)},
};
