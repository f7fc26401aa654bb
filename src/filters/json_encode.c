/*
 * json_encode: writes a field as JSON text.
 *
 * Source: logstash-filter-json_encode, lib/logstash/filters/json_encode.rb.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "event/json.h"
#include "plugin/failure.h"

struct json_encode {
    const struct field *source;
    const struct field *target;
};

static const struct option json_encode_options[] = {
    OPT(struct json_encode, OPT_FIELD, source, .required = true,
        .doc = "The field to write as JSON; null when it is missing."),
    OPT(struct json_encode, OPT_FIELD, target,
        .doc = "The field that gets the text. By default the source itself. When it cannot be set "
               "the event gets the tag _jsongeneratefailure."),
    OPT_END,
};

static enum verdict json_encode_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit   limit;
    const struct json_encode *j = self;
    const struct field       *target = j->target ? j->target : j->source;
    const struct value       *v = event_get(ev, j->source);

    buf_clear(cx->buf);
    json_encode(v ? *v : value_null(), cx->buf);
    if (event_set(ev, target, value_string(arena_copy(ev->arena, buf_view(cx->buf)))))
        return FILTER_MATCH;
    event_tag(ev, STR("_jsongeneratefailure"));
    filter_failed(cx, &limit, "filter.json_encode", "cannot set the target", target->text);
    return FILTER_PASS;
}

const struct plugin filter_json_encode = {
    .kind = PLUGIN_FILTER,
    .name = "json_encode",
    .summary = "Writes a field as JSON text.",
    .size = sizeof(struct json_encode),
    .options = json_encode_options,
    .filter = {.run = json_encode_run},
};
