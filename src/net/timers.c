#include "net/timers.h"

#include <stdlib.h>

#include "base/fatal.h"

static void put(struct net_timers *h, uint32_t i, struct net_timer *t)
{
    h->at[i] = t;
    t->place = i;
}

static void swap(struct net_timers *h, uint32_t i, uint32_t k)
{
    struct net_timer *t = h->at[i];

    put(h, i, h->at[k]);
    put(h, k, t);
}

static bool before(const struct net_timers *h, uint32_t i, uint32_t k)
{
    return h->at[i]->due_ns < h->at[k]->due_ns;
}

static void move_up(struct net_timers *h, uint32_t i)
{
    for (; i > 0 && before(h, i, (i - 1) / 2); i = (i - 1) / 2)
        swap(h, i, (i - 1) / 2);
}

static void move_down(struct net_timers *h, uint32_t i)
{
    for (uint32_t child; (child = 2 * i + 1) < h->len; i = child) {
        if (child + 1 < h->len && before(h, child + 1, child)) child++;
        if (!before(h, child, i)) return;
        swap(h, i, child);
    }
}

struct net_timer *net_timers_first(const struct net_timers *h)
{
    return h->len ? h->at[0] : NULL;
}

void net_timers_add(struct net_timers *h, struct net_timer *t)
{
    if (h->len == h->cap) {
        h->cap = h->cap ? 2 * h->cap : 16;
        h->at = xrealloc(h->at, h->cap * sizeof(struct net_timer *));
    }
    t->armed = true;
    put(h, h->len++, t);
    move_up(h, t->place);
}

void net_timers_remove(struct net_timers *h, struct net_timer *t)
{
    uint32_t hole = t->place;

    t->armed = false;
    if (hole == --h->len) return;
    put(h, hole, h->at[h->len]);
    move_up(h, hole);
    move_down(h, hole);
}

void net_timers_release(struct net_timers *h)
{
    free(h->at);
    *h = (struct net_timers){0};
}
