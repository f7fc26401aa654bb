/*
 * throttle: marks events that come too rarely or too often.
 *
 * Source: logstash-filter-throttle, lib/logstash/filters/throttle.rb.
 * Threads: the counters are shared by the workers under a mutex: counting is what it is for.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "base/table.h"
#include "plugin/failure.h"
#include "text/rubytext.h"

enum { PERIOD_PRESET = 60, KEY_MAX = 64 * 1024, SLOTS_MAX = 100000 };

/* max_age shrinks to a twentieth of the setting, in twentieths, while there are too many counters.
 */
enum { AGE_STEPS = 20, GROW_BELOW_PERCENT = 80 };

struct slot {
    int64_t start; /* seconds since 1970 */
    int64_t count;
};

/* Of one key: periods from the first event on, in no order. */
struct counters {
    struct table_entry entry;
    int64_t            created, latest;
    uint32_t           len, cap;
    struct slot       *slots;
};

struct shared {
    pthread_mutex_t lock;
    struct table    keys;
    int64_t         max_age;
};

struct throttle {
    int64_t                before_count, after_count, max_age, max_counters;
    const struct template *key, *period;
    struct shared         *shared;
};

static const struct option throttle_options[] = {
    OPT(struct throttle, OPT_INT, after_count, .preset = "-1", .min = -1, .max = INT64_MAX,
        .doc = "Events are throttled from the one behind this number on, in each period. -1: not "
               "for that reason."),
    OPT(struct throttle, OPT_INT, before_count, .preset = "-1", .min = -1, .max = INT64_MAX,
        .doc = "Events are throttled until this number is reached, in each period. -1: not for "
               "that reason."),
    OPT(struct throttle, OPT_TEMPLATE, key, .required = true,
        .doc = "What events are counted by, such as \"%{host}%{message}\". Throttled means that "
               "the common options are applied: add a tag and drop by it."),
    OPT(struct throttle, OPT_INT, max_age, .preset = "3600", .min = 0, .max = INT64_MAX,
        .doc = "How many seconds a counter is kept behind the latest of its key, for events that "
               "come late: at least twice the period."),
    OPT(struct throttle, OPT_INT, max_counters, .preset = "100000", .min = -1, .max = INT64_MAX,
        .doc = "While there are more counters than this max_age is lowered, step by step. -1: any "
               "number."),
    OPT(struct throttle, OPT_TEMPLATE, period, .preset = "60",
        .doc = "Seconds that a period lasts; may hold %{…}. Text that is no number counts as 60. "
               "Time is that of the events."),
    OPT_END,
};

static void release_counters(void *record)
{
    free(((struct counters *)record)->slots);
}

static bool throttle_open(void *self, struct plugin_open *cx)
{
    struct throttle *t = self;

    (void)cx;
    t->shared = xcalloc(1, sizeof(*t->shared));
    pthread_mutex_init(&t->shared->lock, NULL);
    t->shared->keys.size = sizeof(struct counters);
    t->shared->keys.release = release_counters;
    t->shared->max_age = t->max_age;
    return true;
}

static void throttle_close(void *self)
{
    struct throttle *t = self;

    table_release(&t->shared->keys);
    pthread_mutex_destroy(&t->shared->lock);
    free(t->shared);
}

/* ---- counting ---- */

/* The slot that starts at `start`, newer ones first: events mostly come in their order. NULL: none.
 */
static struct slot *find_slot(struct counters *c, int64_t start)
{
    for (uint32_t i = c->len; i-- > 0;) {
        if (c->slots[i].start == start) return &c->slots[i];
    }
    return NULL;
}

/* A new slot; the oldest makes room when there are too many. */
static struct slot *add_slot(struct counters *c, int64_t start)
{
    uint32_t oldest = 0;

    for (uint32_t i = 0; i < c->len; i++)
        oldest = c->slots[i].start < c->slots[oldest].start ? i : oldest;
    if (c->len == SLOTS_MAX) {
        c->slots[oldest] = (struct slot){start, 0};
        return &c->slots[oldest];
    }
    if (c->len == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 2;
        c->slots = xrealloc(c->slots, c->cap * sizeof(*c->slots));
    }
    c->slots[c->len] = (struct slot){start, 0};
    return &c->slots[c->len++];
}

/* Keeps the order of those that stay. */
static void drop_old(struct counters *c, int64_t max_age)
{
    int64_t  latest = INT64_MIN;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < c->len; i++)
        latest = c->slots[i].start > latest ? c->slots[i].start : latest;
    for (uint32_t i = 0; i < c->len; i++) {
        if (latest - c->slots[i].start <= max_age) c->slots[kept++] = c->slots[i];
    }
    c->len = kept;
}

/* Counts the event; returns how many its period has now. */
static int64_t count(struct shared *s, struct str key, int64_t time, int64_t period)
{
    bool             added;
    struct counters *c = table_add(&s->keys, key, &added);

    if (added) c->created = c->latest = time;
    if (time > c->latest) c->latest = time;
    int64_t into = (time - c->created) % period; /* rounded down, also before the first event */
    if (into < 0) into += period;
    struct slot *slot = find_slot(c, time - into);
    if (slot) return ++slot->count;
    add_slot(c, time - into)->count = 1;
    drop_old(c, s->max_age); /* only a new slot can make others old */
    return 1;
}

static int64_t period_of(const struct throttle *t, struct event *ev, struct arena *scratch)
{
    struct value v = ruby_to_i(scratch, template_str(t->period, ev));

    return v.kind == VALUE_INT && v.as.i > 0 ? v.as.i : PERIOD_PRESET;
}

static enum verdict throttle_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct throttle *t = self;
    struct str             key = template_str(t->key, ev);
    struct timestamp       time = cx->now;
    int64_t                period = period_of(t, ev, cx->scratch);

    event_timestamp(ev, &time);
    if (key.len > KEY_MAX) key.len = KEY_MAX;
    pthread_mutex_lock(&t->shared->lock);
    int64_t n = count(t->shared, key, time.sec, period);
    pthread_mutex_unlock(&t->shared->lock);
    bool throttled = (t->before_count != -1 && n < t->before_count) ||
                     (t->after_count != -1 && n > t->after_count);
    return throttled ? FILTER_MATCH : FILTER_PASS;
}

/* ---- keeping memory small ---- */

struct survey {
    int64_t latest, max_age, counters;
};

static bool find_latest(void *record, void *ctx)
{
    struct survey   *s = ctx;
    struct counters *c = record;

    s->latest = c->latest > s->latest ? c->latest : s->latest;
    return true;
}

static bool is_young(void *record, void *ctx)
{
    struct survey   *s = ctx;
    struct counters *c = record;

    if (s->latest - c->latest > s->max_age) return false;
    s->counters += c->len;
    return true;
}

static void adjust_age(const struct throttle *t, const struct survey *s)
{
    int64_t step = t->max_age / AGE_STEPS, *age = &t->shared->max_age, max = t->max_counters;
    int64_t few = max / 100 * GROW_BELOW_PERCENT + max % 100 * GROW_BELOW_PERCENT / 100;

    if (max == -1) return;
    if (s->counters > max && *age > step) {
        *age -= step;
        log_warn("filter.throttle", "too many counters: they are kept for a shorter time",
                 LOG_INT("counters", s->counters), LOG_INT("max_age", *age));
    } else if (*age < t->max_age && s->counters < few) {
        *age = *age + step > t->max_age ? t->max_age : *age + step;
    }
}

static void throttle_flush(const void *self, struct filter_context *cx, bool final)
{
    const struct throttle *t = self;
    struct survey          s = {.latest = INT64_MIN};

    (void)cx;
    if (final) return;
    pthread_mutex_lock(&t->shared->lock);
    s.max_age = t->shared->max_age;
    table_filter(&t->shared->keys, find_latest, &s);
    table_filter(&t->shared->keys, is_young, &s);
    adjust_age(t, &s);
    pthread_mutex_unlock(&t->shared->lock);
}

const struct plugin filter_throttle = {
    .kind = PLUGIN_FILTER,
    .name = "throttle",
    .summary = "Marks events that come too rarely or too often.",
    .size = sizeof(struct throttle),
    .options = throttle_options,
    .open = throttle_open,
    .close = throttle_close,
    .filter = {.run = throttle_run, .flush = throttle_flush},
};
