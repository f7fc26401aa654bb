/*
 * clone: sends copies of an event after it.
 *
 * Source: logstash-filter-clone, lib/logstash/filters/clone.rb.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "plugin/plugin.h"

struct clone {
    struct strings clones;
    int            ecs_compatibility;
};

static const struct option clone_options[] = {
    OPT(struct clone, OPT_STRINGS, clones, .required = true,
        .doc = "One copy is made for each of these names. A copy has its name in the field "
               "[type] when ecs_compatibility is disabled, else among its tags. The original "
               "stays as it is; the common options are applied to the copies only."),
    OPT(struct clone, OPT_ECS, ecs_compatibility,
        .doc = "Whether copies are marked by their type (disabled) or by a tag (v1, v8). Follows "
               "pipeline.ecs_compatibility unless given."),
    OPT_END,
};

static bool clone_open(void *self, struct plugin_open *cx)
{
    const struct clone *c = self;

    if (c->clones.len == 0)
        plugin_warning(cx, "clones", "the list is empty, so no copies will be made");
    return true;
}

/* Adds `name` to the tags, which become a list; unlike event_tag() even when it is there. */
static void add_tag(struct event *ev, struct str name)
{
    struct value *tags = map_add(&ev->data, ev->arena, names.tags);

    if (tags->kind != VALUE_LIST) {
        struct list *l = list_new(ev->arena, 2);
        if (tags->kind != VALUE_NULL) list_push(l, ev->arena, *tags);
        *tags = value_list(l);
    }
    list_push(tags->as.list, ev->arena, value_string(name));
}

static enum verdict clone_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct clone *c = self;

    for (uint32_t i = 0; i < c->clones.len; i++) {
        struct event *copy = event_clone(ev->arena, ev);
        if (c->ecs_compatibility == ECS_DISABLED)
            *map_add(&copy->data, copy->arena, names.type) = value_string(c->clones.at[i]);
        else
            add_tag(copy, c->clones.at[i]);
        filter_emit(cx, copy, FILTER_MATCH);
    }
    return FILTER_PASS;
}

const struct plugin filter_clone = {
    .kind = PLUGIN_FILTER,
    .name = "clone",
    .summary = "Sends copies of an event after it.",
    .size = sizeof(struct clone),
    .options = clone_options,
    .open = clone_open,
    .filter = {.run = clone_run},
};
