/*
 * elapsed: measures the time between a start event and its end event.
 *
 * Source: logstash-filter-elapsed, lib/logstash/filters/elapsed.rb.
 * Threads: the start events that wait are shared by the workers under a mutex: bringing events
 * together is what it is for.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "base/table.h"
#include "event/json.h"
#include "plugin/failure.h"

enum { FLUSH_SECONDS = 5, STARTS_MAX = 1000 * 1000, ID_MAX = 64 * 1024 };

enum keep { KEEP_FIRST, KEEP_LAST };
static const char *const keeps[] = {"first", "last", NULL};

/* A start event that waits for its end, by its id as JSON. */
struct start {
    struct table_entry entry;
    struct timestamp   time;
    int64_t            age_s;
};

struct starts {
    pthread_mutex_t lock;
    struct table    table;
};

struct elapsed {
    struct str          start_tag, end_tag;
    const struct field *unique_id_field;
    int64_t             timeout;
    bool                new_event_on_match;
    int                 keep_start_event;

    const struct field *time, *timestamp_start;
    struct starts      *starts;
    struct str          host;
};

static const struct option elapsed_options[] = {
    OPT(struct elapsed, OPT_STRING, end_tag, .required = true,
        .doc = "The tag of end events. One whose start event is known gets elapsed_time (in "
               "seconds), elapsed_timestamp_start and the tags elapsed and elapsed_match, another "
               "the tag elapsed_end_without_start."),
    OPT(struct elapsed, OPT_ENUM, keep_start_event, .preset = "first", .choices = keeps,
        .doc = "Which of several start events with the same id counts."),
    OPT(struct elapsed, OPT_BOOL, new_event_on_match, .preset = "false",
        .doc = "Whether the result goes to an event of its own, with the host's name and the id, "
               "instead of the end event."),
    OPT(struct elapsed, OPT_STRING, start_tag, .required = true,
        .doc = "The tag of start events. A million of them can wait; further ones are logged and "
               "not remembered."),
    OPT(struct elapsed, OPT_INT, timeout, .preset = "1800", .min = 0, .max = INT64_MAX,
        .doc = "After how many seconds without an end event a start event is forgotten, to about "
               "five seconds. An event with the tags elapsed and elapsed_expired_error says so."),
    OPT(struct elapsed, OPT_FIELD, unique_id_field, .required = true,
        .doc = "The field that start and end events have in common. Events without it are passed "
               "over."),
    OPT_END,
};

static bool elapsed_open(void *self, struct plugin_open *cx)
{
    struct elapsed *e = self;

    e->host = cx->host;
    e->time = field_parse(cx->arena, STR("elapsed_time"), NULL, NULL);
    e->timestamp_start = field_parse(cx->arena, STR("elapsed_timestamp_start"), NULL, NULL);
    e->starts = xcalloc(1, sizeof(*e->starts));
    pthread_mutex_init(&e->starts->lock, NULL);
    e->starts->table.size = sizeof(struct start);
    return true;
}

static void elapsed_close(void *self)
{
    struct elapsed *e = self;

    table_release(&e->starts->table);
    pthread_mutex_destroy(&e->starts->lock);
    free(e->starts);
}

static bool has_tag(const struct event *ev, struct str tag)
{
    const struct value *tags = event_get_key(ev, names.tags);

    if (!tags) return false;
    if (tags->kind == VALUE_STRING) return str_eq(value_str(*tags), tag);
    for (uint32_t i = 0; tags->kind == VALUE_LIST && i < tags->as.list->len; i++) {
        struct value t = tags->as.list->items[i];
        if (t.kind == VALUE_STRING && str_eq(value_str(t), tag)) return true;
    }
    return false;
}

/* ---- start events ---- */

static enum verdict remember(const struct elapsed *e, struct str id, struct timestamp time,
                             struct filter_context *cx)
{
    static struct log_limit limit;
    bool                    added = false;
    struct start           *s = NULL;

    pthread_mutex_lock(&e->starts->lock);
    bool full = e->starts->table.len >= STARTS_MAX && !table_get(&e->starts->table, id);
    if (!full) s = table_add(&e->starts->table, id, &added);
    if (s && (added || e->keep_start_event == KEEP_LAST)) {
        s->time = time;
        s->age_s = 0;
    }
    pthread_mutex_unlock(&e->starts->lock);
    if (full)
        filter_failed(cx, &limit, "filter.elapsed", "too many start events wait; not remembered",
                      id);
    return FILTER_MATCH;
}

/* ---- end events ---- */

static bool take_start(const struct elapsed *e, struct str id, struct timestamp *time)
{
    pthread_mutex_lock(&e->starts->lock);
    struct start *s = table_get(&e->starts->table, id);
    if (s) {
        *time = s->time;
        table_remove(&e->starts->table, s);
    }
    pthread_mutex_unlock(&e->starts->lock);
    return s != NULL;
}

static double seconds_between(struct timestamp from, struct timestamp to)
{
    return (double)(to.sec - from.sec) + ((double)to.nsec - (double)from.nsec) / 1e9;
}

/* A place that cannot be set stays as it is. */
static void add_result(const struct elapsed *e, struct event *ev, struct value id,
                       struct value elapsed, struct timestamp start, const char *tag)
{
    event_tag(ev, STR("elapsed"));
    event_tag(ev, str_of(tag));
    event_set(ev, e->time, elapsed);
    event_set(ev, e->unique_id_field, id);
    event_set(ev, e->timestamp_start, value_time(start));
}

static struct event *new_event(const struct elapsed *e, struct filter_context *cx)
{
    struct event *ev = event_blank(cx->arena, cx->now);

    *map_add(&ev->data, ev->arena, names.host) = value_string(e->host);
    return ev;
}

static enum verdict finish(const struct elapsed *e, struct event *ev, struct value id,
                           struct str id_text, struct timestamp time, struct filter_context *cx)
{
    struct timestamp start;

    if (!take_start(e, id_text, &start)) {
        event_tag(ev, STR("elapsed_end_without_start"));
        return FILTER_MATCH;
    }
    struct value elapsed = value_float(seconds_between(start, time));
    if (e->new_event_on_match) {
        struct event *result = new_event(e, cx);
        add_result(e, result, value_clone(cx->arena, id), elapsed, start, "elapsed_match");
        filter_emit(cx, result, FILTER_MATCH);
    } else {
        add_result(e, ev, id, elapsed, start, "elapsed_match");
    }
    return FILTER_MATCH;
}

static enum verdict elapsed_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct elapsed *e = self;
    const struct value   *id = event_get(ev, e->unique_id_field);
    bool                  starts = has_tag(ev, e->start_tag);
    struct timestamp      time = cx->now;

    if (!id || id->kind == VALUE_NULL || (!starts && !has_tag(ev, e->end_tag))) return FILTER_PASS;
    buf_clear(cx->buf);
    json_encode(*id, cx->buf);
    struct str text = buf_view(cx->buf);
    if (text.len > ID_MAX) text.len = ID_MAX;
    event_timestamp(ev, &time);
    return starts ? remember(e, text, time, cx) : finish(e, ev, *id, text, time, cx);
}

/* ---- events that never end ---- */

struct sweep {
    const struct elapsed  *e;
    struct filter_context *cx;
};

static bool grow_older(void *record, void *ctx)
{
    struct start *s = record;
    struct sweep *sweep = ctx;
    struct value  id;

    s->age_s += FLUSH_SECONDS;
    if (s->age_s < sweep->e->timeout) return true;
    struct event *ev = new_event(sweep->e, sweep->cx);
    struct str    text = arena_copy(ev->arena, table_key(s));
    if (!json_decode(ev->arena, text, NULL, &id, NULL)) id = value_string(text);
    add_result(sweep->e, ev, id, value_int(s->age_s), s->time, "elapsed_expired_error");
    filter_emit(sweep->cx, ev, FILTER_MATCH);
    return false;
}

static void elapsed_flush(const void *self, struct filter_context *cx, bool final)
{
    const struct elapsed *e = self;
    struct sweep          sweep = {e, cx};

    if (final) return;
    pthread_mutex_lock(&e->starts->lock);
    table_filter(&e->starts->table, grow_older, &sweep);
    pthread_mutex_unlock(&e->starts->lock);
}

const struct plugin filter_elapsed = {
    .kind = PLUGIN_FILTER,
    .name = "elapsed",
    .summary = "Measures the time between a start event and its end event.",
    .size = sizeof(struct elapsed),
    .options = elapsed_options,
    .open = elapsed_open,
    .close = elapsed_close,
    .filter = {.run = elapsed_run, .flush = elapsed_flush},
};
