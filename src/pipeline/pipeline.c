#include "pipeline/pipeline.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fatal.h"
#include "base/log.h"
#include "net/loop.h"
#include "pipeline/intake.h"
#include "pipeline/stop.h"

static const int64_t SECOND = 1000000000;
enum { FLUSH_S = 5, RESTART_S = 1, TICK_S = 1, THREAD_STACK = 1024 * 1024 };

struct worker {
    struct pipeline *p;
    struct runner   *runner;
    pthread_t        thread;
};

struct input {
    struct pipeline *p;
    struct node     *node;
    struct intake   *intake;
    pthread_t        thread;
    bool             threaded, listening;
    atomic_bool      ended;
};

struct pipeline {
    struct pipeline_settings     settings;
    struct arena                 arena;
    struct pipeline_plan         plan;
    struct pipeline_metrics      metrics;
    struct queue                *queue;
    uint32_t                     outputs_started;
    struct net                  *net; /* NULL: no plugin needs sockets */
    struct stop                 *stopping, *aborting, *finished;
    struct worker               *workers;
    struct input                *inputs;
    uint32_t                     workers_started, inputs_started;
    pthread_t                    ticker;
    bool                         ticking, started, running, stopped;
    bool                         flushes; /* some filter has a flush operation */
    _Atomic int64_t              next_flush_ns;
    atomic_uint                  inputs_running, workers_running;
    _Atomic(const struct node *) closing; /* the output whose stop() runs */
};

/* ---- opening ---- */

static bool has_flush(const struct pipeline_plan *plan)
{
    for (uint32_t i = 0; i < plan->filters_len; i++)
        if (plan->filters[i]->plugin->filter.flush) return true;
    return false;
}

static struct str host_name(struct arena *a)
{
    char name[256] = "localhost";

    gethostname(name, sizeof(name) - 1);
    return arena_copy(a, str_of(name));
}

struct pipeline *pipeline_new(struct arena *arena, const struct ast_config *config,
                              const struct pipeline_settings *settings, struct diags *d)
{
    struct pipeline *p = xcalloc(1, sizeof(*p));

    p->settings = *settings;
    p->arena = *arena;
    arena_init(arena);
    if (p->settings.host.len == 0) p->settings.host = host_name(&p->arena);

    struct plugin_open cx = {.arena = &p->arena,
                             .diags = d,
                             .pipeline_id = settings->id,
                             .path_data = settings->path_data,
                             .host = p->settings.host,
                             .ecs = settings->ecs,
                             .workers = settings->workers,
                             .batch_size = settings->batch_size};
    if (!program_check(config, &cx, &p->plan)) {
        arena_release(&p->arena);
        free(p);
        return NULL;
    }
    p->flushes = has_flush(&p->plan);
    return p;
}

/* ---- workers ---- */

/* Every 5 s some worker flushes the filters that hold events back. */
static void flush_if_due(struct worker *w)
{
    struct pipeline *p = w->p;
    int64_t          now = clock_monotonic_ns(), due = atomic_load(&p->next_flush_ns);

    if (p->flushes && now >= due &&
        atomic_compare_exchange_strong(&p->next_flush_ns, &due, now + FLUSH_S * SECOND))
        runner_flush(w->runner, false);
}

/* Those that were started, once nobody writes any more. */
static void stop_outputs(struct pipeline *p)
{
    for (; p->outputs_started > 0; p->outputs_started--) {
        const struct node *n = p->plan.outputs[p->outputs_started - 1];
        log_context(p->settings.id, n->common.id);
        atomic_store(&p->closing, n);
        if (n->plugin->output.stop) n->plugin->output.stop(n->self, p->aborting);
    }
    atomic_store(&p->closing, NULL);
    log_context(p->settings.id, STR(""));
}

/* "[main]>worker0", as Logstash calls its threads; Linux keeps 15 bytes: the id gives way. */
static void name_thread(const struct pipeline *p, const char *what)
{
    size_t     room = 15, len = strlen(what) + 2;
    struct str id = p->settings.id;
    char       name[16];

    if (len >= room) len = room;
    if (id.len > room - len) id.len = room - len;
    snprintf(name, sizeof(name), "[%.*s]%s", STR_ARG(id), what);
    pthread_setname_np(pthread_self(), name);
}

static void *worker_main(void *arg)
{
    struct worker   *w = arg;
    struct pipeline *p = w->p;
    bool             timed_out;
    char             name[32];

    snprintf(name, sizeof(name), ">worker%u", (unsigned)(w - p->workers));
    name_thread(p, name);
    log_context(p->settings.id, STR(""));
    for (;;) {
        int64_t       until = p->flushes ? atomic_load(&p->next_flush_ns) : INT64_MAX;
        struct batch *b = queue_take(p->queue, until, &timed_out);
        if (!b && !timed_out) break;
        if (b) {
            runner_batch(w->runner, b);
            queue_return(p->queue, b);
        }
        if (p->flushes) flush_if_due(w);
    }
    /* The last one out empties the filters and outputs: nobody else can be adding to them. */
    if (atomic_fetch_sub(&p->workers_running, 1) == 1) {
        runner_flush(w->runner, true);
        stop_outputs(p);
        stop_request(p->finished);
    }
    return NULL;
}

/* ---- inputs ---- */

static void one_input_less(struct pipeline *p)
{
    if (atomic_fetch_sub(&p->inputs_running, 1) == 1) queue_close(p->queue);
}

static void input_ended(void *ctx)
{
    struct input *in = ctx;

    atomic_store(&in->ended, true);
    one_input_less(in->p);
}

/* An input that fails is started again for ever, as in Logstash. */
static void *input_main(void *arg)
{
    struct input    *in = arg;
    struct pipeline *p = in->p;

    char name[32];
    snprintf(name, sizeof(name), "<%s", in->node->plugin->name);
    name_thread(p, name);
    log_context(p->settings.id, in->node->common.id);
    while (!in->node->plugin->input.run(in->node->self, in->intake, p->stopping)) {
        intake_flush(in->intake);
        if (stop_sleep(p->stopping, RESTART_S * SECOND)) break;
    }
    intake_end(in->intake);
    return NULL;
}

static void input_listen(void *ctx)
{
    struct input *in = ctx;

    in->node->plugin->input.listen(in->node->self, in->p->net, in->intake);
}

static void input_unlisten(void *ctx)
{
    struct input *in = ctx;

    in->node->plugin->input.unlisten(in->node->self, in->p->net);
}

/* ---- start ---- */

static void *ticker_main(void *arg)
{
    struct pipeline *p = arg;

    name_thread(p, "-ticker");
    log_context(p->settings.id, STR(""));
    while (!stop_sleep(p->finished, TICK_S * SECOND))
        for (uint32_t i = 0; i < p->plan.outputs_len; i++) {
            const struct node *n = p->plan.outputs[i];
            if (n->plugin->output.tick) n->plugin->output.tick(n->self);
        }
    return NULL;
}

static bool thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK);
    bool started = pthread_create(thread, &attr, run, arg) == 0;
    pthread_attr_destroy(&attr);
    if (!started) log_error("pipeline", "cannot start a thread");
    return started;
}

static bool needs_net(const struct pipeline_plan *plan)
{
    for (uint32_t i = 0; i < plan->inputs_len; i++)
        if (plan->inputs[i]->plugin->input.listen) return true;
    for (uint32_t i = 0; i < plan->outputs_len; i++)
        if (plan->outputs[i]->plugin->output.start) return true;
    return false;
}

static bool start_outputs(struct pipeline *p)
{
    bool ticks = false;

    for (uint32_t i = 0; i < p->plan.outputs_len; i++) {
        struct node *n = p->plan.outputs[i];
        log_context(p->settings.id, n->common.id);
        if (n->plugin->output.start && !n->plugin->output.start(n->self, p->net)) return false;
        p->outputs_started = i + 1;
        ticks |= n->plugin->output.tick != NULL;
    }
    log_context(p->settings.id, STR(""));
    if (ticks) p->ticking = thread_start(&p->ticker, ticker_main, p);
    return !ticks || p->ticking;
}

static bool start_workers(struct pipeline *p)
{
    p->workers = xcalloc(p->settings.workers, sizeof(*p->workers));
    for (uint32_t i = 0; i < p->settings.workers; i++)
        p->workers[i] =
            (struct worker){.p = p, .runner = runner_new(&p->plan, &p->metrics, p->aborting)};
    atomic_store(&p->workers_running, p->settings.workers);
    for (; p->workers_started < p->settings.workers; p->workers_started++)
        if (!thread_start(&p->workers[p->workers_started].thread, worker_main,
                          &p->workers[p->workers_started]))
            return false;
    return true;
}

static bool start_inputs(struct pipeline *p)
{
    /* One more than there are inputs: the queue must not close before all have started. */
    atomic_store(&p->inputs_running, p->plan.inputs_len + 1);
    for (; p->inputs_started < p->plan.inputs_len; p->inputs_started++) {
        struct input *in = &p->inputs[p->inputs_started];
        if (in->node->plugin->input.listen) {
            in->listening = true;
            net_post(p->net, input_listen, in);
        } else {
            in->threaded = thread_start(&in->thread, input_main, in);
            if (!in->threaded) return false;
        }
    }
    return true;
}

bool pipeline_start(struct pipeline *p)
{
    uint32_t inputs = p->plan.inputs_len, refill = p->settings.workers + 2;

    p->stopping = stop_new();
    p->aborting = stop_new();
    p->finished = stop_new();
    /* Each input may hold one; the others go round, half of them filling while half are worked on.
     */
    p->queue = queue_new(inputs + 2 * refill, refill);
    p->inputs = xcalloc(inputs, sizeof(*p->inputs));
    for (uint32_t i = 0; i < inputs; i++) {
        struct node  *n = p->plan.inputs[i];
        struct input *in = &p->inputs[i];
        *in = (struct input){.p = p, .node = n};
        in->intake =
            intake_new(n, p->queue, p->settings.batch_size, p->settings.host, input_ended, in);
    }
    atomic_store(&p->next_flush_ns, clock_monotonic_ns() + FLUSH_S * SECOND);
    p->started = true;
    if (needs_net(&p->plan) && !(p->net = net_start())) return false;

    p->running = start_outputs(p) && start_workers(p) && start_inputs(p);
    if (p->running)
        log_info("pipeline", "pipeline started", LOG_STR("pipeline.id", p->settings.id),
                 LOG_INT("pipeline.workers", p->settings.workers),
                 LOG_INT("pipeline.batch.size", p->settings.batch_size));
    one_input_less(p); /* takes back the one that was too many */
    return p->running;
}

/* ---- stop ---- */

void pipeline_stop(struct pipeline *p)
{
    if (p->stopped) return;
    p->stopped = true;
    stop_request(p->stopping);
    for (uint32_t i = 0; i < p->inputs_started; i++)
        if (p->inputs[i].listening) net_post(p->net, input_unlisten, &p->inputs[i]);
}

void pipeline_abort(struct pipeline *p)
{
    pipeline_stop(p);
    stop_request(p->aborting);
    queue_abort(p->queue);
}

int pipeline_finished_fd(const struct pipeline *p)
{
    return stop_fd(p->finished);
}

static void join_all(struct pipeline *p)
{
    for (uint32_t i = 0; i < p->inputs_started; i++)
        if (p->inputs[i].threaded) pthread_join(p->inputs[i].thread, NULL);
    for (uint32_t i = 0; i < p->workers_started; i++)
        pthread_join(p->workers[i].thread, NULL);
    stop_request(p->finished);
    if (p->ticking) pthread_join(p->ticker, NULL);
}

void pipeline_free(struct pipeline *p)
{
    if (!p) return;
    if (p->started) {
        /* After a failed start nobody else ends the inputs and closes the queue. */
        if (!p->running) {
            pipeline_abort(p);
            queue_close(p->queue);
        }
        join_all(p);
        stop_outputs(p); /* after a failed start no worker has */
        if (p->net) net_stop(p->net);
        for (uint32_t i = 0; p->workers && i < p->settings.workers; i++)
            runner_free(p->workers[i].runner);
        for (uint32_t i = 0; i < p->plan.inputs_len; i++)
            intake_free(p->inputs[i].intake);
    }
    plan_close(&p->plan);
    queue_free(p->queue);
    stop_free(p->stopping);
    stop_free(p->aborting);
    stop_free(p->finished);
    free(p->workers);
    free(p->inputs);
    arena_release(&p->arena);
    free(p);
}

bool pipeline_reloadable(const struct pipeline *p, const char **plugin)
{
    for (uint32_t i = 0; i < p->plan.inputs_len; i++) {
        if (!p->plan.inputs[i]->plugin->input.not_reloadable) continue;
        *plugin = p->plan.inputs[i]->plugin->name;
        return false;
    }
    return true;
}

const struct pipeline_plan *pipeline_plan(const struct pipeline *p)
{
    return &p->plan;
}

const struct pipeline_settings *pipeline_settings(const struct pipeline *p)
{
    return &p->settings;
}

const struct pipeline_metrics *pipeline_metrics(const struct pipeline *p)
{
    return &p->metrics;
}

uint64_t pipeline_busy_ns(const struct pipeline *p)
{
    uint64_t busy = 0;

    for (uint32_t i = 0; i < p->workers_started; i++)
        busy += runner_busy_ns(p->workers[i].runner);
    return busy;
}

static uint32_t workers_at(const struct pipeline *p, const struct node *n)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < p->workers_started; i++)
        at += runner_busy_at(p->workers[i].runner) == n;
    return at;
}

static void describe_busy(const struct pipeline *p, const struct node *n, struct buf *out)
{
    uint32_t workers = workers_at(p, n);
    bool     closing = atomic_load(&p->closing) == n;
    bool     reading = n->plugin->kind == PLUGIN_INPUT && !atomic_load(&p->inputs[n->index].ended);

    if (workers == 0 && !closing && !reading) return;
    buf_printf(out, "%s%s %s (%.*s)", out->len ? "; " : "", plugin_kind_name(n->plugin->kind),
               n->plugin->name, STR_ARG(n->common.id));
    if (workers > 0) buf_printf(out, ", %u worker%s", workers, workers == 1 ? "" : "s");
    if (closing) buf_str(out, STR(", closing"));
    if (reading) buf_str(out, STR(", not ended"));
}

void pipeline_describe_busy(const struct pipeline *p, struct buf *out)
{
    for (uint32_t i = 0; i < p->plan.inputs_len; i++)
        describe_busy(p, p->plan.inputs[i], out);
    for (uint32_t i = 0; i < p->plan.filters_len; i++)
        describe_busy(p, p->plan.filters[i], out);
    for (uint32_t i = 0; i < p->plan.outputs_len; i++)
        describe_busy(p, p->plan.outputs[i], out);
}

uint64_t pipeline_in_flight(const struct pipeline *p)
{
    return p->queue ? queue_depth(p->queue) : 0;
}
