#include "event/event.h"

#include "event/time.h"

enum { PAD_MAX = 10000 }; /* nulls that an index beyond the end of a list may add */

struct event_names names;

void event_names_init(void)
{
    names.timestamp = key_make(STR("@timestamp"));
    names.version = key_make(STR("@version"));
    names.metadata = key_make(STR("@metadata"));
    names.tags = key_make(STR("tags"));
    names.tags_failed = key_make(STR("_tags"));
    names.timestamp_failed = key_make(STR("_@timestamp"));
    names.message = key_make(STR("message"));
    names.type = key_make(STR("type"));
    names.host = key_make(STR("host"));
    names.event = key_make(STR("event"));
    names.original = key_make(STR("original"));
}

/* ---- making events ---- */

struct event *event_new(struct arena *a)
{
    struct event *ev = arena_alloc(a, sizeof(*ev));

    /* One by one: to zero all of it at once takes an instruction that is slow to start. */
    ev->arena = a;
    ev->data = (struct map){0};
    ev->metadata = (struct map){0};
    return ev;
}

struct event *event_blank(struct arena *a, struct timestamp now)
{
    struct event *ev = event_new(a);

    *map_append(&ev->data, a, names.version) = value_string(STR("1"));
    *map_append(&ev->data, a, names.timestamp) = value_time(now);
    return ev;
}

static bool tags_valid(struct value v)
{
    if (v.kind == VALUE_STRING) return true;
    if (v.kind != VALUE_LIST) return false;
    for (uint32_t i = 0; i < v.as.list->len; i++)
        if (v.as.list->items[i].kind != VALUE_STRING) return false;
    return true;
}

/* Tags that are neither text nor a list of texts move to [_tags]. Source: Event.java. */
static void check_tags(struct event *ev, struct value *tags)
{
    if (tags_valid(*tags)) return;
    struct list *kept = list_new(ev->arena, 1);
    list_push(kept, ev->arena, *tags);
    *tags = value_null();
    *map_add(&ev->data, ev->arena, names.tags_failed) = value_list(kept);
    event_tag(ev, STR("_tagsparsefailure"));
}

static void check_timestamp(struct event *ev, struct value *v, struct timestamp now)
{
    struct value     given = *v;
    struct timestamp parsed = now;
    bool             valid = given.kind == VALUE_NULL ||
                 (given.kind == VALUE_STRING && time_parse(value_str(given), &parsed));

    if (given.kind == VALUE_TIME) return;
    *v = value_time(valid ? parsed : now);
    if (valid) return;
    *map_add(&ev->data, ev->arena, names.timestamp_failed) = given;
    event_tag(ev, STR("_timestampparsefailure"));
}

struct event *event_from_map(struct arena *a, struct map *m, struct timestamp now)
{
    struct event *ev = event_new(a);
    struct value *v;

    ev->data = *m;
    if ((v = map_get(&ev->data, names.metadata))) {
        if (v->kind != VALUE_MAP) return NULL;
        ev->metadata = *v->as.map;
        map_remove(&ev->data, names.metadata);
    }
    if ((v = map_get(&ev->data, names.tags)) && !tags_valid(*v)) check_tags(ev, v);
    if ((v = map_get(&ev->data, names.timestamp)))
        check_timestamp(ev, v, now);
    else
        *map_append(&ev->data, a, names.timestamp) = value_time(now);
    if (!map_get(&ev->data, names.version))
        *map_append(&ev->data, a, names.version) = value_string(STR("1"));
    return ev;
}

struct event *event_clone(struct arena *a, const struct event *ev)
{
    struct event *twin = event_new(a);
    struct map    data = ev->data, metadata = ev->metadata;
    struct value (*copy)(struct arena *, struct value) = a == ev->arena ? value_clone : value_copy;

    twin->data = *copy(a, value_map(&data)).as.map;
    twin->metadata = *copy(a, value_map(&metadata)).as.map;
    return twin;
}

/* ---- fields ---- */

/* The item that `step` names, or NULL. */
static struct value *list_at(const struct list *l, const struct field_step *step)
{
    if (!step->is_index) return NULL;
    int64_t at = step->index < 0 ? step->index + l->len : step->index;
    return at >= 0 && at < l->len ? &l->items[at] : NULL;
}

/* What `step` names inside `v`; NULL when there is none. */
static struct value *child(const struct value *v, const struct field_step *step)
{
    if (v->kind == VALUE_MAP) return map_get(v->as.map, step->key);
    if (v->kind == VALUE_LIST) return list_at(v->as.list, step);
    return NULL;
}

struct value *event_get_deep(const struct event *ev, const struct field *f)
{
    static _Thread_local struct value whole;
    struct value                     *v;

    if (f->depth == 0) {
        whole = value_map(event_root(ev, f));
        return &whole;
    }
    v = map_get(event_root(ev, f), f->steps[0].key);
    for (uint32_t i = 1; v && i < f->depth; i++)
        v = child(v, &f->steps[i]);
    return v;
}

/* A place for `step` in the list: the item there, or a new one, with nulls up to it. */
static struct value *list_make(struct list *l, struct arena *a, const struct field_step *step)
{
    struct value *there = list_at(l, step);

    if (there || !step->is_index || step->index < 0) return there;
    if (step->index - l->len > PAD_MAX) return NULL;
    while (l->len <= step->index)
        list_push(l, a, value_null());
    return &l->items[step->index];
}

/* The container that holds the last step, made when the path ends before it; NULL when it leads
   through a scalar. Null counts as one, as in Logstash. */
static bool find_parent(struct event *ev, const struct field *f, struct value *parent)
{
    *parent = value_map(event_root(ev, f));
    for (uint32_t i = 0; i + 1 < f->depth; i++) {
        const struct field_step *step = &f->steps[i];
        struct value            *next = child(parent, step);
        if (!next) {
            next = parent->kind == VALUE_MAP ? map_append(parent->as.map, ev->arena, step->key)
                                             : list_make(parent->as.list, ev->arena, step);
            if (!next) return false;
            *next = value_map(map_new(ev->arena, 0));
        }
        if (next->kind != VALUE_MAP && next->kind != VALUE_LIST) return false;
        *parent = *next;
    }
    return true;
}

/* Event.java guards two fields: @timestamp stays a time, tags stay text or a list of texts. */
static bool guarded(const struct field *f, struct value v)
{
    if (f->metadata) return false;
    if (key_eq(&f->steps[0].key, &names.tags))
        return f->depth > 1 || (v.kind != VALUE_NULL && !tags_valid(v));
    return f->depth == 1 && key_eq(&f->steps[0].key, &names.timestamp) && v.kind != VALUE_TIME;
}

bool event_set_deep(struct event *ev, const struct field *f, struct value v)
{
    struct value parent, *place;

    if (f->depth == 0) {
        if (v.kind != VALUE_MAP) return false;
        ev->metadata = *v.as.map;
        return true;
    }
    if (guarded(f, v) || !find_parent(ev, f, &parent)) return false;
    const struct field_step *last = &f->steps[f->depth - 1];
    if (parent.kind == VALUE_MAP) {
        place = map_add(parent.as.map, ev->arena, last->key);
    } else {
        if (!last->is_index) return true; /* a name in a list: nothing happens, as in Logstash */
        place = list_make(parent.as.list, ev->arena, last);
    }
    if (!place) return false;
    *place = v;
    return true;
}

/* No reference, nor a name that the event guards. */
static bool is_plain_name(struct key name)
{
    /* Brackets, or what may stand for them: see field_set_escape(). */
    static const bool special[256] = {['['] = true, [']'] = true, ['%'] = true, ['&'] = true};

    for (uint32_t i = 0; i < name.len; i++)
        if (special[(unsigned char)name.name[i]]) return false;
    return name.len == 0 || (name.name[0] != '@' && !key_eq(&name, &names.tags));
}

bool event_set_another(struct event *ev, uint64_t *had, struct key name, struct value v)
{
    if (is_plain_name(name)) {
        event_set_fresh(ev, *had, name, v);
        return true;
    }
    *had = UINT64_MAX; /* a reference may add any name */
    const struct field *f = field_parse(ev->arena, key_str(name), NULL, NULL);
    return f && event_set(ev, f, v);
}

bool event_set_named(struct event *ev, struct key name, struct value v)
{
    uint64_t had = UINT64_MAX;

    return event_set_another(ev, &had, name, v);
}

static bool remove_all_metadata(struct event *ev, struct value *old)
{
    struct map *taken = map_new(ev->arena, 0);

    *taken = ev->metadata;
    ev->metadata = (struct map){0};
    if (old) *old = value_map(taken);
    return taken->len > 0;
}

bool event_remove(struct event *ev, const struct field *f, struct value *old)
{
    struct value parent = value_map(event_root(ev, f));

    if (f->plain) return map_take(event_root(ev, f), f->steps[0].key, old);
    if (f->depth == 0) return remove_all_metadata(ev, old);
    for (uint32_t i = 0; i + 1 < f->depth; i++) {
        const struct value *next = child(&parent, &f->steps[i]);
        if (!next) return false;
        parent = *next;
    }
    const struct field_step *last = &f->steps[f->depth - 1];
    if (parent.kind == VALUE_MAP) return map_take(parent.as.map, last->key, old);
    const struct value *there = child(&parent, last);
    if (!there) return false;
    if (old) *old = *there;
    list_remove(parent.as.list, (uint32_t)(there - parent.as.list->items));
    return true;
}

/* ---- tags and @timestamp ---- */

static bool is_text(struct value v, struct str text)
{
    return v.kind == VALUE_STRING && str_eq(value_str(v), text);
}

void event_tag(struct event *ev, struct str tag)
{
    struct value *tags = map_add(&ev->data, ev->arena, names.tags);

    if (tags->kind != VALUE_LIST) {
        struct list *l = list_new(ev->arena, 2);
        if (tags->kind != VALUE_NULL) list_push(l, ev->arena, *tags);
        *tags = value_list(l);
    }
    for (uint32_t i = 0; i < tags->as.list->len; i++)
        if (is_text(tags->as.list->items[i], tag)) return;
    list_push(tags->as.list, ev->arena, value_string(tag));
}

void event_untag(struct event *ev, struct str tag)
{
    struct value *tags = map_get(&ev->data, names.tags);

    if (!tags) return;
    if (is_text(*tags, tag)) *tags = value_list(list_new(ev->arena, 0));
    if (tags->kind != VALUE_LIST) return;
    for (uint32_t i = tags->as.list->len; i-- > 0;)
        if (is_text(tags->as.list->items[i], tag)) list_remove(tags->as.list, i);
}

bool event_timestamp(const struct event *ev, struct timestamp *out)
{
    const struct value *v = map_get(&ev->data, names.timestamp);

    if (!v || v->kind != VALUE_TIME) return false;
    *out = value_timestamp(*v);
    return true;
}

void event_set_timestamp(struct event *ev, struct timestamp t)
{
    *map_add(&ev->data, ev->arena, names.timestamp) = value_time(t);
}
