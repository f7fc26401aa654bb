/*
 * es_bulk: the body of Elasticsearch's bulk requests: a line with an action, and for all but
 * delete a line with a document.
 *
 * Source: logstash-codec-es_bulk, lib/logstash/codecs/es_bulk.rb.
 * Threads: the action that waits for its document belongs to a stream, and so to the thread of its
 * input.
 */
#include "event/json.h"
#include "plugin/plugin.h"
#include "text/lossy.h"
#include "text/message.h"
#include "text/rubytext.h"

struct es_bulk {
    int                 ecs_compatibility;
    const struct field *target;
    const struct field *metadata; /* where the action goes */
};

/* The line of an action whose document has not come yet; empty: none. */
struct es_bulk_stream {
    struct buf action;
};

static const struct option es_bulk_options[] = {
    OPT(struct es_bulk, OPT_ECS, ecs_compatibility,
        .doc = "With disabled the action and what it says go to [@metadata], with v1 and v8 to "
               "[@metadata][codec][es_bulk]. Follows pipeline.ecs_compatibility when not given."),
    OPT(struct es_bulk, OPT_FIELD, target,
        .doc = "Puts each document below this field instead of at the top of the event."),
    OPT_END,
};

static bool es_bulk_open(void *self, struct plugin_open *cx)
{
    struct es_bulk *b = self;
    bool            ecs = b->ecs_compatibility != ECS_DISABLED;

    b->metadata = field_parse(
        cx->arena, ecs ? STR("[@metadata][codec][es_bulk]") : STR("@metadata"), NULL, NULL);
    return true;
}

static void es_bulk_framing(const void *self, struct framing *out)
{
    (void)self;
    out->delimiter = STR("\n");
}

static void emit_failure(struct decode *to, struct str line, const char *why)
{
    static struct log_limit limit;

    line = lossy_utf8(to->arena, arena_copy(to->arena, line));
    message_warn(&limit, "codec.es_bulk", "bulk parse error, original line now in message field",
                 why, line);
    ++*to->failures;
    decode_emit(to, message_failed(to->arena, line, STR("_jsonparsefailure"), to->now));
}

/* A line that is an object, in the batch's arena. */
static bool read_object(struct decode *to, struct str line, struct value *v, const char **why)
{
    struct json_error error;

    *why = "not an object";
    if (!json_decode(to->arena, arena_copy(to->arena, line), NULL, v, &error)) {
        *why = error.message;
        return false;
    }
    return v->kind == VALUE_MAP;
}

/* What an action says, with its own name as "action". NULL: the line is no action. */
static struct map *read_action(struct decode *to, struct str line, const char **why)
{
    struct value v;

    if (!read_object(to, line, &v, why)) return NULL;
    *why = "not an action";
    if (v.as.map->len == 0 || v.as.map->members[0].value.kind != VALUE_MAP) return NULL;
    struct map *said = v.as.map->members[0].value.as.map;
    *map_add(said, to->arena, key_make(STR("action"))) =
        value_string(key_str(v.as.map->members[0].key));
    return said;
}

static bool is_delete(const struct map *action)
{
    return str_is(value_str(*map_get(action, key_make(STR("action")))), "delete");
}

static bool emit_document(const struct es_bulk *b, struct decode *to, struct map *action,
                          struct map *document)
{
    struct event *ev = message_map_event(to->arena, document, b->target, to->now);

    if (!ev || !event_set(ev, b->metadata, value_map(action))) return false;
    decode_emit(to, ev);
    return true;
}

static void take_action(const struct es_bulk *b, struct es_bulk_stream *s, struct str line,
                        struct decode *to)
{
    const char *why;
    struct map *action = read_action(to, line, &why);

    if (!action)
        emit_failure(to, line, why);
    else if (!is_delete(action))
        buf_str(&s->action, line);
    else if (!emit_document(b, to, action, map_new(to->arena, 4)))
        emit_failure(to, line, "the target or metadata cannot be set");
}

static void take_document(const struct es_bulk *b, struct es_bulk_stream *s, struct str line,
                          struct decode *to)
{
    const char  *why;
    struct map  *action = read_action(to, buf_view(&s->action), &why);
    struct value document;

    buf_clear(&s->action);
    if (!action || !read_object(to, line, &document, &why))
        emit_failure(to, line, why);
    else if (!emit_document(b, to, action, document.as.map))
        emit_failure(to, line, "the target or metadata cannot be set");
}

static void take_line(const struct es_bulk *b, struct es_bulk_stream *s, struct str line,
                      struct decode *to)
{
    if (ruby_strip(line).len == 0) return;
    if (s->action.len == 0)
        take_action(b, s, line, to);
    else
        take_document(b, s, line, to);
}

static void drop_action(struct es_bulk_stream *s, struct decode *to)
{
    if (s->action.len > 0) emit_failure(to, buf_view(&s->action), "an action without a document");
    buf_clear(&s->action);
}

/* A message of several lines is a whole request; single lines go on with those before them. */
static void es_bulk_feed(const void *self, void *stream, struct str bytes, struct decode *to)
{
    struct es_bulk_stream *s = stream;
    bool                   whole = false;
    ptrdiff_t              end;

    while ((end = str_find(bytes, STR("\n"))) >= 0) {
        take_line(self, s, (struct str){bytes.data, (size_t)end}, to);
        bytes = str_from(bytes, (size_t)end + 1);
        whole = whole || bytes.len > 0;
    }
    take_line(self, s, bytes, to);
    if (whole) drop_action(s, to);
}

static void es_bulk_flush(const void *self, void *stream, struct decode *to, bool final)
{
    (void)self;
    (void) final;
    drop_action(stream, to);
}

static void es_bulk_stream_close(const void *self, void *stream)
{
    struct es_bulk_stream *s = stream;

    (void)self;
    buf_release(&s->action);
}

const struct plugin codec_es_bulk = {
    .kind = PLUGIN_CODEC,
    .name = "es_bulk",
    .summary = "Reads the bodies of Elasticsearch's bulk requests.",
    .size = sizeof(struct es_bulk),
    .options = es_bulk_options,
    .open = es_bulk_open,
    .codec_ops = {.framing = es_bulk_framing,
                  .feed = es_bulk_feed,
                  .flush = es_bulk_flush,
                  .stream_close = es_bulk_stream_close,
                  .stream_size = sizeof(struct es_bulk_stream)},
};
