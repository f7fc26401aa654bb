/*
 * edn_lines: extensible data notation, a map a line.
 *
 * Source: logstash-codec-edn_lines, lib/logstash/codecs/edn_lines.rb.
 * Threads: constant once open.
 */
#include "codecs/edn_message.h"
#include "plugin/plugin.h"

struct edn_lines {
    const struct field *target;
};

static const struct option edn_lines_options[] = {
    OPT(struct edn_lines, OPT_FIELD, target,
        .doc = "Puts each map below this field instead of at the top of the event."),
    OPT_END,
};

static void edn_lines_decode(const void *self, struct str bytes, struct decode *to)
{
    const struct edn_lines *e = self;

    edn_message_read(bytes, e->target, "codec.edn_lines", to);
}

static void edn_lines_framing(const void *self, struct framing *out)
{
    (void)self;
    out->delimiter = STR("\n");
}

static bool edn_lines_encode(const void *self, struct event *ev, struct buf *out)
{
    (void)self;
    edn_write(value_map(&ev->data), out);
    buf_char(out, '\n');
    return true;
}

const struct plugin codec_edn_lines = {
    .kind = PLUGIN_CODEC,
    .name = "edn_lines",
    .summary = "Reads and writes extensible data notation (EDN), a map a line.",
    .size = sizeof(struct edn_lines),
    .options = edn_lines_options,
    .codec_ops = {.decode = edn_lines_decode,
                  .framing = edn_lines_framing,
                  .encode = edn_lines_encode},
};
