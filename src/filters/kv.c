/*
 * kv: makes fields of the key=value pairs in a text.
 *
 * Source: logstash-filter-kv, lib/logstash/filters/kv.rb.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "text/kv.h"
#include "base/utf8.h"
#include "plugin/failure.h"
#include "text/char_class.h"
#include "text/rubytext.h"

enum letter_case { CASE_CAPITALIZE, CASE_LOWER, CASE_UPPER, CASE_SAME };

/* What is done to keys or to values. */
struct edit {
    bool              any, trims, removes;
    struct char_class trim, remove;
    enum letter_case  letters;
};

/* Names that may depend on the event. */
struct names {
    struct templates templates;
    struct strings   fixed; /* when none of them does */
    bool             is_fixed;
};

struct kv {
    bool                   allow_duplicate_values, allow_empty_values;
    struct pairs           default_keys;
    int                    ecs_compatibility;
    struct templates       exclude_keys, include_keys;
    struct str             field_split, field_split_pattern, value_split, value_split_pattern;
    bool                   include_brackets, recursive;
    const struct template *prefix;
    struct str             remove_char_key, remove_char_value, trim_key, trim_value;
    const struct field    *source;
    const struct field    *target;
    struct strings         tag_on_failure;
    struct str             tag_on_timeout;
    int64_t                timeout_millis;
    int                    transform_key, transform_value;
    int                    whitespace;

    struct kv_syntax syntax;
    struct edit      key, value;
    struct names     include, exclude;
    struct map       defaults;
};

static const char *const cases[] = {"capitalize", "lowercase", "uppercase", NULL};
static const char *const whitespaces[] = {"lenient", "strict", NULL};

static const struct option kv_options[] = {
    OPT(struct kv, OPT_BOOL, allow_duplicate_values, .preset = "true",
        .doc = "Whether a pair that comes again makes the field a list with the value twice. "
               "When false a value that the field has already is passed over."),
    OPT(struct kv, OPT_BOOL, allow_empty_values, .preset = "false",
        .doc = "Whether keys without a value become fields with an empty text. By default they "
               "are passed over."),
    OPT(struct kv, OPT_PAIRS, default_keys,
        .doc = "Fields and values that are added where the text has no such key, whatever the "
               "event has. Also when the source is missing."),
    OPT(struct kv, OPT_ECS, ecs_compatibility,
        .doc = "Changes nothing here: without a target the fields of the text may not be those "
               "that ECS has in mind."),
    OPT(struct kv, OPT_TEMPLATES, exclude_keys,
        .doc = "Keys that become no fields, compared before the prefix is added. May hold %{…}."),
    OPT(struct kv, OPT_STRING, field_split, .preset = " ",
        .doc = "The characters that separate pairs, as inside the brackets of a regular "
               "expression: [, ] and \\ need a backslash, \\s is any white space."),
    OPT(struct kv, OPT_STRING, field_split_pattern,
        .doc = "A regular expression that separates pairs, instead of field_split."),
    OPT(struct kv, OPT_BOOL, include_brackets, .preset = "true",
        .doc = "Whether (…), […] and <…> enclose a value as quotes do, and are taken off it."),
    OPT(struct kv, OPT_TEMPLATES, include_keys,
        .doc = "The only keys that become fields, compared before the prefix is added. May hold "
               "%{…}. By default all do."),
    OPT(struct kv, OPT_TEMPLATE, prefix, .preset = "",
        .doc = "What is put in front of each key. May hold %{…}."),
    OPT(struct kv, OPT_BOOL, recursive, .preset = "false",
        .doc = "Whether a value that holds pairs itself becomes a map of them, up to 64 levels."),
    OPT(struct kv, OPT_STRING, remove_char_key,
        .doc = "Characters that are taken out of keys, written as for field_split."),
    OPT(struct kv, OPT_STRING, remove_char_value,
        .doc = "Characters that are taken out of values, written as for field_split."),
    OPT(struct kv, OPT_FIELD, source, .preset = "message",
        .doc = "The field with the text, or with a list of texts."),
    OPT(struct kv, OPT_STRINGS, tag_on_failure, .preset = "_kv_filter_error",
        .doc = "Tags of events with a key that is no valid field reference, or a target that "
               "cannot be set."),
    OPT(struct kv, OPT_STRING, tag_on_timeout, .preset = "_kv_filter_timeout",
        .doc = "Tag of events whose text took too long; no pair of it is kept."),
    OPT(struct kv, OPT_FIELD, target,
        .doc = "The field that gets all pairs as a map; what was there is replaced. Without it "
               "each key becomes a field of the event, or, when it is written as [a][b], one "
               "inside another."),
    OPT(struct kv, OPT_INT, timeout_millis, .preset = "30000", .min = 0, .max = INT64_MAX / 1000000,
        .doc = "How long one text may take, in milliseconds; 0 for any time. Only texts that "
               "need a regular expression are watched: those with a backslash, a pattern, or "
               "splitters beyond ASCII. All others take time by their length."),
    OPT(struct kv, OPT_ENUM, transform_key, .choices = cases,
        .doc = "Puts keys in lower case, in upper case, or in lower case with a large first "
               "letter. By default they stay as they are."),
    OPT(struct kv, OPT_ENUM, transform_value, .choices = cases, .doc = "The same for values."),
    OPT(struct kv, OPT_STRING, trim_key,
        .doc = "Characters that are taken off both ends of keys, written as for field_split."),
    OPT(struct kv, OPT_STRING, trim_value,
        .doc = "Characters that are taken off both ends of values, written as for field_split."),
    OPT(struct kv, OPT_STRING, value_split, .preset = "=",
        .doc = "The characters between a key and its value, written as for field_split."),
    OPT(struct kv, OPT_STRING, value_split_pattern,
        .doc = "A regular expression for what stands between key and value, instead of "
               "value_split."),
    OPT(struct kv, OPT_ENUM, whitespace, .preset = "lenient", .choices = whitespaces,
        .doc = "lenient: blanks around the value splitter do not count, so \"a= b=1\" gives a the "
               "value \"b=1\". strict: they do, and a is empty."),
    OPT_END,
};

/* ---- opening ---- */

static bool open_class(struct char_class *c, bool *given, struct str source, const char *option,
                       struct plugin_open *cx)
{
    struct regex_error error;

    *given = source.data != NULL;
    return !*given || char_class_compile(c, cx->arena, source, &error) ||
           plugin_error(cx, option, "\"%.*s\" is no set of characters: %s", STR_ARG(source),
                        error.message);
}

static bool open_edit(struct edit *e, struct plugin_open *cx, struct str trim,
                      const char *trim_option, struct str removed, const char *remove_option,
                      int letters, const char *case_option)
{
    bool good = open_class(&e->trim, &e->trims, trim, trim_option, cx);

    good &= open_class(&e->remove, &e->removes, removed, remove_option, cx);
    e->letters = plugin_setting(cx, case_option) ? (enum letter_case)letters : CASE_SAME;
    e->any = e->trims || e->removes || e->letters != CASE_SAME;
    return good;
}

static void open_names(struct names *n, const struct templates *templates, struct arena *a)
{
    n->templates = *templates;
    n->is_fixed = true;
    n->fixed.at = arena_alloc(a, templates->len * sizeof(n->fixed.at[0]));
    for (; n->fixed.len < templates->len && n->is_fixed; n->fixed.len++)
        n->is_fixed = template_constant(templates->at[n->fixed.len], &n->fixed.at[n->fixed.len]);
}

static void open_defaults(struct kv *k, struct arena *a)
{
    for (uint32_t i = 0; i < k->default_keys.len; i++) {
        const struct pair *p = &k->default_keys.at[i];
        *map_add(&k->defaults, a, key_make(p->key)) = ast_to_value(a, p->value);
    }
}

static bool open_syntax(struct kv *k, struct plugin_open *cx)
{
    struct kv_rules    rules = {.field_split = k->field_split,
                                .value_split = k->value_split,
                                .field_pattern = k->field_split_pattern,
                                .value_pattern = k->value_split_pattern,
                                .lenient = k->whitespace == 0,
                                .brackets = k->include_brackets};
    struct regex_error error;

    if (k->value_split.len == 0)
        return plugin_error(cx, "value_split", "\"value_split\" must not be empty");
    if (k->field_split_pattern.data && k->field_split_pattern.len == 0)
        return plugin_error(cx, "field_split_pattern", "\"field_split_pattern\" must not be empty");
    if (k->value_split_pattern.data && k->value_split_pattern.len == 0)
        return plugin_error(cx, "value_split_pattern", "\"value_split_pattern\" must not be empty");
    return kv_compile(&k->syntax, cx->arena, &rules, &error) ||
           plugin_error(cx, k->field_split_pattern.data ? "field_split_pattern" : "field_split",
                        "the splitters make no valid regular expression: %s", error.message);
}

static void kv_close(void *self)
{
    struct kv *k = self;

    kv_release(&k->syntax);
    char_class_release(&k->key.trim);
    char_class_release(&k->key.remove);
    char_class_release(&k->value.trim);
    char_class_release(&k->value.remove);
}

static bool kv_open(void *self, struct plugin_open *cx)
{
    struct kv *k = self;
    bool       good = open_syntax(k, cx);

    good &= open_edit(&k->key, cx, k->trim_key, "trim_key", k->remove_char_key, "remove_char_key",
                      k->transform_key, "transform_key");
    good &= open_edit(&k->value, cx, k->trim_value, "trim_value", k->remove_char_value,
                      "remove_char_value", k->transform_value, "transform_value");
    open_names(&k->include, &k->include_keys, cx->arena);
    open_names(&k->exclude, &k->exclude_keys, cx->arena);
    open_defaults(k, cx->arena);
    if (!good) kv_close(k);
    return good;
}

/* ---- running ---- */

enum { DEPTH_MAX = 64 };

/* The work on one event. */
struct job {
    const struct kv       *kv;
    struct event          *ev;
    struct filter_context *cx;
    struct arena          *arena; /* for maps */
    struct str             prefix;
    struct strings         include, exclude;
    int64_t                deadline; /* monotonic; 0: none yet */
    int                    depth;
    bool                   too_long;
};

static struct strings names_for(const struct names *n, struct job *j)
{
    struct strings s = {.len = n->templates.len};

    if (n->is_fixed) return n->fixed;
    s.at = arena_alloc(j->cx->scratch, s.len * sizeof(s.at[0]));
    for (uint32_t i = 0; i < s.len; i++)
        s.at[i] = template_str(n->templates.at[i], j->ev);
    return s;
}

static bool has_name(const struct strings *names_of, struct str name)
{
    for (uint32_t i = 0; i < names_of->len; i++)
        if (str_eq(names_of->at[i], name)) return true;
    return false;
}

/* In lower case and so on; into buf. */
static struct str change_case(enum letter_case letters, struct str s, struct buf *buf)
{
    void (*change)(struct buf * out, struct str s) = letters == CASE_CAPITALIZE ? ruby_capitalize
                                                     : letters == CASE_LOWER    ? utf8_lower
                                                                                : utf8_upper;

    buf_clear(buf);
    change(buf, s);
    return buf_view(buf);
}

/* Each step may leave its text in the buf, so it is copied before the next. */
static struct str edit(const struct edit *e, struct str s, struct job *j)
{
    struct buf *buf = j->cx->buf;

    if (e->trims) s = char_class_trim(&e->trim, s, buf);
    if (e->removes) {
        if (s.data == buf->data) s = arena_copy(j->cx->scratch, s);
        s = char_class_remove(&e->remove, s, buf);
    }
    if (e->letters != CASE_SAME) {
        if (s.data >= buf->data && s.data < buf->data + buf->cap) s = arena_copy(j->cx->scratch, s);
        s = change_case(e->letters, s, buf);
    }
    return arena_copy(j->ev->arena, s);
}

static bool holds(struct value v, struct str text)
{
    if (v.kind == VALUE_STRING) return str_eq(value_str(v), text);
    for (uint32_t i = 0; v.kind == VALUE_LIST && i < v.as.list->len; i++)
        if (holds(v.as.list->items[i], text)) return true;
    return false;
}

static void parse(struct job *j, struct str text, struct map *out);

static struct value value_of(struct job *j, struct str text)
{
    if (!j->kv->recursive || j->depth == DEPTH_MAX) return value_string(text);
    struct arena *outer = j->arena;
    struct map   *inner = map_new(j->ev->arena, 0);
    j->arena = j->ev->arena;
    j->depth++;
    parse(j, text, inner);
    j->depth--;
    j->arena = outer;
    return inner->len ? value_map(inner) : value_string(text);
}

/* A key that is there already gets a list. */
static void add(struct job *j, struct map *out, struct key key, struct str text)
{
    struct arena *a = j->ev->arena;
    struct value *old = map_get(out, key);

    if (old && !j->kv->allow_duplicate_values && holds(*old, text)) return;
    struct value v = value_of(j, text);
    if (!old) {
        *map_append(out, j->arena, key) = v;
        return;
    }
    if (old->kind != VALUE_LIST) {
        struct list *both = list_new(a, 2);
        list_push(both, a, *old);
        *old = value_list(both);
    }
    list_push(old->as.list, a, v);
}

static void add_pair(struct job *j, struct map *out, struct str key, struct str text)
{
    const struct kv *k = j->kv;

    if (text.len == 0 && !k->allow_empty_values) return;
    if (k->key.any) key = edit(&k->key, key, j);
    if (j->include.len && !has_name(&j->include, key)) return;
    if (j->exclude.len && has_name(&j->exclude, key)) return;
    if (j->prefix.len) {
        char *both = arena_alloc(j->ev->arena, j->prefix.len + key.len);
        memcpy(both, j->prefix.data, j->prefix.len);
        memcpy(both + j->prefix.len, key.data, key.len);
        key = (struct str){both, j->prefix.len + key.len};
    }
    if (k->value.any) text = edit(&k->value, text, j);
    add(j, out, key_make(key), text);
}

/* Regular expressions may take long; the clock is looked at before each pair. */
static bool in_time(struct job *j)
{
    if (j->kv->timeout_millis == 0) return true;
    int64_t now = clock_monotonic_ns();
    if (j->deadline == 0) j->deadline = now + j->kv->timeout_millis * 1000000;
    return now < j->deadline;
}

static void parse(struct job *j, struct str text, struct map *out)
{
    struct kv_reader r = {.syntax = &j->kv->syntax, .text = text};
    struct str       key, value;

    r.by_regex = !kv_is_plain(r.syntax, text);
    while (!j->too_long) {
        int found = r.by_regex && !in_time(j) ? REGEX_LIMIT : kv_next(&r, &key, &value);
        if (found == REGEX_NO_MATCH) break;
        if (found == REGEX_MATCH)
            add_pair(j, out, key, value);
        else
            j->too_long = true;
    }
}

static void parse_source(struct job *j, const struct value *v, struct map *out)
{
    static struct log_limit limit;

    if (!v || v->kind == VALUE_NULL) return;
    if (v->kind == VALUE_STRING) {
        parse(j, value_str(*v), out);
    } else if (v->kind == VALUE_LIST) {
        const struct list *l = v->as.list;
        for (uint32_t i = 0; i < l->len; i++)
            if (l->items[i].kind == VALUE_STRING) parse(j, value_str(l->items[i]), out);
    } else {
        uint64_t missed;
        if (log_limit_pass(&limit, &missed))
            log_warn("filter.kv", "the source is neither a text nor a list",
                     LOG_STR("source", j->kv->source->text), LOG_INT("not_shown", (int64_t)missed));
    }
}

/* The prefix and the names are those of the event before any pair is set. */
static void begin(struct job *j)
{
    j->include = names_for(&j->kv->include, j);
    j->exclude = names_for(&j->kv->exclude, j);
    if (!template_constant(j->kv->prefix, &j->prefix))
        j->prefix = template_str(j->kv->prefix, j->ev);
}

static void add_defaults(const struct kv *k, struct job *j, struct map *pairs)
{
    for (uint32_t i = 0; i < k->defaults.len; i++) {
        const struct member *m = &k->defaults.members[i];
        if (!map_get(pairs, m->key))
            *map_append(pairs, j->arena, m->key) = value_clone(j->ev->arena, m->value);
    }
}

/* Up to the first that cannot be set. */
static bool set_pairs(const struct kv *k, struct event *ev, struct map *pairs)
{
    uint64_t had = ev->data.seen;

    if (k->target) return event_set(ev, k->target, value_map(pairs));
    for (uint32_t i = 0; i < pairs->len; i++)
        if (!event_set_another(ev, &had, pairs->members[i].key, pairs->members[i].value))
            return false;
    return true;
}

static enum verdict kv_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct kv        *k = self;
    struct job  j = {.kv = k, .ev = ev, .cx = cx, .arena = k->target ? ev->arena : cx->scratch};
    struct map *pairs = map_new(j.arena, 16);

    begin(&j);
    parse_source(&j, event_get(ev, k->source), pairs);
    if (j.too_long) {
        event_tag(ev, k->tag_on_timeout);
        filter_failed(cx, &limit, "filter.kv", "the text took too long", k->source->text);
        return FILTER_PASS;
    }
    add_defaults(k, &j, pairs);
    if (pairs->len == 0) return FILTER_PASS;
    if (set_pairs(k, ev, pairs)) return FILTER_MATCH;
    event_tag_all(ev, &k->tag_on_failure);
    filter_failed(cx, &limit, "filter.kv", "a field cannot be set", k->source->text);
    return FILTER_PASS;
}

const struct plugin filter_kv = {
    .kind = PLUGIN_FILTER,
    .name = "kv",
    .summary = "Makes fields of the key=value pairs in a text.",
    .size = sizeof(struct kv),
    .options = kv_options,
    .open = kv_open,
    .close = kv_close,
    .filter = {.run = kv_run},
};
