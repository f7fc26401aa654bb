/*
 * uuid: gives events a random identifier.
 *
 * Source: logstash-filter-uuid, lib/logstash/filters/uuid.rb; RFC 9562 section 5.4 (version 4).
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "text/uuid.h"
#include "base/random.h"
#include "plugin/failure.h"

struct uuid {
    const struct field *target;
    bool                overwrite;
};

static const struct option uuid_options[] = {
    OPT(struct uuid, OPT_BOOL, overwrite, .preset = "false",
        .doc = "Whether a value that the target has already is replaced. By default it stays."),
    OPT(struct uuid, OPT_FIELD, target, .required = true,
        .doc = "The field that gets a random (version 4) UUID in lower case, such as "
               "0b4e1d9c-7a52-4f3e-9c06-52d0a9a1c5b7."),
    OPT_END,
};

static enum verdict uuid_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct uuid      *u = self;
    const struct value     *old = event_get(ev, u->target);
    unsigned char           bytes[UUID_BYTES];

    if (!u->overwrite && old && old->kind != VALUE_NULL) return FILTER_MATCH;
    random_bytes(bytes, sizeof(bytes));
    struct value v = value_string(uuid_text(ev->arena, bytes));
    if (event_set(ev, u->target, v)) return FILTER_MATCH;
    filter_failed(cx, &limit, "filter.uuid", "cannot set the target", u->target->text);
    return FILTER_PASS;
}

const struct plugin filter_uuid = {
    .kind = PLUGIN_FILTER,
    .name = "uuid",
    .summary = "Gives events a random identifier.",
    .size = sizeof(struct uuid),
    .options = uuid_options,
    .filter = {.run = uuid_run},
};
