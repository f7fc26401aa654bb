/*
 * csv: rows of CSV.
 *
 * Names that are detected belong to one connection or file, so rows are read where they come in.
 *
 * Source: logstash-codec-csv, lib/logstash/codecs/csv.rb.
 * Threads: constant once open, but for whether the header is written.
 */
#include <stdatomic.h>

#include "base/log.h"
#include "plugin/csv_settings.h"
#include "text/charset.h"
#include "text/message.h"

struct csv {
    bool                autodetect_column_names, autogenerate_column_names;
    int                 charset;
    struct strings      columns;
    struct pairs        convert;
    int                 ecs_compatibility;
    bool                include_headers;
    struct str          quote_char, separator;
    bool                skip_empty_columns;
    const struct field *target;

    const struct charset *converter;
    const struct field   *original; /* NULL: the row itself is not kept */
    struct csv_dialect    dialect;
    struct csv_schema     schema;
    struct csv_columns    given;
    const struct field  **written;        /* the columns, as fields of the event */
    atomic_bool          *header_written; /* set by the first event */
};

/* Of one connection or file. */
struct csv_stream {
    bool               detected;
    struct arena       arena;
    struct csv_columns columns;
};

static const struct option csv_options[] = {
    OPT(struct csv, OPT_BOOL, autodetect_column_names, .preset = "false",
        .doc = "Whether the first row of each connection or file gives the names of its columns, "
               "and no event. Only when no columns are given."),
    OPT(struct csv, OPT_BOOL, autogenerate_column_names, .preset = "true",
        .doc = "Whether columns without a name are called column1, column2 and so on, by their "
               "place. When false they are left out."),
    OPT(struct csv, OPT_ENUM, charset, .preset = "UTF-8", .choices = charset_names,
        .doc = "The encoding of the rows that are read. What is written is always UTF-8."),
    OPT(struct csv, OPT_STRINGS, columns,
        .doc = "Reading: the names of the columns. Writing: the fields to write, in this order; "
               "by default all."),
    OPT(struct csv, OPT_PAIRS, convert,
        .doc = "Columns and the type that each becomes when read: integer, float, date, date_time "
               "or boolean. A value that is not of that type stays."),
    OPT(struct csv, OPT_ECS, ecs_compatibility,
        .doc = "With v1 or v8 the row is kept in [event][original] too. Follows "
               "pipeline.ecs_compatibility when not given."),
    OPT(struct csv, OPT_BOOL, include_headers, .preset = "false",
        .doc = "Writing: whether a row with the names of the columns is written before the first "
               "event."),
    OPT(struct csv, OPT_STRING, quote_char, .preset = "\"",
        .doc = "The character that encloses values; twice it stands for itself. \\x00 for none."),
    OPT(struct csv, OPT_STRING, separator, .preset = ",", .doc = "What stands between two values."),
    OPT(struct csv, OPT_BOOL, skip_empty_columns, .preset = "false",
        .doc = "Reading: whether values that are empty are left out. By default they are null, or "
               "an empty text when there are quotes."),
    OPT(struct csv, OPT_FIELD, target,
        .doc = "Reading: the field that gets the columns. By default the event itself."),
    OPT_END,
};

static bool open_written(struct csv *c, struct plugin_open *cx)
{
    c->header_written = arena_zalloc(cx->arena, sizeof(*c->header_written));
    c->written = arena_alloc(cx->arena, c->columns.len * sizeof(c->written[0]));
    for (uint32_t i = 0; i < c->columns.len; i++) {
        c->written[i] = field_parse(cx->arena, c->columns.at[i], NULL, NULL);
        if (!c->written[i])
            return plugin_error(cx, "columns", "\"%.*s\" is not a field reference",
                                STR_ARG(c->columns.at[i]));
    }
    return true;
}

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
    const char         *problem;

    c->converter = charset_open(cx->arena, c->charset, &problem);
    if (!c->converter)
        return plugin_error(cx, "charset", "charset \"%s\" is not built: %s",
                            charset_names[c->charset], problem);
    if (c->ecs_compatibility != ECS_DISABLED) c->original = message_original_field(cx->arena);
    return csv_settings_open(&settings, cx, &c->dialect, &c->schema, &c->given) &&
           open_written(c, cx);
}

/* ---- reading ---- */

/* What is no CSV becomes a message. */
static void emit_broken(struct str text, const char *problem, struct decode *to)
{
    static struct log_limit limit;
    uint64_t                missed;
    struct event           *ev = event_blank(to->arena, to->now);

    *map_add(&ev->data, to->arena, names.message) = value_string(text);
    event_tag(ev, STR("_csvparsefailure"));
    ++*to->failures;
    if (log_limit_pass(&limit, &missed))
        log_warn("codec.csv", "not CSV", LOG_CSTR("problem", problem),
                 LOG_INT("not_shown", (int64_t)missed));
    decode_emit(to, ev);
}

static void emit_row(const struct csv *c, const struct csv_columns *columns,
                     const struct csv_row *row, struct str text, struct decode *to)
{
    struct event *ev = event_blank(to->arena, to->now);

    if (!csv_columns_set(&c->schema, columns, row, ev, to->buf)) {
        emit_broken(text, "a column cannot be set", to);
        return;
    }
    if (c->original && !event_get(ev, c->original)) event_set(ev, c->original, value_string(text));
    decode_emit(to, ev);
}

static void use_row(const struct csv *c, struct csv_stream *s, const struct csv_row *row,
                    struct str text, struct decode *to)
{
    if (!c->autodetect_column_names || c->given.len) {
        emit_row(c, &c->given, row, text, to);
    } else if (s->detected) {
        emit_row(c, &s->columns, row, text, to);
    } else {
        s->columns = csv_columns_make(&c->schema, &s->arena, row->at, row->len);
        s->detected = true;
    }
}

/* A message may hold several rows. */
static void csv_feed(const void *self, void *stream, struct str bytes, struct decode *to)
{
    const struct csv *c = self;
    struct str        raw = arena_copy(to->arena, bytes);
    struct str        text = charset_convert(c->converter, raw, to->arena, to->buf);
    const char       *problem;

    for (size_t at = 0, start = 0;; start = at) {
        struct csv_row  row;
        enum csv_result r =
            csv_read(&c->dialect, to->arena, to->scratch, text, &at, &row, &problem);
        if (r == CSV_END) return;
        if (r == CSV_MALFORMED) {
            emit_broken(str_from(text, start), problem, to);
            return;
        }
        struct str one = {text.data + start, at - start};
        while (one.len && (one.data[one.len - 1] == '\n' || one.data[one.len - 1] == '\r'))
            one.len--;
        use_row(c, stream, &row, one, to);
    }
}

static void csv_framing(const void *self, struct framing *out)
{
    (void)self;
    out->delimiter = STR("\n");
    out->drop_cr = true;
}

static void csv_stream_close(const void *self, void *stream)
{
    struct csv_stream *s = stream;

    (void)self;
    arena_release(&s->arena);
}

/* ---- writing ---- */

static void write_header(const struct csv *c, const struct event *ev, struct buf *out)
{
    uint32_t n = c->columns.len ? c->columns.len : ev->data.len;

    for (uint32_t i = 0; i < n; i++) {
        struct str name = c->columns.len ? c->columns.at[i] : key_str(ev->data.members[i].key);
        if (i) buf_str(out, c->dialect.separator);
        csv_write(&c->dialect, value_string(name), out);
    }
    buf_char(out, '\n');
}

static bool csv_encode(const void *self, struct event *ev, struct buf *out)
{
    const struct csv *c = self;
    uint32_t          n = c->columns.len ? c->columns.len : ev->data.len;

    if (c->include_headers && !atomic_exchange(c->header_written, true)) write_header(c, ev, out);
    for (uint32_t i = 0; i < n; i++) {
        const struct value *v =
            c->columns.len ? event_get(ev, c->written[i]) : &ev->data.members[i].value;
        if (i) buf_str(out, c->dialect.separator);
        csv_write(&c->dialect, v ? *v : value_null(), out);
    }
    buf_char(out, '\n');
    return true;
}

const struct plugin codec_csv = {
    .kind = PLUGIN_CODEC,
    .name = "csv",
    .summary = "Reads and writes rows of CSV.",
    .size = sizeof(struct csv),
    .options = csv_options,
    .open = csv_open,
    .codec_ops = {.framing = csv_framing,
                  .feed = csv_feed,
                  .stream_close = csv_stream_close,
                  .stream_size = sizeof(struct csv_stream),
                  .encode = csv_encode},
};
