#ifndef LSC_BASE_VERSIONS_H
#define LSC_BASE_VERSIONS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/*
 * A thing that many threads read and that is sometimes replaced as a whole: a table read from a
 * file that changes. A reader keeps the version it has, without a lock, until it asks again; a
 * version goes when its last reader has moved on.
 */
struct version;

struct versions {
    _Atomic uint64_t number; /* of the current version; 0: none yet */
    pthread_mutex_t  lock;   /* for what follows, taken only around a change */
    struct version  *all;    /* the current one first */
    void (*free)(void *thing);
};

/* One per reading thread, zeroed: part of a plugin's worker state. */
struct version_reader {
    uint64_t        number;
    struct version *held;
};

void versions_init(struct versions *v, void (*free_thing)(void *thing));
void versions_release(struct versions *v); /* frees every thing; nobody reads any more */

/* Makes `thing`, which is taken over, the current one. Any thread. */
void versions_put(struct versions *v, void *thing);

/* The current thing, good until the same reader asks again. NULL before the first put. */
void *versions_get(struct versions *v, struct version_reader *reader);

#endif
