/*
 * urldecode: undoes %XX in fields.
 *
 * Source: logstash-filter-urldecode, lib/logstash/filters/urldecode.rb.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "plugin/failure.h"
#include "text/charset.h"

struct urldecode {
    bool                  all_fields;
    int                   charset;
    const struct field   *field;
    struct strings        tag_on_failure;
    const struct charset *from;
};

static const struct option urldecode_options[] = {
    OPT(struct urldecode, OPT_BOOL, all_fields, .preset = "false",
        .doc = "Whether every field of the event is decoded, instead of the one."),
    OPT(struct urldecode, OPT_ENUM, charset, .preset = "UTF-8", .choices = charset_names,
        .doc = "The encoding of the decoded bytes. Texts are converted from it to UTF-8, the "
               "whole of each, not only what was encoded."),
    OPT(struct urldecode, OPT_FIELD, field, .preset = "message",
        .doc = "The field to decode: a string, or the strings in a list or map at any depth. "
               "When it is missing it becomes null, as in Logstash."),
    OPT(struct urldecode, OPT_STRINGS, tag_on_failure, .preset = "_urldecodefailure",
        .doc = "Tags of events with a field that cannot be set."),
    OPT_END,
};

static bool urldecode_open(void *self, struct plugin_open *cx)
{
    struct urldecode *u = self;
    const char       *problem;

    u->from = charset_open(cx->arena, u->charset, &problem);
    return u->from || plugin_error(cx, "charset", "charset \"%s\" is not built: %s",
                                   charset_names[u->charset], problem);
}

/* Two digits behind a percent sign give a byte; anything else stays. */
static struct str unescape(struct str s, struct arena *a)
{
    if (!s.len || !memchr(s.data, '%', s.len)) return s;
    char  *out = arena_alloc(a, s.len);
    size_t len = 0;

    for (size_t i = 0; i < s.len; i++) {
        int high = s.data[i] == '%' && s.len - i > 2 ? hex_digit(s.data[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s.data[i + 2]) : -1;
        if (low >= 0) {
            out[len++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[len++] = s.data[i];
        }
    }
    return (struct str){out, len};
}

/* Strings, and those in lists and maps. */
static void decode(const struct urldecode *u, struct value *v, struct event *ev, struct buf *buf)
{
    if (v->kind == VALUE_STRING) {
        struct str bytes = unescape(value_str(*v), ev->arena);
        *v = value_string(charset_convert(u->from, bytes, ev->arena, buf));
    } else if (v->kind == VALUE_LIST) {
        for (uint32_t i = 0; i < v->as.list->len; i++)
            decode(u, &v->as.list->items[i], ev, buf);
    } else if (v->kind == VALUE_MAP) {
        for (uint32_t i = 0; i < v->as.map->len; i++)
            decode(u, &v->as.map->members[i].value, ev, buf);
    }
}

/*
 * Every member at the top. A name with brackets is taken for a reference when it is set again, as
 * in Logstash: the decoded value lands there, and the member itself stays as it is.
 */
static bool decode_all(const struct urldecode *u, struct event *ev, struct buf *buf)
{
    uint32_t n = ev->data.len;

    for (uint32_t i = 0; i < n && i < ev->data.len; i++) {
        struct member *m = &ev->data.members[i];
        if (!memchr(m->key.name, '[', m->key.len)) {
            decode(u, &m->value, ev, buf);
            continue;
        }
        const struct field *f = field_parse(ev->arena, key_str(m->key), NULL, NULL);
        struct value        v = value_clone(ev->arena, m->value);
        decode(u, &v, ev, buf);
        if (!f || !event_set(ev, f, v)) return false;
    }
    return true;
}

static bool decode_field(const struct urldecode *u, struct event *ev, struct buf *buf)
{
    struct value *v = event_get(ev, u->field);

    if (!v) return event_set(ev, u->field, value_null());
    decode(u, v, ev, buf);
    return true;
}

static enum verdict urldecode_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct urldecode *u = self;
    bool good = u->all_fields ? decode_all(u, ev, cx->buf) : decode_field(u, ev, cx->buf);

    if (!good) {
        event_tag_all(ev, &u->tag_on_failure);
        filter_failed(cx, &limit, "filter.urldecode", "cannot set a field", u->field->text);
    }
    return FILTER_MATCH;
}

const struct plugin filter_urldecode = {
    .kind = PLUGIN_FILTER,
    .name = "urldecode",
    .summary = "Undoes %XX in fields.",
    .size = sizeof(struct urldecode),
    .options = urldecode_options,
    .open = urldecode_open,
    .filter = {.run = urldecode_run},
};
