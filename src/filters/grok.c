/*
 * grok: takes text apart with named patterns.
 *
 * Source: logstash-filter-grok, lib/logstash/filters/grok.rb; jls-grok, lib/grok-pure.rb.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "filters/grok.h"

#include "plugin/failure.h"
#include "text/rubytext.h"

static const char *const scope_names[] = {"pattern", "event", NULL};

static const struct option grok_options[] = {
    OPT(struct grok, OPT_BOOL, break_on_match, .preset = "true",
        .doc = "Whether the first pattern that matches ends the search. With false all are tried, "
               "and of the patterns of one field the last decides whether the event has matched."),
    OPT(struct grok, OPT_ECS, ecs_compatibility,
        .doc = "Which set of patterns is used: disabled takes those that name fields as Logstash 7 "
               "did, v1 and v8 those that name them as the Elastic Common Schema does. Follows "
               "pipeline.ecs_compatibility when not given."),
    OPT(struct grok, OPT_BOOL, keep_empty_captures, .preset = "false",
        .doc = "Whether a capture that is empty or took no part in the match makes a field."),
    OPT(struct grok, OPT_PAIRS, match,
        .doc = "Fields, and for each a pattern or a list of patterns that are tried in turn. A "
               "pattern is a regular expression in which %{NAME} stands for a pattern, "
               "%{NAME:field} keeps what it matches in a field, and %{NAME:field:int} or :float "
               "keeps it as a number. Of a field that is a list each item is matched; a field "
               "that is not there is matched as empty text."),
    OPT(struct grok, OPT_BOOL, named_captures_only, .preset = "true",
        .doc = "Whether only %{NAME:field} and (?<field>...) make fields. With false %{NAME} makes "
               "a field of the name of the pattern, too."),
    OPT(struct grok, OPT_STRINGS, overwrite,
        .doc = "Fields that a capture of the same name replaces. A capture for any other field "
               "that is there makes a list of both."),
    OPT(struct grok, OPT_PAIRS, pattern_definitions,
        .doc = "Names and regular expressions of further patterns, for this filter only. They go "
               "before those of patterns_dir and those that come with lsc."),
    OPT(struct grok, OPT_STRINGS, patterns_dir,
        .doc = "Folders of files with further patterns, single files, or globs. Each line of a "
               "file is a name, a blank and a regular expression; lines that begin with # are "
               "comments."),
    OPT(struct grok, OPT_STRING, patterns_files_glob, .preset = "*",
        .doc = "Which files of the folders in patterns_dir are read."),
    OPT(struct grok, OPT_STRINGS, tag_on_failure, .preset = "[\"_grokparsefailure\"]",
        .doc = "Tags of events that no pattern matches."),
    OPT(struct grok, OPT_STRING, tag_on_timeout, .preset = "_groktimeout",
        .doc = "The tag of events that took longer than timeout_millis."),
    OPT(struct grok, OPT_STRING, target,
        .doc = "The field under which captures are kept. The top of the event when not given."),
    OPT(struct grok, OPT_INT, timeout_millis, .preset = "30000", .min = 0, .max = INT32_MAX,
        .doc = "Milliseconds after which the work on a pattern is given up and the event is "
               "tagged. With 0 the time is not limited, only the number of steps, to four "
               "thousand million."),
    OPT(struct grok, OPT_ENUM, timeout_scope, .preset = "pattern", .choices = scope_names,
        .doc = "What timeout_millis is for: each pattern and text that it is tried on, or the "
               "event with all of them together."),
    OPT_END,
};

/* ---- running ---- */

/* The work on one event. */
struct work {
    const struct grok     *grok;
    struct event          *ev;
    struct filter_context *cx;
    int64_t                start_ns; /* 0: the time of each pattern counts for itself */
    const struct pattern  *late;     /* that took too long */
};

enum outcome { OUTCOME_NONE, OUTCOME_MATCH, OUTCOME_TIMEOUT, OUTCOME_REFUSED };

/* A list with what was there and `v` behind it. */
static struct value pair_of(struct arena *a, struct value there, struct value v)
{
    struct list *l = list_new(a, 2);

    list_push(l, a, there);
    list_push(l, a, v);
    return value_list(l);
}

/* Adds to the list at `f`. False when the event does not take it (tags that are no text). */
static bool push_value(struct event *ev, const struct field *f, struct value list, struct value v)
{
    list_push(list.as.list, ev->arena, v);
    if (event_set(ev, f, list)) return true;
    list.as.list->len--;
    return false;
}

/* `had` is what the event's map had seen ahead of the match. False when the event does not take the
   value there. Source: handle() in grok.rb. */
static bool set_capture(const struct capture *c, struct event *ev, uint64_t had, struct value v)
{
    if (c->fresh && !(had & key_bit(c->field->steps[0].key))) {
        event_set_fresh(ev, had, c->field->steps[0].key, v);
        return true;
    }
    const struct value *there = c->overwrite ? NULL : event_get(ev, c->field);

    if (!there || there->kind == VALUE_NULL) return event_set(ev, c->field, v);
    if (there->kind == VALUE_LIST) return push_value(ev, c->field, *there, v);
    if (there->kind == VALUE_STRING) return event_set(ev, c->field, pair_of(ev->arena, *there, v));
    return true;
}

static struct value capture_value(const struct capture *c, struct event *ev, struct str text,
                                  struct buf *scratch)
{
    switch (c->type) {
    case CAPTURE_INT:
        return ruby_to_i(ev->arena, text);
    case CAPTURE_FLOAT:
        return value_float(ruby_to_f(text, scratch));
    default:
        return value_string(text);
    }
}

/* The groups of a match become fields. */
static bool set_captures(const struct work *w, const struct pattern *p, struct str text,
                         const struct span *spans)
{
    bool     keep_empty = w->grok->keep_empty_captures;
    uint64_t had = w->ev->data.seen;

    for (uint32_t i = 0; i < p->captures_len; i++) {
        const struct capture *c = &p->captures[i];
        struct span           s = spans[c->group];
        bool                  part = s.start != SIZE_MAX;
        struct value          v = value_null();
        if (!keep_empty && (!part || (s.start == s.end && c->type == CAPTURE_TEXT))) continue;
        if (part)
            v = capture_value(c, w->ev, (struct str){text.data + s.start, s.end - s.start},
                              w->cx->buf);
        if (!set_capture(c, w->ev, had, v)) return false;
    }
    return true;
}

static int64_t time_left(const struct work *w)
{
    int64_t limit = w->grok->timeout_millis * 1000000;

    if (limit == 0) return INT64_MAX;
    if (w->start_ns == 0) return limit;
    limit -= clock_monotonic_ns() - w->start_ns;
    return limit > 0 ? limit : 1;
}

static enum outcome try_pattern(struct work *w, const struct pattern *p, struct str text)
{
    struct span spans[SPANS_MAX];

    if (!needle_in(&p->literal, text)) return OUTCOME_NONE;
    switch (regex_find_within(p->regex, text, spans, p->groups, time_left(w))) {
    case REGEX_NO_MATCH:
        return OUTCOME_NONE;
    case REGEX_LIMIT:
        w->late = p;
        return OUTCOME_TIMEOUT;
    default:
        return set_captures(w, p, text, spans) ? OUTCOME_MATCH : OUTCOME_REFUSED;
    }
}

/* With break_on_match the first pattern that matches ends it, else the last one decides. */
static enum outcome match_text(struct work *w, const struct rule *r, struct str text)
{
    enum outcome   last = OUTCOME_NONE;
    const uint8_t *found = NULL;

    for (uint32_t i = 0; i < r->len; i++) {
        if (r->screen && i == TRIED_FIRST)
            found = regex_screen_look(r->screen, text, w->cx->scratch);
        bool can_match = !found || regex_screen_passes(r->screen, found, i);
        last = can_match ? try_pattern(w, &r->patterns[i], text) : OUTCOME_NONE;
        if (last > OUTCOME_MATCH || (last == OUTCOME_MATCH && w->grok->break_on_match)) break;
    }
    return last;
}

/* Anything that is no text is matched as what Ruby's to_s gives. */
static enum outcome match_value(struct work *w, const struct rule *r, struct value v)
{
    if (v.kind == VALUE_STRING) return match_text(w, r, value_str(v));
    buf_clear(w->cx->buf);
    ruby_to_s(v, w->cx->buf);
    return match_text(w, r, arena_copy(w->ev->arena, buf_view(w->cx->buf)));
}

/* The items that a list has before captures are added to it. */
static enum outcome match_list(struct work *w, const struct rule *r, const struct list *l)
{
    enum outcome all = OUTCOME_NONE;

    for (uint32_t i = 0, n = l->len; i < n; i++) {
        enum outcome one = match_value(w, r, l->items[i]);
        if (one > all) all = one;
        if (one > OUTCOME_MATCH) break;
    }
    return all;
}

static enum outcome match_rule(struct work *w, const struct rule *r)
{
    const struct value *v = event_get(w->ev, r->field);

    if (!v) return match_text(w, r, STR(""));
    if (v->kind == VALUE_LIST) return match_list(w, r, v->as.list);
    return match_value(w, r, *v);
}

static enum verdict time_out(const struct work *w)
{
    static struct log_limit limit;

    filter_failed(w->cx, &limit, "filter.grok", "a pattern took too long", w->late->source);
    event_tag(w->ev, w->grok->tag_on_timeout);
    return FILTER_PASS;
}

static enum verdict grok_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct grok      *g = self;
    struct work             w = {.grok = g, .ev = ev, .cx = cx};
    bool                    matched = false;

    if (g->timeout_scope == SCOPE_EVENT) w.start_ns = clock_monotonic_ns();
    for (uint32_t i = 0; i < g->rules_len && !(matched && g->break_on_match); i++) {
        enum outcome one = match_rule(&w, &g->rules[i]);
        if (one == OUTCOME_TIMEOUT) return time_out(&w);
        if (one == OUTCOME_REFUSED)
            filter_failed(cx, &limit, "filter.grok", "a capture cannot be set",
                          g->rules[i].field->text);
        matched |= one == OUTCOME_MATCH;
    }
    if (matched) return FILTER_MATCH;
    ++*cx->failures;
    event_tag_all(ev, &g->tag_on_failure);
    return FILTER_PASS;
}

const struct plugin filter_grok = {
    .kind = PLUGIN_FILTER,
    .name = "grok",
    .summary = "Takes text apart with named patterns.",
    .size = sizeof(struct grok),
    .options = grok_options,
    .open = grok_open,
    .close = grok_close,
    .filter = {.run = grok_run},
};
