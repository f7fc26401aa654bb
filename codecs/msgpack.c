/*
 * msgpack: MessagePack, a map an event.
 *
 * Source: logstash-codec-msgpack, lib/logstash/codecs/msgpack.rb.
 * Threads: constant once open.
 */
#include "text/msgpack.h"
#include "plugin/plugin.h"
#include "text/lossy.h"
#include "text/message.h"

struct msgpack {
    const struct template *format;
    const struct field    *target;
};

static const struct option msgpack_options[] = {
    OPT(struct msgpack, OPT_TEMPLATE, format,
        .doc = "The message of events that come without one, with %{field} references. None when "
               "not given."),
    OPT(struct msgpack, OPT_FIELD, target,
        .doc = "Puts each map below this field instead of at the top of the event."),
    OPT_END,
};

enum { EVENTS_MAX = 65536 }; /* of one message */

/* All maps of a message in `maps`; false with `*why` set when it holds anything else. */
static bool read_all(struct decode *to, struct str bytes, struct list *maps, const char **why)
{
    do {
        struct value v;
        size_t       used;
        if (msgpack_read(to->arena, bytes, &v, &used, why) != MSGPACK_DONE) return false;
        *why = v.kind != VALUE_MAP ? "not a map" : "too many maps";
        if (v.kind != VALUE_MAP || maps->len == EVENTS_MAX) return false;
        list_push(maps, to->scratch, v);
        bytes = str_from(bytes, used);
    } while (bytes.len > 0);
    return true;
}

static void set_message(const struct msgpack *m, struct event *ev)
{
    const struct value *message = event_get_key(ev, names.message);

    if (!m->format || (message && message->kind != VALUE_NULL)) return;
    *map_add(&ev->data, ev->arena, names.message) = value_string(template_str(m->format, ev));
}

static void msgpack_decode(const void *self, struct str bytes, struct decode *to)
{
    static struct log_limit limit;
    const struct msgpack   *m = self;
    struct list            *maps = list_new(to->scratch, 1);
    const char             *why = "";
    bool                    good = read_all(to, bytes, maps, &why);

    for (uint32_t i = 0; good && i < maps->len; i++) {
        struct event *ev = message_map_event(to->arena, maps->items[i].as.map, m->target, to->now);
        good = ev != NULL;
        if (!good) {
            why = "the target or @metadata cannot be set";
            break;
        }
        set_message(m, ev);
        decode_emit(to, ev);
    }
    if (good) return;
    struct str text = lossy_binary(to->arena, bytes);
    message_warn(&limit, "codec.msgpack", "msgpack parse error, original data now in message field",
                 why, text);
    ++*to->failures;
    decode_emit(to, message_failed(to->arena, text, STR("_msgpackparsefailure"), to->now));
}

static bool msgpack_encode(const void *self, struct event *ev, struct buf *out)
{
    (void)self;
    msgpack_write(value_map(&ev->data), out);
    return true;
}

const struct plugin codec_msgpack = {
    .kind = PLUGIN_CODEC,
    .name = "msgpack",
    .summary = "Reads and writes MessagePack.",
    .size = sizeof(struct msgpack),
    .options = msgpack_options,
    .codec_ops = {.decode = msgpack_decode, .encode = msgpack_encode},
};
