#include "text/csv_columns.h"

#include "text/csv_convert.h"

enum { GENERATED = 256 };

enum csv_type csv_type_of(struct str name)
{
    static const char *const types[] = {[CSV_INTEGER] = "integer",
                                        [CSV_FLOAT] = "float",
                                        [CSV_DATE] = "date",
                                        [CSV_DATE_TIME] = "date_time",
                                        [CSV_BOOLEAN] = "boolean"};

    for (enum csv_type t = CSV_INTEGER; t <= CSV_BOOLEAN; t++)
        if (str_is(name, types[t])) return t;
    return CSV_TEXT;
}

/* [name] below the target; a name in brackets is a reference itself. */
static struct csv_column make_column(const struct csv_schema *s, struct arena *a, struct str name)
{
    bool       reference = str_starts(name, STR("[")) && str_ends(name, STR("]"));
    struct str target = s->target;
    struct str text = reference    ? arena_copy(a, name)
                      : target.len ? arena_printf(a, "[%.*s]", STR_ARG(name))
                                   : name;

    if (target.len && target.data[0] != '[') target = arena_printf(a, "[%.*s]", STR_ARG(target));
    if (target.len) text = arena_printf(a, "%.*s%.*s", STR_ARG(target), STR_ARG(text));
    struct csv_column c = {.name = name, .field = field_parse(a, text, NULL, NULL)};
    for (uint32_t i = 0; i < s->types_len; i++)
        if (str_eq(s->type_names[i], name)) c.type = s->types[i];
    return c;
}

static struct csv_column make_generated(const struct csv_schema *s, struct arena *a, uint32_t i)
{
    return make_column(s, a, arena_printf(a, "column%u", i + 1));
}

void csv_schema_open(struct csv_schema *s, struct arena *a, struct timestamp now)
{
    s->dates = csv_dates_open(a, now);
    s->generated.at = arena_alloc(a, GENERATED * sizeof(s->generated.at[0]));
    for (; s->generated.len < GENERATED; s->generated.len++)
        s->generated.at[s->generated.len] = make_generated(s, a, s->generated.len);
}

struct csv_columns csv_columns_make(const struct csv_schema *s, struct arena *a,
                                    const struct value *names_of, uint32_t len)
{
    struct csv_columns c = {.len = len, .at = arena_zalloc(a, (len + 1) * sizeof(c.at[0]))};

    for (uint32_t i = 0; i < len; i++)
        if (names_of[i].kind == VALUE_STRING)
            c.at[i] = make_column(s, a, arena_copy(a, value_str(names_of[i])));
    return c;
}

bool csv_columns_are(const struct csv_columns *c, const struct csv_row *row)
{
    if (c->len == 0 || c->len != row->len) return false;
    for (uint32_t i = 0; i < c->len; i++) {
        bool none = row->at[i].kind == VALUE_NULL;
        if (none ? c->at[i].name.data != NULL
                 : !c->at[i].name.data || !str_eq(c->at[i].name, value_str(row->at[i])))
            return false;
    }
    return true;
}

bool csv_columns_set(const struct csv_schema *s, const struct csv_columns *c,
                     const struct csv_row *row, struct event *ev, struct buf *buf)
{
    for (uint32_t i = 0; i < row->len; i++) {
        struct value      v = row->at[i];
        bool              named = i < c->len && c->at[i].name.data;
        struct csv_column more;
        if (s->skip_empty && (v.kind == VALUE_NULL || v.len == 0)) continue;
        if (!named && !s->autogenerate) continue;
        const struct csv_column *column = named ? &c->at[i] : &more;
        if (!named && i < s->generated.len)
            column = &s->generated.at[i];
        else if (!named)
            more = make_generated(s, ev->arena, i);
        if (column->type != CSV_TEXT) v = csv_convert(column->type, s->dates, v, ev->arena, buf);
        if (!column->field || !event_set(ev, column->field, v)) return false;
    }
    return true;
}
