/*
 * truncate: shortens strings that are longer than a number of bytes.
 *
 * Source: logstash-filter-truncate, lib/logstash/filters/truncate.rb.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "base/utf8.h"
#include "plugin/plugin.h"

struct truncate {
    int64_t       length_bytes;
    struct fields fields;
};

static const struct option truncate_options[] = {
    OPT(struct truncate, OPT_FIELDS, fields,
        .doc = "Fields to shorten: strings, the strings of a list, and those of a map at any "
               "depth. Every field of the event when not given."),
    OPT(struct truncate, OPT_INT, length_bytes, .required = true,
        .doc = "Bytes to keep of each string. A character that would be cut in two is dropped "
               "whole. A negative number makes strings null."),
    OPT_END,
};

/* True when `v` was a string and got shorter. */
static bool cut(struct value *v, int64_t length)
{
    if (v->kind != VALUE_STRING || (int64_t)v->len <= length) return false;
    if (length < 0)
        *v = value_null();
    else
        v->len = (uint32_t)utf8_floor(value_str(*v), (size_t)length);
    return true;
}

/* Lists in lists stay whole, as in Logstash. */
static bool cut_all(struct value *v, int64_t length)
{
    bool changed = false;

    if (v->kind == VALUE_LIST) {
        for (uint32_t i = 0; i < v->as.list->len; i++)
            changed |= cut(&v->as.list->items[i], length);
    } else if (v->kind == VALUE_MAP) {
        for (uint32_t i = 0; i < v->as.map->len; i++)
            changed |= cut_all(&v->as.map->members[i].value, length);
    } else {
        changed = cut(v, length);
    }
    return changed;
}

static enum verdict truncate_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct truncate *t = self;
    struct value           whole = value_map(&ev->data);
    bool                   changed = false;

    (void)cx;
    if (t->fields.len == 0) changed = cut_all(&whole, t->length_bytes);
    for (uint32_t i = 0; i < t->fields.len; i++) {
        struct value *v = event_get(ev, t->fields.at[i]);
        if (v) changed |= cut_all(v, t->length_bytes);
    }
    return changed ? FILTER_MATCH : FILTER_PASS;
}

const struct plugin filter_truncate = {
    .kind = PLUGIN_FILTER,
    .name = "truncate",
    .summary = "Shortens strings that are longer than a number of bytes.",
    .size = sizeof(struct truncate),
    .options = truncate_options,
    .filter = {.run = truncate_run},
};
