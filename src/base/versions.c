#include "base/versions.h"

#include <stdlib.h>

#include "base/fatal.h"

struct version {
    void           *thing;
    uint32_t        readers;
    struct version *older;
};

void versions_init(struct versions *v, void (*free_thing)(void *thing))
{
    atomic_init(&v->number, 0);
    pthread_mutex_init(&v->lock, NULL);
    v->all = NULL;
    v->free = free_thing;
}

void versions_release(struct versions *v)
{
    for (struct version *one = v->all, *older; one; one = older) {
        older = one->older;
        v->free(one->thing);
        free(one);
    }
    v->all = NULL;
    pthread_mutex_destroy(&v->lock);
}

/* Frees the older versions that nobody reads. */
static void drop_unread(struct versions *v)
{
    struct version **at = &v->all->older;

    while (*at) {
        struct version *one = *at;
        if (one->readers > 0) {
            at = &one->older;
            continue;
        }
        *at = one->older;
        v->free(one->thing);
        free(one);
    }
}

void versions_put(struct versions *v, void *thing)
{
    struct version *one = xcalloc(1, sizeof(*one));

    one->thing = thing;
    pthread_mutex_lock(&v->lock);
    one->older = v->all;
    v->all = one;
    drop_unread(v);
    atomic_fetch_add_explicit(&v->number, 1, memory_order_release);
    pthread_mutex_unlock(&v->lock);
}

static void move_on(struct versions *v, struct version_reader *reader)
{
    pthread_mutex_lock(&v->lock);
    if (reader->held) reader->held->readers--;
    reader->held = v->all;
    if (reader->held) {
        reader->held->readers++;
        drop_unread(v);
    }
    reader->number = atomic_load_explicit(&v->number, memory_order_relaxed);
    pthread_mutex_unlock(&v->lock);
}

void *versions_get(struct versions *v, struct version_reader *reader)
{
    if (reader->number != atomic_load_explicit(&v->number, memory_order_acquire))
        move_on(v, reader);
    return reader->held ? reader->held->thing : NULL;
}
