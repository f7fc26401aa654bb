/*
 * prune: removes fields by patterns for their names or values.
 *
 * Source: logstash-filter-prune, lib/logstash/filters/prune.rb. Where Logstash stops because a
 * value is no text, lsc compares the text of the value, and lists and maps inside of it match
 * nothing.
 * Threads: any number of workers; patterns that come out of events (interpolate) are shared under
 * the mutex of text/regex_cache.
 */
#include "plugin/failure.h"
#include "text/regex_cache.h"
#include "text/rubytext.h"

/* A pattern: fixed, or text that each event completes. */
struct pattern {
    struct regex          *regex;
    const struct template *text;
};

struct name_patterns {
    uint32_t        len;
    struct pattern *at;
};

/* A field at the top of the event and the pattern for its value. */
struct value_rule {
    struct key             key;
    const struct template *name; /* with interpolate */
    struct pattern         pattern;
    bool                   keep; /* whitelist: what does not match goes */
};

struct prune {
    bool           interpolate;
    struct strings whitelist_names, blacklist_names;
    struct pairs   whitelist_values, blacklist_values;

    struct name_patterns keep, drop;
    uint32_t             rules_len;
    struct value_rule   *rules;
    struct regex_cache  *patterns; /* NULL without interpolate */
};

static const struct option prune_options[] = {
    OPT(struct prune, OPT_STRINGS, blacklist_names, .preset = "[\"%\\{[^}]+\\}\"]",
        .doc = "Regular expressions: a field at the top of the event whose name one of them is "
               "found in is removed. By default names with an unresolved %{…} are."),
    OPT(struct prune, OPT_PAIRS, blacklist_values,
        .doc = "Fields at the top of the event and a regular expression for each: the field is "
               "removed when its value matches; of a list, the items that match are, and the "
               "field when no item stays."),
    OPT(struct prune, OPT_BOOL, interpolate, .preset = "false",
        .doc = "Whether %{…} in names and patterns is replaced by what the event has."),
    OPT(struct prune, OPT_STRINGS, whitelist_names,
        .doc = "Regular expressions: when given, a field at the top of the event is removed "
               "unless one of them is found in its name. @timestamp and @version are not spared."),
    OPT(struct prune, OPT_PAIRS, whitelist_values,
        .doc = "Fields at the top of the event and a regular expression for each: the field is "
               "removed unless its value matches; of a list, the items that do not match are."),
    OPT_END,
};

/* ---- opening ---- */

static bool open_pattern(struct prune *p, struct pattern *out, const char *option, struct str text,
                         struct plugin_open *cx)
{
    struct regex_error error;
    const char        *problem;
    size_t             at;
    bool               fatal = false;

    if (p->interpolate) {
        out->text = template_parse(cx->arena, text, &problem, &at, &fatal);
        return !fatal || plugin_error(cx, option, "\"%.*s\": %s", STR_ARG(text), problem);
    }
    out->regex = regex_compile(cx->arena, text, 0, &error);
    return out->regex || plugin_error(cx, option, "\"%.*s\" is not a valid pattern: %s",
                                      STR_ARG(text), error.message);
}

static bool open_names(struct prune *p, struct name_patterns *out, const char *option,
                       const struct strings *from, struct plugin_open *cx)
{
    bool good = true;

    out->at = arena_zalloc(cx->arena, from->len * sizeof(*out->at));
    out->len = from->len;
    for (uint32_t i = 0; i < from->len; i++)
        good &= open_pattern(p, &out->at[i], option, from->at[i], cx);
    return good;
}

static bool open_rules(struct prune *p, const char *option, const struct pairs *from, bool keep,
                       struct plugin_open *cx)
{
    bool good = true;

    for (uint32_t i = 0; i < from->len; i++) {
        struct value_rule *r = &p->rules[p->rules_len++];
        r->keep = keep;
        r->key = key_make(from->at[i].key);
        if (p->interpolate) r->name = template_parse(cx->arena, from->at[i].key, NULL, NULL, NULL);
        struct str text = ast_to_s(cx->arena, from->at[i].value);
        good &= open_pattern(p, &r->pattern, option, text, cx);
    }
    return good;
}

static void names_close(struct name_patterns *n)
{
    for (uint32_t i = 0; i < n->len; i++) {
        if (n->at[i].regex) regex_free(n->at[i].regex);
    }
}

static void prune_close(void *self)
{
    struct prune *p = self;

    names_close(&p->keep);
    names_close(&p->drop);
    for (uint32_t i = 0; i < p->rules_len; i++) {
        if (p->rules[i].pattern.regex) regex_free(p->rules[i].pattern.regex);
    }
    regex_cache_free(p->patterns);
}

static bool prune_open(void *self, struct plugin_open *cx)
{
    struct prune *p = self;
    uint32_t      rules = p->whitelist_values.len + p->blacklist_values.len;

    p->rules = arena_zalloc(cx->arena, rules * sizeof(*p->rules));
    if (p->interpolate) p->patterns = regex_cache_new();
    bool good = open_names(p, &p->keep, "whitelist_names", &p->whitelist_names, cx);
    good &= open_names(p, &p->drop, "blacklist_names", &p->blacklist_names, cx);
    good &= open_rules(p, "whitelist_values", &p->whitelist_values, true, cx);
    good &= open_rules(p, "blacklist_values", &p->blacklist_values, false, cx);
    if (!good) prune_close(p);
    return good;
}

/* ---- running ---- */

/* What a pattern is for this event; NULL when its text is no valid pattern. Given back after use.
 */
static const struct regex *take(const struct prune *p, const struct pattern *pattern,
                                struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    struct regex_error      error;

    if (pattern->regex) return pattern->regex;
    struct str          text = template_str(pattern->text, ev);
    const struct regex *r = regex_cache_take(p->patterns, text, 0, &error);
    if (!r) filter_failed(cx, &limit, "filter.prune", "not a valid pattern", text);
    return r;
}

static void give(const struct prune *p, const struct pattern *pattern, const struct regex *r)
{
    if (r && !pattern->regex) regex_cache_give(p->patterns, r);
}

/* Marks the members whose names match one of `list`. */
static void mark_names(const struct prune *p, const struct name_patterns *list, struct event *ev,
                       bool *marks, struct filter_context *cx)
{
    for (uint32_t i = 0; i < list->len; i++) {
        const struct regex *r = take(p, &list->at[i], ev, cx);
        for (uint32_t j = 0; r && j < ev->data.len; j++) {
            if (!marks[j]) marks[j] = regex_test(r, key_str(ev->data.members[j].key));
        }
        give(p, &list->at[i], r);
    }
}

static bool value_matches(const struct regex *r, struct value v, struct buf *buf)
{
    if (v.kind == VALUE_STRING) return regex_test(r, value_str(v));
    if (v.kind == VALUE_NULL || v.kind == VALUE_LIST || v.kind == VALUE_MAP) return false;
    buf_clear(buf);
    ruby_to_s(v, buf);
    return regex_test(r, buf_view(buf));
}

/* What stays of a value under a rule, in new memory when it is a list; false: nothing. */
static bool filter_value(const struct value_rule *rule, const struct regex *r, struct value *v,
                         struct event *ev, struct buf *buf)
{
    if (v->kind != VALUE_LIST) return value_matches(r, *v, buf) == rule->keep;

    const struct list *from = v->as.list;
    struct list       *to = list_new(ev->arena, from->len);
    for (uint32_t i = 0; i < from->len; i++) {
        if (value_matches(r, from->items[i], buf) == rule->keep)
            list_push(to, ev->arena, from->items[i]);
    }
    *v = value_list(to);
    return to->len > 0 || from->len == 0;
}

/* The index of the member that a rule is about, or -1; null and false values are passed over. */
static int64_t member_of(const struct value_rule *rule, struct event *ev)
{
    struct key          key = rule->name ? key_make(template_str(rule->name, ev)) : rule->key;
    const struct value *v = map_get(&ev->data, key);

    if (!v || v->kind == VALUE_NULL || (v->kind == VALUE_BOOL && !v->as.b)) return -1;
    return (const struct member *)(const void *)((const char *)v - offsetof(struct member, value)) -
           ev->data.members;
}

/* Values are looked at as they were before; `kept` gets what stays of each. */
static void mark_values(const struct prune *p, struct event *ev, bool *gone, struct value *kept,
                        struct filter_context *cx)
{
    for (uint32_t i = 0; i < p->rules_len; i++) {
        const struct value_rule *rule = &p->rules[i];
        int64_t                  at = member_of(rule, ev);
        const struct regex      *r = at < 0 ? NULL : take(p, &rule->pattern, ev, cx);
        if (!r) continue;
        if (!filter_value(rule, r, &kept[at], ev, cx->buf)) gone[at] = true;
        give(p, &rule->pattern, r);
    }
}

/* Templates and patterns see the whole event, so members only go when all is decided. */
static enum verdict prune_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct prune *p = self;
    uint32_t            n = ev->data.len;
    bool               *gone = arena_zalloc(cx->scratch, n);
    struct value       *kept = arena_alloc(cx->scratch, n * sizeof(*kept));
    struct key         *keys = arena_alloc(cx->scratch, n * sizeof(*keys));

    if (p->keep.len) {
        mark_names(p, &p->keep, ev, gone, cx);
        for (uint32_t i = 0; i < n; i++)
            gone[i] = !gone[i];
    }
    mark_names(p, &p->drop, ev, gone, cx);
    for (uint32_t i = 0; i < n; i++) {
        kept[i] = ev->data.members[i].value;
        keys[i] = ev->data.members[i].key;
    }
    mark_values(p, ev, gone, kept, cx);
    for (uint32_t i = 0; i < n; i++)
        ev->data.members[i].value = kept[i];
    for (uint32_t i = 0; i < n; i++) {
        if (gone[i]) map_remove(&ev->data, keys[i]);
    }
    return FILTER_MATCH;
}

const struct plugin filter_prune = {
    .kind = PLUGIN_FILTER,
    .name = "prune",
    .summary = "Removes fields by patterns for their names or values.",
    .size = sizeof(struct prune),
    .options = prune_options,
    .open = prune_open,
    .close = prune_close,
    .filter = {.run = prune_run},
};
