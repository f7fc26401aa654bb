/*
 * Threads: a lookup's `cancelled` is guarded by its `lock`; `found` and `problem` are written by
 * the lookup's thread before it posts to the loop.
 */
#include "net/resolve.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fatal.h"
#include "base/thread.h"

struct lookup {
    struct net      *net;
    char            *host;
    char             port[8];
    pthread_mutex_t  lock;
    bool             cancelled;
    struct addrinfo *found;
    int              status;
    void (*done)(void *ctx, struct addrinfo *found, const char *problem);
    void *ctx;
};

static void lookup_free(struct lookup *l)
{
    if (l->found) freeaddrinfo(l->found);
    pthread_mutex_destroy(&l->lock);
    free(l->host);
    free(l);
}

static void report(void *ctx)
{
    struct lookup *l = ctx;

    /* Its thread still holds the lock while it posts: only then is it done with `l` and the loop.
     */
    pthread_mutex_lock(&l->lock);
    bool cancelled = l->cancelled;
    pthread_mutex_unlock(&l->lock);
    if (!cancelled) {
        struct addrinfo *found = l->found;
        l->found = NULL;
        l->done(l->ctx, found, found ? NULL : gai_strerror(l->status));
    }
    lookup_free(l);
}

static void ask(struct lookup *l, int flags)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};

    l->status = getaddrinfo(l->host, l->port, &hints, &l->found);
}

static void *lookup_thread(void *arg)
{
    struct lookup *l = arg;

    ask(l, AI_ADDRCONFIG);
    pthread_mutex_lock(&l->lock);
    bool cancelled = l->cancelled;
    /* While the lock is held the lookup cannot be cancelled, so the loop still runs. */
    if (!cancelled) net_post(l->net, report, l);
    pthread_mutex_unlock(&l->lock);
    if (cancelled) lookup_free(l);
    return NULL;
}

struct lookup *net_lookup(struct net *n, const char *host, uint16_t port,
                          void (*done)(void *ctx, struct addrinfo *found, const char *problem),
                          void *ctx)
{
    struct lookup *l = xcalloc(1, sizeof(*l));

    l->net = n;
    l->host = xstrndup(host, strlen(host));
    l->done = done;
    l->ctx = ctx;
    pthread_mutex_init(&l->lock, NULL);
    snprintf(l->port, sizeof(l->port), "%u", port);
    ask(l, AI_NUMERICHOST); /* an address needs no thread */
    if (l->found || !thread_detached(lookup_thread, l)) net_post(n, report, l);
    return l;
}

void net_lookup_cancel(struct lookup *l)
{
    pthread_mutex_lock(&l->lock);
    l->cancelled = true;
    pthread_mutex_unlock(&l->lock);
}
