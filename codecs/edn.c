/*
 * edn: extensible data notation, a map an event.
 *
 * Source: logstash-codec-edn, lib/logstash/codecs/edn.rb.
 * Threads: constant once open.
 */
#include "codecs/edn_message.h"
#include "plugin/plugin.h"

struct edn {
    const struct field *target;
};

static const struct option edn_options[] = {
    OPT(struct edn, OPT_FIELD, target,
        .doc = "Puts each map below this field instead of at the top of the event."),
    OPT_END,
};

static void edn_decode(const void *self, struct str bytes, struct decode *to)
{
    const struct edn *e = self;

    edn_message_read(bytes, e->target, "codec.edn", to);
}

static bool edn_encode(const void *self, struct event *ev, struct buf *out)
{
    (void)self;
    edn_write(value_map(&ev->data), out);
    return true;
}

const struct plugin codec_edn = {
    .kind = PLUGIN_CODEC,
    .name = "edn",
    .summary = "Reads and writes extensible data notation (EDN).",
    .size = sizeof(struct edn),
    .options = edn_options,
    .codec_ops = {.decode = edn_decode, .encode = edn_encode},
};
