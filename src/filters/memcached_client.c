/*
 * Asking servers, with libmemcached: one handle for each server, since which server has a key is
 * decided by the ring. The binary protocol is used, in which keys may hold any byte.
 */
#include <libmemcached/memcached.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "filters/memcached.h"

enum { TIMEOUT_MS = 1000, DAY_S = 24 * 3600, TTL_MAX_S = 30 * DAY_S };
static const int64_t PAUSE_NS = 1000000000; /* until a server that failed is asked again */

struct connection {
    memcached_st *handle; /* NULL: none */
    bool          used;   /* it has answered before */
    int64_t       down_until_ns;
};

struct memcached_client {
    const struct memcached_ring *ring;
    struct connection            at[]; /* as in the ring */
};

struct memcached_client *memcached_client_new(const struct memcached_ring *ring)
{
    struct memcached_client *c = xcalloc(1, sizeof(*c) + ring->len * sizeof(c->at[0]));

    c->ring = ring;
    return c;
}

static void disconnect(struct connection *k)
{
    if (k->handle) memcached_free(k->handle);
    k->handle = NULL;
    k->used = false;
}

void memcached_client_free(void *client)
{
    struct memcached_client *c = client;

    for (uint32_t i = 0; i < c->ring->len; i++)
        disconnect(&c->at[i]);
    free(c);
}

/* The connection itself is made by the first request. */
static memcached_st *connect_to(const struct memcached_server *s)
{
    memcached_st *m = memcached_create(NULL);

    if (!m) fatal_memory();
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, 1);
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_NO_BLOCK, 1);
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, TIMEOUT_MS);
    memcached_behavior_set(m, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, TIMEOUT_MS);
    memcached_return_t rc = s->is_socket ? memcached_server_add_unix_socket(m, s->host)
                                         : memcached_server_add(m, s->host, s->port);
    if (rc != MEMCACHED_SUCCESS) fatal_memory();
    return m;
}

/* The server for the key: the first of the ring's that is not down. -1: all are. */
static int64_t server_for(const struct memcached_client *c, struct str key)
{
    int64_t now = clock_monotonic_ns();

    for (int try = 0; try < MEMCACHED_TRIES; try++) {
        uint32_t server = memcached_ring_server(c->ring, key, try);
        if (c->at[server].down_until_ns <= now) return server;
    }
    return -1;
}

/*
 * Calls `ask` for the server. What is lost with an old connection, perhaps closed long ago, is
 * tried once more with a new one; a server that fails then is down for a while.
 */
static bool request(struct memcached_client *c, uint32_t            server,
                    bool (*ask)(memcached_st *m, void *data), void *data)
{
    struct connection *k = &c->at[server];

    for (;;) {
        bool again = k->used;
        if (!k->handle) k->handle = connect_to(&c->ring->servers[server]);
        k->used = ask(k->handle, data);
        if (k->used) return true;
        disconnect(k);
        if (!again) break;
    }
    k->down_until_ns = clock_monotonic_ns() + PAUSE_NS;
    return false;
}

static void no_server(struct memcached_item *item)
{
    item->state = MEMCACHED_ITEM_FAILED;
    item->problem = "no server answers";
}

/* ---- getting ---- */

uint32_t memcached_batch_add(struct memcached_batch *b, struct arena *a, struct str key)
{
    struct value *at = map_add(&b->index, a, key_make(key));

    if (at->kind == VALUE_INT) return (uint32_t)at->as.i;
    if (b->len == b->cap) {
        uint32_t               cap = b->cap ? 2 * b->cap : 16;
        struct memcached_item *items = arena_alloc(a, cap * sizeof(*items));
        if (b->len) memcpy(items, b->items, b->len * sizeof(*items));
        b->items = items;
        b->cap = cap;
    }
    *at = value_int(b->len);
    b->items[b->len] = (struct memcached_item){.key = key};
    return b->len++;
}

/* The keys of a batch that one server is asked for. */
struct asking {
    struct memcached_batch *batch;
    struct arena           *arena;
    uint32_t                len;
    const char            **keys;
    size_t                 *lens;
};

static void found(const struct asking *q, memcached_result_st *r)
{
    struct key key =
        key_make((struct str){memcached_result_key_value(r), memcached_result_key_length(r)});
    const struct value *at = map_get(&q->batch->index, key);
    struct str          bytes = {memcached_result_value(r), memcached_result_length(r)};

    if (!at) return; /* not asked for */
    struct memcached_item *item = &q->batch->items[at->as.i];
    if (memcached_value_read(q->arena, bytes, memcached_result_flags(r), &item->value,
                             &item->problem))
        item->state = MEMCACHED_ITEM_FOUND;
    else
        item->state = MEMCACHED_ITEM_FAILED;
}

static bool ask_many(memcached_st *m, void *data)
{
    struct asking      *q = data;
    memcached_result_st result;
    memcached_return_t  rc = memcached_mget(m, q->keys, q->lens, q->len);

    if (rc != MEMCACHED_SUCCESS) return false;
    memcached_result_create(m, &result);
    while (memcached_fetch_result(m, &result, &rc))
        found(q, &result);
    memcached_result_free(&result);
    return rc == MEMCACHED_END || rc == MEMCACHED_NOTFOUND;
}

/* Those items of the batch that `server` is to be asked for; with none, nothing is asked. */
static void get_from(struct memcached_client *c, uint32_t server, const int64_t *servers,
                     struct asking *q)
{
    struct memcached_batch *b = q->batch;

    q->len = 0;
    for (uint32_t i = 0; i < b->len; i++) {
        if (b->items[i].state != MEMCACHED_ITEM_OPEN || servers[i] != server) continue;
        q->keys[q->len] = b->items[i].key.data;
        q->lens[q->len++] = b->items[i].key.len;
    }
    if (q->len == 0 || !request(c, server, ask_many, q)) return;
    for (uint32_t i = 0; i < b->len; i++)
        if (b->items[i].state == MEMCACHED_ITEM_OPEN && servers[i] == server)
            b->items[i].state = MEMCACHED_ITEM_MISSED;
}

/* Each round asks every server once; what those leave open that fail, others are asked for. */
void memcached_client_get(struct memcached_client *c, struct memcached_batch *b, struct arena *a)
{
    struct asking q = {.batch = b, .arena = a};
    int64_t      *servers = arena_alloc(a, (size_t)b->len * sizeof(*servers));
    bool          open = b->len > 0;

    q.keys = arena_alloc(a, (size_t)b->len * sizeof(*q.keys));
    q.lens = arena_alloc(a, (size_t)b->len * sizeof(*q.lens));
    while (open) {
        open = false;
        for (uint32_t i = 0; i < b->len; i++) {
            if (b->items[i].state != MEMCACHED_ITEM_OPEN) continue;
            servers[i] = server_for(c, b->items[i].key);
            if (servers[i] < 0)
                no_server(&b->items[i]);
            else
                open = true;
        }
        for (uint32_t s = 0; open && s < c->ring->len; s++)
            get_from(c, s, servers, &q);
    }
}

/* ---- setting ---- */

struct storing {
    struct memcached_item *item;
    struct str             bytes;
    uint32_t               flags;
    time_t                 expires;
};

/* True when the server has answered, be it with a no. */
static bool ask_to_store(memcached_st *m, void *data)
{
    struct storing    *s = data;
    memcached_return_t rc = memcached_set(m, s->item->key.data, s->item->key.len, s->bytes.data,
                                          s->bytes.len, s->expires, s->flags);

    switch (rc) {
    case MEMCACHED_SUCCESS:
    case MEMCACHED_STORED:
        s->item->state = MEMCACHED_ITEM_STORED;
        return true;
    case MEMCACHED_E2BIG:
    case MEMCACHED_NOTSTORED:
    case MEMCACHED_CLIENT_ERROR:
    case MEMCACHED_SERVER_ERROR:
    case MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE:
        s->item->state = MEMCACHED_ITEM_FAILED;
        s->item->problem = "the server refuses to store a value";
        return true;
    default:
        return false;
    }
}

/* Up to 30 days servers count from now; what is more they take for a time since 1970. */
static time_t expiry(int64_t ttl)
{
    time_t now = time(NULL);

    return (time_t)(ttl <= TTL_MAX_S || ttl > now ? ttl : now + ttl);
}

void memcached_client_set(struct memcached_client *c, struct memcached_item *item, int64_t ttl,
                          struct buf *scratch)
{
    struct storing s = {.item = item, .expires = expiry(ttl)};

    if (!memcached_value_write(item->value, scratch, &s.flags)) {
        item->state = MEMCACHED_ITEM_FAILED;
        item->problem = "a value is too large to be stored";
        return;
    }
    s.bytes = buf_view(scratch);
    while (item->state == MEMCACHED_ITEM_OPEN) {
        int64_t server = server_for(c, item->key);
        if (server < 0)
            no_server(item);
        else
            request(c, (uint32_t)server, ask_to_store, &s);
    }
}
