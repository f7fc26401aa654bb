/*
 * avro: single values of Avro, a record an event, under a schema that both sides know.
 *
 * Source: logstash-codec-avro, docs/index.asciidoc, lib/logstash/codecs/avro.rb.
 * Threads: constant once open.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "plugin/plugin.h"
#include "text/avro.h"
#include "text/lossy.h"
#include "text/message.h"

enum { ENCODING_BINARY, ENCODING_BASE64, SCHEMA_MAX = 1024 * 1024 };

struct avro {
    int                       ecs_compatibility;
    int                       encoding;
    struct str                schema_uri;
    bool                      tag_on_failure;
    const struct field       *target;
    const struct avro_schema *schema;
    const struct field       *original; /* NULL: the message itself is not kept */
};

static const char *const encoding_names[] = {"binary", "base64", NULL};

static const struct option avro_options[] = {
    OPT(struct avro, OPT_ECS, ecs_compatibility,
        .doc = "With v1 or v8 the message as it was read is kept in [event][original] too. Follows "
               "pipeline.ecs_compatibility when not given."),
    OPT(struct avro, OPT_ENUM, encoding, .preset = "base64", .choices = encoding_names,
        .doc = "Whether messages are Avro's binary form itself, or that in base64. With base64, "
               "messages that are none are read as binary."),
    OPT(struct avro, OPT_STRING, schema_uri, .required = true,
        .doc = "The file with the schema: a path, or a URI file:///path. Schemas cannot be fetched "
               "by HTTP yet."),
    OPT(struct avro, OPT_BOOL, tag_on_failure, .preset = "false",
        .doc = "Adds the tag _avroparsefailure to events that stand for messages which could not "
               "be read. Without it they have the message and no tag."),
    OPT(struct avro, OPT_FIELD, target,
        .doc = "Puts each record below this field instead of at the top of the event."),
    OPT_END,
};

/* ---- opening ---- */

static bool read_file(struct plugin_open *cx, struct str path, struct str *text)
{
    FILE *f = fopen(arena_cstr(cx->arena, path), "re");

    if (!f)
        return plugin_error(cx, "schema_uri", "cannot read \"%.*s\": %s", STR_ARG(path),
                            strerror(errno));
    char  *bytes = xmalloc(SCHEMA_MAX);
    size_t len = fread(bytes, 1, SCHEMA_MAX, f);
    bool   good = !ferror(f) && len < SCHEMA_MAX;
    fclose(f);
    *text = arena_copy(cx->arena, (struct str){bytes, len});
    free(bytes);
    return good || plugin_error(cx, "schema_uri", "\"%.*s\" cannot be read or is larger than 1 MiB",
                                STR_ARG(path));
}

static bool avro_open(void *self, struct plugin_open *cx)
{
    struct avro *v = self;
    struct str   path = v->schema_uri, text = STR("");
    const char  *why;

    if (str_starts(path, STR("http://")) || str_starts(path, STR("https://")))
        return plugin_error(cx, "schema_uri", "schemas cannot be fetched by HTTP yet; give a file");
    if (str_starts(path, STR("file://"))) path = str_from(path, strlen("file://"));
    if (!read_file(cx, path, &text)) return false;
    v->schema = avro_schema_read(cx->arena, text, &why);
    if (!v->schema)
        return plugin_error(cx, "schema_uri", "\"%.*s\" is not a schema: %s", STR_ARG(path), why);
    if (v->ecs_compatibility != ECS_DISABLED) v->original = message_original_field(cx->arena);
    return true;
}

/* ---- reading ---- */

/* Strict base64 (RFC 4648, section 4, no newlines); `bytes` themselves when they are none. */
static struct str from_base64(struct arena *a, struct str bytes)
{
    if (bytes.len == 0 || bytes.len % 4 != 0 || bytes.len > INT32_MAX) return bytes;
    for (size_t i = 0; i < bytes.len; i++)
        if (!memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=",
                    bytes.data[i], 65))
            return bytes;

    unsigned char *out = arena_alloc(a, bytes.len / 4 * 3);
    int            len = EVP_DecodeBlock(out, (const unsigned char *)bytes.data, (int)bytes.len);
    if (len < 0) return bytes;
    len -= bytes.data[bytes.len - 1] == '=';
    len -= bytes.data[bytes.len - 2] == '=';
    return (struct str){(const char *)out, (size_t)len};
}

static struct event *read_event(const struct avro *v, struct str bytes, struct decode *to,
                                const char **why)
{
    struct value record;

    if (v->encoding == ENCODING_BASE64) bytes = from_base64(to->arena, bytes);
    if (!avro_read(v->schema, to->arena, bytes, &record, why)) return NULL;
    *why = "not a record";
    if (record.kind != VALUE_MAP) return NULL;
    *why = "the target or @metadata cannot be set";
    return message_map_event(to->arena, record.as.map, v->target, to->now);
}

static void avro_decode(const void *self, struct str bytes, struct decode *to)
{
    static struct log_limit limit;
    const struct avro      *v = self;
    const char             *why;
    struct event           *ev = read_event(v, bytes, to, &why);
    struct str              text = !ev || v->original ? lossy_binary(to->arena, bytes) : bytes;

    if (ev && v->original) event_set(ev, v->original, value_string(text));
    if (!ev) {
        message_warn(&limit, "codec.avro", "avro parse error, original data now in message field",
                     why, text);
        ++*to->failures;
        ev = message_event(to->arena, text, NULL, to->now);
        if (v->tag_on_failure) event_tag(ev, STR("_avroparsefailure"));
    }
    decode_emit(to, ev);
}

/* ---- writing ---- */

/* What `out` holds behind `from` becomes base64. */
static void to_base64(struct buf *out, size_t from)
{
    size_t         len = out->len - from;
    unsigned char *to = (unsigned char *)buf_room(out, (len + 2) / 3 * 4 + 1);
    int            n = EVP_EncodeBlock(to, (const unsigned char *)out->data + from, (int)len);

    memmove(out->data + from, to, (size_t)n);
    out->len = from + (size_t)n;
}

static bool avro_encode(const void *self, struct event *ev, struct buf *out)
{
    static struct log_limit limit;
    const struct avro      *v = self;
    size_t                  from = out->len;

    if (!avro_write(v->schema, value_map(&ev->data), out) || out->len - from > INT32_MAX / 2) {
        message_warn(&limit, "codec.avro", "an event does not fit the schema and is not written",
                     "see schema_uri", STR(""));
        out->len = from;
        return false;
    }
    if (v->encoding == ENCODING_BASE64) to_base64(out, from);
    return true;
}

const struct plugin codec_avro = {
    .kind = PLUGIN_CODEC,
    .name = "avro",
    .summary = "Reads and writes single records of Avro.",
    .size = sizeof(struct avro),
    .options = avro_options,
    .open = avro_open,
    .codec_ops = {.decode = avro_decode, .encode = avro_encode},
};
