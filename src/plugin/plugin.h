#ifndef LSC_PLUGIN_PLUGIN_H
#define LSC_PLUGIN_PLUGIN_H

#include "base/buf.h"
#include "event/batch.h"
#include "plugin/metric.h"
#include "plugin/option.h"

/*
 * What a plugin is: one constant struct in one .c file, with a table of options. The engine binds
 * the table, applies the common options, counts, and calls the operations below. A new plugin is a
 * file and a line in plugins.def.
 *
 * State has three homes: `self`, constant once open; per worker, cx->state, no lock; shared and
 * changing: a struct with its own mutex reached from self, named in the file's «Threads:» line.
 */
enum plugin_kind { PLUGIN_INPUT, PLUGIN_CODEC, PLUGIN_FILTER, PLUGIN_OUTPUT };

struct intake;
struct net;
struct stop;
struct decode;

/* What open() is given. */
struct plugin_open {
    struct arena            *arena; /* of the pipeline: what must live as long as the plugin */
    struct diags            *diags;
    const struct ast_plugin *ast; /* of the plugin being opened: places for messages */
    struct str               id;  /* as given, or made up: "KIND_NAME_N" */
    struct str               pipeline_id;
    struct str               path_data; /* an existing folder, or empty under -t */
    struct str               host;      /* name of this machine (--test-host) */
    int                      ecs;       /* pipeline.ecs_compatibility */
    uint32_t                 workers;
    uint32_t                 batch_size;
};

/* An error about the setting `name` (its place when it was given, else the plugin's). False. */
__attribute__((format(printf, 3, 4))) bool plugin_error(const struct plugin_open *cx,
                                                        const char *name, const char *format, ...);
__attribute__((format(printf, 3, 4))) void
plugin_warning(const struct plugin_open *cx, const char *name, const char *format, ...);
/* The setting as written, NULL when it was not given. With repeats: the last one. */
const struct ast_setting *plugin_setting(const struct plugin_open *cx, const char *name);

/* ---- filters ---- */

/* What the engine does with the event next. */
enum verdict {
    FILTER_PASS,  /* carry on */
    FILTER_MATCH, /* apply add_field, remove_field, add_tag and remove_tag, then carry on */
    FILTER_DROP,  /* the event goes no further */
};

struct filter_context {
    struct arena    *arena;    /* of the current batch */
    struct arena    *scratch;  /* reset after each event */
    struct buf      *buf;      /* scratch text, any use, cleared by whoever uses it */
    void            *state;    /* the plugin's worker_size bytes */
    uint64_t        *failures; /* add 1 for each event the filter could not treat */
    struct timestamp now;      /* of the batch */
    struct stop     *stop;     /* ends waiting when the process is forced to quit; NULL: none */
};

/*
 * Sends on a further event, from run() or flush(). It goes on with the step after the filter, right
 * behind the current event, in the order of the calls. With FILTER_MATCH the common options are
 * applied to it first.
 */
void filter_emit(struct filter_context *cx, struct event *ev, enum verdict v);

struct filter_ops {
    /* Runs on any worker, on several at once: `self` is const for that reason. */
    enum verdict (*run)(const void *self, struct event *ev, struct filter_context *cx);
    /*
     * Optional, for filters that have to ask another thread or a server: all events of the batch
     * that run() will be called with next, in that order and one right after the other. They wait
     * until the last of them has come as far; so the filter works on whole batches, and
     * order stays as it is. What it finds out it keeps in cx->state and cx->arena for run().
     */
    void (*prepare)(const void *self, struct event *const *ev, uint32_t n,
                    struct filter_context *cx);
    /* Optional: true when other filters of the pipeline see what this one does for an event. Then
       no event waits between the first and the last filter of that kind. */
    bool (*shares_state)(const void *self);
    /* Optional. Emits events held back; called every 5 s (periodic_flush) and, `final`, at the end,
       by any one worker: what is held back is shared state, not worker state. */
    void (*flush)(const void *self, struct filter_context *cx, bool final);
    size_t worker_size; /* zeroed bytes of state per worker, free of locks; 0: none */
};

/* ---- outputs ---- */

enum result {
    OUTPUT_DONE,
    OUTPUT_FAILED, /* some events were lost; the plugin has logged it and added to *failures */
};

struct output_context {
    struct arena       *arena;   /* of the current batch */
    struct arena       *scratch; /* reset after each call */
    struct buf         *buf;
    void               *state;
    uint64_t           *failures;
    const struct codec *codec; /* the common option */
    struct stop        *stop;  /* ends waiting when the process is forced to quit */
};

struct output_ops {
    /* Before the first write, not under -t: binds, connects. False after logging why. Optional. */
    bool (*start)(void *self, struct net *net);
    /* Writes `n` events in order; waits as long as it takes. Several workers at once. */
    enum result (*write)(const void *self, struct event *const *ev, uint32_t n,
                         struct output_context *cx);
    /* Optional, after the last write: sends what still waits and closes what start() opened. Blocks
       up to a time limit of its own, or until `stop`, when the process is forced to quit. */
    void (*stop)(void *self, struct stop *stop);
    /* Optional: about once a second while running, on a thread of its own. */
    void (*tick)(const void *self);
    size_t worker_size;
};

/* ---- codecs ---- */

/* Where a codec puts the events of one message. */
struct decode {
    struct arena    *arena; /* until the batch is done, as `bytes` in decode(): views are safe */
    struct arena    *scratch;
    struct buf      *buf;
    struct timestamp now;
    uint64_t        *failures;
    void (*emit)(struct decode *to, struct event *ev);
};

static inline void decode_emit(struct decode *to, struct event *ev)
{
    to->emit(to, ev);
}

/* How a stream is cut into messages. */
struct framing {
    struct str delimiter; /* len 0: every chunk is a message */
    size_t     max;       /* longest message; a longer one is cut there, 0: 64 MiB */
    bool       drop_cr;   /* a \r before the delimiter goes too */
};

struct codec_ops {
    /*
     * One message to events. Stateless, so that it runs on the worker that has the batch. A codec
     * has this or feed(). Bad input is tagged and emitted, never lost.
     */
    void (*decode)(const void *self, struct str bytes, struct decode *to);
    /* Optional: called once behind open() when the input reads streams (no whole_messages), where
       Logstash takes line for plain and json_lines for json: what those do not have is switched
       off. */
    void (*read_streams)(void *self);
    /* How streams (stdin, tcp) are cut; inputs that read lines or messages do not ask. Optional. */
    void (*framing)(const void *self, struct framing *out);
    /* Codecs with memory (multiline, netflow): on the thread of the input, one `stream` per
       connection or file, zeroed at its start. `bytes` is a message or chunk, gone after the call:
       what an event keeps of it is copied to to->arena. */
    void (*feed)(const void *self, void *stream, struct str bytes, struct decode *to);
    /* Emits what is held back: at the end of the stream (`final`) or when the codec asked for it.
     */
    void (*flush)(const void *self, void *stream, struct decode *to, bool final);
    /* When flush() wants to be called next (monotonic nanoseconds); INT64_MAX: not. Optional. */
    int64_t (*deadline)(const void *self, const void *stream);
    void (*stream_close)(const void *self, void *stream);
    size_t stream_size;
    /* One event to bytes, appended to `out`. False: cannot be written, `*failures` of the output
       counts. Any thread. */
    bool (*encode)(const void *self, struct event *ev, struct buf *out);
};

/* ---- inputs ---- */

struct input_ops {
    /* Its own thread; may block, but ends soon after the stop. Returning ends the input: false
       after logging why means that it failed and is to be started again. */
    bool (*run)(void *self, struct intake *to, struct stop *stop);
    /* Or: on the event loop. Called once on the loop's thread; never blocks. It calls
       intake_end() when it is done, at the latest after unlisten(). */
    void (*listen)(void *self, struct net *net, struct intake *to);
    void (*unlisten)(void *self, struct net *net);
    /* True: stdin and such, which a reload cannot start again. */
    bool not_reloadable;
    /* Lines or messages come whole, so line and json_lines codecs act as plain and json. */
    bool whole_messages;
};

struct plugin {
    enum plugin_kind     kind;
    const char          *name;    /* as written in a config */
    const char          *summary; /* one sentence */
    size_t               size;    /* of the struct that the options fill; zeroed first */
    const struct option *options;
    /* Optional. After the options are bound, also under -t: checks them together, compiles,
       connects nothing. False after plugin_error(). */
    bool (*open)(void *self, struct plugin_open *cx);
    /* Optional. After open() succeeded, when nothing runs any more. */
    void (*close)(void *self);
    const char           *codec;   /* inputs, outputs: the default of the common option `codec` */
    struct plugin_metrics metrics; /* optional: its own */
    union {
        struct input_ops  input;
        struct codec_ops  codec_ops;
        struct filter_ops filter;
        struct output_ops output;
    };
};

/* A codec opened for one input or output. */
struct codec {
    const struct plugin *plugin;
    void                *self;
    struct str           id;
    struct metrics      *metrics;
};

/* Counters of one plugin, written by many threads (relaxed), read by the API. */
struct metrics {
    bool             enabled;
    _Atomic uint64_t in, out, duration_ns, failures;
    _Atomic uint64_t push_ns; /* inputs: time spent waiting for room in the queue */
};

/* ---- the registry ---- */

/* NULL: no such plugin, or one in a module that cannot be loaded. Opens the module it is in
   (plugin/module.h), as plugin_at() does, so one thread at a time. */
const struct plugin *plugin_find(enum plugin_kind kind, struct str name);
/* Why the plugin's module cannot be loaded, after plugin_find(); NULL when that is not so. */
const char *plugin_problem(enum plugin_kind kind, struct str name);
/* True when Logstash has a plugin of that name which lsc does not have yet. */
bool plugin_later(enum plugin_kind kind, struct str name);
/* The i-th plugin of all, sorted by kind and name; NULL after the last. */
const struct plugin *plugin_at(uint32_t i);
/* The i-th of those that plugin_at() leaves out: their modules cannot be loaded. False: no more. */
bool        plugin_missing_at(uint32_t i, enum plugin_kind *kind, const char **name);
const char *plugin_kind_name(enum plugin_kind kind);
/* The plugin of that kind with the nearest name, for "did you mean"; or NULL. */
const char *plugin_nearest(enum plugin_kind kind, struct str name);
/* Rows that every plugin of the kind has besides its own. */
const struct option *plugin_common_options(enum plugin_kind kind);

#endif
