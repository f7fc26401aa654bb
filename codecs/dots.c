/*
 * dots: a dot for each event, to see that events flow.
 *
 * Source: logstash-codec-dots, lib/logstash/codecs/dots.rb.
 * Threads: keeps no state.
 */
#include "plugin/plugin.h"

struct dots {
    char unused;
};

static const struct option dots_options[] = {OPT_END};

static bool dots_encode(const void *self, struct event *ev, struct buf *out)
{
    (void)self;
    (void)ev;
    buf_char(out, '.');
    return true;
}

const struct plugin codec_dots = {
    .kind = PLUGIN_CODEC,
    .name = "dots",
    .summary = "Writes a dot for each event.",
    .size = sizeof(struct dots),
    .options = dots_options,
    .codec_ops = {.encode = dots_encode},
};
