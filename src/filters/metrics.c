/*
 * metrics: counts events and measures values, and sends an event with the figures now and then.
 *
 * Source: logstash-filter-metrics, lib/logstash/filters/metrics.rb.
 * Threads: the figures are shared by the workers under a mutex: counting together is what it is
 * for.
 */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "base/table.h"
#include "plugin/failure.h"
#include "text/ewma.h"
#include "text/rubytext.h"

enum { FLUSH_SECONDS = 5, METERS_MAX = 100000, TIMERS_MAX = 10000, NAME_MAX_LEN = 1024 };
enum { MINUTES_1 = 1, MINUTES_5 = 5, MINUTES_15 = 15 };

struct metric_meter {
    struct table_entry entry;
    struct meter       meter;
};

struct metric_timer {
    struct table_entry entry;
    struct meter       meter;
    double             min, max, mean, squares; /* Welford's running variance */
    struct sample      sample;
};

struct shared {
    pthread_mutex_t lock;
    struct table    meters, timers;
    int64_t         flush_age_s, clear_age_s;
};

struct timer_setting {
    const struct template *name, *value;
};

struct metrics_filter {
    int64_t          clear_interval, flush_interval;
    double           ignore_older_than;
    struct templates meter;
    struct strings   percentiles, rates;
    struct pairs     timer;

    bool                  rate_wanted[RATES];
    double               *quantiles;
    struct timer_setting *timers;
    struct shared        *shared;
    struct str            host;
};

static const struct option metrics_options[] = {
    OPT(struct metrics_filter, OPT_INT, clear_interval, .preset = "-1", .min = -1, .max = INT64_MAX,
        .doc = "After how many seconds all figures begin anew, in steps of five. -1: never."),
    OPT(struct metrics_filter, OPT_INT, flush_interval, .preset = "5", .min = 1, .max = INT64_MAX,
        .doc = "How often, in seconds and steps of five, an event with the figures is sent: the "
               "host's name as message, and below the name of each metric count, rate_1m and so "
               "on; for timers also min, max, stddev, mean and percentiles such as p95."),
    OPT(struct metrics_filter, OPT_FLOAT, ignore_older_than, .preset = "0",
        .doc = "Events whose timestamp is older than this many seconds do not count. 0: all do."),
    OPT(struct metrics_filter, OPT_TEMPLATES, meter, .preset = "[]",
        .doc = "Names under which events are counted, such as \"http_%{status}\"; up to 100,000 "
               "different ones."),
    OPT(struct metrics_filter, OPT_STRINGS, percentiles, .preset = "[1, 5, 10, 90, 95, 99, 100]",
        .doc = "The percentiles of timers, over a sample of about a thousand values in which newer "
               "ones are likelier."),
    OPT(struct metrics_filter, OPT_STRINGS, rates, .preset = "[1, 5, 15]",
        .doc = "The rates, in events a second over the last 1, 5 or 15 minutes."),
    OPT(struct metrics_filter, OPT_PAIRS, timer, .preset = "{}",
        .doc = "Names and the value that is measured under each, such as { \"took\" => "
               "\"%{duration}\" }; up to 10,000 different ones. Text that is no number counts as "
               "0."),
    OPT_END,
};

/* ---- opening ---- */

static bool open_rates(struct metrics_filter *m, struct plugin_open *cx)
{
    for (uint32_t i = 0; i < m->rates.len; i++) {
        int64_t minutes = 0;
        if (!option_int(m->rates.at[i], &minutes) ||
            (minutes != MINUTES_1 && minutes != MINUTES_5 && minutes != MINUTES_15))
            return plugin_error(cx, "rates", "rates are 1, 5 and 15");
        m->rate_wanted[minutes == MINUTES_1   ? RATE_1M
                       : minutes == MINUTES_5 ? RATE_5M
                                              : RATE_15M] = true;
    }
    m->quantiles = arena_alloc(cx->arena, m->percentiles.len * sizeof(*m->quantiles));
    for (uint32_t i = 0; i < m->percentiles.len; i++) {
        if (!option_float(m->percentiles.at[i], &m->quantiles[i]))
            return plugin_error(cx, "percentiles", "\"%.*s\" is not a number",
                                STR_ARG(m->percentiles.at[i]));
        m->quantiles[i] /= 100;
    }
    return true;
}

static const struct template *parse_template(struct str text, struct plugin_open *cx)
{
    const char *problem;
    size_t      at;
    bool        fatal = false;

    const struct template *t = template_parse(cx->arena, text, &problem, &at, &fatal);
    if (!fatal) return t;
    plugin_error(cx, "timer", "\"%.*s\": %s", STR_ARG(text), problem);
    return NULL;
}

static bool metrics_open(void *self, struct plugin_open *cx)
{
    struct metrics_filter *m = self;

    if (!open_rates(m, cx)) return false;
    m->timers = arena_alloc(cx->arena, m->timer.len * sizeof(*m->timers));
    for (uint32_t i = 0; i < m->timer.len; i++) {
        struct str value = ast_to_s(cx->arena, m->timer.at[i].value);
        m->timers[i].name = parse_template(m->timer.at[i].key, cx);
        m->timers[i].value = parse_template(value, cx);
        if (!m->timers[i].name || !m->timers[i].value) return false;
    }
    m->host = cx->host;
    m->shared = xcalloc(1, sizeof(*m->shared));
    pthread_mutex_init(&m->shared->lock, NULL);
    m->shared->meters.size = sizeof(struct metric_meter);
    m->shared->timers.size = sizeof(struct metric_timer);
    return true;
}

static void metrics_close(void *self)
{
    struct metrics_filter *m = self;

    table_release(&m->shared->meters);
    table_release(&m->shared->timers);
    pthread_mutex_destroy(&m->shared->lock);
    free(m->shared);
}

/* ---- counting ---- */

/* NULL: there are too many, or it is no name. `*added`: the record is new. */
static void *metric(struct table *t, struct str name, size_t max, bool *added)
{
    if (name.len == 0 || name.len > NAME_MAX_LEN) return NULL;
    if (t->len >= max && !table_get(t, name)) return NULL;
    return table_add(t, name, added);
}

static bool count(struct shared *s, struct str name, int64_t now)
{
    bool                 added;
    struct metric_meter *m = metric(&s->meters, name, METERS_MAX, &added);

    if (!m) return false;
    if (added) meter_start(&m->meter, now);
    meter_mark(&m->meter, now);
    return true;
}

static bool measure(struct shared *s, struct str name, double value, int64_t now)
{
    bool                 added;
    struct metric_timer *t = metric(&s->timers, name, TIMERS_MAX, &added);

    if (!t) return false;
    if (added) {
        meter_start(&t->meter, now);
        sample_start(&t->sample, now, (uint64_t)now ^ t->entry.hash);
        t->min = t->max = value;
    }
    meter_mark(&t->meter, now);
    sample_add(&t->sample, value, now);
    t->min = value < t->min ? value : t->min;
    t->max = value > t->max ? value : t->max;
    double before = t->mean;
    t->mean += (value - before) / (double)t->meter.count;
    t->squares += (value - before) * (value - t->mean);
    return true;
}

static bool too_old(const struct metrics_filter *m, const struct event *ev, struct timestamp now)
{
    struct timestamp t;

    return m->ignore_older_than > 0 && event_timestamp(ev, &t) &&
           (double)(now.sec - t.sec) > m->ignore_older_than;
}

static enum verdict metrics_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit      limit;
    const struct metrics_filter *m = self;
    int64_t                      now = clock_monotonic_ns();

    if (too_old(m, ev, cx->now)) return FILTER_PASS;
    for (uint32_t i = 0; i < m->meter.len; i++) {
        struct str name = template_str(m->meter.at[i], ev);
        pthread_mutex_lock(&m->shared->lock);
        bool good = count(m->shared, name, now);
        pthread_mutex_unlock(&m->shared->lock);
        if (!good) filter_failed(cx, &limit, "filter.metrics", "too many meters, or no name", name);
    }
    for (uint32_t i = 0; i < m->timer.len; i++) {
        struct str name = template_str(m->timers[i].name, ev);
        double     value = ruby_to_f(template_str(m->timers[i].value, ev), cx->buf);
        pthread_mutex_lock(&m->shared->lock);
        bool good = measure(m->shared, name, value, now);
        pthread_mutex_unlock(&m->shared->lock);
        if (!good) filter_failed(cx, &limit, "filter.metrics", "too many timers, or no name", name);
    }
    return FILTER_PASS; /* the common options are for the events with the figures */
}

/* ---- sending ---- */

struct report {
    const struct metrics_filter *m;
    struct event                *ev;
    int64_t                      now_ns;
};

/* [name][what], where the name may be a reference itself. What is no reference is left out. */
static void put(struct report *r, struct str name, struct str what, struct value v)
{
    struct arena *a = r->ev->arena;
    bool          reference = name.data[0] == '[';
    struct str    text = reference ? arena_printf(a, "%.*s[%.*s]", STR_ARG(name), STR_ARG(what))
                                   : arena_printf(a, "[%.*s][%.*s]", STR_ARG(name), STR_ARG(what));
    const struct field *f = field_parse(a, text, NULL, NULL);

    if (f) event_set(r->ev, f, v);
}

static void put_rates(struct report *r, struct str name, struct meter *meter)
{
    static const char *const names_of[] = {"rate_1m", "rate_5m", "rate_15m"};

    put(r, name, STR("count"), value_int((int64_t)meter->count));
    for (int i = 0; i < RATES; i++) {
        if (r->m->rate_wanted[i])
            put(r, name, str_of(names_of[i]), value_float(meter_rate(meter, i, r->now_ns)));
    }
}

static bool put_meter(void *record, void *ctx)
{
    struct metric_meter *m = record;
    struct report       *r = ctx;

    put_rates(r, arena_copy(r->ev->arena, table_key(m)), &m->meter);
    return true;
}

static bool put_timer(void *record, void *ctx)
{
    struct metric_timer *t = record;
    struct report       *r = ctx;
    struct str           name = arena_copy(r->ev->arena, table_key(t));
    double variance = t->meter.count > 1 ? t->squares / (double)(t->meter.count - 1) : 0;

    put_rates(r, name, &t->meter);
    put(r, name, STR("min"), value_float(t->min));
    put(r, name, STR("max"), value_float(t->max));
    put(r, name, STR("stddev"), value_float(sqrt(variance)));
    put(r, name, STR("mean"), value_float(t->mean));
    for (uint32_t i = 0; i < r->m->percentiles.len; i++) {
        struct str what = arena_printf(r->ev->arena, "p%.*s", STR_ARG(r->m->percentiles.at[i]));
        put(r, name, what, value_float(sample_quantile(&t->sample, r->m->quantiles[i])));
    }
    return true;
}

/* NULL: it is not time yet, or there is nothing to tell. */
static struct event *make_report(const struct metrics_filter *m, struct filter_context *cx)
{
    struct shared *s = m->shared;
    struct report  r = {.m = m, .now_ns = clock_monotonic_ns()};

    s->flush_age_s += FLUSH_SECONDS;
    s->clear_age_s += FLUSH_SECONDS;
    if (s->flush_age_s < m->flush_interval || s->meters.len + s->timers.len == 0) return NULL;
    r.ev = event_blank(cx->arena, cx->now);
    *map_add(&r.ev->data, r.ev->arena, names.message) = value_string(m->host);
    table_filter(&s->meters, put_meter, &r);
    table_filter(&s->timers, put_timer, &r);
    s->flush_age_s = 0;
    if (m->clear_interval > 0 && s->clear_age_s >= m->clear_interval) {
        table_release(&s->meters);
        table_release(&s->timers);
        s->clear_age_s = 0;
    }
    return r.ev;
}

static void metrics_flush(const void *self, struct filter_context *cx, bool final)
{
    const struct metrics_filter *m = self;

    (void) final;
    pthread_mutex_lock(&m->shared->lock);
    struct event *ev = make_report(m, cx);
    pthread_mutex_unlock(&m->shared->lock);
    if (ev) filter_emit(cx, ev, FILTER_MATCH);
}

const struct plugin filter_metrics = {
    .kind = PLUGIN_FILTER,
    .name = "metrics",
    .summary = "Counts events and measures values, and sends events with the figures.",
    .size = sizeof(struct metrics_filter),
    .options = metrics_options,
    .open = metrics_open,
    .close = metrics_close,
    .filter = {.run = metrics_run, .flush = metrics_flush},
};
