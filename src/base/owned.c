#include "base/owned.h"

#include <stdlib.h>

#include "base/fatal.h"

struct owned_thing {
    void *thing;
    void (*free)(void *thing);
    struct owned_thing *next;
};

struct owned *owned_new(void)
{
    struct owned *o = xcalloc(1, sizeof(*o));

    pthread_mutex_init(&o->lock, NULL);
    return o;
}

void owned_free(struct owned *o)
{
    if (!o) return;
    for (struct owned_thing *t = o->first, *next; t; t = next) {
        next = t->next;
        t->free(t->thing);
        free(t);
    }
    pthread_mutex_destroy(&o->lock);
    free(o);
}

void *owned_add(struct owned *o, void *thing, void (*free_thing)(void *thing))
{
    struct owned_thing *t = xcalloc(1, sizeof(*t));

    *t = (struct owned_thing){.thing = thing, .free = free_thing};
    pthread_mutex_lock(&o->lock);
    t->next = o->first;
    o->first = t;
    pthread_mutex_unlock(&o->lock);
    return thing;
}
