/*
 * json_lines: JSON documents with a delimiter between them.
 *
 * Source: logstash-codec-json_lines, lib/logstash/codecs/json_lines.rb.
 * Threads: constant once open.
 */
#include "event/json.h"
#include "plugin/plugin.h"
#include "text/charset.h"
#include "text/json_message.h"

struct json_lines {
    int                   charset;
    int64_t               decode_size_limit_bytes;
    struct str            delimiter;
    int                   ecs_compatibility;
    const struct field   *target;
    const struct charset *converter;
};

static const struct option json_lines_options[] = {
    OPT(struct json_lines, OPT_ENUM, charset, .preset = "UTF-8", .choices = charset_names,
        .doc = "The encoding of the messages that are read. What is written is always UTF-8."),
    OPT(struct json_lines, OPT_INT, decode_size_limit_bytes, .preset = "20971520", .min = 1,
        .max = 1 << 30,
        .doc = "The longest line that is read, in bytes. A longer one is cut there, so that each "
               "part becomes an event tagged _jsonparsefailure."),
    OPT(struct json_lines, OPT_STRING, delimiter, .preset = "\n",
        .doc = "The characters between two documents, read and written. A newline when not "
               "given."),
    OPT(struct json_lines, OPT_ECS, ecs_compatibility,
        .doc = "Changes nothing here: this codec adds no fields of its own."),
    OPT(struct json_lines, OPT_FIELD, target,
        .doc = "Puts each object below this field instead of at the top of the event."),
    OPT_END,
};

static bool json_lines_open(void *self, struct plugin_open *cx)
{
    struct json_lines *j = self;
    const char        *problem;

    j->converter = charset_open(cx->arena, j->charset, &problem);
    if (!j->converter)
        return plugin_error(cx, "charset", "charset \"%s\" is not built: %s",
                            charset_names[j->charset], problem);
    if (j->delimiter.len == 0)
        return plugin_error(cx, "delimiter", "the delimiter must not be empty");
    return true;
}

static void json_lines_decode(const void *self, struct str bytes, struct decode *to)
{
    const struct json_lines *j = self;
    struct json_message      m;
    struct str               text = charset_convert(j->converter, bytes, to->arena, to->buf);

    json_message_read(to->arena, text, j->target, to->now, "codec.json_lines", &m);
    if (m.failed) ++*to->failures;
    for (uint32_t i = 0; i < m.len; i++)
        decode_emit(to, m.at[i]);
}

static void json_lines_framing(const void *self, struct framing *out)
{
    const struct json_lines *j = self;

    out->delimiter = j->delimiter;
    out->max = (size_t)j->decode_size_limit_bytes;
}

static bool json_lines_encode(const void *self, struct event *ev, struct buf *out)
{
    const struct json_lines *j = self;

    json_encode_event(ev, out);
    buf_str(out, j->delimiter);
    return true;
}

const struct plugin codec_json_lines = {
    .kind = PLUGIN_CODEC,
    .name = "json_lines",
    .summary = "Reads and writes JSON documents with a newline after each.",
    .size = sizeof(struct json_lines),
    .options = json_lines_options,
    .open = json_lines_open,
    .codec_ops = {.decode = json_lines_decode,
                  .framing = json_lines_framing,
                  .encode = json_lines_encode},
};
