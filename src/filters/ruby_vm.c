/*
 * The thread of the Ruby interpreter, and how calls get there.
 *
 * Threads: a mutex over the list of calls; each caller waits on a condition variable of its own.
 */
#include "filters/ruby_vm.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "filters/ruby_api.h"

enum {
    STACK_SIZE = 16 << 20, /* as deep as a main thread's: Ruby code may recurse */
    LOOK_MS = 100,         /* how often a waiting caller looks whether it is to stop */
};

/* One call, on the stack of the thread that waits for it. */
struct call {
    void (*run)(void *data);
    void          *data;
    bool           done;
    pthread_cond_t ended;
    struct call   *next;
};

static struct vm {
    pthread_mutex_t lock;
    pthread_cond_t  work;      /* there is a call, or Ruby wants its thread back */
    pthread_cond_t  interrupt; /* `unwanted` was set */
    struct call    *first, **last;
    struct call    *running;
    struct call    *unwanted; /* a call whose caller has to stop */
    bool            woken, watch_woken;
    enum { VM_NONE, VM_STARTING, VM_UP, VM_DOWN } state;
    const char *problem;
    VALUE       main_thread;
} vm = {.lock = PTHREAD_MUTEX_INITIALIZER,
        .work = PTHREAD_COND_INITIALIZER,
        .interrupt = PTHREAD_COND_INITIALIZER};

/* ---- Ruby's side ---- */

/* Waits without Ruby's lock, so that threads made by a config's code run meanwhile. */
static void *wait_for_call(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&vm.lock);
    while (!vm.first && !vm.woken)
        pthread_cond_wait(&vm.work, &vm.lock);
    vm.woken = false;
    pthread_mutex_unlock(&vm.lock);
    return NULL;
}

/* Ruby wants the thread back, for a signal or another thread's exception. */
static void wake(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&vm.lock);
    vm.woken = true;
    pthread_cond_signal(&vm.work);
    pthread_mutex_unlock(&vm.lock);
}

static struct call *take_call(void)
{
    pthread_mutex_lock(&vm.lock);
    struct call *c = vm.first;
    if (c) {
        vm.first = c->next;
        if (!vm.first) vm.last = &vm.first;
    }
    vm.running = c;
    pthread_mutex_unlock(&vm.lock);
    return c;
}

static void end_call(struct call *c)
{
    pthread_mutex_lock(&vm.lock);
    vm.running = NULL;
    c->done = true;
    pthread_cond_signal(&c->ended);
    pthread_mutex_unlock(&vm.lock);
}

static VALUE serve(VALUE unused)
{
    (void)unused;
    for (;;) {
        struct call *c = take_call();
        if (c) {
            c->run(c->data);
            end_call(c);
        } else {
            rb_thread_call_without_gvl(wait_for_call, NULL, wake, NULL);
        }
    }
    return Qnil;
}

/* ---- interrupting a call: a second Ruby thread that raises in the first ---- */

static void *wait_for_interrupt(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&vm.lock);
    while (!vm.unwanted && !vm.watch_woken)
        pthread_cond_wait(&vm.interrupt, &vm.lock);
    vm.watch_woken = false;
    pthread_mutex_unlock(&vm.lock);
    return NULL;
}

static void wake_watch(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&vm.lock);
    vm.watch_woken = true;
    pthread_cond_signal(&vm.interrupt);
    pthread_mutex_unlock(&vm.lock);
}

static VALUE watch(void *unused)
{
    (void)unused;
    for (;;) {
        rb_thread_call_without_gvl(wait_for_interrupt, NULL, wake_watch, NULL);
        pthread_mutex_lock(&vm.lock);
        bool raise = vm.unwanted && vm.unwanted == vm.running;
        vm.unwanted = NULL;
        pthread_mutex_unlock(&vm.lock);
        if (raise)
            rb_funcall(vm.main_thread, rb_intern("raise"), 2, ruby_stopped_class(),
                       rb_str_new_cstr("lsc is told to stop at once"));
    }
    return Qnil;
}

/* ---- starting ---- */

static void set_state(int state, const char *problem)
{
    pthread_mutex_lock(&vm.lock);
    vm.state = state;
    vm.problem = problem;
    pthread_cond_broadcast(&vm.work);
    pthread_mutex_unlock(&vm.lock);
}

/* Ruby installs handlers for signals that are the program's business. It keeps those that its own
   time slices and child processes need. */
static bool ruby_needs(int signal)
{
    return signal == SIGVTALRM || signal == SIGCHLD;
}

static bool init_interpreter(void)
{
    static char name[] = "lsc", quiet[] = "--disable=did_you_mean,error_highlight",
                utf8[] = "-EUTF-8", code_flag[] = "-e", code[] = "";
    char            *argv[] = {name, quiet, utf8, code_flag, code, NULL};
    struct sigaction before[NSIG];
    sigset_t         others;

    for (int s = 1; s < NSIG; s++)
        sigaction(s, NULL, &before[s]);
    bool good = ruby_setup() == 0;
    if (good) ruby_options(5, argv); /* load paths, encodings, RubyGems */
    for (int s = 1; s < NSIG; s++)
        if (!ruby_needs(s)) sigaction(s, &before[s], NULL);
    /* Ruby has opened its thread to all of them, and takes them away from the program so. */
    sigfillset(&others);
    sigdelset(&others, SIGVTALRM);
    sigdelset(&others, SIGCHLD);
    pthread_sigmask(SIG_SETMASK, &others, NULL);
    return good;
}

static void *vm_main(void *unused)
{
    int status = 0;

    (void)unused;
    RUBY_INIT_STACK;
    log_context(STR(""), STR("ruby"));
    if (!init_interpreter()) {
        set_state(VM_DOWN, "Ruby does not start");
        return NULL;
    }
    vm.main_thread = rb_thread_current();
    rb_protect(ruby_define_all, Qnil, &status);
    if (status) {
        set_state(VM_DOWN, ruby_error_text());
        return NULL;
    }
    rb_thread_create(watch, NULL);
    set_state(VM_UP, NULL);
    for (;;) /* an interrupt may come a moment too late, when its call has ended */
        rb_protect(serve, Qnil, &status);
    return NULL;
}

static bool start_thread(void)
{
    pthread_attr_t attr;
    pthread_t      thread;
    sigset_t       all, before;

    vm.last = &vm.first;
    vm.state = VM_STARTING;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool good = pthread_create(&thread, &attr, vm_main, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (good) return true;
    vm.state = VM_DOWN;
    vm.problem = "there is no room for a thread";
    return false;
}

bool ruby_vm_start(const char **problem)
{
    pthread_mutex_lock(&vm.lock);
    if (vm.state == VM_NONE) start_thread();
    while (vm.state == VM_STARTING)
        pthread_cond_wait(&vm.work, &vm.lock);
    bool good = vm.state == VM_UP;
    *problem = vm.problem;
    pthread_mutex_unlock(&vm.lock);
    return good;
}

/* ---- the callers' side ---- */

/* Waits for the end of the call, and has it interrupted when the caller is to stop. */
static void wait_for_end(struct call *c, const struct stop *stop)
{
    while (!c->done) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&c->ended, &vm.lock, &until);
        if (c->done || !stop || !stop_requested(stop)) continue;
        vm.unwanted = c;
        pthread_cond_signal(&vm.interrupt);
    }
}

void ruby_vm_call(void (*run)(void *data), void *data, const struct stop *stop)
{
    struct call c = {.run = run, .data = data, .ended = PTHREAD_COND_INITIALIZER};

    pthread_mutex_lock(&vm.lock);
    *vm.last = &c;
    vm.last = &c.next;
    pthread_cond_signal(&vm.work);
    wait_for_end(&c, stop);
    pthread_mutex_unlock(&vm.lock);
    pthread_cond_destroy(&c.ended);
}
