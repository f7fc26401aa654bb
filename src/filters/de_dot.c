/*
 * de_dot: takes the dots out of field names.
 *
 * Source: logstash-filter-de_dot, lib/logstash/filters/de_dot.rb. Where Logstash would lose what
 * stands beside a renamed field, or stops because a name is taken by a text, lsc keeps the event
 * and tags it.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "plugin/failure.h"

enum { DEPTH_MAX = 64 };

struct de_dot {
    struct fields fields;
    bool          nested, recursive;
    struct str    separator;
};

static const struct option de_dot_options[] = {
    OPT(struct de_dot, OPT_FIELDS, fields,
        .doc = "The fields to rename, such as \"[foo][bar.baz]\". By default all fields at the "
               "top of the event whose names have dots."),
    OPT(struct de_dot, OPT_BOOL, nested, .preset = "false",
        .doc = "Whether \"a.b\" becomes [a][b] instead of \"a_b\"."),
    OPT(struct de_dot, OPT_BOOL, recursive, .preset = "false",
        .doc = "Whether fields inside of the fields, and of lists in them, are renamed too."),
    OPT(struct de_dot, OPT_STRING, separator, .preset = "_",
        .doc = "What stands in place of a dot when nested is false. It must not hold a dot."),
    OPT_END,
};

static bool de_dot_open(void *self, struct plugin_open *cx)
{
    const struct de_dot *d = self;

    if (str_find(d->separator, STR(".")) < 0) return true;
    return plugin_error(cx, "separator",
                        "the separator must not hold a dot: dots are what it replaces");
}

static bool has_dot(struct str name)
{
    return name.len && memchr(name.data, '.', name.len);
}

static struct str replace_dots(const struct de_dot *d, struct str name, struct arena *a)
{
    size_t dots = 0, len = 0;

    for (size_t i = 0; i < name.len; i++)
        dots += name.data[i] == '.';
    char *out = arena_alloc(a, name.len + dots * d->separator.len);
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] != '.') {
            out[len++] = name.data[i];
            continue;
        }
        memcpy(out + len, d->separator.data, d->separator.len);
        len += d->separator.len;
    }
    return (struct str){out, len};
}

/* The map in member `name` of `m`, made when there is none. NULL: something else is there. */
static struct map *child_map(struct map *m, struct arena *a, struct str name)
{
    struct value *v = map_add(m, a, key_make(name));

    if (v->kind == VALUE_NULL) *v = value_map(map_new(a, 4));
    return v->kind == VALUE_MAP ? v->as.map : NULL;
}

/* True when no part of a dotted name is empty, and there are not too many. */
static bool is_path(struct str name)
{
    int parts = 1;

    for (size_t i = 0; i < name.len; i++) {
        bool dot = name.data[i] == '.';
        if (dot && (i == 0 || i + 1 == name.len || name.data[i - 1] == '.')) return false;
        parts += dot;
    }
    return parts <= DEPTH_MAX;
}

/* Puts `v` into `m` under the parts of a dotted name. */
static bool put_nested(struct map *m, struct arena *a, struct str name, struct value v)
{
    const char *dot;

    if (!is_path(name)) return false;
    while ((dot = memchr(name.data, '.', name.len))) {
        struct str part = {name.data, (size_t)(dot - name.data)};
        m = child_map(m, a, part);
        if (!m) return false;
        name = str_from(name, part.len + 1);
    }
    *map_add(m, a, key_make(name)) = v;
    return true;
}

static bool put(const struct de_dot *d, struct map *m, struct arena *a, struct str name,
                struct value v)
{
    if (d->nested) return put_nested(m, a, name, v);
    *map_add(m, a, key_make(replace_dots(d, name, a))) = v;
    return true;
}

/* Renames one member of `m`; when the new place is taken it stays. */
static bool rename_member(const struct de_dot *d, struct map *m, struct arena *a, struct key key)
{
    struct value v = *map_get(m, key);

    map_remove(m, key);
    if (put(d, m, a, key_str(key), v)) return true;
    *map_add(m, a, key) = v;
    return false;
}

static bool rename_all(const struct de_dot *d, struct map *m, struct arena *a, int depth);

static bool rename_inside(const struct de_dot *d, struct value v, struct arena *a, int depth)
{
    bool good = true;

    if (depth == DEPTH_MAX) return false;
    if (v.kind == VALUE_MAP) return rename_all(d, v.as.map, a, depth + 1);
    if (v.kind != VALUE_LIST) return true;
    for (uint32_t i = 0; i < v.as.list->len; i++)
        good &= rename_inside(d, v.as.list->items[i], a, depth + 1);
    return good;
}

/* Every dotted member of `m`. Names are collected first: renaming moves members about. */
static bool rename_all(const struct de_dot *d, struct map *m, struct arena *a, int depth)
{
    bool     good = true;
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->len; i++) {
        if (d->recursive) good &= rename_inside(d, m->members[i].value, a, depth);
        n += has_dot(key_str(m->members[i].key));
    }
    if (n == 0) return good;
    struct key *dotted = arena_alloc(a, n * sizeof(*dotted));
    n = 0;
    for (uint32_t i = 0; i < m->len; i++) {
        if (has_dot(key_str(m->members[i].key))) dotted[n++] = m->members[i].key;
    }
    for (uint32_t i = 0; i < n; i++)
        good &= rename_member(d, m, a, dotted[i]);
    return good;
}

/* The item of a list that a step names; null when there is none. */
static struct value item_of(const struct list *l, const struct field_step *step)
{
    int64_t i = step->index < 0 ? step->index + l->len : step->index;

    return step->is_index && i >= 0 && i < l->len ? l->items[i] : value_null();
}

/* One step of a path from *at on, which becomes what stands there. A dotted name gets its new one.
 */
static bool rename_step(const struct de_dot *d, struct value *at, struct arena *a,
                        const struct field_step *step)
{
    if (at->kind == VALUE_LIST) {
        *at = item_of(at->as.list, step);
        return true;
    }
    struct map   *m = at->kind == VALUE_MAP ? at->as.map : NULL;
    struct value *v = m ? map_get(m, step->key) : NULL;
    *at = v ? *v : value_null();
    return !v || !has_dot(key_str(step->key)) || rename_member(d, m, a, step->key);
}

/* Along the path every dotted name is replaced, and what stands beside the field moves with it. */
static bool rename_path(const struct de_dot *d, struct event *ev, const struct field *f)
{
    struct value at = value_map(f->metadata ? &ev->metadata : &ev->data);

    if (!event_get(ev, f)) return true;
    for (uint32_t i = 0; i < f->depth; i++) {
        if (!rename_step(d, &at, ev->arena, &f->steps[i])) return false;
    }
    return !d->recursive || rename_inside(d, at, ev->arena, 0);
}

static enum verdict de_dot_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct de_dot    *d = self;
    bool                    good = true;

    if (d->fields.len == 0) good = rename_all(d, &ev->data, ev->arena, 0);
    for (uint32_t i = 0; i < d->fields.len; i++)
        good &= rename_path(d, ev, d->fields.at[i]);
    if (!good) {
        event_tag(ev, STR("_de_dot_error"));
        filter_failed(cx, &limit, "filter.de_dot", "the new name is taken, or too deep", STR(""));
    }
    return FILTER_MATCH;
}

const struct plugin filter_de_dot = {
    .kind = PLUGIN_FILTER,
    .name = "de_dot",
    .summary = "Takes the dots out of field names.",
    .size = sizeof(struct de_dot),
    .options = de_dot_options,
    .open = de_dot_open,
    .filter = {.run = de_dot_run},
};
