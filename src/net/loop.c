/*
 * The one thread of all sockets, on libwebsockets.
 *
 * Descriptors of our own are in an epoll set, which is itself one descriptor that libwebsockets
 * polls: so they cost the same however many there are, and keep poll's exact meaning of events.
 *
 * Threads: `jobs`, `last_job` and `stopping` are guarded by `lock`; everything else belongs to the
 * loop's thread.
 */
#include "net/loop.h"

#include <errno.h>
#include <libwebsockets.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/log.h"
#include "net/timers.h"

/* What libwebsockets watches itself: the epoll descriptor in which the sockets of plugins are, and
   the few connections of the API. It would otherwise keep tables for every descriptor that the
   system allows, which may be a million, and touch all of that memory. */
enum { WATCHED_MAX = 128 };
enum { READY_MAX = 64 }; /* descriptors looked at per round */
enum { SPARE_MAX = 512 * 1024 };

struct job {
    struct job *next;
    void (*fn)(void *ctx);
    void *ctx;
};

struct net {
    struct lws_context    *context;
    pthread_t              thread;
    pthread_mutex_t        lock;
    struct job            *jobs, **last_job;
    bool                   stopping;
    struct net_timers      timers;
    lws_sorted_usec_list_t wake; /* when the first of them is due */
    struct net_idle       *idles;
    struct buf             spare; /* to read into */
    int                    epoll;
    struct epoll_event     ready[READY_MAX]; /* those of this round, ended ones without watch */
    int                    ready_len;
};

/* ---- what libwebsockets has to say ---- */

static enum log_level level_of(int lws_level)
{
    if (lws_level & LLL_ERR) return LOG_WARN;
    if (lws_level & (LLL_WARN | LLL_NOTICE)) return LOG_DEBUG;
    return LOG_TRACE;
}

static void lws_says(int lws_level, const char *line)
{
    struct str text = str_of(line);

    while (text.len > 0 && text.data[text.len - 1] == '\n')
        text.len--;
    LOG_AT(level_of(lws_level), "net.lws", "libwebsockets", LOG_STR("text", text), {.name = NULL});
}

static void take_over_log(void)
{
    int wanted = LLL_ERR;

    if (log_enabled("net.lws", LOG_DEBUG)) wanted |= LLL_WARN | LLL_NOTICE;
    if (log_enabled("net.lws", LOG_TRACE)) wanted |= LLL_INFO | LLL_CLIENT | LLL_HEADER;
    lws_set_log_level(wanted, lws_says);
}

/* ---- jobs ---- */

static void push(struct net *n, struct job *j)
{
    pthread_mutex_lock(&n->lock);
    bool first = n->jobs == NULL;
    *n->last_job = j;
    n->last_job = &j->next;
    pthread_mutex_unlock(&n->lock);
    /* A loop that has jobs is awake, or has been told to wake up. */
    if (first) lws_cancel_service(n->context);
}

void net_post(struct net *n, void (*fn)(void *ctx), void *ctx)
{
    struct job *j = xmalloc(sizeof(*j));

    *j = (struct job){.fn = fn, .ctx = ctx};
    push(n, j);
}

struct call {
    void (*fn)(void *ctx);
    void           *ctx;
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    bool            done;
};

static void run_call(void *ctx)
{
    struct call *c = ctx;

    c->fn(c->ctx);
    pthread_mutex_lock(&c->lock);
    c->done = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void net_call(struct net *n, void (*fn)(void *ctx), void *ctx)
{
    struct call c = {.fn = fn,
                     .ctx = ctx,
                     .lock = PTHREAD_MUTEX_INITIALIZER,
                     .changed = PTHREAD_COND_INITIALIZER};

    net_post(n, run_call, &c);
    pthread_mutex_lock(&c.lock);
    while (!c.done)
        pthread_cond_wait(&c.changed, &c.lock);
    pthread_mutex_unlock(&c.lock);
    pthread_mutex_destroy(&c.lock);
    pthread_cond_destroy(&c.changed);
}

/* Runs what was posted until now. What those jobs post comes in the next round. */
static void run_jobs(struct net *n)
{
    pthread_mutex_lock(&n->lock);
    struct job *j = n->jobs;
    n->jobs = NULL;
    n->last_job = &n->jobs;
    pthread_mutex_unlock(&n->lock);

    while (j) {
        struct job *next = j->next;
        j->fn(j->ctx);
        free(j);
        j = next;
    }
}

/* ---- a buffer for all ---- */

void net_lend_buffer(struct net *n, struct buf *b)
{
    *b = n->spare;
    n->spare = (struct buf){0};
    buf_clear(b);
}

void net_take_buffer_back(struct net *n, struct buf *b)
{
    if (b->cap > n->spare.cap && b->cap <= SPARE_MAX) {
        struct buf smaller = n->spare;
        n->spare = *b;
        *b = smaller;
    }
    buf_release(b);
}

/* ---- timers ---- */

static void wake_up(lws_sorted_usec_list_t *sul)
{
    struct net *n = lws_container_of(sul, struct net, wake);

    /* It comes before libwebsockets polls: end the round, so that loop() runs the timers. */
    lws_cancel_service(n->context);
}

/* To be called when another timer is the first. */
static void arm(struct net *n)
{
    const struct net_timer *first = net_timers_first(&n->timers);

    if (!first) {
        lws_sul_schedule(n->context, 0, &n->wake, wake_up, LWS_SET_TIMER_USEC_CANCEL);
        return;
    }
    int64_t us = (first->due_ns - clock_monotonic_ns()) / 1000 + 1;
    lws_sul_schedule(n->context, 0, &n->wake, wake_up, us > 1 ? us : 1);
}

void net_timer_set(struct net *n, struct net_timer *t, int64_t after_ns, void (*fn)(void *ctx),
                   void *ctx)
{
    const struct net_timer *first = net_timers_first(&n->timers);

    if (t->armed) net_timers_remove(&n->timers, t);
    *t = (struct net_timer){.fn = fn, .ctx = ctx, .due_ns = clock_monotonic_ns() + after_ns};
    net_timers_add(&n->timers, t);
    if (first == t || net_timers_first(&n->timers) != first) arm(n);
}

void net_timer_cancel(struct net *n, struct net_timer *t)
{
    const struct net_timer *first = net_timers_first(&n->timers);

    if (!t->armed) return;
    net_timers_remove(&n->timers, t);
    if (first == t) arm(n);
}

static void run_timers(struct net *n)
{
    struct net_timer *t = net_timers_first(&n->timers);

    if (!t) return;
    int64_t now = clock_monotonic_ns();
    if (t->due_ns > now) return;
    while ((t = net_timers_first(&n->timers)) && t->due_ns <= now) {
        net_timers_remove(&n->timers, t);
        t->fn(t->ctx);
    }
    arm(n);
}

/* ---- after each round ---- */

void net_idle_mark(struct net *n, struct net_idle *idle)
{
    if (idle->marked) return;
    idle->marked = true;
    idle->next = n->idles;
    n->idles = idle;
}

static void run_idles(struct net *n)
{
    struct net_idle *idle = n->idles;

    n->idles = NULL;
    while (idle) {
        struct net_idle *next = idle->next; /* fn may free or mark it again */
        idle->marked = false;
        idle->fn(idle->ctx);
        idle = next;
    }
}

/* ---- descriptors ---- */

bool net_watch_start(struct net *n, struct net_watch *w, int fd, uint32_t events,
                     void (*fn)(void *ctx, uint32_t ready), void *ctx)
{
    struct epoll_event e = {.events = events, .data.ptr = w};

    *w = (struct net_watch){.fd = fd, .watched = true, .fn = fn, .ctx = ctx};
    if (epoll_ctl(n->epoll, EPOLL_CTL_ADD, fd, &e) == 0) return true;
    log_error("net", "a socket cannot be watched", LOG_CSTR("exception", strerror(errno)));
    w->watched = false;
    return false;
}

void net_watch_change(struct net *n, struct net_watch *w, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = w};

    if (w->watched) epoll_ctl(n->epoll, EPOLL_CTL_MOD, w->fd, &e);
}

void net_watch_end(struct net *n, struct net_watch *w)
{
    if (!w->watched) return;
    w->watched = false;
    epoll_ctl(n->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    for (int i = 0; i < n->ready_len; i++)
        if (n->ready[i].data.ptr == w) n->ready[i].data.ptr = NULL;
}

static void run_watches(struct net *n)
{
    n->ready_len = epoll_wait(n->epoll, n->ready, READY_MAX, 0);
    for (int i = 0; i < n->ready_len; i++) {
        struct net_watch *w = n->ready[i].data.ptr;
        if (w) w->fn(w->ctx, n->ready[i].events);
    }
    n->ready_len = 0;
}

/* libwebsockets says that the epoll set has something ready. */
static int epoll_ready(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t len)
{
    (void)user, (void)in, (void)len;
    if (reason == LWS_CALLBACK_RAW_RX_FILE) run_watches(lws_context_user(lws_get_context(wsi)));
    return 0;
}

static bool watch_epoll(struct net *n)
{
    static const struct lws_protocols protocols[] = {
        {.name = "lsc-epoll", .callback = epoll_ready},
        {.name = NULL},
    };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols, .vhost_name = "lsc"};
    struct lws_vhost     *vhost = lws_create_vhost(n->context, &info);
    lws_sock_file_fd_type fd = {.filefd = n->epoll};

    if (!vhost || n->epoll < 0) return false;
    return lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, fd, protocols[0].name, NULL);
}

/* ---- the thread ---- */

static bool stopping(struct net *n)
{
    pthread_mutex_lock(&n->lock);
    bool stop = n->stopping && !n->jobs;
    pthread_mutex_unlock(&n->lock);
    return stop;
}

static void *loop(void *arg)
{
    struct net *n = arg;

    pthread_setname_np(pthread_self(), "lsc-net");
    while (!stopping(n)) {
        lws_service(n->context, 0);
        run_jobs(n);
        run_timers(n);
        run_idles(n);
    }
    return NULL;
}

struct lws_context *net_context(struct net *n)
{
    return n->context;
}

static struct lws_context *new_context(struct net *n)
{
    struct lws_context_creation_info info = {
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .fd_limit_per_thread = WATCHED_MAX,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .user = n,
    };

    return lws_create_context(&info);
}

/* Signals are for the main thread. */
static bool start_thread(struct net *n)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&n->thread, NULL, loop, n);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        log_error("net", "the network thread cannot be started",
                  LOG_CSTR("exception", strerror(failed)));
    return !failed;
}

struct net *net_start(void)
{
    struct net *n = xcalloc(1, sizeof(*n));

    take_over_log();
    pthread_mutex_init(&n->lock, NULL);
    n->last_job = &n->jobs;
    n->epoll = epoll_create1(EPOLL_CLOEXEC);
    n->context = new_context(n);
    if (!n->context || !watch_epoll(n))
        log_error("net", "libwebsockets cannot be started");
    else if (start_thread(n))
        return n;
    if (n->context) lws_context_destroy(n->context);
    pthread_mutex_destroy(&n->lock);
    free(n);
    return NULL;
}

void net_stop(struct net *n)
{
    pthread_mutex_lock(&n->lock);
    n->stopping = true;
    pthread_mutex_unlock(&n->lock);
    lws_cancel_service(n->context);
    pthread_join(n->thread, NULL);
    lws_context_destroy(n->context);
    net_timers_release(&n->timers);
    buf_release(&n->spare);
    pthread_mutex_destroy(&n->lock);
    free(n);
}
