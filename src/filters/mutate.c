/*
 * mutate: renames, replaces and changes fields.
 *
 * The settings are turned into one list of steps when the config is opened, in Logstash's fixed
 * order, whatever their order in the config. The first step that fails tags the event; what was
 * done before stays done.
 *
 * Source: logstash-filter-mutate, lib/logstash/filters/mutate.rb.
 * Threads: any number of workers; patterns that come out of events are shared under the mutex of
 * text/regex_cache.
 */
#include "filters/mutate.h"
#include "plugin/failure.h"

struct mutate {
    struct pairs   coerce, rename, update, replace, convert, split, join, merge, copy;
    struct strings gsub;
    struct fields  uppercase, capitalize, lowercase, strip;
    struct str     tag_on_failure;

    uint32_t            len;
    struct mutate_step *steps;
    struct regex_cache *patterns; /* NULL when no gsub needs it */
};

static const struct option mutate_options[] = {
    OPT(struct mutate, OPT_PAIRS, coerce,
        .doc = "Fields and the text that each gets when it is there but null. The text may hold "
               "%{…}. Runs first."),
    OPT(struct mutate, OPT_PAIRS, rename,
        .doc = "Fields and their new names. Both may hold %{…}. A field that is not there is "
               "passed over; one that has the new name is replaced."),
    OPT(struct mutate, OPT_PAIRS, update,
        .doc = "Fields and the text that each gets when it is there. The text may hold %{…}."),
    OPT(struct mutate, OPT_PAIRS, replace,
        .doc = "Fields and the text that each gets, whether it was there or not. The text may "
               "hold %{…}."),
    OPT(struct mutate, OPT_PAIRS, convert,
        .doc = "Fields and the type that each becomes: integer, float, integer_eu, float_eu, "
               "string or boolean. Lists are converted item by item; null, missing and map "
               "fields stay. A comma counts as thousands separator, with the _eu types a point "
               "does and the comma stands before decimals. Text that is no number becomes 0. "
               "true, t, yes, y, 1 and 1.0 are true, false, f, no, n, 0, 0.0 and the empty text "
               "false, in any case; other text stays and is logged."),
    OPT(struct mutate, OPT_STRINGS, gsub,
        .doc = "Field, regular expression and replacement, three at a time: every match in the "
               "text of the field, or in the strings of a list, is replaced. \\1 or \\k<name> in "
               "the replacement stands for a group. Pattern and replacement may hold %{…}."),
    OPT(struct mutate, OPT_FIELDS, uppercase, .doc = "Fields whose text is put in upper case."),
    OPT(struct mutate, OPT_FIELDS, capitalize,
        .doc = "Fields whose text gets a large first letter and is in lower case otherwise."),
    OPT(struct mutate, OPT_FIELDS, lowercase, .doc = "Fields whose text is put in lower case."),
    OPT(struct mutate, OPT_FIELDS, strip,
        .doc = "Fields whose text loses blanks at both ends. A list must hold strings only."),
    OPT(struct mutate, OPT_PAIRS, split,
        .doc = "Fields and the separator at which the text of each is cut into a list. The "
               "separator is plain text; one blank stands for any run of blanks. Empty pieces at "
               "the end are dropped. Fields that are no text stay."),
    OPT(struct mutate, OPT_PAIRS, join,
        .doc = "Fields and the separator with which the items of each list become one text. "
               "Fields that are no list stay."),
    OPT(struct mutate, OPT_PAIRS, merge,
        .doc = "Fields and the field, or list of fields, that is added to each. Lists and single "
               "values become one list, maps one map; a map does not merge with anything else."),
    OPT(struct mutate, OPT_PAIRS, copy,
        .doc = "Fields and the field that each is copied to, which is replaced. Runs last, "
               "before the common options."),
    OPT(struct mutate, OPT_STRING, tag_on_failure, .preset = "_mutate_error",
        .doc = "Tag of events for which a step failed; the steps after it and the common options "
               "are not applied then."),
    OPT_REFUSED("remove", .obsolete = "remove_field",
                .doc = "Removes fields: the common option remove_field does."),
    OPT_END,
};

/* ---- steps ---- */

/* The field a name stands for in this event; NULL when the text that it gives is no reference. */
static const struct field *name_of(const struct mutate_name *n, struct event *ev)
{
    if (n->field) return n->field;
    return field_parse(ev->arena, template_str(n->text, ev), NULL, NULL);
}

static const char *set_text(const struct mutate_step *s, struct event *ev)
{
    struct value text = value_string(template_str(s->value, ev));

    return event_set(ev, s->name.field, text) ? NULL : "the field cannot be set";
}

static const char *run_coerce(const struct mutate_step *s, struct event *ev,
                              struct filter_context *cx)
{
    const struct value *v = event_get(ev, s->name.field);

    (void)cx;
    return v && v->kind == VALUE_NULL ? set_text(s, ev) : NULL;
}

static const char *run_update(const struct mutate_step *s, struct event *ev,
                              struct filter_context *cx)
{
    (void)cx;
    return event_get(ev, s->name.field) ? set_text(s, ev) : NULL;
}

static const char *run_replace(const struct mutate_step *s, struct event *ev,
                               struct filter_context *cx)
{
    (void)cx;
    return set_text(s, ev);
}

static const char *run_rename(const struct mutate_step *s, struct event *ev,
                              struct filter_context *cx)
{
    const struct field *from = name_of(&s->name, ev), *to = name_of(&s->to, ev);
    struct value        v;

    (void)cx;
    if (!from || !to) return "the name that the event gives is no field reference";
    if (!event_remove(ev, from, &v)) return NULL;
    return event_set(ev, to, v) ? NULL : "the new name cannot be set";
}

static const char *run_copy(const struct mutate_step *s, struct event *ev,
                            struct filter_context *cx)
{
    const struct value *v = event_get(ev, s->name.field);

    (void)cx;
    if (!v || v->kind == VALUE_NULL) return NULL;
    return event_set(ev, s->to.field, value_clone(ev->arena, *v)) ? NULL : "the copy cannot be set";
}

static enum verdict mutate_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct mutate    *m = self;

    for (uint32_t i = 0; i < m->len; i++) {
        const char *problem = m->steps[i].run(&m->steps[i], ev, cx);
        if (!problem) continue;
        filter_failed(cx, &limit, "filter.mutate", problem, str_of(m->steps[i].option));
        event_tag(ev, m->tag_on_failure);
        return FILTER_PASS;
    }
    return FILTER_MATCH;
}

/* ---- from settings to steps ---- */

struct builder {
    struct mutate      *m;
    struct plugin_open *cx;
    bool                failed;
};

static struct mutate_step *add_step(struct builder *b, const char *option, mutate_operation *run)
{
    struct mutate_step *s = &b->m->steps[b->m->len++];

    *s = (struct mutate_step){.run = run, .option = option};
    return s;
}

static const struct field *parse_field(struct builder *b, const char *option, struct str text)
{
    const char         *problem;
    const struct field *f = field_parse(b->cx->arena, text, &problem, NULL);

    if (!f) {
        plugin_error(b->cx, option, "\"%.*s\" is not a field reference: %s", STR_ARG(text),
                     problem);
        b->failed = true;
    }
    return f;
}

static const struct template *parse_template(struct builder *b, const char *option, struct str text)
{
    const char            *problem;
    size_t                 at;
    bool                   fatal = false;
    const struct template *t = template_parse(b->cx->arena, text, &problem, &at, &fatal);

    if (fatal) {
        plugin_error(b->cx, option, "\"%.*s\": %s", STR_ARG(text), problem);
        b->failed = true;
    } else if (problem) {
        plugin_warning(b->cx, option, "\"%.*s\": %s", STR_ARG(text), problem);
    }
    return t;
}

/* A name that may hold %{…}: parsed now when it does not. */
static struct mutate_name parse_name(struct builder *b, const char *option, struct str text)
{
    const struct template *t = parse_template(b, option, text);
    struct str             fixed;

    if (!template_constant(t, &fixed)) return (struct mutate_name){.text = t};
    return (struct mutate_name){.field = parse_field(b, option, fixed)};
}

/* The text of a value that must be one, no list or hash. */
static struct str text_of(struct builder *b, const char *option, const struct pair *p)
{
    if (ast_text(p->value).data) return ast_to_s(b->cx->arena, p->value);
    b->failed = true;
    plugin_error(b->cx, option, "\"%.*s\" takes a text", STR_ARG(p->key));
    return STR("");
}

/* coerce, update, replace: a field and a text. */
static void add_texts(struct builder *b, const char *option, const struct pairs *pairs,
                      mutate_operation *run)
{
    for (uint32_t i = 0; i < pairs->len; i++) {
        struct mutate_step *s = add_step(b, option, run);
        s->name.field = parse_field(b, option, pairs->at[i].key);
        s->value = parse_template(b, option, ast_to_s(b->cx->arena, pairs->at[i].value));
    }
}

static void add_renames(struct builder *b)
{
    for (uint32_t i = 0; i < b->m->rename.len; i++) {
        const struct pair  *p = &b->m->rename.at[i];
        struct mutate_step *s = add_step(b, "rename", run_rename);
        s->name = parse_name(b, "rename", p->key);
        s->to = parse_name(b, "rename", text_of(b, "rename", p));
    }
}

static void add_copies(struct builder *b)
{
    for (uint32_t i = 0; i < b->m->copy.len; i++) {
        const struct pair  *p = &b->m->copy.at[i];
        struct mutate_step *s = add_step(b, "copy", run_copy);
        s->name.field = parse_field(b, "copy", p->key);
        s->to.field = parse_field(b, "copy", text_of(b, "copy", p));
    }
}

static void add_conversions(struct builder *b)
{
    for (uint32_t i = 0; i < b->m->convert.len; i++) {
        const struct pair  *p = &b->m->convert.at[i];
        struct mutate_step *s = add_step(b, "convert", mutate_convert);
        struct str          type = text_of(b, "convert", p);
        s->name.field = parse_field(b, "convert", p->key);
        if (mutate_conversion(type, &s->conversion)) continue;
        b->failed = true;
        plugin_error(b->cx, "convert",
                     "cannot convert to \"%.*s\": the types are integer, float, integer_eu, "
                     "float_eu, string and boolean",
                     STR_ARG(type));
    }
}

static void set_needle(struct builder *b, struct mutate_step *s, struct str pattern)
{
    struct regex_error error;

    if (str_find(pattern, STR("%{")) >= 0) {
        if (!b->m->patterns) b->m->patterns = regex_cache_new();
        s->patterns = b->m->patterns;
        s->needle = parse_template(b, "gsub", pattern);
        return;
    }
    s->regex = regex_compile(b->cx->arena, pattern, 0, &error);
    if (s->regex) return;
    b->failed = true;
    plugin_error(b->cx, "gsub", "\"%.*s\" is not a valid pattern: %s", STR_ARG(pattern),
                 error.message);
}

static void add_gsubs(struct builder *b)
{
    const struct strings *g = &b->m->gsub;

    if (g->len % 3 != 0) {
        b->failed = true;
        plugin_error(b->cx, "gsub",
                     "gsub takes field, pattern and replacement, three at a time; got %u", g->len);
        return;
    }
    for (uint32_t i = 0; i < g->len; i += 3) {
        struct mutate_step *s = add_step(b, "gsub", mutate_gsub);
        s->name.field = parse_field(b, "gsub", g->at[i]);
        set_needle(b, s, g->at[i + 1]);
        s->value = parse_template(b, "gsub", g->at[i + 2]);
    }
}

static void add_fields(struct builder *b, const char *option, const struct fields *fields,
                       mutate_operation *run)
{
    for (uint32_t i = 0; i < fields->len; i++)
        add_step(b, option, run)->name.field = fields->at[i];
}

/* split, join: a field and a separator. */
static void add_separators(struct builder *b, const char *option, const struct pairs *pairs,
                           mutate_operation *run)
{
    for (uint32_t i = 0; i < pairs->len; i++) {
        struct mutate_step *s = add_step(b, option, run);
        s->name.field = parse_field(b, option, pairs->at[i].key);
        s->separator = text_of(b, option, &pairs->at[i]);
    }
}

static void add_merges(struct builder *b)
{
    for (uint32_t i = 0; i < b->m->merge.len; i++) {
        const struct pair      *p = &b->m->merge.at[i];
        struct mutate_step     *s = add_step(b, "merge", mutate_merge);
        bool                    list = p->value->kind == AST_LIST;
        const struct ast_value *from = list ? p->value->items : p->value;
        uint32_t                n = list ? p->value->len : 1;
        s->name.field = parse_field(b, "merge", p->key);
        s->added.at = arena_alloc(b->cx->arena, n * sizeof(*s->added.at));
        for (uint32_t j = 0; j < n; j++) {
            struct str text = ast_text(&from[j]);
            s->added.at[s->added.len++] = parse_field(b, "merge", text.data ? text : STR(""));
        }
    }
}

static uint32_t steps_needed(const struct mutate *m)
{
    return m->coerce.len + m->rename.len + m->update.len + m->replace.len + m->convert.len +
           m->gsub.len / 3 + m->uppercase.len + m->capitalize.len + m->lowercase.len +
           m->strip.len + m->split.len + m->join.len + m->merge.len + m->copy.len;
}

static void mutate_close(void *self)
{
    struct mutate *m = self;

    for (uint32_t i = 0; i < m->len; i++) {
        if (m->steps[i].regex) regex_free(m->steps[i].regex);
    }
    regex_cache_free(m->patterns);
}

/* The order of the steps is Logstash's. */
static bool mutate_open(void *self, struct plugin_open *cx)
{
    struct mutate *m = self;
    struct builder b = {.m = m, .cx = cx};

    m->steps = arena_zalloc(cx->arena, (steps_needed(m) + 1) * sizeof(*m->steps));
    add_texts(&b, "coerce", &m->coerce, run_coerce);
    add_renames(&b);
    add_texts(&b, "update", &m->update, run_update);
    add_texts(&b, "replace", &m->replace, run_replace);
    add_conversions(&b);
    add_gsubs(&b);
    add_fields(&b, "uppercase", &m->uppercase, mutate_uppercase);
    add_fields(&b, "capitalize", &m->capitalize, mutate_capitalize);
    add_fields(&b, "lowercase", &m->lowercase, mutate_lowercase);
    add_fields(&b, "strip", &m->strip, mutate_strip);
    add_separators(&b, "split", &m->split, mutate_split);
    add_separators(&b, "join", &m->join, mutate_join);
    add_merges(&b);
    add_copies(&b);
    if (b.failed) mutate_close(m);
    return !b.failed;
}

const struct plugin filter_mutate = {
    .kind = PLUGIN_FILTER,
    .name = "mutate",
    .summary = "Renames, replaces and changes fields.",
    .size = sizeof(struct mutate),
    .options = mutate_options,
    .open = mutate_open,
    .close = mutate_close,
    .filter = {.run = mutate_run},
};
