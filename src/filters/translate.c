/*
 * translate: replaces values by what a dictionary says about them.
 *
 * Source: logstash-filter-translate, lib/logstash/filters/translate.rb and dictionary/.
 * Threads: each worker keeps the version of the dictionary that it has (base/versions); one of
 * them reads the file again when it is time, while the others go on.
 */
#include <stdlib.h>

#include "base/fatal.h"
#include "base/file.h"
#include "base/versions.h"
#include "filters/translate.h"
#include "plugin/failure.h"
#include "text/rubytext.h"

enum refresh_behaviour { REFRESH_MERGE, REFRESH_REPLACE };
static const char *const behaviours[] = {"merge", "replace", NULL};
static const char *const strategies[] = {"one_shot", "streaming", NULL};

enum { NANOSECONDS = 1000000000 };

/* The dictionary's file, and what became of it. */
struct dictionary_file {
    enum dictionary_format format;
    struct versions        lookups;
    int64_t                interval_ns; /* 0: never read again */
    _Atomic int64_t        next_ns;
    struct file_mark       mark; /* of what was read last; used by the worker whose turn it is */
    _Atomic bool           reading;
};

struct translate {
    int                    ecs_compatibility;
    struct pairs           dictionary;
    struct str             dictionary_path;
    bool                   exact, override, regex;
    const struct template *fallback;
    const struct field    *field, *source, *destination, *target, *iterate_on;
    double                 refresh_interval;
    int                    refresh_behaviour, yaml_load_strategy;
    int64_t                yaml_dictionary_code_point_limit;

    enum lookup_mode        mode;
    struct lookup          *fixed; /* of `dictionary` */
    struct dictionary_file *file;
    bool                    iterates_values; /* iterate_on is the source itself */
};

static const struct option translate_options[] = {
    OPT(struct translate, OPT_FIELD, destination, .deprecated = "use target instead",
        .doc = "The old name of target."),
    OPT(struct translate, OPT_PAIRS, dictionary, .preset = "{}",
        .doc = "The dictionary itself: texts and what each stands for. Cannot be given together "
               "with dictionary_path."),
    OPT(struct translate, OPT_PATH, dictionary_path,
        .doc = "A file with the dictionary: .yml or .yaml (a map), .json (an object) or .csv (key "
               "and value, no header), at most 2 GiB. Keys are compared as texts, so a key of YAML "
               "that would be a number or a boolean has to stand in quotes."),
    OPT(struct translate, OPT_ECS, ecs_compatibility,
        .doc = "The default of target: [translation] when disabled, else the source. Follows "
               "pipeline.ecs_compatibility unless given."),
    OPT(struct translate, OPT_BOOL, exact, .preset = "true",
        .doc = "Whether a key must be the whole text of the source. When false every key that "
               "stands somewhere in it is replaced there, and the target gets the whole text."),
    OPT(struct translate, OPT_TEMPLATE, fallback,
        .doc = "What the target gets when nothing is found. May hold %{…}. By default the target "
               "is left alone then."),
    OPT(struct translate, OPT_FIELD, field, .deprecated = "use source instead",
        .doc = "The old name of source."),
    OPT(struct translate, OPT_FIELD, iterate_on,
        .doc = "A field with a list to go through. The same as source: each of its values is "
               "translated, and the target gets a list of the same length. Otherwise a list of "
               "maps: source and target are fields of each of them."),
    OPT(struct translate, OPT_BOOL, override,
        .doc = "Whether a target that is there already is replaced. By default only when target "
               "and source are the same field."),
    OPT(struct translate, OPT_ENUM, refresh_behaviour, .preset = "merge", .choices = behaviours,
        .doc = "When the file has changed: merge keeps the old entries that it does not hold any "
               "more, replace drops them."),
    OPT(struct translate, OPT_FLOAT, refresh_interval, .preset = "300",
        .doc = "How often, in seconds, it is checked whether the file has changed; it is then read "
               "again. 0 or less: never. When it cannot be read the old dictionary stays."),
    OPT(struct translate, OPT_BOOL, regex, .preset = "false",
        .doc = "Whether keys are regular expressions: the first that is found in the source "
               "counts. Only with exact; without it keys stay plain text, as in Logstash."),
    OPT(struct translate, OPT_FIELD, source,
        .doc = "The field to translate, required unless the old name field is used. Of a list "
               "the first value counts."),
    OPT(struct translate, OPT_FIELD, target,
        .doc = "The field that gets what was found. See ecs_compatibility for the default."),
    OPT(struct translate, OPT_INT, yaml_dictionary_code_point_limit, .preset = "134217728",
        .min = 1, .max = INT64_MAX,
        .doc = "How many characters a YAML file may have: 128 Mi by default. Only for YAML."),
    OPT(struct translate, OPT_ENUM, yaml_load_strategy, .preset = "one_shot", .choices = strategies,
        .no_effect = "YAML files are always read entry by entry",
        .doc = "How a YAML file is read."),
    OPT_END,
};

/* ---- the file ---- */

/* What the file holds now, behind the entries of `before` unless that is NULL. */
static struct lookup *read_lookup(const struct translate *t, const struct dictionary *before,
                                  struct dictionary_error *error)
{
    struct dictionary *d = dictionary_new();
    uint32_t           passed_over = 0;
    size_t             limit = (size_t)t->yaml_dictionary_code_point_limit;

    if ((before && !dictionary_merge(d, before)) ||
        !dictionary_read(d, t->dictionary_path.data, t->file->format, limit, &passed_over, error)) {
        dictionary_free(d);
        return NULL;
    }
    if (passed_over)
        log_warn("filter.translate", "keys that are no texts never match; put them in quotes",
                 LOG_STR("path", t->dictionary_path), LOG_INT("keys", passed_over));
    return lookup_new(d, t->mode, error);
}

static void read_again(const struct translate *t, const struct lookup *before)
{
    struct dictionary_file *f = t->file;
    struct dictionary_error error = {.text = "there are too many entries"};
    struct file_mark        mark;

    if (!file_mark_of(t->dictionary_path.data, &mark)) {
        log_warn("filter.translate", "cannot find the dictionary; the old one stays",
                 LOG_STR("path", t->dictionary_path));
        return;
    }
    if (file_mark_eq(&mark, &f->mark)) return;
    f->mark = mark;
    bool           merge = t->refresh_behaviour == REFRESH_MERGE;
    struct lookup *now = read_lookup(t, merge ? lookup_dictionary(before) : NULL, &error);
    if (now)
        versions_put(&f->lookups, now);
    else
        log_warn("filter.translate", "cannot read the dictionary again; the old one stays",
                 LOG_STR("path", t->dictionary_path), LOG_CSTR("reason", error.text));
}

/* The dictionary that counts now. */
static const struct lookup *current(const struct translate *t, struct filter_context *cx)
{
    struct dictionary_file *f = t->file;

    if (!f) return t->fixed;
    const struct lookup *l = versions_get(&f->lookups, cx->state);
    if (f->interval_ns == 0 || !file_turn(&f->next_ns, f->interval_ns)) return l;
    if (atomic_exchange(&f->reading, true)) return l; /* longer than the interval */
    read_again(t, l);
    atomic_store(&f->reading, false);
    return versions_get(&f->lookups, cx->state);
}

/* ---- opening ---- */

static bool field_eq(const struct field *a, const struct field *b)
{
    if (a->metadata != b->metadata || a->depth != b->depth) return false;
    for (uint32_t i = 0; i < a->depth; i++) {
        if (!key_eq(&a->steps[i].key, &b->steps[i].key)) return false;
    }
    return true;
}

/* The old name of an option stands for the new one; both at once are an error. */
static bool old_name(const struct field **now, const struct field *old, const char *name,
                     const char *old_option, struct plugin_open *cx)
{
    if (!old) return true;
    if (*now)
        return plugin_error(cx, old_option, "\"%s\" cannot be given together with \"%s\"",
                            old_option, name);
    *now = old;
    return true;
}

static bool open_fields(struct translate *t, struct plugin_open *cx)
{
    if (!old_name(&t->source, t->field, "source", "field", cx) ||
        !old_name(&t->target, t->destination, "target", "destination", cx))
        return false;
    if (!t->source) return plugin_error(cx, NULL, "translate needs the setting \"source\"");
    if (!t->target)
        t->target = t->ecs_compatibility == ECS_DISABLED
                        ? field_parse(cx->arena, STR("translation"), NULL, NULL)
                        : t->source;
    if (!plugin_setting(cx, "override")) t->override = field_eq(t->source, t->target);
    t->iterates_values = t->iterate_on && field_eq(t->iterate_on, t->source);
    return true;
}

static bool open_inline(struct translate *t, struct plugin_open *cx)
{
    struct dictionary      *d = dictionary_new();
    struct dictionary_error error;

    for (uint32_t i = 0; i < t->dictionary.len; i++)
        dictionary_put(d, t->dictionary.at[i].key,
                       ast_to_value(cx->arena, t->dictionary.at[i].value));
    t->fixed = lookup_new(d, t->mode, &error);
    return t->fixed || plugin_error(cx, "dictionary", "%s", error.text);
}

static bool open_file(struct translate *t, struct plugin_open *cx)
{
    struct dictionary_error error = {.text = "there are too many entries"};
    enum dictionary_format  format;

    if (t->dictionary.len)
        return plugin_error(cx, "dictionary_path",
                            "dictionary_path cannot be given together with \"dictionary\"");
    if (!dictionary_format_of(t->dictionary_path, &format))
        return plugin_error(cx, "dictionary_path",
                            "\"%.*s\" does not end in .yml, .yaml, .json or .csv",
                            STR_ARG(t->dictionary_path));
    if (format != DICTIONARY_YAML && plugin_setting(cx, "yaml_dictionary_code_point_limit"))
        return plugin_error(cx, "yaml_dictionary_code_point_limit",
                            "yaml_dictionary_code_point_limit is for YAML files only");
    t->dictionary_path.data = arena_cstr(cx->arena, t->dictionary_path);
    t->file = xcalloc(1, sizeof(*t->file));
    t->file->format = format;
    versions_init(&t->file->lookups, lookup_free);
    file_mark_of(t->dictionary_path.data, &t->file->mark);
    struct lookup *l = read_lookup(t, NULL, &error);
    if (!l) {
        versions_release(&t->file->lookups);
        free(t->file);
        return plugin_error(cx, "dictionary_path", "cannot read \"%.*s\": %s",
                            STR_ARG(t->dictionary_path), error.text);
    }
    versions_put(&t->file->lookups, l);
    if (t->refresh_interval > 0 && t->refresh_interval < 1e9)
        t->file->interval_ns = (int64_t)(t->refresh_interval * NANOSECONDS);
    t->file->next_ns = clock_monotonic_ns() + t->file->interval_ns;
    return true;
}

static bool translate_open(void *self, struct plugin_open *cx)
{
    struct translate *t = self;

    t->mode = !t->exact ? LOOKUP_WITHIN : t->regex ? LOOKUP_REGEX : LOOKUP_EXACT;
    if (!open_fields(t, cx)) return false;
    return t->dictionary_path.data ? open_file(t, cx) : open_inline(t, cx);
}

static void translate_close(void *self)
{
    struct translate *t = self;

    lookup_free(t->fixed);
    if (!t->file) return;
    versions_release(&t->file->lookups);
    free(t->file);
}

/* ---- running ---- */

struct run {
    const struct translate *t;
    const struct lookup    *lookup;
    struct event           *ev;
    struct filter_context  *cx;
};

/* Ruby's to_s; a text is itself. */
static struct str text_of(const struct run *r, struct value v)
{
    if (v.kind == VALUE_STRING) return value_str(v);
    buf_clear(r->cx->buf);
    ruby_to_s(v, r->cx->buf);
    return arena_copy(r->cx->scratch, buf_view(r->cx->buf));
}

/* What `v` stands for, or else the fallback; false: neither. */
static bool translation(const struct run *r, struct value v, struct value *out)
{
    if (lookup_fetch(r->lookup, text_of(r, v), r->cx->scratch, r->cx->buf, out)) {
        *out = value_copy(r->ev->arena, *out); /* the dictionary may go before the event does */
        return true;
    }
    if (!r->t->fallback) return false;
    *out = value_string(template_str(r->t->fallback, r->ev));
    return true;
}

/* Ruby's Array(): a list is itself, null is empty, a map a list of pairs, else a list of one. */
static struct list *list_of(struct arena *a, struct value v)
{
    if (v.kind == VALUE_LIST) return v.as.list;
    struct list *l = list_new(a, 1);
    if (v.kind == VALUE_MAP) {
        for (uint32_t i = 0; i < v.as.map->len; i++) {
            struct list *pair = list_new(a, 2);
            list_push(pair, a, value_string(key_str(v.as.map->members[i].key)));
            list_push(pair, a, v.as.map->members[i].value);
            list_push(l, a, value_list(pair));
        }
    } else if (v.kind != VALUE_NULL) {
        list_push(l, a, v);
    }
    return l;
}

static bool set(const struct run *r, struct event *ev, struct value v)
{
    static struct log_limit limit;

    if (event_set(ev, r->t->target, v)) return true;
    filter_failed(r->cx, &limit, "filter.translate", "cannot set the target", r->t->target->text);
    return false;
}

static bool translate_one(const struct run *r, struct value source)
{
    struct value v = source;

    if (source.kind == VALUE_LIST || source.kind == VALUE_MAP) {
        const struct list *l = list_of(r->cx->scratch, source);
        v = l->len ? l->items[0] : value_null();
    }
    return translation(r, v, &v) && set(r, r->ev, v);
}

static bool is_true(struct value v)
{
    return v.kind != VALUE_NULL && !(v.kind == VALUE_BOOL && !v.as.b);
}

static bool translate_values(const struct run *r, struct value source)
{
    const struct list *from = list_of(r->cx->scratch, source);
    struct list       *to = list_new(r->ev->arena, from->len);
    bool               any = r->t->fallback != NULL;

    for (uint32_t i = 0; i < from->len; i++) {
        struct value v;
        if (!translation(r, from->items[i], &v)) v = value_null();
        any |= is_true(v);
        list_push(to, r->ev->arena, v);
    }
    return set(r, r->ev, value_list(to)) && any;
}

/* One map of the list, treated as an event of its own. */
static bool translate_map(const struct run *r, struct map *m)
{
    struct event        inner = {.arena = r->ev->arena, .data = *m};
    const struct value *source = event_get(&inner, r->t->source);
    struct value        v;

    if (!source || source->kind == VALUE_NULL || !translation(r, *source, &v)) return false;
    bool done = set(r, &inner, v);
    *m = inner.data;
    return done;
}

static bool translate_maps(const struct run *r, struct value source)
{
    bool any = r->t->fallback != NULL;

    if (source.kind != VALUE_LIST) return any;
    for (uint32_t i = 0; i < source.as.list->len; i++) {
        struct value item = source.as.list->items[i];
        if (item.kind == VALUE_MAP) any |= translate_map(r, item.as.map);
    }
    return any;
}

static enum verdict translate_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct translate *t = self;
    const struct value     *v = event_get(ev, t->iterate_on ? t->iterate_on : t->source);
    struct run              r = {t, current(t, cx), ev, cx};
    bool                    done;

    if (!v) return FILTER_PASS;
    if (t->iterate_on && !t->iterates_values)
        return translate_maps(&r, *v) ? FILTER_MATCH : FILTER_PASS;
    if (!t->override && event_get(ev, t->target)) return FILTER_PASS;
    done = t->iterate_on ? translate_values(&r, *v) : translate_one(&r, *v);
    return done ? FILTER_MATCH : FILTER_PASS;
}

const struct plugin filter_translate = {
    .kind = PLUGIN_FILTER,
    .name = "translate",
    .summary = "Replaces values by what a dictionary says about them.",
    .size = sizeof(struct translate),
    .options = translate_options,
    .open = translate_open,
    .close = translate_close,
    .filter = {.run = translate_run, .worker_size = sizeof(struct version_reader)},
};
