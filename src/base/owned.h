#ifndef LSC_BASE_OWNED_H
#define LSC_BASE_OWNED_H

#include <pthread.h>

/*
 * Things that threads make for themselves while they run (caches, contexts of a library) and that
 * are to be freed when all has ended: a plugin's close. Making one takes a lock, using it none.
 */
struct owned_thing;

struct owned {
    pthread_mutex_t     lock;
    struct owned_thing *first;
};

struct owned *owned_new(void);
void          owned_free(struct owned *o); /* frees the things, then itself; NULL: nothing */

/* From now on `thing` is freed with `o`. Returns it. Any thread. */
void *owned_add(struct owned *o, void *thing, void (*free_thing)(void *thing));

#endif
