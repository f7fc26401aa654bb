/*
 * uuid: gives events a random identifier.
 *
 * Source: logstash-filter-uuid, lib/logstash/filters/uuid.rb; RFC 9562 section 5.4 (version 4).
 * Threads: each worker has random bytes of its own.
 */
#include <sys/random.h>

#include "plugin/failure.h"
#include "text/uuid.h"

enum { BLOCK = 64 * UUID_BYTES };

struct uuid {
    const struct field *target;
    bool                overwrite;
};

/* Random bytes are asked for in blocks: one system call for 64 events. */
struct uuid_state {
    unsigned char random[BLOCK];
    uint32_t      left;
};

static const struct option uuid_options[] = {
    OPT(struct uuid, OPT_BOOL, overwrite, .preset = "false",
        .doc = "Whether a value that the target has already is replaced. By default it stays."),
    OPT(struct uuid, OPT_FIELD, target, .required = true,
        .doc = "The field that gets a random (version 4) UUID in lower case, such as "
               "0b4e1d9c-7a52-4f3e-9c06-52d0a9a1c5b7."),
    OPT_END,
};

static unsigned char *next_bytes(struct uuid_state *state)
{
    while (state->left < UUID_BYTES) {
        if (getrandom(state->random, BLOCK, 0) == BLOCK) state->left = BLOCK;
    }
    state->left -= UUID_BYTES;
    return state->random + state->left;
}

static enum verdict uuid_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct uuid      *u = self;
    const struct value     *old = event_get(ev, u->target);

    if (!u->overwrite && old && old->kind != VALUE_NULL) return FILTER_MATCH;
    struct str text = uuid_text(ev->arena, next_bytes(cx->state));
    if (event_set(ev, u->target, value_string(text))) return FILTER_MATCH;
    filter_failed(cx, &limit, "filter.uuid", "cannot set the target", u->target->text);
    return FILTER_PASS;
}

const struct plugin filter_uuid = {
    .kind = PLUGIN_FILTER,
    .name = "uuid",
    .summary = "Gives events a random identifier.",
    .size = sizeof(struct uuid),
    .options = uuid_options,
    .filter = {.run = uuid_run, .worker_size = sizeof(struct uuid_state)},
};
