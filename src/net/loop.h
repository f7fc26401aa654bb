#ifndef LSC_NET_LOOP_H
#define LSC_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct lws_context;
struct lws_vhost;

/*
 * The one thread of all sockets: a libwebsockets context. Nothing on it may block. Functions are
 * for that thread unless said otherwise.
 */
struct net;

/* Starts the thread. Any thread. NULL after logging why. */
struct net *net_start(void);
/* Ends the thread and frees; all inputs must have ended. Any thread but the loop's. */
void net_stop(struct net *n);

/* Runs fn(ctx) on the loop's thread, soon, in the order of the calls. Any thread. */
void net_post(struct net *n, void (*fn)(void *ctx), void *ctx);
/* The same, and waits until it is done. Any thread but the loop's. */
void net_call(struct net *n, void (*fn)(void *ctx), void *ctx);

struct lws_context *net_context(struct net *n);

/* A timer on the loop's thread. Zero-initialised is idle. */
struct net_timer {
    void (*fn)(void *ctx);
    void    *ctx;
    int64_t  due_ns; /* monotonic */
    uint32_t place;  /* among the others */
    bool     armed;
};
/* (Re)arms: fn(ctx) once after `after_ns`. */
void net_timer_set(struct net *n, struct net_timer *t, int64_t after_ns, void (*fn)(void *ctx),
                   void *ctx);
void net_timer_cancel(struct net *n, struct net_timer *t);

/* Called after each round of the loop in which `net_idle_mark` was called for it: hands over what
   inputs have gathered. Zero-initialised is idle. */
struct net_idle {
    void (*fn)(void *ctx);
    void            *ctx;
    struct net_idle *next;
    bool             marked;
};
void net_idle_mark(struct net *n, struct net_idle *idle);

/*
 * A large buffer to read into, which the loop keeps for whoever reads next, so that thousands of
 * connections that wait need none. `b` has no memory when it is lent and gets the buffer, empty; it
 * has none afterwards. What is given back need not be what was lent.
 */
void net_lend_buffer(struct net *n, struct buf *b);
void net_take_buffer_back(struct net *n, struct buf *b);

/*
 * A descriptor that the loop watches: fn(ctx, ready) is called while it is readable (EPOLLIN),
 * writable (EPOLLOUT) or broken (EPOLLERR, EPOLLHUP). Zero-initialised is idle. The owner ends the
 * watch before it closes the descriptor; fn may do so.
 */
struct net_watch {
    int  fd;
    bool watched;
    void (*fn)(void *ctx, uint32_t ready);
    void *ctx;
};
/* False after logging why: the system has no room for one more. */
bool net_watch_start(struct net *n, struct net_watch *w, int fd, uint32_t events,
                     void (*fn)(void *ctx, uint32_t ready), void *ctx);
void net_watch_change(struct net *n, struct net_watch *w, uint32_t events);
void net_watch_end(struct net *n, struct net_watch *w);

#endif
