#ifndef LSC_TEXT_RECENT_H
#define LSC_TEXT_RECENT_H

#include "text/dictionary.h"

/*
 * The texts seen lately and what was found out about each, up to a number of them. There are two
 * halves: new entries fill one, and when it is full the other, which is older, is thrown away and
 * they change places. What is asked for again moves to the newer half, so it stays. One thread.
 */
struct recent {
    uint32_t           half; /* entries in each half */
    struct dictionary *newer, *older;
};

enum { RECENT_KEY_MAX = 4096 /* bytes; longer texts are not kept */ };

void recent_init(struct recent *r, int64_t max); /* max: 1 or more */
void recent_release(struct recent *r);

/* NULL: not known (any more). Good until the next recent_put(). */
const struct value *recent_get(struct recent *r, struct str key);

/* Keeps copies; of too long a key, nothing. */
void recent_put(struct recent *r, struct str key, struct value v);

#endif
