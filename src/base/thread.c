#include "base/thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/fatal.h"

struct ending {
    void (*release)(void *data);
    void          *data;
    struct ending *next;
};

static pthread_key_t  key;
static pthread_once_t key_made = PTHREAD_ONCE_INIT;

static void release_all(void *list)
{
    for (struct ending *e = list; e;) {
        struct ending *next = e->next;
        e->release(e->data);
        free(e);
        e = next;
    }
}

static void make_key(void)
{
    if (pthread_key_create(&key, release_all) != 0) fatal_memory();
}

void thread_at_end(void (*release)(void *data), void *data)
{
    struct ending *e = xmalloc(sizeof(*e));

    pthread_once(&key_made, make_key);
    e->release = release;
    e->data = data;
    e->next = pthread_getspecific(key);
    if (pthread_setspecific(key, e) != 0) fatal_memory();
}

bool thread_detached(void *(*run)(void *arg), void *arg)
{
    pthread_t      thread;
    pthread_attr_t detached;
    sigset_t       all, before;

    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, &detached, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    return !failed;
}
