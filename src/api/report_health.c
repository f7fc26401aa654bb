/*
 * How well the pipeline is: does it run, and have its workers time left?
 *
 * Source: Logstash's PipelineIndicator.java (states, limits and ids).
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/reply.h"

enum health { HEALTH_GREEN, HEALTH_YELLOW, HEALTH_RED };

static const char *const health_names[] = {"green", "yellow", "red"};

/* What was found wrong; `id` NULL: nothing. */
struct finding {
    enum health health;
    const char *id, *cause, *action;
    const char *impact_id, *impact;
    int         severity;
};

#define STATUS "logstash:health:pipeline:status:"
#define FLOW "logstash:health:pipeline:flow:"

static const struct finding healthy = {HEALTH_GREEN, NULL, NULL, NULL, NULL, NULL, 0};

static const struct finding states[] = {
    [PHASE_LOADING] = {HEALTH_YELLOW, STATUS "diagnosis:loading", "the pipeline is loading",
                       "if it does not run soon, look at the log", STATUS "impact:not_processing",
                       "the pipeline is loading", 1},
    [PHASE_RUNNING] = {HEALTH_GREEN, NULL, NULL, NULL, NULL, NULL, 0},
    [PHASE_FINISHED] = {HEALTH_YELLOW, STATUS "diagnosis:finished",
                        "the pipeline has ended: its inputs are at their end",
                        "if it is to run for ever, give it inputs that do",
                        STATUS "impact:not_processing", "the pipeline has finished running", 10},
};

/* The first that fits counts. */
static const struct load {
    enum flow_window window;
    double           above, from; /* percent: more than `above`, or at least `from` */
    struct finding   finding;
} loads[] = {
    {FLOW_5_MINUTES,
     99.999,
     101,
     {HEALTH_RED, FLOW "worker_utilization:diagnosis:5m-blocked",
      "the workers had no time left for five minutes", "find what is slow, or add workers",
      FLOW "impact:blocked_processing", "the pipeline is blocked", 1}},
    {FLOW_5_MINUTES,
     101,
     95,
     {HEALTH_YELLOW, FLOW "worker_utilization:diagnosis:5m-nearly-blocked",
      "the workers had hardly any time left for five minutes", "find what is slow, or add workers",
      FLOW "impact:blocked_processing", "the pipeline is blocked", 1}},
    {FLOW_1_MINUTE,
     99.999,
     101,
     {HEALTH_YELLOW, FLOW "worker_utilization:diagnosis:1m-blocked",
      "the workers had no time left for one minute", "find what is slow, or add workers",
      FLOW "impact:blocked_processing", "the pipeline is blocked", 2}},
    {FLOW_1_MINUTE,
     101,
     95,
     {HEALTH_YELLOW, FLOW "worker_utilization:diagnosis:1m-nearly-blocked",
      "the workers had hardly any time left for one minute", "find what is slow, or add workers",
      FLOW "impact:blocked_processing", "the pipeline is blocked", 2}},
};

/* {"last_1_minute": 12.5, …}; NULL when no pipeline runs. */
static json_t *utilization(const struct state *s)
{
    if (!s->pipeline) return NULL;
    uint64_t         *row = state_row(s);
    const struct rate rate = {"worker_utilization", TOTAL_WORK_NS, RATE_TIME,
                              100 / (double)s->settings->pipeline_workers, 100};
    json_t           *out = reply_rate(s->pipeline_flow, row, &rate);
    free(row);
    return out;
}

static const struct finding *load_of(const json_t *rates)
{
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        const struct load *l = &loads[i];
        const json_t      *rate = json_object_get(rates, flow_window_name(l->window));
        if (!rate) continue;
        double percent = json_number_value(rate);
        if (percent > l->above || percent >= l->from) return &l->finding;
    }
    return &healthy;
}

static enum health worse(enum health a, enum health b)
{
    return a > b ? a : b;
}

static void add_finding(const struct finding *f, json_t *diagnosis, json_t *impacts)
{
    if (!f->id) return;
    json_array_append_new(diagnosis,
                          json_pack("{s:s, s:s, s:s, s:s}", "id", f->id, "cause", f->cause,
                                    "action", f->action, "help_url", "docs/monitoring.md"));
    json_array_append_new(impacts, json_pack("{s:s, s:i, s:s, s:[s]}", "id", f->impact_id,
                                             "severity", f->severity, "description", f->impact,
                                             "impact_areas", "pipeline_execution"));
}

json_t *report_health_status(struct state *s)
{
    json_t     *rates = utilization(s);
    enum health health = worse(states[s->phase].health, load_of(rates)->health);

    json_decref(rates);
    return json_string(health_names[health]);
}

static const char *phase_name(const struct state *s)
{
    static const char *const phases[] = {
        [PHASE_LOADING] = "LOADING", [PHASE_RUNNING] = "RUNNING", [PHASE_FINISHED] = "FINISHED"};

    return phases[s->phase];
}

static json_t *pipeline(const struct state *s, const struct finding *state,
                        const struct finding *load, json_t *rates)
{
    enum health health = worse(state->health, load->health);
    json_t     *out =
        json_pack("{s:s, s:s, s:{s:{s:s}}}", "status", health_names[health], "symptom",
                  health == HEALTH_GREEN ? "The pipeline is healthy" : "The pipeline is unhealthy",
                  "details", "status", "state", phase_name(s));
    json_t *diagnosis = json_array(), *impacts = json_array();

    if (rates)
        json_object_set_new(json_object_get(out, "details"), "flow",
                            json_pack("{s:O}", "worker_utilization", rates));
    add_finding(state, diagnosis, impacts);
    add_finding(load, diagnosis, impacts);
    if (health != HEALTH_GREEN) {
        json_object_set(out, "diagnosis", diagnosis);
        json_object_set(out, "impacts", impacts);
    }
    json_decref(diagnosis);
    json_decref(impacts);
    return out;
}

json_t *report_health(struct state *s)
{
    json_t               *rates = utilization(s), *all = json_object();
    const struct finding *state = &states[s->phase], *load = load_of(rates);
    const char           *health = health_names[worse(state->health, load->health)];
    const char           *symptom = *health == 'g' ? "1 indicator is healthy (`pipelines`)"
                                                   : "1 indicator is unhealthy (`pipelines`)";
    struct str            id = s->settings->pipeline_id;

    json_object_setn_new(all, id.data, id.len, pipeline(s, state, load, rates));
    json_decref(rates);
    return json_pack("{s:s, s:s, s:{s:{s:s, s:s, s:o}}}", "status", health, "symptom", symptom,
                     "indicators", "pipelines", "status", health, "symptom", symptom, "indicators",
                     all);
}
