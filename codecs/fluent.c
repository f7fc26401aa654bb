/*
 * fluent: Fluentd's forward protocol, a stream of MessagePack.
 *
 * Source: logstash-codec-fluent, lib/logstash/codecs/fluent.rb; Fluentd, Forward Protocol
 * Specification v1.
 * Threads: what has come of an unfinished message belongs to a stream, and so to the thread of its
 * input.
 */
#include "event/time.h"
#include "plugin/plugin.h"
#include "text/gunzip.h"
#include "text/lossy.h"
#include "text/message.h"
#include "text/msgpack.h"

enum {
    PENDING_MAX = 64 * 1024 * 1024,  /* bytes of an unfinished message */
    UNPACKED_MAX = 64 * 1024 * 1024, /* bytes of packed entries */
    KEEP_MAX = 1024 * 1024,          /* of memory kept when nothing is pending */
    ENTRIES_MAX = 1024 * 1024,       /* events of one message */
};

struct fluent {
    bool                nanosecond_precision;
    const struct field *target;
    const struct field *tags;
};

struct fluent_stream {
    struct buf          pending;
    struct msgpack_scan scan;
};

static const struct option fluent_options[] = {
    OPT(struct fluent, OPT_BOOL, nanosecond_precision, .preset = "false",
        .doc = "Writes times with their nanoseconds, as Fluentd's EventTime, instead of whole "
               "seconds. Times of both kinds are always read."),
    OPT(struct fluent, OPT_FIELD, target,
        .doc = "Puts each record below this field instead of at the top of the event."),
    OPT_END,
};

static bool fluent_open(void *self, struct plugin_open *cx)
{
    struct fluent *f = self;

    f->tags = field_parse(cx->arena, STR("tags"), NULL, NULL);
    return true;
}

/* ---- reading ---- */

/* One message while it is read. */
struct message {
    const struct fluent *f;
    struct decode       *to;
    struct str           tag, rest; /* what is still to be read of it */
    uint32_t             entries;
    const char          *why;
};

static bool fail(struct message *m, const char *why)
{
    m->why = why;
    return false;
}

static bool read_head(struct message *m, struct msgpack_head *h)
{
    int n = msgpack_head_read(m->rest, h);

    if (n <= 0) return fail(m, "ends too early");
    m->rest = str_from(m->rest, (size_t)n);
    return true;
}

/* The bytes behind a head. */
static bool read_bytes(struct message *m, const struct msgpack_head *h, struct str *bytes)
{
    if (h->len > m->rest.len) return fail(m, "ends too early");
    *bytes = (struct str){m->rest.data, h->len};
    m->rest = str_from(m->rest, h->len);
    return true;
}

static bool read_value(struct message *m, struct value *v)
{
    size_t used;

    if (msgpack_read(m->to->arena, m->rest, v, &used, &m->why) != MSGPACK_DONE) return false;
    m->rest = str_from(m->rest, used);
    return true;
}

static bool time_of(struct message *m, struct value v, struct timestamp *t)
{
    if (v.kind == VALUE_TIME) {
        *t = value_timestamp(v);
        return true;
    }
    if (v.kind != VALUE_INT || v.as.i < -(INT64_C(1) << 40) || v.as.i > INT64_C(1) << 40)
        return fail(m, "a time that is neither a number of seconds nor an EventTime");
    *t = (struct timestamp){.sec = v.as.i};
    return true;
}

static bool emit_entry(struct message *m, struct value time, struct value record)
{
    struct timestamp t;

    if (!time_of(m, time, &t)) return false;
    if (record.kind != VALUE_MAP) return fail(m, "a record that is no map");
    if (++m->entries > ENTRIES_MAX) return fail(m, "too many records");
    struct event *ev = message_map_event(m->to->arena, record.as.map, m->f->target, m->to->now);
    if (!ev) return fail(m, "the target or @metadata cannot be set");
    event_set_timestamp(ev, t);
    event_tag(ev, m->tag);
    decode_emit(m->to, ev);
    return true;
}

/* [time, record] */
static bool read_entry(struct message *m)
{
    struct value v;

    if (!read_value(m, &v)) return false;
    if (v.kind != VALUE_LIST || v.as.list->len < 2) return fail(m, "an entry that is no pair");
    return emit_entry(m, v.as.list->items[0], v.as.list->items[1]);
}

/* Whether the option behind packed entries says that gzip packed them. */
static bool is_gzip(struct message *m, bool *gzip)
{
    struct value        v;
    const struct value *packed;

    *gzip = false;
    if (!read_value(m, &v)) return false;
    packed = v.kind == VALUE_MAP ? map_get(v.as.map, key_make(STR("compressed"))) : NULL;
    *gzip = packed && packed->kind == VALUE_STRING && str_is(value_str(*packed), "gzip");
    return true;
}

/* PackedForward: entries one behind the other in a string. */
static bool read_packed(struct message *m, struct str entries, bool has_option)
{
    bool gzip = false, good = true;

    if (has_option && !is_gzip(m, &gzip)) return false;
    if (gzip) {
        struct buf text = {0};
        good = gunzip(entries, UNPACKED_MAX, &text, &m->why);
        entries = arena_copy(m->to->arena, buf_view(&text));
        buf_release(&text);
    }
    for (m->rest = entries; good && m->rest.len > 0;)
        good = read_entry(m);
    return good;
}

/* [tag, time, record], [tag, [entry …]] or [tag, "entries"], each with or without an option. */
static bool read_message(struct message *m)
{
    struct msgpack_head outer, second;
    struct str          bytes = m->rest;
    struct value        v, record;

    if (!read_head(m, &outer)) return false;
    if (outer.kind != MSGPACK_ARRAY || outer.len < 2) return fail(m, "not a list of two or more");
    if (!read_value(m, &v)) return false;
    if (v.kind != VALUE_STRING) return fail(m, "a tag that is no string");
    m->tag = value_str(v);
    bytes = m->rest;
    if (!read_head(m, &second)) return false;
    if (second.kind == MSGPACK_STR || second.kind == MSGPACK_BIN)
        return read_bytes(m, &second, &bytes) && read_packed(m, bytes, outer.len > 2);
    if (second.kind == MSGPACK_ARRAY) {
        for (uint32_t i = 0; i < second.len; i++)
            if (!read_entry(m)) return false;
        return true;
    }
    m->rest = bytes;
    if (!read_value(m, &v)) return false;
    if (outer.len < 3) return fail(m, "a message without a record");
    return read_value(m, &record) && emit_entry(m, v, record);
}

/* What could not be read is kept: as it was understood, else byte by byte. */
static void emit_failure(struct decode *to, struct str bytes, const char *why)
{
    static struct log_limit limit;
    struct value            v;
    size_t                  used;
    struct str              text = lossy_binary(to->arena, bytes);
    bool                    known =
        msgpack_read(to->arena, bytes, &v, &used, NULL) == MSGPACK_DONE && used == bytes.len;
    struct event *ev = message_failed(to->arena, text, STR("_fluentparsefailure"), to->now);

    if (known) *map_add(&ev->data, to->arena, names.message) = v;
    message_warn(&limit, "codec.fluent", "fluent parse error, original data now in message field",
                 why, text);
    ++*to->failures;
    decode_emit(to, ev);
}

static void decode_message(const struct fluent *f, struct str bytes, struct decode *to)
{
    bytes = arena_copy(to->arena, bytes);
    struct message m = {.f = f, .to = to, .rest = bytes};

    if (!read_message(&m)) emit_failure(to, bytes, m.why);
}

/* Takes bytes off the front of what is pending; the scan goes on with those behind. */
static void drop_front(struct fluent_stream *s, size_t bytes)
{
    s->pending.len -= bytes;
    if (s->pending.len > 0 && bytes > 0)
        memmove(s->pending.data, s->pending.data + bytes, s->pending.len);
    else if (s->pending.len == 0 && s->pending.cap > KEEP_MAX)
        buf_release(&s->pending);
}

/* Everything pending from `done` on becomes a failure. */
static void give_up(struct fluent_stream *s, size_t done, struct decode *to, const char *why)
{
    emit_failure(to, arena_copy(to->arena, str_from(buf_view(&s->pending), done)), why);
    s->scan = (struct msgpack_scan){0};
    drop_front(s, s->pending.len);
}

static void fluent_feed(const void *self, void *stream, struct str bytes, struct decode *to)
{
    struct fluent_stream *s = stream;
    enum msgpack_status   status = MSGPACK_SHORT;
    size_t                done = 0; /* bytes of `pending` that have been read */

    buf_str(&s->pending, bytes);
    while (done < s->pending.len) {
        status = msgpack_scan(&s->scan, str_from(buf_view(&s->pending), done));
        if (status != MSGPACK_DONE) break;
        decode_message(self, (struct str){s->pending.data + done, s->scan.at}, to);
        done += s->scan.at;
        s->scan = (struct msgpack_scan){0};
    }
    if (status == MSGPACK_BROKEN)
        give_up(s, done, to, "not MessagePack");
    else if (s->pending.len - done > PENDING_MAX)
        give_up(s, done, to, "a message that is too long");
    else
        drop_front(s, done);
}

static void fluent_flush(const void *self, void *stream, struct decode *to, bool final)
{
    struct fluent_stream *s = stream;

    (void)self;
    (void) final;
    if (s->pending.len == 0) return;
    give_up(s, 0, to, "ends too early");
}

static void fluent_stream_close(const void *self, void *stream)
{
    struct fluent_stream *s = stream;

    (void)self;
    buf_release(&s->pending);
}

/* ---- writing ---- */

/* A list of texts joined by points; [tags] holds no other lists. */
static void put_joined(const struct list *l, struct buf *out)
{
    size_t len = l->len > 0 ? l->len - 1 : 0;

    for (uint32_t i = 0; i < l->len; i++)
        len += l->items[i].kind == VALUE_STRING ? l->items[i].len : 0;
    msgpack_write_string_head(len, out);
    for (uint32_t i = 0; i < l->len; i++) {
        if (i > 0) buf_char(out, '.');
        if (l->items[i].kind == VALUE_STRING) buf_str(out, value_str(l->items[i]));
    }
}

/* The tags as one; "log" without any. Source: fluent.rb, forwardable_tag. */
static void put_tag(const struct fluent *f, struct event *ev, struct buf *out)
{
    const struct value *tags = event_get(ev, f->tags);

    if (tags && tags->kind == VALUE_LIST)
        put_joined(tags->as.list, out);
    else
        msgpack_write_string(tags && tags->kind == VALUE_STRING ? value_str(*tags) : STR("log"),
                             out);
}

static bool fluent_encode(const void *self, struct event *ev, struct buf *out)
{
    const struct fluent *f = self;
    struct timestamp     t = {0};

    event_timestamp(ev, &t);
    msgpack_write_array(3, out);
    put_tag(f, ev, out);
    if (f->nanosecond_precision)
        msgpack_write_event_time(t, out);
    else
        msgpack_write_int(t.sec, out);
    msgpack_write(value_map(&ev->data), out);
    return true;
}

const struct plugin codec_fluent = {
    .kind = PLUGIN_CODEC,
    .name = "fluent",
    .summary = "Reads and writes Fluentd's forward protocol.",
    .size = sizeof(struct fluent),
    .options = fluent_options,
    .open = fluent_open,
    .codec_ops = {.feed = fluent_feed,
                  .flush = fluent_flush,
                  .stream_close = fluent_stream_close,
                  .stream_size = sizeof(struct fluent_stream),
                  .encode = fluent_encode},
};
