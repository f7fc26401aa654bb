/*
 * dissect: cuts texts at fixed delimiters into fields.
 *
 * Source: logstash-filter-dissect, lib/logstash/filters/dissect.rb, JavaDissectorLibrary.java.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "text/dissect.h"
#include "plugin/failure.h"

struct mapping {
    const struct field   *source;
    const struct dissect *dissect;
};

struct conversion {
    const struct field *field;
    enum dissect_type   type;
    struct str          name; /* "field_type", for tags */
};

struct dissect_filter {
    struct pairs   convert_datatype, mapping;
    struct strings tag_on_failure;

    uint32_t           mappings_len, conversions_len;
    struct mapping    *mappings;
    struct conversion *conversions;
};

static const struct option dissect_options[] = {
    OPT(struct dissect_filter, OPT_PAIRS, convert_datatype,
        .doc = "Fields and the type that each becomes when all is dissected: int or float. A field "
               "that is no number gets the event the tag _dataconversionuncoercible_FIELD_TYPE, "
               "one that is missing or null _dataconversionnullvalue_FIELD_TYPE."),
    OPT(struct dissect_filter, OPT_PAIRS, mapping,
        .doc = "Fields and how their text is cut, as \"%{ts} %{+ts} %{host->} %{?key}=%{&key}\". "
               "What stands between two %{…} is a delimiter, and must be in the text, in this "
               "order; the last field gets the rest. %{a} sets a; %{} and %{?a} pass over; %{+a} "
               "appends to a with the delimiter in front of it, %{+a/2} as the second; %{&a} sets "
               "the field that a names. -> at the end of a name: the delimiter may come more than "
               "once."),
    OPT(struct dissect_filter, OPT_STRINGS, tag_on_failure, .preset = "_dissectfailure",
        .doc = "Tags of events whose text does not have the delimiters, or is empty."),
    OPT_END,
};

/* ---- opening ---- */

static const struct field *open_field(struct str name, const char *option, struct plugin_open *cx)
{
    const char         *problem;
    const struct field *f = field_parse(cx->arena, name, &problem, NULL);

    if (!f)
        plugin_error(cx, option, "\"%.*s\" is not a field reference: %s", STR_ARG(name), problem);
    return f;
}

static bool open_mapping(struct dissect_filter *d, const struct pair *p, struct plugin_open *cx)
{
    struct mapping *m = &d->mappings[d->mappings_len++];
    struct str      text = ast_to_s(cx->arena, p->value);
    const char     *problem;

    m->source = open_field(p->key, "mapping", cx);
    m->dissect = dissect_compile(cx->arena, text, &problem);
    if (!m->dissect)
        plugin_error(cx, "mapping", "\"%.*s\" is no dissection: %s", STR_ARG(text), problem);
    return m->source && m->dissect;
}

static bool is_named(struct str s, const char *name)
{
    size_t i = 0;

    while (i < s.len && (s.data[i] | 0x20) == name[i])
        i++;
    return i == s.len && name[i] == '\0';
}

static bool open_conversion(struct dissect_filter *d, const struct pair *p, struct plugin_open *cx)
{
    struct conversion *c = &d->conversions[d->conversions_len++];
    struct str         type = ast_to_s(cx->arena, p->value);

    c->field = open_field(p->key, "convert_datatype", cx);
    c->type = is_named(type, "float") ? DISSECT_FLOAT : DISSECT_INT;
    c->name = arena_printf(cx->arena, "%.*s_%.*s", STR_ARG(p->key), STR_ARG(type));
    if (!is_named(type, "float") && !is_named(type, "int"))
        return plugin_error(cx, "convert_datatype", "\"%.*s\" is neither int nor float",
                            STR_ARG(type));
    return c->field != NULL;
}

static bool dissect_open(void *self, struct plugin_open *cx)
{
    struct dissect_filter *d = self;
    bool                   good = true;

    d->mappings = arena_zalloc(cx->arena, d->mapping.len * sizeof(d->mappings[0]));
    for (uint32_t i = 0; i < d->mapping.len; i++)
        good &= open_mapping(d, &d->mapping.at[i], cx);
    d->conversions = arena_zalloc(cx->arena, d->convert_datatype.len * sizeof(d->conversions[0]));
    for (uint32_t i = 0; i < d->convert_datatype.len; i++)
        good &= open_conversion(d, &d->convert_datatype.at[i], cx);
    return good;
}

/* ---- running ---- */

static void fail(const struct dissect_filter *d, struct event *ev, struct filter_context *cx,
                 const char *message, struct str what)
{
    static struct log_limit limit;

    event_tag_all(ev, &d->tag_on_failure);
    filter_failed(cx, &limit, "filter.dissect", message, what);
}

/* The text of a value that lives as long as the event. */
static struct str text_of(const struct value *v, struct event *ev, struct buf *buf)
{
    if (v->kind == VALUE_STRING) return value_str(*v);
    if (v->kind == VALUE_NULL) return STR("");
    buf_clear(buf);
    value_text(*v, buf);
    return arena_copy(ev->arena, buf_view(buf));
}

/* Fields that are missing are passed over. */
static void run_mapping(const struct dissect_filter *d, const struct mapping *m, struct event *ev,
                        struct filter_context *cx, bool *matched, bool *failed)
{
    const struct value *v = event_get(ev, m->source);

    if (!v) return;
    struct str text = text_of(v, ev, cx->buf);
    switch (dissect_run(m->dissect, text, ev, cx->scratch, cx->buf)) {
    case DISSECT_DONE:
        *matched = true;
        return;
    case DISSECT_NO_MATCH:
        fail(d, ev, cx, "the text does not have the delimiters", text);
        break;
    case DISSECT_CANNOT_SET:
        fail(d, ev, cx, "a field cannot be set", text);
        break;
    }
    *failed = true;
}

static void convert(const struct conversion *c, struct event *ev, struct buf *buf)
{
    struct value *v = event_get(ev, c->field);
    const char   *why = "uncoercible";
    struct value  number;

    if (!v || v->kind == VALUE_NULL)
        why = "nullvalue";
    else if (dissect_number(c->type, text_of(v, ev, buf), ev->arena, buf, &number) &&
             event_replace(ev, c->field, v, number))
        return;
    event_tag(ev, arena_printf(ev->arena, "_dataconversion%s_%.*s", why, STR_ARG(c->name)));
}

static enum verdict dissect_filter_run(const void *self, struct event *ev,
                                       struct filter_context *cx)
{
    const struct dissect_filter *d = self;
    bool                         matched = false, failed = false;

    for (uint32_t i = 0; i < d->mappings_len; i++)
        run_mapping(d, &d->mappings[i], ev, cx, &matched, &failed);
    for (uint32_t i = 0; i < d->conversions_len; i++)
        convert(&d->conversions[i], ev, cx->buf);
    return matched && !failed ? FILTER_MATCH : FILTER_PASS;
}

const struct plugin filter_dissect = {
    .kind = PLUGIN_FILTER,
    .name = "dissect",
    .summary = "Cuts texts at fixed delimiters into fields.",
    .size = sizeof(struct dissect_filter),
    .options = dissect_options,
    .open = dissect_open,
    .filter = {.run = dissect_filter_run},
};
