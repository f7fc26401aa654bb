/*
 * alter: changes fields that have certain values.
 *
 * Source: logstash-filter-alter, lib/logstash/filters/alter.rb.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "plugin/failure.h"

struct alter {
    struct templates coalesce, condrewrite, condrewriteother;

    const struct field **rewrite_fields;               /* of each triple */
    const struct field **other_fields, **other_places; /* of each four */
    const struct field  *coalesce_field;
};

static const struct option alter_options[] = {
    OPT(struct alter, OPT_TEMPLATES, coalesce, .preset = "[]",
        .doc = "A field and then values, which may hold %{…}: the field gets the first value that "
               "is not \"nil\" and in which no reference is left without a field."),
    OPT(struct alter, OPT_TEMPLATES, condrewrite, .preset = "[]",
        .doc = "Field, expected text and new text, three at a time: the field gets the new text "
               "when it has the expected one; so does each item of a list. Texts may hold %{…}."),
    OPT(struct alter, OPT_TEMPLATES, condrewriteother, .preset = "[]",
        .doc = "Field, expected text, other field and its new text, four at a time: the other "
               "field gets the text when the first has the expected one, or an item of its list "
               "has. Texts may hold %{…}."),
    OPT_END,
};

/* ---- opening ---- */

/* The fields that stand at `at`, `at` + `step` and so on; NULL after an error. */
static const struct field **fields_of(const struct templates *t, uint32_t at, uint32_t step,
                                      const char *option, struct plugin_open *cx)
{
    const struct field **fields = arena_alloc(cx->arena, (t->len / step + 1) * sizeof(*fields));
    const char          *problem;

    for (uint32_t i = 0; at + i * step < t->len; i++) {
        struct str text = template_source(t->at[at + i * step]);
        fields[i] = field_parse(cx->arena, text, &problem, NULL);
        if (fields[i]) continue;
        plugin_error(cx, option, "\"%.*s\" is not a field reference: %s", STR_ARG(text), problem);
        return NULL;
    }
    return fields;
}

static bool alter_open(void *self, struct plugin_open *cx)
{
    struct alter *a = self;

    if (a->condrewrite.len % 3)
        return plugin_error(cx, "condrewrite",
                            "takes field, expected text, new text: three at a "
                            "time");
    if (a->condrewriteother.len % 4)
        return plugin_error(cx, "condrewriteother",
                            "takes field, expected text, other field, new text: four at a time");
    if (a->coalesce.len == 1)
        return plugin_error(cx, "coalesce", "takes a field and at least one value");
    a->rewrite_fields = fields_of(&a->condrewrite, 0, 3, "condrewrite", cx);
    a->other_fields = fields_of(&a->condrewriteother, 0, 4, "condrewriteother", cx);
    a->other_places = fields_of(&a->condrewriteother, 2, 4, "condrewriteother", cx);
    const struct field **coalesce = fields_of(&a->coalesce, 0, a->coalesce.len + 1, "coalesce", cx);
    a->coalesce_field = coalesce && a->coalesce.len ? coalesce[0] : NULL;
    return a->rewrite_fields && a->other_fields && a->other_places && coalesce;
}

/* ---- running ---- */

static bool is_text(struct value v, struct str text)
{
    return v.kind == VALUE_STRING && str_eq(value_str(v), text);
}

static void set(struct event *ev, const struct field *f, struct value v, struct filter_context *cx)
{
    static struct log_limit limit;

    if (!event_set(ev, f, v))
        filter_failed(cx, &limit, "filter.alter", "cannot set the field", f->text);
}

static void rewrite(const struct alter *a, struct event *ev, struct filter_context *cx)
{
    for (uint32_t i = 0; i < a->condrewrite.len / 3; i++) {
        struct value *v = event_get(ev, a->rewrite_fields[i]);
        if (!v || (v->kind != VALUE_LIST && v->kind != VALUE_STRING)) continue;
        struct str expected = template_str(a->condrewrite.at[3 * i + 1], ev);
        bool       is_list = v->kind == VALUE_LIST;
        for (uint32_t j = 0; is_list && j < v->as.list->len; j++) {
            struct value *item = &v->as.list->items[j];
            if (is_text(*item, expected))
                *item = value_string(template_str(a->condrewrite.at[3 * i + 2], ev));
        }
        if (!is_list && is_text(*v, expected))
            set(ev, a->rewrite_fields[i],
                value_string(template_str(a->condrewrite.at[3 * i + 2], ev)), cx);
    }
}

static bool holds(struct value v, struct str text)
{
    if (v.kind != VALUE_LIST) return is_text(v, text);
    for (uint32_t i = 0; i < v.as.list->len; i++) {
        if (is_text(v.as.list->items[i], text)) return true;
    }
    return false;
}

static void rewrite_other(const struct alter *a, struct event *ev, struct filter_context *cx)
{
    for (uint32_t i = 0; i < a->condrewriteother.len / 4; i++) {
        const struct value *v = event_get(ev, a->other_fields[i]);
        if (!v || !holds(*v, template_str(a->condrewriteother.at[4 * i + 1], ev))) continue;
        set(ev, a->other_places[i],
            value_string(template_str(a->condrewriteother.at[4 * i + 3], ev)), cx);
    }
}

static void coalesce(const struct alter *a, struct event *ev, struct filter_context *cx)
{
    for (uint32_t i = 1; i < a->coalesce.len; i++) {
        struct str text = template_str(a->coalesce.at[i], ev);
        if (str_is(text, "nil") || str_find(text, STR("%{")) >= 0) continue;
        set(ev, a->coalesce_field, value_string(text), cx);
        return;
    }
}

static enum verdict alter_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct alter *a = self;

    rewrite(a, ev, cx);
    rewrite_other(a, ev, cx);
    if (a->coalesce_field) coalesce(a, ev, cx);
    return FILTER_MATCH;
}

const struct plugin filter_alter = {
    .kind = PLUGIN_FILTER,
    .name = "alter",
    .summary = "Changes fields that have certain values.",
    .size = sizeof(struct alter),
    .options = alter_options,
    .open = alter_open,
    .filter = {.run = alter_run},
};
