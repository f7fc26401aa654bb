#ifndef LSC_TESTS_FILTER_FIXTURE_H
#define LSC_TESTS_FILTER_FIXTURE_H

#include <stdlib.h>

#include "base/fatal.h"
#include "event/json.h"
#include "grammar/parse.h"
#include "plugin/common.h"

/*
 * A filter by itself: opened from its config text, given events by hand. For filters that emit no
 * further events. Time is fixed at 2024-03-09T08:07:06.543Z.
 */
struct filter_fixture {
    struct arena          config, batch, scratch;
    struct source         source;
    struct diags          diags;
    struct buf            buf, out;
    struct node          *node;
    struct filter_context cx;
    uint64_t              failures;
    struct event         *event;
    enum verdict          verdict;
};

/* `text`: a filter as in a config. False when it is refused; then f->diags counts errors. */
static inline bool filter_fixture_open(struct filter_fixture *f, const char *text, enum ecs ecs)
{
    struct parse_options options = {.support_escapes = false};
    struct ast_config    config = {.len = 0};

    *f = (struct filter_fixture){.diags = {.quiet = true}};
    f->source =
        (struct source){.name = "test", .text = arena_printf(&f->config, "filter { %s }", text)};
    if (!parse_source(&f->config, &f->source, &options, &config, &f->diags)) return false;

    const struct ast_plugin *ast = config.sections[0].block.statements[0].plugin;
    struct plugin_open       cx = {.arena = &f->config,
                                   .diags = &f->diags,
                                   .ast = ast,
                                   .host = STR("testhost"),
                                   .ecs = ecs,
                                   .workers = 1,
                                   .batch_size = 125};
    event_names_init();
    f->node = node_open(PLUGIN_FILTER, ast, &cx);
    if (!f->node) return false;
    f->cx = (struct filter_context){.arena = &f->batch,
                                    .scratch = &f->scratch,
                                    .buf = &f->buf,
                                    .failures = &f->failures,
                                    .now = {1709971626, 543000000}};
    if (f->node->plugin->filter.worker_size)
        f->cx.state = xcalloc(1, f->node->plugin->filter.worker_size);
    return true;
}

static inline void filter_fixture_close(struct filter_fixture *f)
{
    if (f->node) node_close(f->node);
    free(f->cx.state);
    arena_release(&f->config);
    arena_release(&f->batch);
    arena_release(&f->scratch);
    buf_release(&f->buf);
    buf_release(&f->out);
}

/* The event f->event through the filter and, when it matched, the common options. */
static inline enum verdict filter_fixture_run_event(struct filter_fixture *f)
{
    f->verdict = f->node->plugin->filter.run(f->node->self, f->event, &f->cx);
    if (f->verdict == FILTER_MATCH && f->node->decoration.any)
        decoration_apply(&f->node->decoration, f->event, &f->buf);
    arena_reset(&f->scratch);
    return f->verdict;
}

/* The event made of a JSON object through the filter; the one before is gone. False: no object. */
static inline bool filter_fixture_run(struct filter_fixture *f, const char *json)
{
    struct value v;

    arena_reset(&f->batch);
    struct str text = arena_copy(&f->batch, str_of(json));
    if (!json_decode(&f->batch, text, NULL, &v, NULL) || v.kind != VALUE_MAP) return false;
    f->event = event_from_map(&f->batch, v.as.map, f->cx.now);
    filter_fixture_run_event(f);
    return true;
}

/* The event as JSON, without @timestamp and @version. */
static inline const char *filter_fixture_json(struct filter_fixture *f)
{
    struct value shown = value_clone(&f->batch, value_map(&f->event->data));

    map_remove(shown.as.map, names.timestamp);
    map_remove(shown.as.map, names.version);
    buf_clear(&f->out);
    json_encode(shown, &f->out);
    return buf_cstr(&f->out);
}

/* Whether the event holds what the JSON object says, in any order, besides @timestamp and
   @version; 1 and 1.0 are different. */
static inline bool filter_fixture_is(struct filter_fixture *f, const char *json)
{
    struct value want, got;
    struct str   text = arena_copy(&f->batch, str_of(filter_fixture_json(f)));

    return json_decode(&f->batch, arena_copy(&f->batch, str_of(json)), NULL, &want, NULL) &&
           json_decode(&f->batch, text, NULL, &got, NULL) && value_eq(got, want);
}

#endif
