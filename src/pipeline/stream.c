#include <stdatomic.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "base/log.h"
#include "pipeline/intake.h"

/* Longest message unless the codec says otherwise: a peer that never ends its line must not fill
   the memory. */
enum { MESSAGE_MAX = 64 * 1024 * 1024 };

struct stream {
    struct intake      *to;
    const struct codec *codec;
    struct framing      framing;
    bool                framed;  /* bytes are cut at framing.delimiter */
    struct buf          pending; /* an unfinished message */
    size_t              scanned; /* of pending: no delimiter begins before here */
    void               *state;   /* codec.stream_size bytes, for codecs with feed() */
    struct arena        scratch;
    struct buf          buf;
};

/* What feed() and flush() emit into: a decode that remembers where events go. */
struct feeding {
    struct decode        decode;
    struct intake       *to;
    const struct origin *origin;
};

/* All events of one call go into one batch, however many: their parts lie in its arena. */
static void feed_emit(struct decode *d, struct event *ev)
{
    struct feeding *f = (struct feeding *)d; /* decode is its first member */

    intake_hold(f->to, ev, f->origin);
}

static struct feeding feeding(struct stream *s, const struct origin *origin, uint64_t *failures)
{
    return (struct feeding){
        .decode = {.arena = intake_arena(s->to),
                   .scratch = &s->scratch,
                   .buf = &s->buf,
                   .now = clock_now(),
                   .failures = failures,
                   .emit = feed_emit},
        .to = s->to,
        .origin = origin,
    };
}

struct stream *stream_open(struct intake *to, bool whole)
{
    struct stream          *s = xcalloc(1, sizeof(*s));
    const struct codec     *codec = to->node->common.codec;
    const struct codec_ops *ops = &codec->plugin->codec_ops;

    s->to = to;
    s->codec = codec;
    if (!whole && ops->framing) ops->framing(codec->self, &s->framing);
    s->framed = s->framing.delimiter.len > 0;
    if (s->framing.max == 0) s->framing.max = MESSAGE_MAX;
    if (ops->feed) s->state = xcalloc(1, ops->stream_size);
    return s;
}

/* One message, cut out of the stream. */
static bool deliver(struct stream *s, struct str bytes, const struct origin *origin)
{
    const struct codec_ops *ops = &s->codec->plugin->codec_ops;

    if (s->framing.drop_cr && str_ends(bytes, STR("\r"))) bytes.len--;
    if (!ops->feed) return intake_message(s->to, bytes, origin);

    uint64_t       failures = 0;
    struct feeding f = feeding(s, origin, &failures);
    ops->feed(s->codec->self, s->state, bytes, &f.decode);
    intake_settle(s->to);
    arena_reset(&s->scratch);
    atomic_fetch_add_explicit(&s->codec->metrics->failures, failures, memory_order_relaxed);
    return true;
}

/* Where the delimiter first stands at or behind `from`, or -1. */
static ptrdiff_t find_delimiter(const struct stream *s, struct str bytes, size_t from)
{
    struct str rest = str_from(bytes, from);
    ptrdiff_t  at;

    if (s->framing.delimiter.len == 1) {
        const char *hit =
            rest.len ? memchr(rest.data, s->framing.delimiter.data[0], rest.len) : NULL;
        at = hit ? hit - rest.data : -1;
    } else {
        at = str_find(rest, s->framing.delimiter);
    }
    return at < 0 ? -1 : at + (ptrdiff_t)from;
}

/* Keeps the unfinished rest; delivers what exceeds the limit as it is. */
static bool keep(struct stream *s, struct str rest, const struct origin *origin)
{
    size_t tail = s->framing.delimiter.len - 1;
    bool   taken = true;

    buf_str(&s->pending, rest);
    while (taken && s->pending.len > s->framing.max) {
        taken = deliver(s, (struct str){s->pending.data, s->framing.max}, origin);
        memmove(s->pending.data, s->pending.data + s->framing.max, s->pending.len - s->framing.max);
        s->pending.len -= s->framing.max;
    }
    s->scanned = s->pending.len > tail ? s->pending.len - tail : 0;
    return taken;
}

/* Ends the pending message with the help of new bytes; `bytes` loses what was used. */
static bool finish_pending(struct stream *s, struct str *bytes, const struct origin *origin)
{
    size_t    old = s->pending.len, used = bytes->len;
    ptrdiff_t hit = find_delimiter(s, *bytes, 0);

    /* A delimiter across the border stands before any that lies in the new bytes alone. */
    if (hit >= 0) used = (size_t)hit + s->framing.delimiter.len;
    struct str taken = {bytes->data, used};
    *bytes = str_from(*bytes, used);
    if (hit < 0 && s->framing.delimiter.len == 1) return keep(s, taken, origin);

    buf_str(&s->pending, taken);
    ptrdiff_t at = find_delimiter(s, buf_view(&s->pending), s->scanned);
    if (at < 0) {
        s->pending.len = old;
        return keep(s, taken, origin);
    }
    struct str message = {s->pending.data, (size_t)at};
    struct str behind = str_from(buf_view(&s->pending), (size_t)at + s->framing.delimiter.len);
    bool       more = deliver(s, message, origin);
    *bytes = (struct str){bytes->data - behind.len, bytes->len + behind.len};
    s->pending.len = 0;
    s->scanned = 0;
    return more;
}

bool stream_feed(struct stream *s, struct str bytes, const struct origin *origin)
{
    if (!s->framed) return deliver(s, bytes, origin);

    bool taken = true;
    if (s->pending.len > 0) taken = finish_pending(s, &bytes, origin);
    while (taken && bytes.len > 0) {
        ptrdiff_t at = find_delimiter(s, bytes, 0);
        if (at < 0) return keep(s, bytes, origin);
        taken = deliver(s, (struct str){bytes.data, (size_t)at}, origin);
        bytes = str_from(bytes, (size_t)at + s->framing.delimiter.len);
    }
    return taken;
}

static void codec_flush(struct stream *s, const struct origin *origin, bool final)
{
    const struct codec_ops *ops = &s->codec->plugin->codec_ops;

    if (!ops->flush) return;
    uint64_t       failures = 0;
    struct feeding f = feeding(s, origin, &failures);
    ops->flush(s->codec->self, s->state, &f.decode, final);
    intake_settle(s->to);
    arena_reset(&s->scratch);
}

void stream_flush(struct stream *s, const struct origin *origin)
{
    if (s->pending.len > 0) {
        deliver(s, buf_view(&s->pending), origin);
        buf_clear(&s->pending);
        s->scanned = 0;
    }
    codec_flush(s, origin, true);
}

/* Takes the place of feed_emit() for what is dropped. */
static void drop_event(struct decode *d, struct event *ev)
{
    (void)d;
    (void)ev;
    log_warn("codec", "lines held back at the end of the input are dropped, as Logstash does; "
                      "set auto_flush_interval to keep them");
}

static void codec_drop(struct stream *s)
{
    uint64_t       failures = 0;
    struct feeding f = feeding(s, NULL, &failures);

    f.decode.emit = drop_event;
    s->codec->plugin->codec_ops.flush(s->codec->self, s->state, &f.decode, true);
    arena_reset(&s->scratch);
}

void stream_end(struct stream *s, const struct origin *origin)
{
    bool holds = s->codec->plugin->codec_ops.flush != NULL;

    if (s->pending.len > 0 && !str_eq(s->framing.delimiter, STR("\n"))) {
        log_warn("codec",
                 "the input ends without a delimiter; what is behind the last one is dropped",
                 LOG_INT("bytes", (int64_t)s->pending.len));
        buf_clear(&s->pending);
    } else if (s->pending.len > 0) {
        deliver(s, buf_view(&s->pending), origin);
        buf_clear(&s->pending);
    }
    s->scanned = 0;
    if (holds && stream_deadline(s) == INT64_MAX)
        codec_drop(s);
    else
        codec_flush(s, origin, true);
}

int64_t stream_deadline(const struct stream *s)
{
    const struct codec_ops *ops = &s->codec->plugin->codec_ops;

    return ops->deadline ? ops->deadline(s->codec->self, s->state) : INT64_MAX;
}

void stream_tick(struct stream *s, const struct origin *origin)
{
    if (stream_deadline(s) <= clock_monotonic_ns()) codec_flush(s, origin, false);
}

void stream_free(struct stream *s)
{
    if (!s) return;
    const struct codec_ops *ops = &s->codec->plugin->codec_ops;
    if (ops->stream_close) ops->stream_close(s->codec->self, s->state);
    free(s->state);
    buf_release(&s->pending);
    buf_release(&s->buf);
    arena_release(&s->scratch);
    free(s);
}
