/*
 * csv: makes fields of the values in a row of CSV.
 *
 * Source: logstash-filter-csv, lib/logstash/filters/csv.rb.
 * Threads: any number of workers; names that are detected are published once, without a lock.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "plugin/csv_settings.h"
#include "plugin/failure.h"

/* Names taken from the first row. */
struct detected {
    struct arena       arena;
    struct csv_columns columns;
};

/* What workers share and change. */
struct shared {
    _Atomic(struct detected *) detected;
};

struct csv {
    bool                autodetect_column_names, autogenerate_column_names;
    struct strings      columns;
    struct pairs        convert;
    int                 ecs_compatibility;
    struct str          quote_char, separator;
    bool                skip_empty_columns, skip_empty_rows, skip_header;
    const struct field *source;
    const struct field *target;

    struct csv_dialect dialect;
    struct csv_schema  schema;
    struct csv_columns given;
    struct shared     *shared;
};

static const struct option csv_options[] = {
    OPT(struct csv, OPT_BOOL, autodetect_column_names, .preset = "false",
        .doc = "Whether the first row gives the names of the columns; its event is dropped. Only "
               "when no columns are given. With several workers another row may be the first: "
               "use one."),
    OPT(struct csv, OPT_BOOL, autogenerate_column_names, .preset = "true",
        .doc = "Whether columns without a name are called column1, column2 and so on, by their "
               "place. When false they are left out."),
    OPT(struct csv, OPT_STRINGS, columns,
        .doc = "The names of the columns, in their order. [a][b] is a field inside another."),
    OPT(struct csv, OPT_PAIRS, convert,
        .doc = "Columns and the type that each becomes: integer, float, date, date_time or "
               "boolean. A value that is not of that type stays."),
    OPT(struct csv, OPT_ECS, ecs_compatibility,
        .doc = "Changes nothing here: without a target the columns may not be those that ECS has "
               "in mind."),
    OPT(struct csv, OPT_STRING, quote_char, .preset = "\"",
        .doc = "The character that encloses values; twice it stands for itself. \\x00 for none."),
    OPT(struct csv, OPT_STRING, separator, .preset = ",",
        .doc = "What stands between two values; a tab is written as itself."),
    OPT(struct csv, OPT_BOOL, skip_empty_columns, .preset = "false",
        .doc = "Whether values that are empty are left out. By default they are null, or an empty "
               "text when there are quotes."),
    OPT(struct csv, OPT_BOOL, skip_empty_rows, .preset = "false",
        .doc = "Whether an event with an empty text gets the tag _csvskippedemptyfield, instead of "
               "_csvparsefailure."),
    OPT(struct csv, OPT_BOOL, skip_header, .preset = "false",
        .doc = "Whether events whose row repeats the names of the columns are dropped."),
    OPT(struct csv, OPT_FIELD, source, .preset = "message",
        .doc = "The field with the row. Of several rows the first counts. A text that is not CSV "
               "gets the event the tag _csvparsefailure."),
    OPT(struct csv, OPT_FIELD, target,
        .doc = "The field that gets the columns. By default the event itself."),
    OPT_END,
};

static bool csv_open(void *self, struct plugin_open *cx)
{
    struct csv         *c = self;
    struct csv_settings settings = {.columns = &c->columns,
                                    .convert = &c->convert,
                                    .quote_char = c->quote_char,
                                    .separator = c->separator,
                                    .target = c->target,
                                    .autogenerate = c->autogenerate_column_names,
                                    .skip_empty = c->skip_empty_columns};

    c->shared = arena_zalloc(cx->arena, sizeof(*c->shared));
    if (c->autodetect_column_names && cx->workers > 1)
        plugin_warning(cx, "autodetect_column_names",
                       "with several workers another row than the first may give the names: set "
                       "pipeline.workers to 1");
    return csv_settings_open(&settings, cx, &c->dialect, &c->schema, &c->given);
}

static void csv_close(void *self)
{
    struct csv      *c = self;
    struct detected *d = atomic_load(&c->shared->detected);

    if (!d) return;
    arena_release(&d->arena);
    free(d);
}

/* The first row becomes the names. False: another worker was first. */
static bool detect(const struct csv *c, const struct csv_row *row)
{
    struct detected *d = xcalloc(1, sizeof(*d)), *none = NULL;

    d->columns = csv_columns_make(&c->schema, &d->arena, row->at, row->len);
    if (atomic_compare_exchange_strong(&c->shared->detected, &none, d)) return true;
    arena_release(&d->arena);
    free(d);
    return false;
}

static enum verdict fail(struct event *ev, struct filter_context *cx, const char *message,
                         struct str what)
{
    static struct log_limit limit;

    event_tag(ev, STR("_csvparsefailure"));
    filter_failed(cx, &limit, "filter.csv", message, what);
    return FILTER_PASS;
}

static enum verdict use_row(const struct csv *c, struct event *ev, const struct csv_row *row,
                            struct filter_context *cx)
{
    const struct csv_columns *columns = &c->given;

    if (c->autodetect_column_names && columns->len == 0) {
        const struct detected *d = atomic_load_explicit(&c->shared->detected, memory_order_acquire);
        if (!d && detect(c, row)) return FILTER_DROP;
        if (!d) d = atomic_load_explicit(&c->shared->detected, memory_order_acquire);
        columns = &d->columns;
    }
    if (c->skip_header && csv_columns_are(columns, row)) return FILTER_DROP;
    if (csv_columns_set(&c->schema, columns, row, ev, cx->buf)) return FILTER_MATCH;
    return fail(ev, cx, "a column cannot be set", c->source->text);
}

static enum verdict csv_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct csv   *c = self;
    const struct value *v = event_get(ev, c->source);
    const char         *problem;
    struct csv_row      row;
    size_t              at = 0;

    if (!v || v->kind == VALUE_NULL || (v->kind == VALUE_BOOL && !v->as.b)) return FILTER_PASS;
    if (v->kind != VALUE_STRING) return fail(ev, cx, "the source is no text", c->source->text);
    struct str text = value_str(*v);
    switch (csv_read(&c->dialect, ev->arena, cx->scratch, text, &at, &row, &problem)) {
    case CSV_ROW:
        return use_row(c, ev, &row, cx);
    case CSV_END:
        if (!c->skip_empty_rows) return fail(ev, cx, "the text is empty", c->source->text);
        event_tag(ev, STR("_csvskippedemptyfield"));
        return FILTER_PASS;
    case CSV_MALFORMED:
        break;
    }
    return fail(ev, cx, problem, text);
}

const struct plugin filter_csv = {
    .kind = PLUGIN_FILTER,
    .name = "csv",
    .summary = "Makes fields of the values in a row of CSV.",
    .size = sizeof(struct csv),
    .options = csv_options,
    .open = csv_open,
    .close = csv_close,
    .filter = {.run = csv_run},
};
