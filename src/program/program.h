#ifndef LSC_PROGRAM_PROGRAM_H
#define LSC_PROGRAM_PROGRAM_H

#include <stdio.h>

#include "event/batch.h"
#include "plugin/common.h"
#include "program/cond.h"

/*
 * A filter or output section as a flat list of steps. An event walks it alone, front to back, so
 * the order of a batch survives every if and else.
 */
enum op {
    OP_FILTER,      /* run `node` */
    OP_OUTPUT,      /* add the event to the list of `node` */
    OP_JUMP,        /* go to `target` */
    OP_JUMP_UNLESS, /* go to `target` unless `cond` holds */
    OP_END,
};

struct step {
    enum op  op;
    uint32_t target;
    union {
        struct node       *node;
        const struct cond *cond;
    };
};

struct program {
    struct step *steps;
    uint32_t     len;
};

/* What a pipeline has done, written by its workers after each batch (relaxed), read by the API. */
struct pipeline_metrics {
    _Atomic uint64_t in, out;     /* events: before the filters, before the outputs */
    _Atomic uint64_t duration_ns; /* of workers with batches */
};

/* Everything that a config says, opened: tree → nodes and programs. */
struct pipeline_plan {
    struct program      filter, output;
    uint32_t            inputs_len, filters_len, outputs_len;
    struct node       **inputs, **filters, **outputs;
    uint32_t            conds_len;
    const struct cond **conds;
};

/*
 * Opens every plugin and compiles every condition of `config`; reports everything it finds, then
 * returns false if there was an error (what was opened is closed again).
 */
bool program_check(const struct ast_config *config, struct plugin_open *cx,
                   struct pipeline_plan *out);
void plan_close(struct pipeline_plan *plan);

void program_print(const struct program *p, FILE *out);       /* --dump=program */
void plan_print(const struct pipeline_plan *plan, FILE *out); /* --dump=pipeline */

/* One worker's state for running programs. */
struct runner;
struct runner *runner_new(const struct pipeline_plan *plan, struct pipeline_metrics *metrics,
                          struct stop *stop);
void           runner_free(struct runner *r);
/* For how long it has been at its current batch; 0: it waits for one. Any thread. */
uint64_t runner_busy_ns(const struct runner *r);
/* The plugin that it is at, or was last; an input stands for its codec. NULL: it waits for a batch.
   Any thread. */
const struct node *runner_busy_at(const struct runner *r);

/* Decodes, filters and writes out all of `b`. */
void runner_batch(struct runner *r, struct batch *b);
/* Flushes filters (those with periodic_flush or a flush operation) and writes out what comes. */
void runner_flush(struct runner *r, bool final);

#endif
