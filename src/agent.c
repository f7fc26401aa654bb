#include "agent.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/api.h"
#include "base/log.h"
#include "config.h"
#include "pipeline/pipeline.h"
#include "stall.h"

enum { LAST_WORDS_MS = 500 };

struct agent {
    const struct settings *settings;
    struct pipeline       *pipeline;
    struct api            *api;         /* NULL: none */
    struct pipeline       *successor;   /* starts when the pipeline has finished: a reload */
    uint64_t               config_hash; /* of the texts that were loaded last, good or bad */
    int                    signal_fd;
    bool                   stopping;
    struct stall           stall;
    int64_t                next_reload_ns;
};

static struct pipeline_settings settings_of(const struct settings *s, bool check_only)
{
    return (struct pipeline_settings){.id = s->pipeline_id,
                                      .path_data = check_only ? STR("") : s->path_data,
                                      .host = s->test_host,
                                      .workers = (uint32_t)s->pipeline_workers,
                                      .batch_size = (uint32_t)s->pipeline_batch_size,
                                      .ecs = s->pipeline_ecs_compatibility};
}

/* The config, checked and opened but not started; NULL after diagnostics. */
static struct pipeline *load(const struct settings *s, bool check_only)
{
    struct pipeline_settings ps = settings_of(s, check_only);
    struct arena             arena = {0};
    struct ast_config        config = {0};
    struct diags             d = {0};

    /* What did parse is checked even when something else did not: one run shows every problem. */
    bool             parsed = config_load(s, &arena, &config, &d);
    struct pipeline *p = pipeline_new(&arena, &config, &ps, &d);
    if (p && parsed) return p;
    pipeline_free(p);
    diag_end(&d);
    return NULL;
}

/* ---- checks and dumps ---- */

static int dump_ast(const struct settings *s)
{
    struct arena      arena = {0};
    struct ast_config config = {0};
    struct diags      d = {0};
    bool              loaded = config_load(s, &arena, &config, &d);

    if (loaded) ast_print(&config, stdout);
    if (!loaded) diag_end(&d);
    arena_release(&arena);
    return loaded ? 0 : 1;
}

int agent_check(const struct settings *s)
{
    if (s->dump == DUMP_AST) return dump_ast(s);

    struct pipeline *p = load(s, true);
    if (!p) return 1;
    if (s->dump == DUMP_PIPELINE) plan_print(pipeline_plan(p), stdout);
    if (s->dump == DUMP_PROGRAM) {
        puts("filter");
        program_print(&pipeline_plan(p)->filter, stdout);
        puts("output");
        program_print(&pipeline_plan(p)->output, stdout);
    }
    if (s->dump == DUMP_NONE) puts("Configuration OK");
    pipeline_free(p);
    return 0;
}

/* ---- reload ---- */

static bool reloadable(struct agent *a, const struct pipeline *p)
{
    const char *plugin;

    if (pipeline_reloadable(p, &plugin)) return true;
    log_error("agent", "cannot reload: an input cannot be started twice",
              LOG_CSTR("plugin", plugin));
    api_reloaded(a->api, "an input cannot be started twice");
    return false;
}

static void reload_failed(struct agent *a, const char *why)
{
    log_error("agent", why);
    api_reloaded(a->api, why);
}

/* The pipeline has finished: the one that a reload has left ready takes its place, if any. */
static void succeed(struct agent *a)
{
    if (a->pipeline) api_pipeline_ended(a->api);
    pipeline_free(a->pipeline);
    a->pipeline = a->successor;
    a->successor = NULL;
    if (!a->pipeline) return;
    if (a->stopping || !pipeline_start(a->pipeline)) {
        if (!a->stopping) reload_failed(a, "the reloaded pipeline did not start");
        pipeline_free(a->pipeline);
        a->pipeline = NULL;
        return;
    }
    api_pipeline_started(a->api, a->pipeline, a->config_hash);
    api_reloaded(a->api, NULL);
    log_info("agent", "config reloaded");
}

/* The new config is checked before the old pipeline is touched: a bad one changes nothing. */
static void reload(struct agent *a)
{
    uint64_t hash = config_hash(a->settings);

    if (hash == a->config_hash || a->successor) return;
    a->config_hash = hash;
    if (!a->settings->pipeline_reloadable) {
        log_warn("agent", "the config has changed, but pipeline.reloadable is false");
        return;
    }
    if (a->pipeline && !reloadable(a, a->pipeline)) return;

    struct pipeline *fresh = load(a->settings, false);
    if (!fresh) {
        reload_failed(a, "the new config has errors, the old one stays in force");
    } else if (!reloadable(a, fresh)) {
        pipeline_free(fresh);
    } else {
        a->successor = fresh;
        stall_begin(&a->stall, a->settings->test_stall.ns);
        if (a->pipeline)
            pipeline_stop(a->pipeline);
        else
            succeed(a);
    }
}

/* ---- signals and time ---- */

static void begin_stop(struct agent *a)
{
    if (a->stopping) return;
    a->stopping = true;
    stall_begin(&a->stall, a->settings->test_stall.ns);
    if (a->pipeline) pipeline_stop(a->pipeline);
}

/* Forced: outputs that wait get a moment to say what they lose. */
static _Noreturn void quit(struct agent *a, int status, const char *why)
{
    uint64_t in_flight = a->pipeline ? pipeline_in_flight(a->pipeline) : 0;

    if (a->pipeline) {
        struct pollfd finished = {.fd = pipeline_finished_fd(a->pipeline), .events = POLLIN};
        pipeline_abort(a->pipeline);
        poll(&finished, 1, LAST_WORDS_MS);
    }
    log_fatal("agent", why, LOG_INT("in_flight", (int64_t)in_flight));
    _exit(status); /* the log stays open: other threads still write to it */
}

static void on_signal(struct agent *a)
{
    struct signalfd_siginfo info;

    if (read(a->signal_fd, &info, sizeof(info)) != sizeof(info)) return;
    switch (info.ssi_signo) {
    case SIGHUP:
        if (!a->stopping) {
            log_info("agent", "SIGHUP received, reloading");
            reload(a);
        }
        break;
    case SIGINT:
        if (a->stopping) quit(a, 1, "SIGINT received a second time, quitting at once");
        log_warn("agent", "SIGINT received, shutting down; once more to quit at once");
        begin_stop(a);
        break;
    default:
        if (!a->stopping) log_warn("agent", "SIGTERM received, shutting down");
        begin_stop(a);
        break;
    }
}

/* The pipeline is to end, for good or for its successor. */
static bool ending(const struct agent *a)
{
    return a->pipeline && (a->stopping || a->successor);
}

/* While a stop takes long: says what is still on its way; quits when allowed to. */
static void check_stall(struct agent *a)
{
    if (stall_check(&a->stall, a->pipeline) == STALL_HOPELESS && a->stopping &&
        a->settings->pipeline_unsafe_shutdown)
        quit(a, 255, "pipeline.unsafe_shutdown: quitting with events in flight");
}

static int wait_ms(const struct agent *a)
{
    int64_t due = INT64_MAX;

    if (ending(a)) due = a->stall.due_ns;
    if (!a->stopping && a->settings->config_reload_automatic && a->next_reload_ns < due)
        due = a->next_reload_ns;
    if (due == INT64_MAX) return -1;
    int64_t left = due - clock_monotonic_ns();
    return left <= 0 ? 0 : (int)(left / 1000000 + 1);
}

static void on_time(struct agent *a)
{
    int64_t now = clock_monotonic_ns();

    if (ending(a) && now >= a->stall.due_ns) check_stall(a);
    if (!a->stopping && a->settings->config_reload_automatic && now >= a->next_reload_ns) {
        reload(a);
        a->next_reload_ns = clock_monotonic_ns() + a->settings->config_reload_interval.ns;
    }
}

/* Until there is nothing left to run: the pipeline has finished and no reload can bring another. */
static void run_until_done(struct agent *a)
{
    a->next_reload_ns = clock_monotonic_ns() + a->settings->config_reload_interval.ns;
    for (;;) {
        bool may_come = a->settings->config_reload_automatic && !a->stopping;
        if (!a->pipeline && !may_come) return;

        struct pollfd fds[2] = {
            {.fd = a->signal_fd, .events = POLLIN},
            {.fd = a->pipeline ? pipeline_finished_fd(a->pipeline) : -1, .events = POLLIN}};
        poll(fds, 2, wait_ms(a));
        if (fds[0].revents) on_signal(a);
        if (fds[1].revents && a->pipeline) succeed(a);
        on_time(a);
    }
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* config.debug: what the config was compiled to. Values of settings are not part of it. */
static void log_program(const struct settings *s, const struct pipeline *p)
{
    char  *text = NULL;
    size_t len;

    if (!s->config_debug || !log_enabled("agent", LOG_DEBUG)) return;
    FILE *f = open_memstream(&text, &len);
    if (!f) return;
    plan_print(pipeline_plan(p), f);
    program_print(&pipeline_plan(p)->filter, f);
    program_print(&pipeline_plan(p)->output, f);
    fclose(f);
    log_debug("agent", "compiled pipeline", LOG_CSTR("program", text));
    free(text);
}

int agent_run(const struct settings *s)
{
    struct agent a = {.settings = s};

    a.signal_fd = open_signals();
    a.config_hash = config_hash(s);
    a.pipeline = load(s, false);
    if (!a.pipeline) return 1;
    log_program(s, a.pipeline);
    /* The address is taken before anything is read, and served when the pipeline runs. */
    if (!api_open(s, &a.api) || !pipeline_start(a.pipeline)) {
        pipeline_free(a.pipeline);
        api_stop(a.api);
        return 1;
    }
    api_pipeline_started(a.api, a.pipeline, a.config_hash);
    api_start(a.api);
    run_until_done(&a);
    api_stop(a.api);
    stall_release(&a.stall);
    log_info("agent", "shut down");
    close(a.signal_fd);
    return 0;
}
