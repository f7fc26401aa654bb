/*
 * cef: ArcSight's Common Event Format, read and written.
 *
 * Source: logstash-codec-cef, docs/index.asciidoc, lib/logstash/codecs/cef.rb.
 * Threads: constant once open.
 */
#include "codecs/cef.h"

#include "event/json.h"
#include "event/time.h"
#include "text/rubytext.h"

static const char *const device_names[] = {"observer", "host", NULL};

static const struct option cef_options[] = {
    OPT(struct cef, OPT_STRING, default_timezone,
        .doc = "The time zone of times that have none, in messages that do not tell the zone of "
               "their device: a name such as Europe/Moscow, or an offset such as -08:00. Used with "
               "ecs_compatibility v1 and v8 when reading. The system's zone when not given."),
    OPT(struct cef, OPT_STRING, delimiter,
        .doc = "What stands between two messages, read and written; \\n and \\r, written with a "
               "backslash, are a newline and a carriage return. Inputs that read streams (stdin, "
               "tcp) need it. Without it, each piece that the input reads is a message, and "
               "nothing is written between messages."),
    OPT(struct cef, OPT_ENUM, device, .preset = "observer", .choices = device_names,
        .doc = "Whether the fields about the device go to [observer], for a device that saw the "
               "event, or to [host], for the device on which it happened. Used with "
               "ecs_compatibility v1 and v8 when reading."),
    OPT(struct cef, OPT_ECS, ecs_compatibility,
        .doc = "With disabled, fields have the names of CEF (sourceAddress); with v1 and v8 those "
               "of the Elastic Common Schema ([source][ip]), and times are read as such. Follows "
               "pipeline.ecs_compatibility when not given."),
    OPT(struct cef, OPT_STRINGS, fields,
        .doc = "The fields that are written as extensions, in that order; those that an event does "
               "not have are left out."),
    OPT(struct cef, OPT_STRING, locale,
        .doc = "The language of names of months, as in de_DE or pt-BR. Used with ecs_compatibility "
               "v1 and v8 when reading. The system's language when not given."),
    OPT(struct cef, OPT_TEMPLATE, name, .preset = "Logstash",
        .doc = "The name in the header that is written, with %{field} references."),
    OPT(struct cef, OPT_TEMPLATE, product, .preset = "Logstash",
        .doc = "The product in the header that is written, with %{field} references."),
    OPT(struct cef, OPT_FIELD, raw_data_field,
        .doc = "A field for the message as it was read. None when not given."),
    OPT(struct cef, OPT_BOOL, reverse_mapping, .preset = "false",
        .doc = "Writes the short keys of CEF (src) instead of the names of the fields "
               "(sourceAddress)."),
    OPT(struct cef, OPT_TEMPLATE, severity, .preset = "6",
        .doc = "The severity in the header that is written, with %{field} references. What is not "
               "a whole number from 0 to 10 counts as 6."),
    OPT(struct cef, OPT_TEMPLATE, signature, .preset = "Logstash",
        .doc = "The signature id in the header that is written, with %{field} references."),
    OPT(struct cef, OPT_TEMPLATE, vendor, .preset = "Elasticsearch",
        .doc = "The vendor in the header that is written, with %{field} references."),
    OPT(struct cef, OPT_TEMPLATE, version, .preset = "1.0",
        .doc = "The version in the header that is written, with %{field} references."),
    OPT_REFUSED("sev", .obsolete = "use severity",
                .doc = "Was the severity in the header that is written."),
    OPT_REFUSED("deprecated_v1_fields", .obsolete = "the names of CEF itself are used",
                .doc = "Gave fields their names of the first version."),
    OPT_END,
};

/* A backslash with r or n behind it, which config strings keep as they are. */
static struct str unescape_delimiter(struct arena *a, struct str text)
{
    char  *out = arena_alloc(a, text.len);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char next = text.data[i] == '\\' && i + 1 < text.len ? text.data[i + 1] : 0;
        bool special = next == 'n' || next == 'r';
        out[len++] = special ? (next == 'n' ? '\n' : '\r') : text.data[i];
        i += special;
    }
    return (struct str){out, len};
}

static bool cef_open(void *self, struct plugin_open *cx)
{
    struct cef *c = self;

    c->delimiter = unescape_delimiter(cx->arena, c->delimiter);
    return cef_fields_open(c, cx) && cef_times_open(c, cx);
}

static void cef_framing(const void *self, struct framing *out)
{
    const struct cef *c = self;

    out->delimiter = c->delimiter;
}

/* ---- writing ---- */

/* Escapes what `out` holds behind `from`: `special` characters get a backslash, newlines of any
   kind become `newline`. Source: cef.rb, sanitize_*. */
static void escape(struct buf *out, size_t from, const char *special, struct str newline)
{
    size_t end = out->len;

    for (size_t i = from; i < end; i++) {
        char c = out->data[i];
        if (c == '\r' && i + 1 < end && out->data[i + 1] == '\n') continue;
        if (c == '\n' || c == '\r') {
            buf_str(out, newline);
            continue;
        }
        if (c == special[0] || c == special[1]) buf_char(out, '\\');
        buf_char(out, c);
    }
    memmove(out->data + from, out->data + end, out->len - end);
    out->len -= end - from;
}

static void put_header(const struct template *t, const char *preset, struct event *ev,
                       struct buf *out)
{
    size_t from = out->len;

    template_render(t, ev, out);
    escape(out, from, "\\|", STR(" "));
    if (out->len == from) buf_str(out, str_of(preset));
    buf_char(out, '|');
}

/* True for a number, also with a point, that is whole and from 0 to 10. */
static bool severity_valid(struct str text)
{
    double f;

    return option_float(text, &f) && f >= 0 && f <= 10 && f == (double)(int)f;
}

static void put_severity(const struct template *t, struct event *ev, struct buf *out)
{
    size_t from = out->len;

    template_render(t, ev, out);
    struct str text = ruby_strip((struct str){out->data + from, out->len - from});
    int        severity = 6, n = 0;
    if (severity_valid(text)) /* the digits at its start count, as of Ruby's to_i */
        for (severity = 0; (size_t)n < text.len && text.data[n] >= '0' && text.data[n] <= '9'; n++)
            severity = severity * 10 + (text.data[n] - '0');
    out->len = from;
    buf_printf(out, "%d|", severity);
}

static void put_extension(const struct cef_output *o, struct value v, struct buf *out)
{
    buf_str(out, o->key);
    buf_char(out, '=');
    size_t from = out->len;
    if (v.kind == VALUE_TIME) {
        out->len += time_print(value_timestamp(v), buf_room(out, 40));
        return;
    }
    if (v.kind == VALUE_LIST || v.kind == VALUE_MAP)
        json_encode(v, out);
    else
        ruby_to_s(v, out);
    escape(out, from, "\\=", STR("\\n"));
}

static bool cef_encode(const void *self, struct event *ev, struct buf *out)
{
    const struct cef *c = self;
    bool              first = true;

    buf_str(out, STR("CEF:0|"));
    put_header(c->vendor, "Elasticsearch", ev, out);
    put_header(c->product, "Logstash", ev, out);
    put_header(c->version, "1.0", ev, out);
    put_header(c->signature, "Logstash", ev, out);
    put_header(c->name, "Logstash", ev, out);
    put_severity(c->severity, ev, out);
    for (uint32_t i = 0; i < c->fields.len; i++) {
        const struct value *v = event_get(ev, c->outputs[i].field);
        if (!v || v->kind == VALUE_NULL) continue;
        if (!first) buf_char(out, ' ');
        put_extension(&c->outputs[i], *v, out);
        first = false;
    }
    buf_str(out, c->delimiter);
    return true;
}

const struct plugin codec_cef = {
    .kind = PLUGIN_CODEC,
    .name = "cef",
    .summary = "Reads and writes messages in ArcSight's Common Event Format.",
    .size = sizeof(struct cef),
    .options = cef_options,
    .open = cef_open,
    .codec_ops = {.decode = cef_decode, .framing = cef_framing, .encode = cef_encode},
};
