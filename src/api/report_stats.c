/*
 * What /_node/stats tells of events, pipelines and plugins.
 *
 * Source: Logstash's api/commands/stats.rb; AbstractPipelineExt.java for the rates.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "api/reply.h"

static uint64_t count(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* ---- totals ---- */

/* Rates per second, and nanoseconds per nanosecond. */
static const struct rate total_rates[] = {
    {"input_throughput", TOTAL_IN, RATE_TIME, 1e9, 0},
    {"filter_throughput", TOTAL_FILTERED, RATE_TIME, 1e9, 0},
    {"output_throughput", TOTAL_OUT, RATE_TIME, 1e9, 0},
    {"queue_backpressure", TOTAL_PUSH_NS, RATE_TIME, 1, 0},
    {"worker_concurrency", TOTAL_WORK_NS, RATE_TIME, 1, 0},
};
enum { TOTAL_RATES = sizeof(total_rates) / sizeof(total_rates[0]) };

static json_t *events(const uint64_t totals[TOTALS])
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "in", reply_int(totals[TOTAL_IN]), "filtered",
                     reply_int(totals[TOTAL_FILTERED]), "out", reply_int(totals[TOTAL_OUT]),
                     "duration_in_millis", reply_ms(totals[TOTAL_WORK_NS]),
                     "queue_push_duration_in_millis", reply_ms(totals[TOTAL_PUSH_NS]));
}

json_t *report_events(struct state *s)
{
    uint64_t totals[TOTALS];

    state_totals(s, totals);
    return events(totals);
}

json_t *report_flow(struct state *s)
{
    uint64_t totals[TOTALS];

    state_totals(s, totals);
    return reply_rates(s->flow, totals, total_rates, TOTAL_RATES);
}

static uint64_t queued(const struct state *s)
{
    return s->pipeline ? pipeline_in_flight(s->pipeline) : 0;
}

json_t *report_queue(struct state *s)
{
    return json_pack("{s:o}", "events_count", reply_int(queued(s)));
}

static json_t *last_error(const struct reloads *r)
{
    return r->last_error ? json_pack("{s:s, s:[]}", "message", r->last_error, "backtrace")
                         : json_null();
}

static json_t *pipeline_reloads(const struct reloads *r)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "successes", reply_int(r->successes), "failures",
                     reply_int(r->failures), "last_success_timestamp", reply_time(r->last_success),
                     "last_failure_timestamp", reply_time(r->last_failure), "last_error",
                     last_error(r));
}

json_t *report_reloads(struct state *s)
{
    return json_pack("{s:o, s:o}", "successes", reply_int(s->reloads.successes), "failures",
                     reply_int(s->reloads.failures));
}

/* ---- plugins ---- */

/* What the reports of one pipeline's plugins share. */
struct reporting {
    const struct state         *s;
    const struct pipeline_plan *plan;
    const uint64_t             *row; /* every counter, now */
};

/* A worker's time that went into the plugin, in percent of what all workers have. */
static json_t *plugin_flow(const struct reporting *r, uint32_t column)
{
    double            workers = (double)r->s->settings->pipeline_workers;
    const struct rate rates[] = {
        {"worker_utilization", column + 1, RATE_TIME, 100 / workers, 100},
        {"worker_millis_per_event", column + 1, (int32_t)column, 1e-6, 0},
    };
    return reply_rates(r->s->pipeline_flow, r->row, rates, 2);
}

static json_t *plugin_head(const struct node *n)
{
    return json_pack("{s:o, s:s}", "id", reply_str(n->common.id), "name", n->plugin->name);
}

static json_t *input(const struct reporting *r, const struct node *n)
{
    const struct rate throughput = {"throughput", state_input_column(r->plan, n->index), RATE_TIME,
                                    1e9, 0};
    json_t           *out = plugin_head(n);

    json_object_set_new(out, "flow", reply_rates(r->s->pipeline_flow, r->row, &throughput, 1));
    json_object_set_new(out, "events",
                        json_pack("{s:o, s:o}", "out", reply_int(count(&n->metrics.out)),
                                  "queue_push_duration_in_millis",
                                  reply_ms(count(&n->metrics.push_ns))));
    report_own_metrics(n, out);
    return out;
}

static json_t *worked(const struct reporting *r, const struct node *n, uint32_t column)
{
    json_t *out = plugin_head(n);

    json_object_set_new(out, "flow", plugin_flow(r, column));
    json_object_set_new(out, "events",
                        json_pack("{s:o, s:o, s:o}", "in", reply_int(count(&n->metrics.in)), "out",
                                  reply_int(count(&n->metrics.out)), "duration_in_millis",
                                  reply_ms(count(&n->metrics.duration_ns))));
    json_object_set_new(out, "failures", reply_int(count(&n->metrics.failures)));
    report_own_metrics(n, out);
    return out;
}

/* A codec is used by one input or output; what that one counts is the codec's, too. */
static json_t *codec(const struct node *n)
{
    const struct metrics *m = &n->metrics;
    bool                  decodes = n->plugin->kind == PLUGIN_INPUT;
    json_t               *decode =
        json_pack("{s:o, s:o, s:o}", "writes_in", reply_int(decodes ? count(&m->in) : 0), "out",
                  reply_int(decodes ? count(&m->out) : 0), "duration_in_millis",
                  reply_ms(decodes ? count(&m->duration_ns) : 0));
    /* The time of encoding is part of the output's. */
    json_t *encode = json_pack("{s:o}", "writes_in", reply_int(decodes ? 0 : count(&m->in)));

    return json_pack("{s:o, s:s, s:o, s:o}", "id", reply_str(n->common.codec->id), "name",
                     n->common.codec->plugin->name, "decode", decode, "encode", encode);
}

static json_t *plugins(const struct reporting *r)
{
    const struct pipeline_plan *plan = r->plan;
    json_t *inputs = json_array(), *codecs = json_array(), *filters = json_array();
    json_t *outputs = json_array();

    for (uint32_t i = 0; i < plan->inputs_len; i++) {
        const struct node *n = plan->inputs[i];
        json_array_append_new(inputs, input(r, n));
        if (n->common.codec) json_array_append_new(codecs, codec(n));
    }
    for (uint32_t i = 0; i < plan->filters_len; i++)
        json_array_append_new(filters, worked(r, plan->filters[i], state_filter_column(plan, i)));
    for (uint32_t i = 0; i < plan->outputs_len; i++) {
        const struct node *n = plan->outputs[i];
        json_array_append_new(outputs, worked(r, n, state_output_column(plan, i)));
        if (n->common.codec) json_array_append_new(codecs, codec(n));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "inputs", inputs, "codecs", codecs, "filters", filters,
                     "outputs", outputs);
}

/* ---- pipelines ---- */

static json_t *queue(const struct state *s)
{
    return json_pack("{s:s, s:o, s:i, s:i}", "type", "memory", "events_count", reply_int(queued(s)),
                     "queue_size_in_bytes", 0, "max_queue_size_in_bytes", 0);
}

static json_t *pipeline_flow(const struct reporting *r)
{
    const struct rate utilization = {"worker_utilization", TOTAL_WORK_NS, RATE_TIME,
                                     100 / (double)r->s->settings->pipeline_workers, 100};
    json_t           *out = reply_rates(r->s->pipeline_flow, r->row, total_rates, TOTAL_RATES);

    json_object_set_new(out, utilization.name,
                        reply_rate(r->s->pipeline_flow, r->row, &utilization));
    return out;
}

static void add_running(struct state *s, bool vertices, json_t *out)
{
    const struct settings *set = s->settings;
    uint64_t              *row = state_row(s);
    struct reporting       r = {.s = s, .plan = pipeline_plan(s->pipeline), .row = row};
    char                   hash[17];

    snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)s->config_hash);
    json_object_set_new(out, "flow", pipeline_flow(&r));
    json_object_set_new(out, "plugins", plugins(&r));
    json_object_set_new(out, "queue", queue(s));
    json_object_set_new(out, "pipeline",
                        json_pack("{s:I, s:I, s:I}", "workers", (json_int_t)set->pipeline_workers,
                                  "batch_size", (json_int_t)set->pipeline_batch_size, "batch_delay",
                                  (json_int_t)set->pipeline_batch_delay));
    json_object_set_new(out, "hash", json_string(hash));
    json_object_set_new(out, "ephemeral_id", json_string(s->pipeline_ephemeral_id));
    json_object_set_new(out, "condition_failures", reply_int(cond_failures()));
    if (vertices) json_object_set_new(out, "vertices", report_vertices(s));
    free(row);
}

json_t *report_pipelines(struct state *s, bool vertices)
{
    uint64_t totals[TOTALS];
    json_t  *all = json_object(), *one = json_object();

    state_pipeline_totals(s, totals);
    json_object_set_new(one, "events", events(totals));
    json_object_set_new(one, "reloads", pipeline_reloads(&s->reloads));
    if (s->pipeline) add_running(s, vertices, one);
    json_object_setn_new(all, s->settings->pipeline_id.data, s->settings->pipeline_id.len, one);
    return all;
}
