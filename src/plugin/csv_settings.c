#include "plugin/csv_settings.h"

#include "base/utf8.h"

static bool open_dialect(const struct csv_settings *s, struct plugin_open *cx,
                         struct csv_dialect *d)
{
    bool none = str_eq(s->quote_char, STR("\\x00")) || str_eq(s->quote_char, STR("\0"));

    *d = (struct csv_dialect){.separator = s->separator, .quote = none ? STR("") : s->quote_char};
    if (s->separator.len == 0)
        return plugin_error(cx, "separator", "\"separator\" must not be empty");
    return none || utf8_count(s->quote_char) == 1 ||
           plugin_error(cx, "quote_char", "\"quote_char\" takes one character");
}

static bool open_types(const struct csv_settings *s, struct plugin_open *cx,
                       struct csv_schema *schema)
{
    uint32_t       n = s->convert->len;
    struct str    *columns = arena_alloc(cx->arena, n * sizeof(*columns));
    enum csv_type *types = arena_alloc(cx->arena, n * sizeof(*types));

    for (uint32_t i = 0; i < n; i++) {
        struct str name = ast_to_s(cx->arena, s->convert->at[i].value);
        columns[i] = s->convert->at[i].key;
        types[i] = csv_type_of(name);
        if (types[i] == CSV_TEXT)
            return plugin_error(cx, "convert",
                                "\"%.*s\" is no type of \"convert\"; there are integer, float, "
                                "date, date_time and boolean",
                                STR_ARG(name));
    }
    schema->types_len = n;
    schema->type_names = columns;
    schema->types = types;
    return true;
}

static bool open_columns(const struct csv_settings *s, struct plugin_open *cx,
                         const struct csv_schema *schema, struct csv_columns *out)
{
    struct value *given = arena_alloc(cx->arena, s->columns->len * sizeof(*given));

    for (uint32_t i = 0; i < s->columns->len; i++)
        given[i] = value_string(s->columns->at[i]);
    *out = csv_columns_make(schema, cx->arena, given, s->columns->len);
    for (uint32_t i = 0; i < out->len; i++)
        if (!out->at[i].field)
            return plugin_error(cx, "columns", "\"%.*s\" is not a field reference",
                                STR_ARG(out->at[i].name));
    return true;
}

bool csv_settings_open(const struct csv_settings *s, struct plugin_open *cx,
                       struct csv_dialect *dialect, struct csv_schema *schema,
                       struct csv_columns *columns)
{
    *schema = (struct csv_schema){.target = s->target ? s->target->text : STR(""),
                                  .autogenerate = s->autogenerate,
                                  .skip_empty = s->skip_empty};
    if (!open_dialect(s, cx, dialect) || !open_types(s, cx, schema)) return false;
    csv_schema_open(schema, cx->arena, clock_now());
    return open_columns(s, cx, schema, columns);
}
