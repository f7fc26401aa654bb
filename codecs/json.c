/*
 * json: one JSON document a message; lists give several events.
 *
 * Source: logstash-codec-json, lib/logstash/codecs/json.rb.
 * Threads: constant once open.
 */
#include "event/json.h"
#include "plugin/plugin.h"
#include "text/charset.h"
#include "text/json_message.h"
#include "text/message.h"

struct json {
    int                   charset;
    int                   ecs_compatibility;
    const struct field   *target;
    const struct charset *converter;
    const struct field   *original; /* NULL: the message itself is not kept */
};

static const struct option json_options[] = {
    OPT(struct json, OPT_ENUM, charset, .preset = "UTF-8", .choices = charset_names,
        .doc = "The encoding of the messages that are read. What is written is always UTF-8."),
    OPT(struct json, OPT_ECS, ecs_compatibility,
        .doc = "With v1 or v8 a message that gives one event is kept in [event][original]. "
               "Follows pipeline.ecs_compatibility when not given."),
    OPT(struct json, OPT_FIELD, target,
        .doc = "Puts each object below this field instead of at the top of the event. Inputs "
               "that read streams (stdin, tcp) do not look at it, as in Logstash."),
    OPT_END,
};

static bool json_open(void *self, struct plugin_open *cx)
{
    struct json *j = self;
    const char  *problem;

    j->converter = charset_open(cx->arena, j->charset, &problem);
    if (!j->converter)
        return plugin_error(cx, "charset", "charset \"%s\" is not built: %s",
                            charset_names[j->charset], problem);
    if (j->ecs_compatibility != ECS_DISABLED) j->original = message_original_field(cx->arena);
    return true;
}

/* False when it cannot be set because the event has, say, a string at [event]. */
static bool keep_original(const struct json *j, const struct json_message *m, struct str text)
{
    if (!j->original || m->len != 1 || event_get(m->at[0], j->original)) return true;
    return event_set(m->at[0], j->original, value_string(text));
}

static void json_decode_message(const void *self, struct str bytes, struct decode *to)
{
    const struct json  *j = self;
    struct json_message m;
    struct str          text = charset_convert(j->converter, bytes, to->arena, to->buf);

    json_message_read(to->arena, text, j->target, to->now, "codec.json", &m);
    if (!m.failed && !keep_original(j, &m, text)) json_message_fail(to->arena, text, to->now, &m);
    if (m.failed) ++*to->failures;
    for (uint32_t i = 0; i < m.len; i++)
        decode_emit(to, m.at[i]);
}

/* Source: inputs/base.rb, fix_streaming_codecs: json_lines, with nothing but the charset. */
static void json_read_streams(void *self)
{
    struct json *j = self;

    j->target = NULL;
    j->original = NULL;
}

static void json_framing(const void *self, struct framing *out)
{
    (void)self;
    out->delimiter = STR("\n");
}

static bool json_encode_message(const void *self, struct event *ev, struct buf *out)
{
    (void)self;
    json_encode_event(ev, out);
    return true;
}

const struct plugin codec_json = {
    .kind = PLUGIN_CODEC,
    .name = "json",
    .summary = "Reads and writes one JSON document a message.",
    .size = sizeof(struct json),
    .options = json_options,
    .open = json_open,
    .codec_ops = {.decode = json_decode_message,
                  .read_streams = json_read_streams,
                  .framing = json_framing,
                  .encode = json_encode_message},
};
