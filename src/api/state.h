#ifndef LSC_API_STATE_H
#define LSC_API_STATE_H

#include <pthread.h>

#include "api/flow.h"
#include "base/uuid.h"
#include "pipeline/pipeline.h"
#include "settings.h"

/*
 * What the API knows of the process. The agent's thread tells it of pipelines and reloads, the
 * API's thread reads; everything below `lock` is guarded by it. Whoever reads the pipeline holds
 * the lock meanwhile, so that a reload cannot free it.
 */
enum phase { PHASE_LOADING, PHASE_RUNNING, PHASE_FINISHED };

/* Counters of all events, of one pipeline or of all that ever were; columns of a flow. */
enum total { TOTAL_IN, TOTAL_FILTERED, TOTAL_OUT, TOTAL_PUSH_NS, TOTAL_WORK_NS, TOTALS };

struct reloads {
    uint64_t         successes, failures;
    struct timestamp last_success, last_failure; /* sec 0: never */
    const char      *last_error;                 /* a constant text; NULL: none */
};

struct state {
    const struct settings *settings;
    char                   node_id[UUID_TEXT + 1], ephemeral_id[UUID_TEXT + 1];
    char                   http_address[300]; /* host:port */
    int64_t                start_ns;          /* monotonic */
    struct timestamp       start;

    pthread_mutex_t  lock;
    struct pipeline *pipeline; /* NULL: none runs */
    enum phase       phase;
    char             pipeline_ephemeral_id[UUID_TEXT + 1];
    uint64_t         config_hash;
    struct reloads   reloads;
    uint64_t         ended[TOTALS]; /* of pipelines that are gone */
    struct flow     *flow;          /* of all pipelines */
    struct flow     *pipeline_flow; /* of this one: its totals, then its plugins; or NULL */
    int              peak_threads, peak_files;
};

void state_init(struct state *s, const struct settings *settings);
void state_release(struct state *s);

/* A pipeline has started. It must live until state_ended(). Any thread. */
void state_started(struct state *s, struct pipeline *p, uint64_t config_hash);
/* It is about to be freed. Any thread. */
void state_ended(struct state *s);
/* A reload has succeeded (`error` NULL) or failed. Any thread. */
void state_reloaded(struct state *s, const char *error);

/* With the lock held: */

/* Takes a row of every counter, for the rates. Every few seconds. */
void state_sample(struct state *s);
/* Of the pipeline that runs; zeroes when there is none. */
void state_pipeline_totals(const struct state *s, uint64_t out[TOTALS]);
/* Of the process. */
void state_totals(const struct state *s, uint64_t out[TOTALS]);

/* Columns of pipeline_flow that a plugin has: inputs one (events out), filters and outputs two
   (events in, nanoseconds). */
uint32_t state_columns(const struct pipeline_plan *plan);
uint32_t state_input_column(const struct pipeline_plan *plan, uint32_t i);
uint32_t state_filter_column(const struct pipeline_plan *plan, uint32_t i);
uint32_t state_output_column(const struct pipeline_plan *plan, uint32_t i);
/* The counters now, as many as there are columns; to be freed. */
uint64_t *state_row(const struct state *s);

#endif
