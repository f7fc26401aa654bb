#ifndef LSC_PIPELINE_PIPELINE_H
#define LSC_PIPELINE_PIPELINE_H

#include "program/program.h"

/* What a pipeline is told besides its config. Texts live as long as the process. */
struct pipeline_settings {
    struct str id;        /* pipeline.id */
    struct str path_data; /* an existing folder; empty under -t */
    struct str host;      /* [host] of events; empty: the name of this machine */
    uint32_t   workers, batch_size;
    int        ecs; /* enum ecs */
};

/*
 * A config at work: its plugins, one thread for each input that blocks, one for all sockets, and
 * the workers. Functions are for the thread that owns the pipeline (the agent's).
 */
struct pipeline;

/*
 * Checks `config`, which lives in `arena`, and opens its plugins; takes `arena` over, also when it
 * fails. NULL after at least one diag.
 */
struct pipeline *pipeline_new(struct arena *arena, const struct ast_config *config,
                              const struct pipeline_settings *settings, struct diags *d);

/* Starts everything. False after logging why; pipeline_free() is still due. */
bool pipeline_start(struct pipeline *p);

/* Asks the inputs to end: what they have read is written out, then the pipeline is finished. */
void pipeline_stop(struct pipeline *p);
/* Gives up waiting: inputs and outputs return as soon as they can; what they hold is lost. */
void pipeline_abort(struct pipeline *p);

/* Readable (poll) once the pipeline has finished: all inputs ended and everything is written. */
int pipeline_finished_fd(const struct pipeline *p);

/* Joins all threads (so: after it has finished, or to wait for that), closes the plugins, frees. */
void pipeline_free(struct pipeline *p);

/* False, with the name of the plugin, when an input cannot be started again by a reload. */
bool pipeline_reloadable(const struct pipeline *p, const char **plugin);

const struct pipeline_plan     *pipeline_plan(const struct pipeline *p);
const struct pipeline_settings *pipeline_settings(const struct pipeline *p);
/* Any thread, while the pipeline lives. */
const struct pipeline_metrics *pipeline_metrics(const struct pipeline *p);
/* For how long its workers have been at their current batches, in all. Any thread, once started. */
uint64_t pipeline_busy_ns(const struct pipeline *p);
/* Appends which plugins keep it from ending: "output websocket (relay), 2 workers; input file
   (in)". Any thread. */
void pipeline_describe_busy(const struct pipeline *p, struct buf *out);
/* Items on their way between inputs and outputs. */
uint64_t pipeline_in_flight(const struct pipeline *p);

#endif
