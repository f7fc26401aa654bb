/*
 * environment: puts environment variables into the metadata of events.
 *
 * Source: logstash-filter-environment, lib/logstash/filters/environment.rb.
 * Threads: the variables are read when the config is opened and constant from then on.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "plugin/failure.h"

struct environment {
    struct pairs add_metadata_from_env;

    const struct field **fields;
    struct value        *values;
};

static const struct option environment_options[] = {
    OPT(struct environment, OPT_PAIRS, add_metadata_from_env, .preset = "{}",
        .doc = "Fields and the variable that each gets: { \"site\" => \"SITE\" } sets "
               "[@metadata][site], to null when there is no such variable. The variables are "
               "those at the start of lsc or at the reload."),
    OPT_END,
};

static bool environment_open(void *self, struct plugin_open *cx)
{
    struct environment *e = self;
    uint32_t            len = e->add_metadata_from_env.len;

    e->fields = arena_alloc(cx->arena, len * sizeof(*e->fields));
    e->values = arena_alloc(cx->arena, len * sizeof(*e->values));
    for (uint32_t i = 0; i < len; i++) {
        const struct pair *p = &e->add_metadata_from_env.at[i];
        const char        *problem;
        struct str         name = p->key;
        struct str         text = name.len && name.data[0] == '['
                                      ? arena_printf(cx->arena, "[@metadata]%.*s", STR_ARG(name))
                                      : arena_printf(cx->arena, "[@metadata][%.*s]", STR_ARG(name));
        e->fields[i] = field_parse(cx->arena, text, &problem, NULL);
        if (!e->fields[i])
            return plugin_error(cx, "add_metadata_from_env", "\"%.*s\": %s", STR_ARG(name),
                                problem);
        const char *value = getenv(arena_cstr(cx->arena, ast_to_s(cx->arena, p->value)));
        bool        good = value && utf8_valid(str_of(value));
        e->values[i] = good ? value_string(arena_copy(cx->arena, str_of(value))) : value_null();
    }
    return true;
}

static enum verdict environment_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit   limit;
    const struct environment *e = self;

    for (uint32_t i = 0; i < e->add_metadata_from_env.len; i++) {
        if (!event_set(ev, e->fields[i], e->values[i]))
            filter_failed(cx, &limit, "filter.environment", "cannot set the field",
                          e->fields[i]->text);
    }
    return FILTER_MATCH;
}

const struct plugin filter_environment = {
    .kind = PLUGIN_FILTER,
    .name = "environment",
    .summary = "Puts environment variables into the metadata of events.",
    .size = sizeof(struct environment),
    .options = environment_options,
    .open = environment_open,
    .filter = {.run = environment_run},
};
