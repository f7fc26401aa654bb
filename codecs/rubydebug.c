/*
 * rubydebug: events as a Ruby hash over several lines, for people to read.
 *
 * Source: logstash-codec-rubydebug, lib/logstash/codecs/rubydebug.rb; awesome_print's formatters
 * for hashes and arrays, without colours.
 * Threads: constant once open.
 */
#include "base/utf8.h"
#include "event/json.h"
#include "event/time.h"
#include "plugin/plugin.h"
#include "text/ruby_inspect.h"

enum { INDENT = 4 };

struct rubydebug {
    bool metadata;
};

static const struct option rubydebug_options[] = {
    OPT(struct rubydebug, OPT_BOOL, metadata, .preset = "false",
        .doc = "Also shows [@metadata], which outputs do not get otherwise."),
    OPT_END,
};

static void print_value(struct buf *out, struct value v, size_t indent);

static void blanks(struct buf *out, size_t n)
{
    memset(buf_room(out, n), ' ', n);
    out->len += n;
}

static void print_string(struct buf *out, struct str s)
{
    buf_char(out, '"');
    ruby_inspect(out, s);
    buf_char(out, '"');
}

/* Characters of the key as it is printed, measured by printing it and taking it back. */
static size_t key_width(struct buf *out, struct key key)
{
    size_t start = out->len;

    print_string(out, key_str(key));
    size_t width = utf8_count((struct str){out->data + start, out->len - start});
    out->len = start;
    return width;
}

static size_t widest_key(struct buf *out, const struct map *m)
{
    size_t widest = 0;

    for (uint32_t i = 0; i < m->len; i++) {
        size_t width = key_width(out, m->members[i].key);
        if (width > widest) widest = width;
    }
    return widest;
}

/* `"key" => value` with the key right-aligned to `width`. */
static void print_member(struct buf *out, struct key key, struct value v, size_t width,
                         size_t indent)
{
    blanks(out, indent + width - key_width(out, key));
    print_string(out, key_str(key));
    buf_str(out, STR(" => "));
    print_value(out, v, indent);
}

static void close_container(struct buf *out, size_t indent, char bracket)
{
    buf_char(out, '\n');
    blanks(out, indent - INDENT);
    buf_char(out, bracket);
}

static void print_map(struct buf *out, const struct map *m, size_t indent)
{
    size_t width = widest_key(out, m);

    if (m->len == 0) {
        buf_str(out, STR("{}"));
        return;
    }
    buf_char(out, '{');
    for (uint32_t i = 0; i < m->len; i++) {
        buf_str(out, i ? STR(",\n") : STR("\n"));
        print_member(out, m->members[i].key, m->members[i].value, width, indent);
    }
    close_container(out, indent, '}');
}

static void print_list(struct buf *out, const struct list *l, size_t indent)
{
    int width = 1;

    if (l->len == 0) {
        buf_str(out, STR("[]"));
        return;
    }
    for (uint32_t n = l->len - 1; n >= 10; n /= 10)
        width++;
    buf_char(out, '[');
    for (uint32_t i = 0; i < l->len; i++) {
        buf_str(out, i ? STR(",\n") : STR("\n"));
        blanks(out, indent);
        buf_printf(out, "[%*u] ", width, i);
        print_value(out, l->items[i], indent);
    }
    close_container(out, indent, ']');
}

/* `indent`: of the line that the value stands on. What it holds is indented by INDENT more. */
static void print_value(struct buf *out, struct value v, size_t indent)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_NULL:
        buf_str(out, STR("nil"));
        break;
    case VALUE_BOOL:
        buf_str(out, v.as.b ? STR("true") : STR("false"));
        break;
    case VALUE_INT:
        json_encode_int(v.as.i, out);
        break;
    case VALUE_FLOAT:
        ruby_inspect_float(out, v.as.f);
        break;
    case VALUE_TIME:
        out->len += time_print(value_timestamp(v), buf_room(out, 40));
        break;
    case VALUE_STRING:
        print_string(out, value_str(v));
        break;
    case VALUE_NUMBER:
        buf_str(out, value_str(v));
        break;
    case VALUE_LIST:
        print_list(out, v.as.list, indent + INDENT);
        break;
    case VALUE_MAP:
        print_map(out, v.as.map, indent + INDENT);
        break;
    }
}

/* The event's own members, and the metadata as one more. */
static void print_event(struct buf *out, const struct event *ev)
{
    struct value metadata = value_map((struct map *)(uintptr_t)&ev->metadata);
    size_t       width = widest_key(out, &ev->data);
    size_t       mark = key_width(out, names.metadata);

    if (mark > width) width = mark;
    buf_str(out, STR("{\n"));
    for (uint32_t i = 0; i < ev->data.len; i++) {
        print_member(out, ev->data.members[i].key, ev->data.members[i].value, width, INDENT);
        buf_str(out, STR(",\n"));
    }
    print_member(out, names.metadata, metadata, width, INDENT);
    close_container(out, INDENT, '}');
}

static bool rubydebug_encode(const void *self, struct event *ev, struct buf *out)
{
    const struct rubydebug *r = self;

    if (r->metadata && ev->metadata.len > 0)
        print_event(out, ev);
    else
        print_map(out, &ev->data, INDENT);
    buf_char(out, '\n');
    return true;
}

const struct plugin codec_rubydebug = {
    .kind = PLUGIN_CODEC,
    .name = "rubydebug",
    .summary = "Writes events as a Ruby hash over several lines, for people to read.",
    .size = sizeof(struct rubydebug),
    .options = rubydebug_options,
    .codec_ops = {.encode = rubydebug_encode},
};
