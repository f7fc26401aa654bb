/* Schemas of Avro. Source: Avro specification 1.11, «Schema Declaration», «Names». */
#include "event/json.h"
#include "text/avro_parts.h"

struct reader {
    struct arena       *a;
    struct map         *named; /* full name → number of a schema */
    const char         *why;
    uint32_t            depth, len;
    struct avro_schema *schemas[1024]; /* those with names */
};

static const char *const primitives[] = {"null",  "boolean", "int",   "long",
                                         "float", "double",  "bytes", "string"};
enum { PRIMITIVES = sizeof(primitives) / sizeof(primitives[0]) };

static struct avro_schema *read_any(struct reader *r, struct value v, struct str space);

static void *fail(struct reader *r, const char *why, struct str what)
{
    if (!r->why) r->why = arena_printf(r->a, "%s \"%.*s\"", why, STR_ARG(what)).data;
    return NULL;
}

static struct str member_text(const struct map *m, const char *name)
{
    const struct value *v = map_get(m, key_make(str_of(name)));

    return v && v->kind == VALUE_STRING ? value_str(*v) : STR("");
}

static const struct list *member_list(const struct map *m, const char *name)
{
    const struct value *v = map_get(m, key_make(str_of(name)));

    return v && v->kind == VALUE_LIST ? v->as.list : NULL;
}

/* What stands before the last point of a full name. */
static struct str space_of(struct str name)
{
    const char *point = name.len ? memrchr(name.data, '.', name.len) : NULL;

    return point ? (struct str){name.data, (size_t)(point - name.data)} : STR("");
}

static struct str full_name(struct reader *r, struct str name, struct str space)
{
    if (space.len == 0 || memchr(name.data, '.', name.len)) return name;
    return arena_printf(r->a, "%.*s.%.*s", STR_ARG(space), STR_ARG(name));
}

/* A primitive type, or one that was named before. */
static struct avro_schema *read_name(struct reader *r, struct str name, struct str space)
{
    const struct value *number;

    for (int i = 0; i < PRIMITIVES; i++)
        if (str_is(name, primitives[i])) {
            struct avro_schema *s = arena_zalloc(r->a, sizeof(*s));
            s->type = (enum avro_type)i;
            return s;
        }
    if (name.len == 0) return fail(r, "not a type:", name);
    number = map_get(r->named, key_make(full_name(r, name, space)));
    if (!number) number = map_get(r->named, key_make(name));
    return number ? r->schemas[number->as.i] : fail(r, "a type that is not known:", name);
}

/* Names a record, enum or fixed; `*space` becomes that of what is inside it. */
static bool take_name(struct reader *r, struct avro_schema *s, const struct map *m,
                      struct str *space)
{
    struct str name = member_text(m, "name"), given = member_text(m, "namespace");

    if (name.len == 0) return fail(r, "a type without a name", name);
    if (r->len == sizeof(r->schemas) / sizeof(r->schemas[0]))
        return fail(r, "too many types at", name);
    name = full_name(r, name, given.len > 0 ? given : *space);
    *space = space_of(name);
    if (map_get(r->named, key_make(name))) return fail(r, "a type that is there twice:", name);
    *map_add(r->named, r->a, key_make(name)) = value_int(r->len);
    r->schemas[r->len++] = s;
    return true;
}

static bool read_fields(struct reader *r, struct avro_schema *s, const struct map *m,
                        struct str space)
{
    const struct list *l = member_list(m, "fields");

    if (!l) return fail(r, "a record without fields:", member_text(m, "name"));
    s->fields = arena_zalloc(r->a, (l->len + 1) * sizeof(*s->fields));
    for (uint32_t i = 0; i < l->len; i++) {
        const struct map   *f = l->items[i].kind == VALUE_MAP ? l->items[i].as.map : NULL;
        const struct value *type = f ? map_get(f, key_make(STR("type"))) : NULL;
        struct str          name = f ? member_text(f, "name") : STR("");
        if (!type || name.len == 0) return fail(r, "a field without name and type in", space);
        s->fields[i].name = key_make(name);
        s->fields[i].preset = map_get(f, key_make(STR("default")));
        s->fields[i].type = read_any(r, *type, space);
        if (!s->fields[i].type) return false;
        s->len++;
    }
    return true;
}

static bool read_symbols(struct reader *r, struct avro_schema *s, const struct map *m)
{
    const struct list *l = member_list(m, "symbols");

    if (!l || l->len == 0) return fail(r, "an enum without symbols:", member_text(m, "name"));
    s->symbols = arena_alloc(r->a, l->len * sizeof(*s->symbols));
    for (s->len = 0; s->len < l->len; s->len++) {
        if (l->items[s->len].kind != VALUE_STRING)
            return fail(r, "a symbol that is no string in", member_text(m, "name"));
        s->symbols[s->len] = value_str(l->items[s->len]);
    }
    return true;
}

static bool read_size(struct reader *r, struct avro_schema *s, const struct map *m)
{
    const struct value *size = map_get(m, key_make(STR("size")));

    if (!size || size->kind != VALUE_INT || size->as.i < 0 || size->as.i > INT32_MAX)
        return fail(r, "a fixed without a size:", member_text(m, "name"));
    s->len = (uint32_t)size->as.i;
    return true;
}

static struct avro_schema *read_union(struct reader *r, const struct list *l, struct str space)
{
    struct avro_schema *s = arena_zalloc(r->a, sizeof(*s));

    s->type = AVRO_UNION;
    s->branches = arena_alloc(r->a, (l->len + 1) * sizeof(*s->branches));
    for (s->len = 0; s->len < l->len; s->len++) {
        s->branches[s->len] = read_any(r, l->items[s->len], space);
        if (!s->branches[s->len]) return NULL;
    }
    return l->len > 0 ? s : fail(r, "a union without types in", space);
}

/* Other logical types are what they are made of. */
static void take_logical(struct avro_schema *s, struct str logical)
{
    if (s->type == AVRO_INT && str_is(logical, "date")) s->logical = AVRO_DATE;
    if (s->type == AVRO_LONG && str_is(logical, "timestamp-millis")) s->logical = AVRO_MILLIS;
    if (s->type == AVRO_LONG && str_is(logical, "timestamp-micros")) s->logical = AVRO_MICROS;
}

static bool read_items(struct reader *r, struct avro_schema *s, const struct map *m,
                       const char *name, struct str space)
{
    const struct value *items = map_get(m, key_make(str_of(name)));

    s->items = items ? read_any(r, *items, space) : NULL;
    return s->items || fail(r, "an array or map without", str_of(name));
}

/* {"type": …} */
static struct avro_schema *read_object(struct reader *r, const struct map *m, struct str space)
{
    const struct value *type = map_get(m, key_make(STR("type")));
    struct avro_schema *s = arena_zalloc(r->a, sizeof(*s));
    struct str          name = member_text(m, "type");
    bool                good;

    if (!type) return fail(r, "an object without", STR("type"));
    if (str_is(name, "record") || str_is(name, "error")) {
        s->type = AVRO_RECORD;
        good = take_name(r, s, m, &space) && read_fields(r, s, m, space);
    } else if (str_is(name, "enum")) {
        s->type = AVRO_ENUM;
        good = take_name(r, s, m, &space) && read_symbols(r, s, m);
    } else if (str_is(name, "fixed")) {
        s->type = AVRO_FIXED;
        good = take_name(r, s, m, &space) && read_size(r, s, m);
    } else if (str_is(name, "array")) {
        s->type = AVRO_ARRAY;
        good = read_items(r, s, m, "items", space);
    } else if (str_is(name, "map")) {
        s->type = AVRO_MAP;
        good = read_items(r, s, m, "values", space);
    } else {
        s = read_any(r, *type, space);
        good = s != NULL;
        if (good) take_logical(s, member_text(m, "logicalType"));
    }
    return good ? s : NULL;
}

static struct avro_schema *read_any(struct reader *r, struct value v, struct str space)
{
    struct avro_schema *s;

    if (v.kind == VALUE_STRING) return read_name(r, value_str(v), space);
    if (r->depth == AVRO_DEPTH_MAX) return fail(r, "nested too deeply at", space);
    r->depth++;
    if (v.kind == VALUE_MAP)
        s = read_object(r, v.as.map, space);
    else if (v.kind == VALUE_LIST)
        s = read_union(r, v.as.list, space);
    else
        s = fail(r, "not a type in", space);
    r->depth--;
    return s;
}

const struct avro_schema *avro_schema_read(struct arena *a, struct str json, const char **why)
{
    struct reader      *r = arena_zalloc(a, sizeof(*r));
    struct json_error   error;
    struct value        v;
    struct avro_schema *s = NULL;

    r->a = a;
    r->named = map_new(a, 16);
    if (json_decode(a, json, NULL, &v, &error))
        s = read_any(r, v, STR(""));
    else
        r->why = arena_printf(a, "byte %zu: %s", error.offset, error.message).data;
    *why = r->why;
    return s;
}
