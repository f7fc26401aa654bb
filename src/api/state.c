#include "api/state.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/proc.h"
#include "base/fatal.h"

static uint64_t count(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* path.data/uuid holds the node's id over restarts. */
static void read_node_id(struct state *s)
{
    char path[4096];
    int  len = snprintf(path, sizeof(path), "%.*s/uuid", STR_ARG(s->settings->path_data));

    int fd = len < (int)sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || read(fd, s->node_id, UUID_TEXT) != UUID_TEXT) uuid_random(s->node_id);
    if (fd >= 0) close(fd);
}

void state_init(struct state *s, const struct settings *settings)
{
    uint64_t zero[TOTALS] = {0};

    *s = (struct state){.settings = settings,
                        .start_ns = clock_monotonic_ns(),
                        .start = clock_now(),
                        .phase = PHASE_LOADING};
    pthread_mutex_init(&s->lock, NULL);
    read_node_id(s);
    uuid_random(s->ephemeral_id);
    s->flow = flow_new(TOTALS, zero, s->start_ns);
}

void state_release(struct state *s)
{
    flow_free(s->flow);
    flow_free(s->pipeline_flow);
    pthread_mutex_destroy(&s->lock);
}

/* ---- counters ---- */

uint32_t state_columns(const struct pipeline_plan *plan)
{
    return TOTALS + plan->inputs_len + 2 * (plan->filters_len + plan->outputs_len);
}

uint32_t state_input_column(const struct pipeline_plan *plan, uint32_t i)
{
    (void)plan;
    return TOTALS + i;
}

uint32_t state_filter_column(const struct pipeline_plan *plan, uint32_t i)
{
    return TOTALS + plan->inputs_len + 2 * i;
}

uint32_t state_output_column(const struct pipeline_plan *plan, uint32_t i)
{
    return TOTALS + plan->inputs_len + 2 * (plan->filters_len + i);
}

void state_pipeline_totals(const struct state *s, uint64_t out[TOTALS])
{
    memset(out, 0, TOTALS * sizeof(*out));
    if (!s->pipeline) return;
    const struct pipeline_plan    *plan = pipeline_plan(s->pipeline);
    const struct pipeline_metrics *m = pipeline_metrics(s->pipeline);
    out[TOTAL_IN] = count(&m->in);
    /* The worker that makes an event filters it, so there is no time in between. Dropped ones
       count, as in Logstash. */
    out[TOTAL_FILTERED] = out[TOTAL_IN];
    out[TOTAL_OUT] = count(&m->out);
    out[TOTAL_WORK_NS] = count(&m->duration_ns) + pipeline_busy_ns(s->pipeline);
    for (uint32_t i = 0; i < plan->inputs_len; i++)
        out[TOTAL_PUSH_NS] += count(&plan->inputs[i]->metrics.push_ns);
}

void state_totals(const struct state *s, uint64_t out[TOTALS])
{
    state_pipeline_totals(s, out);
    for (int i = 0; i < TOTALS; i++)
        out[i] += s->ended[i];
}

static void put_pair(uint64_t *row, const struct metrics *m)
{
    row[0] = count(&m->in);
    row[1] = count(&m->duration_ns);
}

uint64_t *state_row(const struct state *s)
{
    const struct pipeline_plan *plan = pipeline_plan(s->pipeline);
    uint64_t                   *row = xcalloc(state_columns(plan), sizeof(*row));

    state_pipeline_totals(s, row);
    for (uint32_t i = 0; i < plan->inputs_len; i++)
        row[state_input_column(plan, i)] = count(&plan->inputs[i]->metrics.out);
    for (uint32_t i = 0; i < plan->filters_len; i++)
        put_pair(row + state_filter_column(plan, i), &plan->filters[i]->metrics);
    for (uint32_t i = 0; i < plan->outputs_len; i++)
        put_pair(row + state_output_column(plan, i), &plan->outputs[i]->metrics);
    return row;
}

void state_sample(struct state *s)
{
    uint64_t totals[TOTALS];
    int64_t  now = clock_monotonic_ns();

    state_totals(s, totals);
    flow_sample(s->flow, totals, now);
    if (s->pipeline) {
        uint64_t *row = state_row(s);
        flow_sample(s->pipeline_flow, row, now);
        free(row);
    }
    int threads = proc_count("/proc/self/task"), files = proc_count("/proc/self/fd");
    if (threads > s->peak_threads) s->peak_threads = threads;
    if (files > s->peak_files) s->peak_files = files;
}

/* ---- what the agent tells ---- */

void state_started(struct state *s, struct pipeline *p, uint64_t config_hash)
{
    pthread_mutex_lock(&s->lock);
    s->pipeline = p;
    s->phase = PHASE_RUNNING;
    s->config_hash = config_hash;
    uuid_random(s->pipeline_ephemeral_id);
    uint64_t *row = xcalloc(state_columns(pipeline_plan(p)), sizeof(*row));
    s->pipeline_flow = flow_new(state_columns(pipeline_plan(p)), row, clock_monotonic_ns());
    free(row);
    pthread_mutex_unlock(&s->lock);
}

void state_ended(struct state *s)
{
    uint64_t totals[TOTALS];

    pthread_mutex_lock(&s->lock);
    state_totals(s, totals);
    memcpy(s->ended, totals, sizeof(totals));
    s->pipeline = NULL;
    s->phase = PHASE_FINISHED;
    flow_free(s->pipeline_flow);
    s->pipeline_flow = NULL;
    pthread_mutex_unlock(&s->lock);
}

void state_reloaded(struct state *s, const char *error)
{
    struct reloads *r = &s->reloads;

    pthread_mutex_lock(&s->lock);
    if (error) {
        r->failures++;
        r->last_failure = clock_now();
        r->last_error = error;
    } else {
        r->successes++;
        r->last_success = clock_now();
    }
    pthread_mutex_unlock(&s->lock);
}
