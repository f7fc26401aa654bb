/*
 * sleep: holds events up.
 *
 * Source: logstash-filter-sleep, lib/logstash/filters/sleep.rb.
 * Threads: the count of events and the time of the last one are shared by the workers under a
 * mutex, which nobody holds while sleeping.
 */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/fatal.h"
#include "plugin/intake.h"
#include "text/rubytext.h"

enum { NANOSECONDS = 1000000000, LONGEST_S = 86400 };

struct sleep_shared {
    pthread_mutex_t  lock;
    int64_t          count;
    bool             began; /* `last` is set */
    struct timestamp last;
};

struct sleep {
    int64_t                every;
    bool                   replay;
    const struct template *time;
    double                 seconds; /* when `time` is constant, else negative */
    struct sleep_shared   *shared;
};

static const struct option sleep_options[] = {
    OPT(struct sleep, OPT_INT, every, .preset = "1", .min = 1, .max = INT64_MAX,
        .doc = "Sleeps on every n-th event only. Has no effect with replay."),
    OPT(struct sleep, OPT_BOOL, replay, .preset = "false",
        .doc = "Whether to sleep as long as lies between the timestamps of an event and the one "
               "before it, divided by time (1 by default): 2 is twice as fast."),
    OPT(struct sleep, OPT_TEMPLATE, time,
        .doc = "How many seconds to sleep, such as 0.5; may hold %{…}. What is no number counts "
               "as 0; no sleep is longer than a day. Required unless replay is true."),
    OPT_END,
};

static bool sleep_open(void *self, struct plugin_open *cx)
{
    struct sleep *s = self;
    struct str    text = STR("1");
    struct buf    scratch = {0};

    if (!s->time && !s->replay)
        return plugin_error(cx, NULL, "sleep needs \"time\", or \"replay => true\"");
    bool fixed = !s->time || template_constant(s->time, &text);
    s->seconds = fixed ? ruby_to_f(text, &scratch) : -1;
    buf_release(&scratch);
    if (fixed && s->seconds < 0) return plugin_error(cx, "time", "the time must not be negative");
    s->shared = xcalloc(1, sizeof(*s->shared));
    pthread_mutex_init(&s->shared->lock, NULL);
    return true;
}

static void sleep_close(void *self)
{
    struct sleep *s = self;

    pthread_mutex_destroy(&s->shared->lock);
    free(s->shared);
}

static void sleep_seconds(double seconds, const struct stop *stop)
{
    if (!(seconds > 0)) return;
    if (seconds > LONGEST_S) seconds = LONGEST_S;
    int64_t ns = (int64_t)(seconds * NANOSECONDS);
    if (stop) {
        stop_sleep(stop, ns);
        return;
    }
    struct timespec t = {.tv_sec = ns / NANOSECONDS, .tv_nsec = ns % NANOSECONDS};
    nanosleep(&t, NULL);
}

/* True for every n-th event. */
static bool is_turn(const struct sleep *s)
{
    pthread_mutex_lock(&s->shared->lock);
    bool turn = ++s->shared->count >= s->every;
    if (turn) s->shared->count = 0;
    pthread_mutex_unlock(&s->shared->lock);
    return turn;
}

/* Seconds between the event before and this one; 0 for the first. */
static double since_last(const struct sleep *s, const struct event *ev)
{
    struct timestamp now;
    double           seconds = 0;

    if (!event_timestamp(ev, &now)) return 0;
    pthread_mutex_lock(&s->shared->lock);
    const struct timestamp *last = &s->shared->last;
    if (s->shared->began)
        seconds = (double)(now.sec - last->sec) + ((double)now.nsec - (double)last->nsec) / 1e9;
    s->shared->last = now;
    s->shared->began = true;
    pthread_mutex_unlock(&s->shared->lock);
    return seconds;
}

static enum verdict sleep_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct sleep *s = self;
    double              time = s->seconds;

    if (time < 0) time = ruby_to_f(template_str(s->time, ev), cx->buf);
    if (s->replay)
        sleep_seconds(since_last(s, ev) / time, cx->stop);
    else if (is_turn(s))
        sleep_seconds(time, cx->stop);
    return FILTER_MATCH;
}

const struct plugin filter_sleep = {
    .kind = PLUGIN_FILTER,
    .name = "sleep",
    .summary = "Holds events up.",
    .size = sizeof(struct sleep),
    .options = sleep_options,
    .open = sleep_open,
    .close = sleep_close,
    .filter = {.run = sleep_run},
};
