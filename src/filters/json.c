/*
 * json: reads JSON text in a field.
 *
 * Source: logstash-filter-json, lib/logstash/filters/json.rb.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "event/json.h"
#include "event/time.h"
#include "plugin/failure.h"

struct json {
    const struct field *source;
    const struct field *target;
    struct strings      tag_on_failure;
    bool                skip_on_invalid_json;
    int                 ecs_compatibility;
};

static const struct option json_options[] = {
    OPT(struct json, OPT_ECS, ecs_compatibility,
        .doc = "Changes nothing here: without a target the fields of the text may not be those "
               "that ECS has in mind."),
    OPT(struct json, OPT_BOOL, skip_on_invalid_json, .preset = "false",
        .doc = "Whether events whose text is no JSON go on without tags and log lines."),
    OPT(struct json, OPT_FIELD, source, .required = true,
        .doc = "The field with the JSON text. An event where it is missing, null or false goes on "
               "unchanged. Of several documents in a row the last one counts."),
    OPT(struct json, OPT_STRINGS, tag_on_failure, .preset = "_jsonparsefailure",
        .doc = "Tags of events whose text is no JSON, or no object while there is no target, or "
               "has a name that is no valid field reference."),
    OPT(struct json, OPT_FIELD, target,
        .doc = "The field that gets the value, whatever it is; what was there is replaced. "
               "Without it the members of the object become fields of the event, each replacing "
               "what was there, and @timestamp is read as a time: when it is not one, the event "
               "gets the current time, the tag _timestampparsefailure, and the text in "
               "_@timestamp."),
    OPT_END,
};

static enum verdict fail(const struct json *j, struct event *ev, struct filter_context *cx,
                         const char *message, struct str what)
{
    static struct log_limit limit;

    event_tag_all(ev, &j->tag_on_failure);
    filter_failed(cx, &limit, "filter.json", message, what);
    return FILTER_PASS;
}

static struct str skip_blanks(struct str s)
{
    size_t i = 0;

    while (i < s.len && strchr(" \t\r\n", s.data[i]) && s.data[i])
        i++;
    return str_from(s, i);
}

/* The last document of `text`. */
static bool decode(struct arena *a, struct str text, struct value *v, struct json_error *error)
{
    if (str_starts(text, STR("\xEF\xBB\xBF"))) text = str_from(text, 3);
    do {
        size_t used;
        if (!json_decode_prefix(a, text, NULL, v, &used, error)) return false;
        text = skip_blanks(str_from(text, used));
    } while (text.len);
    return true;
}

static void set_timestamp(struct event *ev, struct value v, struct filter_context *cx)
{
    struct timestamp t;

    if (v.kind == VALUE_NULL || (v.kind == VALUE_BOOL && !v.as.b)) return;
    if (v.kind == VALUE_STRING && time_parse(value_str(v), &t)) {
        event_set_timestamp(ev, t);
        return;
    }
    event_set_timestamp(ev, cx->now);
    event_tag(ev, STR("_timestampparsefailure"));
    if (v.kind != VALUE_STRING) {
        buf_clear(cx->buf);
        value_text(v, cx->buf);
        v = value_string(arena_copy(ev->arena, buf_view(cx->buf)));
    }
    *map_add(&ev->data, ev->arena, names.timestamp_failed) = v;
}

/* The members become fields, up to the first whose name is no reference. */
static bool spread(struct event *ev, const struct map *m, struct filter_context *cx)
{
    struct value timestamp = value_null();
    uint64_t     had = ev->data.seen;

    for (uint32_t i = 0; i < m->len; i++) {
        const struct member *one = &m->members[i];
        if (key_eq(&one->key, &names.timestamp))
            timestamp = one->value;
        else if (!event_set_another(ev, &had, one->key, one->value))
            return false;
    }
    set_timestamp(ev, timestamp, cx);
    return true;
}

static enum verdict json_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct json  *j = self;
    const struct value *source = event_get(ev, j->source);
    struct json_error   error = {"no text", 0};
    struct value        v;

    if (!source || source->kind == VALUE_NULL || (source->kind == VALUE_BOOL && !source->as.b))
        return FILTER_PASS;
    struct str text = source->kind == VALUE_STRING ? value_str(*source) : j->source->text;
    if (source->kind != VALUE_STRING || !decode(ev->arena, text, &v, &error)) {
        if (j->skip_on_invalid_json) return FILTER_PASS;
        return fail(j, ev, cx, error.message, text);
    }
    if (j->target) {
        if (event_set(ev, j->target, v)) return FILTER_MATCH;
        return fail(j, ev, cx, "cannot set the target", j->target->text);
    }
    if (v.kind != VALUE_MAP) return fail(j, ev, cx, "not an object: a target is needed", text);
    if (spread(ev, v.as.map, cx)) return FILTER_MATCH;
    return fail(j, ev, cx, "a field cannot be set", text);
}

const struct plugin filter_json = {
    .kind = PLUGIN_FILTER,
    .name = "json",
    .summary = "Reads JSON text in a field.",
    .size = sizeof(struct json),
    .options = json_options,
    .filter = {.run = json_run},
};
