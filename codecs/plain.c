/*
 * plain: a message is the text of an event.
 *
 * Source: logstash-codec-plain, lib/logstash/codecs/plain.rb.
 * Threads: constant once open.
 */
#include "plugin/plugin.h"
#include "text/charset.h"
#include "text/message.h"

struct plain {
    int                    charset;
    int                    ecs_compatibility;
    const struct template *format;
    const struct charset  *converter;
    const struct field    *original; /* NULL: the message itself is not kept */
    const struct field    *original_of_streams;
    const struct template *preset; /* what is written without a format */
};

static const struct option plain_options[] = {
    OPT(struct plain, OPT_ENUM, charset, .preset = "UTF-8", .choices = charset_names,
        .doc = "The encoding of the messages that are read. What is written is always UTF-8."),
    OPT(struct plain, OPT_ECS, ecs_compatibility,
        .doc = "With v1 or v8 the message is kept in [event][original] too. Follows "
               "pipeline.ecs_compatibility when not given."),
    OPT(struct plain, OPT_TEMPLATE, format,
        .doc = "What is written of an event, with %{field} references. Without it: the "
               "timestamp, the host and the message."),
    OPT_END,
};

static bool plain_open(void *self, struct plugin_open *cx)
{
    struct plain *p = self;
    const char   *problem;

    p->converter = charset_open(cx->arena, p->charset, &problem);
    if (!p->converter)
        return plugin_error(cx, "charset", "charset \"%s\" is not built: %s",
                            charset_names[p->charset], problem);
    if (p->ecs_compatibility != ECS_DISABLED) p->original = message_original_field(cx->arena);
    if (cx->ecs != ECS_DISABLED) p->original_of_streams = message_original_field(cx->arena);
    p->preset = message_template(cx->arena);
    return true;
}

static void plain_decode(const void *self, struct str bytes, struct decode *to)
{
    const struct plain *p = self;
    struct str          text = charset_convert(p->converter, bytes, to->arena, to->buf);

    decode_emit(to, message_event(to->arena, text, p->original, to->now));
}

/* Source: inputs/base.rb, fix_streaming_codecs: line, with nothing but the charset. */
static void plain_read_streams(void *self)
{
    struct plain *p = self;

    p->original = p->original_of_streams;
}

static void plain_framing(const void *self, struct framing *out)
{
    (void)self;
    out->delimiter = STR("\n");
}

static bool plain_encode(const void *self, struct event *ev, struct buf *out)
{
    const struct plain *p = self;

    if (p->format)
        template_render(p->format, ev, out);
    else
        message_print(p->preset, ev, out);
    return true;
}

const struct plugin codec_plain = {
    .kind = PLUGIN_CODEC,
    .name = "plain",
    .summary = "Reads a message as text and writes events as text, without a delimiter.",
    .size = sizeof(struct plain),
    .options = plain_options,
    .open = plain_open,
    .codec_ops = {.decode = plain_decode,
                  .read_streams = plain_read_streams,
                  .framing = plain_framing,
                  .encode = plain_encode},
};
