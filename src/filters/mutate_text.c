/*
 * mutate's operations on text and lists: gsub, uppercase, capitalize, lowercase, strip, split,
 * join, merge.
 *
 * Source: logstash-filter-mutate, lib/logstash/filters/mutate.rb.
 */
#include "base/utf8.h"
#include "filters/mutate.h"
#include "plugin/failure.h"
#include "text/rubytext.h"

/* ---- gsub ---- */

static const char *gsub_string(const struct regex *r, struct value *v, struct str replacement,
                               struct event *ev, struct buf *buf)
{
    buf_clear(buf);
    int n = regex_gsub(r, value_str(*v), replacement, buf);
    if (n < 0) return "the pattern took too many steps";
    if (n > 0) *v = value_string(arena_copy(ev->arena, buf_view(buf)));
    return NULL;
}

/* A string, or the strings of a list; anything else stays. */
static const char *gsub_value(const struct mutate_step *s, const struct regex *r, struct value *v,
                              struct event *ev, struct filter_context *cx)
{
    struct str  replacement = template_str(s->value, ev);
    const char *problem = NULL;

    if (v->kind == VALUE_STRING) return gsub_string(r, v, replacement, ev, cx->buf);
    for (uint32_t i = 0; i < v->as.list->len && !problem; i++) {
        if (v->as.list->items[i].kind == VALUE_STRING)
            problem = gsub_string(r, &v->as.list->items[i], replacement, ev, cx->buf);
    }
    return problem;
}

const char *mutate_gsub(const struct mutate_step *s, struct event *ev, struct filter_context *cx)
{
    struct value      *v = event_get(ev, s->name.field);
    struct regex_error error;

    if (!v || (v->kind != VALUE_STRING && v->kind != VALUE_LIST)) return NULL;
    if (s->regex) return gsub_value(s, s->regex, v, ev, cx);

    const struct regex *r = regex_cache_take(s->patterns, template_str(s->needle, ev), 0, &error);
    if (!r) return "the pattern that the event gives is not valid";
    const char *problem = gsub_value(s, r, v, ev, cx);
    regex_cache_give(s->patterns, r);
    return problem;
}

/* ---- upper and lower case, strip ---- */

typedef void change_case(struct buf *out, struct str s);

static void change_string(struct value *v, change_case *change, struct event *ev, struct buf *buf)
{
    if (v->kind != VALUE_STRING) return;
    buf_clear(buf);
    change(buf, value_str(*v));
    if (!str_eq(buf_view(buf), value_str(*v)))
        *v = value_string(arena_copy(ev->arena, buf_view(buf)));
}

static const char *change_field(const struct mutate_step *s, change_case *change, struct event *ev,
                                struct buf *buf)
{
    struct value *v = event_get(ev, s->name.field);

    if (!v) return NULL;
    change_string(v, change, ev, buf);
    if (v->kind != VALUE_LIST) return NULL;
    for (uint32_t i = 0; i < v->as.list->len; i++)
        change_string(&v->as.list->items[i], change, ev, buf);
    return NULL;
}

const char *mutate_uppercase(const struct mutate_step *s, struct event *ev,
                             struct filter_context *cx)
{
    return change_field(s, utf8_upper, ev, cx->buf);
}

const char *mutate_lowercase(const struct mutate_step *s, struct event *ev,
                             struct filter_context *cx)
{
    return change_field(s, utf8_lower, ev, cx->buf);
}

const char *mutate_capitalize(const struct mutate_step *s, struct event *ev,
                              struct filter_context *cx)
{
    return change_field(s, ruby_capitalize, ev, cx->buf);
}

const char *mutate_strip(const struct mutate_step *s, struct event *ev, struct filter_context *cx)
{
    struct value *v = event_get(ev, s->name.field);

    (void)cx;
    if (!v) return NULL;
    if (v->kind == VALUE_STRING) *v = value_string(ruby_strip(value_str(*v)));
    if (v->kind != VALUE_LIST) return NULL;
    for (uint32_t i = 0; i < v->as.list->len; i++) {
        if (v->as.list->items[i].kind != VALUE_STRING) return "an item of the list is no string";
    }
    for (uint32_t i = 0; i < v->as.list->len; i++) {
        struct value *item = &v->as.list->items[i];
        *item = value_string(ruby_strip(value_str(*item)));
    }
    return NULL;
}

/* ---- lists ---- */

const char *mutate_split(const struct mutate_step *s, struct event *ev, struct filter_context *cx)
{
    struct value *v = event_get(ev, s->name.field);

    (void)cx;
    if (v && v->kind == VALUE_STRING)
        *v = value_list(ruby_split(ev->arena, value_str(*v), s->separator, false));
    return NULL;
}

const char *mutate_join(const struct mutate_step *s, struct event *ev, struct filter_context *cx)
{
    struct value *v = event_get(ev, s->name.field);

    if (!v || v->kind != VALUE_LIST) return NULL;
    buf_clear(cx->buf);
    ruby_join(v->as.list, s->separator, cx->buf);
    *v = value_string(arena_copy(ev->arena, buf_view(cx->buf)));
    return NULL;
}

/* Appends copies: null adds nothing, a list its items, anything else itself. */
static void append(struct list *l, struct arena *a, struct value v)
{
    if (v.kind == VALUE_NULL) return;
    if (v.kind != VALUE_LIST) {
        list_push(l, a, value_clone(a, v));
        return;
    }
    uint32_t n = v.as.list->len; /* it may be `l` itself, which grows */
    for (uint32_t i = 0; i < n; i++)
        list_push(l, a, value_clone(a, v.as.list->items[i]));
}

static void update_map(struct map *to, const struct map *from, struct arena *a)
{
    if (to == from) return;
    for (uint32_t i = 0; i < from->len; i++)
        *map_add(to, a, from->members[i].key) = value_clone(a, from->members[i].value);
}

/*
 * A list is extended by each of several fields in turn. What was no list starts again from its
 * first value with each of them, so only the last stays: so does Logstash.
 */
const char *mutate_merge(const struct mutate_step *s, struct event *ev, struct filter_context *cx)
{
    struct value *to = event_get(ev, s->name.field);
    struct value  first = to ? *to : value_null();

    static struct log_limit mismatch;
    for (uint32_t i = 0; i < s->added.len; i++) {
        const struct value *from = event_get(ev, s->added.at[i]);
        struct value        added = from ? *from : value_null();
        if ((first.kind == VALUE_MAP) != (added.kind == VALUE_MAP)) {
            filter_failed(cx, &mismatch, "filter.mutate", "a map merges only with a map",
                          s->added.at[i]->text);
            continue;
        }
        if (first.kind == VALUE_MAP) {
            update_map(first.as.map, added.as.map, ev->arena);
            continue;
        }
        if (first.kind == VALUE_LIST) {
            append(first.as.list, ev->arena, added);
            continue;
        }
        struct list *l = list_new(ev->arena, 2);
        append(l, ev->arena, first);
        append(l, ev->arena, added);
        if (!event_set(ev, s->name.field, value_list(l))) return "the field cannot be set";
    }
    return NULL;
}
