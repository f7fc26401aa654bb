/*
 * line: text with a delimiter after each message.
 *
 * Source: logstash-codec-line, lib/logstash/codecs/line.rb.
 * Threads: constant once open.
 */
#include "plugin/plugin.h"
#include "text/charset.h"
#include "text/message.h"

struct line {
    int                    charset;
    struct str             delimiter;
    int                    ecs_compatibility;
    const struct template *format;
    const struct charset  *converter;
    const struct field    *original; /* NULL: the message itself is not kept */
    const struct template *preset;   /* what is written without a format */
};

static const struct option line_options[] = {
    OPT(struct line, OPT_ENUM, charset, .preset = "UTF-8", .choices = charset_names,
        .doc = "The encoding of the lines that are read. The delimiter is looked for in the "
               "bytes before. What is written is always UTF-8."),
    OPT(struct line, OPT_STRING, delimiter, .preset = "\n",
        .doc = "The characters after each line, read and written. A newline when not given."),
    OPT(struct line, OPT_ECS, ecs_compatibility,
        .doc = "With v1 or v8 the line is kept in [event][original] too. Follows "
               "pipeline.ecs_compatibility when not given."),
    OPT(struct line, OPT_TEMPLATE, format,
        .doc = "What is written of an event, with %{field} references. Without it: the "
               "timestamp, the host and the message."),
    OPT_END,
};

static bool line_open(void *self, struct plugin_open *cx)
{
    struct line *l = self;
    const char  *problem;

    l->converter = charset_open(cx->arena, l->charset, &problem);
    if (!l->converter)
        return plugin_error(cx, "charset", "charset \"%s\" is not built: %s",
                            charset_names[l->charset], problem);
    if (l->delimiter.len == 0)
        return plugin_error(cx, "delimiter", "the delimiter must not be empty");
    if (l->ecs_compatibility != ECS_DISABLED) l->original = message_original_field(cx->arena);
    l->preset = message_template(cx->arena);
    return true;
}

static void line_decode(const void *self, struct str bytes, struct decode *to)
{
    const struct line *l = self;
    struct str         text = charset_convert(l->converter, bytes, to->arena, to->buf);

    decode_emit(to, message_event(to->arena, text, l->original, to->now));
}

static void line_framing(const void *self, struct framing *out)
{
    const struct line *l = self;

    out->delimiter = l->delimiter;
}

static bool line_encode(const void *self, struct event *ev, struct buf *out)
{
    const struct line *l = self;

    if (l->format)
        template_render(l->format, ev, out);
    else
        message_print(l->preset, ev, out);
    buf_str(out, l->delimiter);
    return true;
}

const struct plugin codec_line = {
    .kind = PLUGIN_CODEC,
    .name = "line",
    .summary = "Reads lines of text and writes events as lines of text.",
    .size = sizeof(struct line),
    .options = line_options,
    .open = line_open,
    .codec_ops = {.decode = line_decode, .framing = line_framing, .encode = line_encode},
};
