#ifndef LSC_NET_TIMERS_H
#define LSC_NET_TIMERS_H

#include "net/loop.h"

/* The timers of a loop, as a heap: setting or cancelling one of thousands takes a dozen steps.
   Zero-initialised is empty. */
struct net_timers {
    struct net_timer **at;
    uint32_t           len, cap;
};

/* The one that is due first; NULL: none. */
struct net_timer *net_timers_first(const struct net_timers *h);
/* `t` has its due_ns and is not in the heap. */
void net_timers_add(struct net_timers *h, struct net_timer *t);
/* It is in the heap. */
void net_timers_remove(struct net_timers *h, struct net_timer *t);
void net_timers_release(struct net_timers *h);

#endif
