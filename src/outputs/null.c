/*
 * null, sink: throw every event away. `sink` is the name that Logstash's Java plugin has.
 *
 * Source: logstash-output-null, lib/logstash/outputs/null.rb; Sink.java.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "plugin/plugin.h"

/* The engine counts what comes in. */
struct discard {
    char unused;
};

static const struct option discard_options[] = {
    OPT_END,
};

static enum result discard_write(const void *self, struct event *const *ev, uint32_t n,
                                 struct output_context *cx)
{
    (void)self, (void)ev, (void)n, (void)cx;
    return OUTPUT_DONE;
}

const struct plugin output_null = {
    .kind = PLUGIN_OUTPUT,
    .name = "null",
    .summary = "Throws every event away.",
    .size = sizeof(struct discard),
    .options = discard_options,
    .codec = "plain",
    .output = {.write = discard_write},
};

const struct plugin output_sink = {
    .kind = PLUGIN_OUTPUT,
    .name = "sink",
    .summary = "Throws every event away; another name of the null output.",
    .size = sizeof(struct discard),
    .options = discard_options,
    .codec = "plain",
    .output = {.write = discard_write},
};
