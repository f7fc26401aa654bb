/* From the reply to a search into an event. */
#include "filters/elasticsearch.h"

/* ---- settings ---- */

static uint32_t count_parts(struct str inner)
{
    uint32_t n = 1;

    for (ptrdiff_t at; (at = str_find(inner, STR("]["))) >= 0; n++)
        inner = str_from(inner, (size_t)at + 2);
    return n;
}

/* `[a][b]` is a path; everything else is one name, be there dots in it. */
static void read_path(struct arena *a, struct str text, bool paths, struct elastic_copy *out)
{
    bool path = paths && text.len > 2 && text.data[0] == '[' && text.data[text.len - 1] == ']';
    struct str rest = path ? (struct str){text.data + 1, text.len - 2} : text;
    uint32_t   parts = path ? count_parts(rest) : 1;

    out->depth = parts;
    out->path = arena_alloc(a, parts * sizeof(*out->path));
    for (uint32_t i = 0; i < parts; i++) {
        ptrdiff_t  at = path ? str_find(rest, STR("][")) : -1;
        struct str part = {rest.data, at < 0 ? rest.len : (size_t)at};
        out->path[i] = key_make(part);
        rest = str_from(rest, part.len + 2);
    }
}

static bool add_copy(struct elastic_copies *to, const struct ast_value *from,
                     const struct ast_value *into, struct str target, bool paths,
                     struct plugin_open *cx)
{
    struct str           path = ast_text(from), name = ast_text(into);
    const char          *problem = "a field of the event is expected";
    struct elastic_copy *c = &to->at[to->len];

    if (path.data && name.data) {
        if (target.len)
            name = arena_printf(cx->arena, "[%.*s][%.*s]", STR_ARG(target), STR_ARG(name));
        c->into = field_parse(cx->arena, name, &problem, NULL);
        read_path(cx->arena, path, paths, c);
    }
    if (!c->into) diag(cx->diags, DIAG_ERROR, into->loc, "%s", problem);
    to->len += c->into != NULL;
    return c->into != NULL;
}

/* A pair of the list form: ["from", "into"]. */
static bool is_pair(const struct ast_value *v)
{
    return v->kind == AST_LIST && v->len == 2;
}

bool elastic_copies_read(const struct ast_value *v, const char *setting, struct str target,
                         bool paths, struct elastic_copies *out, struct plugin_open *cx)
{
    bool     good = true, hash = v && v->kind == AST_HASH;
    uint32_t n = v ? v->len : 0;

    if (v && !hash && v->kind != AST_LIST)
        return plugin_error(cx, setting, "\"%s\" takes a hash", setting);
    out->at = arena_zalloc(cx->arena, ((size_t)n + 1) * sizeof(*out->at));
    for (uint32_t i = 0; i < n && good; i++) {
        if (hash)
            good = add_copy(out, &v->entries[i].key, &v->entries[i].value, target, paths, cx);
        else if (is_pair(&v->items[i]))
            good = add_copy(out, &v->items[i].items[0], &v->items[i].items[1], target, paths, cx);
        else
            good = plugin_error(cx, setting, "\"%s\" takes a hash, or a list of pairs", setting);
    }
    return good;
}

/* ---- replies ---- */

static struct value *member(const struct value *v, const char *name)
{
    return v && v->kind == VALUE_MAP ? map_get(v->as.map, key_make(str_of(name))) : NULL;
}

/* Null when it is not there. False: what it should be in is no map. */
static bool find(const struct value *v, const struct elastic_copy *c, struct value *out)
{
    for (uint32_t i = 0; i < c->depth; i++) {
        if (!v || (v->kind != VALUE_MAP && v->kind != VALUE_LIST && v->kind != VALUE_STRING))
            return false;
        v = v->kind == VALUE_MAP ? map_get(v->as.map, c->path[i]) : NULL;
        if (!v) break;
    }
    *out = v ? *v : value_null();
    return true;
}

/* Of one hit the value, of several a list. `from` is where in a hit it is looked for; NULL: all. */
static bool copy_hits(const struct elastic_copies *copies, const struct list *hits,
                      const char *from, struct event *ev, const char **problem)
{
    for (uint32_t k = 0; k < copies->len; k++) {
        const struct elastic_copy *c = &copies->at[k];
        struct list               *all = list_new(ev->arena, hits->len);
        for (uint32_t i = 0; i < hits->len; i++) {
            struct value v;
            *problem = "a hit of the reply has no such document";
            if (!find(from ? member(&hits->items[i], from) : &hits->items[i], c, &v)) return false;
            list_push(all, ev->arena, value_clone(ev->arena, v));
        }
        *problem = "a field cannot be set";
        if (!event_set(ev, c->into, all->len == 1 ? all->items[0] : value_list(all))) return false;
    }
    return true;
}

static bool copy_aggregations(const struct elastic_copies *copies, const struct map *found,
                              struct event *ev, const char **problem)
{
    for (uint32_t k = 0; k < copies->len; k++) {
        const struct elastic_copy *c = &copies->at[k];
        const struct value        *v = map_get(found, c->path[0]);
        *problem = "a field cannot be set";
        if (!event_set(ev, c->into, v ? value_clone(ev->arena, *v) : value_null())) return false;
    }
    return true;
}

/* A number, or since Elasticsearch 7 {"value": …, "relation": …}. */
static struct value total_of(const struct value *hits)
{
    const struct value *total = member(hits, "total");

    if (total && total->kind == VALUE_MAP) total = member(total, "value");
    return total && total->kind != VALUE_LIST && total->kind != VALUE_MAP ? *total : value_null();
}

/* ---- tables of ES|QL ---- */

/* The position of a column, or -1. */
static int64_t find_column(const struct list *columns, struct key name)
{
    for (uint32_t i = 0; i < columns->len; i++) {
        const struct value *v = member(&columns->items[i], "name");
        if (v && v->kind == VALUE_STRING && str_eq(value_str(*v), key_str(name))) return i;
    }
    return -1;
}

/* What rows have in a column, without nulls; false when there is nothing. */
static bool read_column(const struct list *rows, uint32_t column, struct arena *a,
                        struct value *out)
{
    struct list *all = list_new(a, rows->len);

    for (uint32_t i = 0; i < rows->len; i++) {
        const struct value *row = &rows->items[i];
        if (row->kind != VALUE_LIST || column >= row->as.list->len) continue;
        if (row->as.list->items[column].kind != VALUE_NULL)
            list_push(all, a, value_clone(a, row->as.list->items[column]));
    }
    *out = all->len == 1 ? all->items[0] : value_list(all);
    return all->len > 0;
}

static enum elastic_verdict copy_table(const struct elasticsearch *e, struct value reply,
                                       struct event *ev, const char **problem)
{
    const struct value *columns = member(&reply, "columns"), *rows = member(&reply, "values");
    struct value        found;

    *problem = "the reply is none to a query of ES|QL";
    if (!columns || columns->kind != VALUE_LIST || !rows || rows->kind != VALUE_LIST)
        return ELASTIC_FAILED;
    if (rows->as.list->len == 0) return ELASTIC_FOUND; /* so it is in Logstash */
    event_set(ev, e->total, value_int(rows->as.list->len));
    for (uint32_t k = 0; k < e->from_source.len; k++) {
        const struct elastic_copy *c = &e->from_source.at[k];
        int64_t                    column = find_column(columns->as.list, c->path[0]);
        if (column < 0 || !read_column(rows->as.list, (uint32_t)column, ev->arena, &found))
            continue;
        *problem = "a field cannot be set";
        if (!event_set(ev, c->into, found)) return ELASTIC_FAILED;
    }
    return ELASTIC_FOUND;
}

/* ---- replies to searches ---- */

enum elastic_verdict elastic_reply_copy(const struct elasticsearch *e, struct value reply,
                                        struct event *ev, const char **problem)
{
    const struct value  *shards = member(&reply, "_shards"), *hits = member(&reply, "hits");
    const struct value  *list = member(hits, "hits"), *found = member(&reply, "aggregations");
    enum elastic_verdict verdict = ELASTIC_NOTHING;

    if (e->esql.data) return copy_table(e, reply, ev, problem);
    *problem = "the reply is none to a search";
    if (!shards || shards->kind != VALUE_MAP || !hits || hits->kind != VALUE_MAP)
        return ELASTIC_FAILED;
    *problem = "shards have failed";
    if (member(shards, "failures")) return ELASTIC_FAILED;
    event_set(ev, e->total, total_of(hits));
    if (list && list->kind == VALUE_LIST && list->as.list->len > 0) {
        if (!copy_hits(&e->from_source, list->as.list, "_source", ev, problem) ||
            !copy_hits(&e->from_hit, list->as.list, NULL, ev, problem))
            return ELASTIC_FAILED;
        verdict = ELASTIC_FOUND;
    }
    if (found && found->kind == VALUE_MAP && found->as.map->len > 0) {
        if (!copy_aggregations(&e->from_aggregations, found->as.map, ev, problem))
            return ELASTIC_FAILED;
        verdict = ELASTIC_FOUND;
    }
    return verdict;
}
