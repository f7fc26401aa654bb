/*
 * aggregate: gathers what several events say of one task. Its code is Ruby, so it is part of the
 * module filter_ruby, and most of it is in ruby_aggregate.rb.
 *
 * Source: logstash-filter-aggregate 2.10, lib/logstash/filters/aggregate.rb.
 * Threads: any worker; the maps are touched on Ruby's one thread (ruby_vm.c) only.
 */
#include "filters/ruby_filter.h"

enum map_action { ACTION_CREATE_OR_UPDATE, ACTION_CREATE, ACTION_UPDATE };
static const char *const map_actions[] = {"create_or_update", "create", "update", NULL};

struct aggregate {
    struct str          task_id, code, aggregate_maps_path, timeout_code, timeout_task_id_field;
    struct str          timeout_timestamp_field;
    int                 map_action;
    bool                end_of_task, push_map_as_event_on_timeout, push_previous_map_as_event;
    double              timeout, inactivity_timeout;
    struct strings      timeout_tags;
    struct ruby_filter *filter;
};

static const struct option aggregate_options[] = {
    OPT(struct aggregate, OPT_STRING, task_id, .required = true,
        .doc = "What events of one task have in common, as in \"%{id}\". Events without that field "
               "are left alone. Filters with the same task_id share their maps."),
    OPT(struct aggregate, OPT_STRING, code, .required = true,
        .doc = "Ruby code that runs for every event of a task. It has event; map, a hash of the "
               "task that is empty at first; and map_meta with task_id, creation_timestamp, "
               "lastevent_timestamp, timeout and inactivity_timeout, the last two of which it may "
               "set for this task. An exception gives the event the tag _aggregateexception."),
    OPT(struct aggregate, OPT_ENUM, map_action, .preset = "create_or_update",
        .choices = map_actions,
        .doc = "create: only events without a map yet; update: only events with one; the code does "
               "not run for others."),
    OPT(struct aggregate, OPT_BOOL, end_of_task, .preset = "false",
        .doc = "Forgets the map once the code has run."),
    OPT(struct aggregate, OPT_STRING, aggregate_maps_path,
        .doc = "A file in which maps are kept from one run to the next. Only one aggregate filter "
               "of a pipeline may have it."),
    OPT(struct aggregate, OPT_FLOAT, timeout,
        .doc = "Seconds after which a map is forgotten, counted from its first event. 1800 when no "
               "aggregate filter of the pipeline says otherwise. This and the other options about "
               "timeouts may be set in one filter of each task_id only."),
    OPT(struct aggregate, OPT_FLOAT, inactivity_timeout,
        .doc = "Seconds after which a map is forgotten, counted from its last event. It must be "
               "lower than timeout."),
    OPT(struct aggregate, OPT_STRING, timeout_code,
        .doc = "Ruby code that runs for every event made of a map; it has event."),
    OPT(struct aggregate, OPT_BOOL, push_map_as_event_on_timeout, .preset = "false",
        .doc = "Makes an event of a map that is forgotten after a timeout. Timeouts are looked for "
               "every 5 seconds."),
    OPT(struct aggregate, OPT_BOOL, push_previous_map_as_event, .preset = "false",
        .doc = "Makes an event of the map of the previous task as soon as an event of a new task "
               "comes, and of the last one at the end. For sorted input."),
    OPT(struct aggregate, OPT_STRING, timeout_timestamp_field,
        .doc = "A field with a time, such as @timestamp: timeouts are then also counted by the "
               "times of events instead of the clock."),
    OPT(struct aggregate, OPT_STRING, timeout_task_id_field,
        .doc = "The field of an event made of a map that gets the id of the task."),
    OPT(struct aggregate, OPT_STRINGS, timeout_tags,
        .doc = "Tags of events made of a map, with %{} filled in; none by default."),
    OPT_END,
};

static void add_seconds(struct map *options, struct plugin_open *cx, const char *name, double s)
{
    bool given = plugin_setting(cx, name) != NULL;

    ruby_option(options, cx->arena, name, given ? value_float(s) : value_null());
}

static void add_flags(struct map *options, struct arena *a, const struct aggregate *g)
{
    struct list *tags = list_new(a, g->timeout_tags.len);

    for (uint32_t i = 0; i < g->timeout_tags.len; i++)
        list_push(tags, a, value_string(g->timeout_tags.at[i]));
    ruby_option(options, a, "timeout_tags", value_list(tags));
    ruby_option(options, a, "end_of_task", value_bool(g->end_of_task));
    ruby_option(options, a, "push_map_as_event_on_timeout",
                value_bool(g->push_map_as_event_on_timeout));
    ruby_option(options, a, "push_previous_map_as_event",
                value_bool(g->push_previous_map_as_event));
}

static bool aggregate_open(void *self, struct plugin_open *cx)
{
    struct aggregate *g = self;
    struct arena     *a = cx->arena;
    struct map       *options = map_new(a, 16);

    ruby_option_str(options, a, "task_id", g->task_id);
    ruby_option_str(options, a, "code", g->code);
    ruby_option_str(options, a, "map_action", str_of(map_actions[g->map_action]));
    ruby_option_str(options, a, "aggregate_maps_path", g->aggregate_maps_path);
    ruby_option_str(options, a, "timeout_code", g->timeout_code);
    ruby_option_str(options, a, "timeout_task_id_field", g->timeout_task_id_field);
    ruby_option_str(options, a, "timeout_timestamp_field", g->timeout_timestamp_field);
    add_seconds(options, cx, "timeout", g->timeout);
    add_seconds(options, cx, "inactivity_timeout", g->inactivity_timeout);
    add_flags(options, a, g);
    /* Filters of one loading of a pipeline have its arena in common; those before a reload not. */
    ruby_option(options, a, "pipeline_key", value_int((int64_t)(uintptr_t)cx->arena));
    g->filter = ruby_filter_open("LogStash::Filters::Aggregate", options, cx);
    return g->filter != NULL;
}

static void aggregate_close(void *self)
{
    ruby_filter_close(((struct aggregate *)self)->filter);
}

static void aggregate_prepare(const void *self, struct event *const *ev, uint32_t n,
                              struct filter_context *cx)
{
    ruby_filter_prepare(((const struct aggregate *)self)->filter, ev, n, cx);
}

/* Filters with the same task_id have their maps in common. */
static bool aggregate_shares_state(const void *self)
{
    (void)self;
    return true;
}

static enum verdict aggregate_run(const void *self, struct event *ev, struct filter_context *cx)
{
    return ruby_filter_run(((const struct aggregate *)self)->filter, ev, cx);
}

static void aggregate_flush(const void *self, struct filter_context *cx, bool final)
{
    ruby_filter_flush(((const struct aggregate *)self)->filter, cx, final);
}

extern const struct plugin filter_aggregate;

const struct plugin filter_aggregate = {
    .kind = PLUGIN_FILTER,
    .name = "aggregate",
    .summary = "Gathers what several events say of one task, with Ruby code.",
    .size = sizeof(struct aggregate),
    .options = aggregate_options,
    .open = aggregate_open,
    .close = aggregate_close,
    .filter = {.run = aggregate_run,
               .prepare = aggregate_prepare,
               .shares_state = aggregate_shares_state,
               .worker_size = sizeof(struct ruby_worker),
               .flush = aggregate_flush},
};
