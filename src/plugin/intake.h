#ifndef LSC_PLUGIN_INTAKE_H
#define LSC_PLUGIN_INTAKE_H

#include "plugin/plugin.h"

/*
 * An input's way into the pipeline: its current batch and the queue behind it. One thread uses an
 * intake. A batch is handed over when it is full (pipeline.batch.size items, or 1 MiB of messages)
 * and when intake_flush() says that nothing more can be read now.
 */

/* The arena of the current batch: what is put into the next item must lie here. */
struct arena *intake_arena(struct intake *to);

/*
 * One whole message for the input's codec, copied; decoded later by a worker. `origin` NULL: none.
 * Waits for an empty batch when the current one is full, so it is for input threads; event loops
 * ask intake_ready() first, after which one message never waits. False: the pipeline is stopping
 * by force and the message was not taken.
 */
bool intake_message(struct intake *to, struct str bytes, const struct origin *origin);

/* One event made by the input itself; it must lie in intake_arena(). Decorated like a decoded one.
 */
bool intake_event(struct intake *to, struct event *ev, const struct origin *origin);

/* Hands the current batch over, if it holds anything. */
void intake_flush(struct intake *to);

/* For event loops: true when one more message can be taken without waiting. When false, `wake(ctx)`
   is called once, on another thread, as soon as it is worth asking again. */
bool intake_ready(struct intake *to, void (*wake)(void *ctx), void *ctx);

/* The input has ended: the last batch is handed over. Called by the engine for inputs with run().
 */
void intake_end(struct intake *to);

/* Makes an origin in the current batch's arena with room for `fields` fields; it is good for
   messages until the batch changes: origins kept longer live in memory of the input. */
struct origin *intake_origin(struct intake *to, uint32_t fields);
/* Counts batches handed over: when it changed, what intake_origin() gave is gone. */
uint64_t intake_generation(const struct intake *to);

/*
 * A stream: bytes of one connection or file through the codec's framing, or through a codec with
 * memory. `whole`: the bytes come as whole messages (lines of a file, frames of a websocket), so
 * no framing is applied.
 */
struct stream;
struct stream *stream_open(struct intake *to, bool whole);
/* As intake_message() for each message found in `bytes`. */
bool stream_feed(struct stream *s, struct str bytes, const struct origin *origin);
/* The end: an unfinished line becomes a message, codecs flush. */
void stream_flush(struct stream *s, const struct origin *origin);
/* The end of an input whose codec Logstash does not flush (stdin). A last line without its newline
   is a message, and a codec with a deadline flushes; what stands behind the last delimiter of
   another kind, and what a codec holds back otherwise, is dropped with a warning. */
void stream_end(struct stream *s, const struct origin *origin);
/* Monotonic time at which stream_tick() is wanted; INT64_MAX: not. */
int64_t stream_deadline(const struct stream *s);
void    stream_tick(struct stream *s, const struct origin *origin);
void    stream_free(struct stream *s);

/* Asking threads to end. */
bool stop_requested(const struct stop *s);
int  stop_fd(const struct stop *s); /* becomes readable at the stop: for poll(2) */
/* Sleeps; true when the stop came. */
bool stop_sleep(const struct stop *s, int64_t ns);

/* What an input knows of its place. */
const struct node *intake_node(const struct intake *to);
struct str         intake_host(const struct intake *to); /* host name (--test-host) */

#endif
