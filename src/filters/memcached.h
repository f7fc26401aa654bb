#ifndef LSC_FILTERS_MEMCACHED_H
#define LSC_FILTERS_MEMCACHED_H

#include "base/arena.h"
#include "base/buf.h"
#include "event/value.h"

/*
 * The parts of the filter memcached: which server has a key (memcached_ring.c), how values are
 * stored (memcached_value.c), asking the servers (memcached_client.c). Servers, keys and values
 * are those of Dalli, which Logstash uses, so that both can share servers and programs in Ruby can
 * read and write them as well. Source: the gem dalli 3, lib/dalli.
 */

/* ---- servers ---- */

enum { MEMCACHED_KEY_MAX = 250, MEMCACHED_SERVERS_MAX = 1000 };

struct memcached_server {
    const char *host; /* or the path of a socket */
    uint16_t    port;
    bool        is_socket;
    int64_t     weight;
    struct str  name; /* as the ring hashes it */
};

struct memcached_ring {
    uint32_t                 len; /* servers */
    struct memcached_server *servers;
    uint32_t                 points_len; /* 0: there is one server */
    struct memcached_point  *points;
};

/* Adds what `text` names: servers, with commas between them. False with a reason. */
bool memcached_ring_add(struct memcached_ring *r, struct arena *a, struct str text,
                        const char **problem);
/* When all servers are there. */
void memcached_ring_close(struct memcached_ring *r, struct arena *a);
/* The server of a key; those of the tries from 0 on are asked when the one before is down. */
uint32_t memcached_ring_server(const struct memcached_ring *r, struct str key, int try);
enum { MEMCACHED_TRIES = 20 };

/* `name` with its namespace (empty: none), shortened when it is too long. Lives in `a`. */
struct str memcached_key(struct arena *a, struct str space, struct str name);

/* ---- values ---- */

enum { MEMCACHED_VALUE_MAX = 1 << 20, MEMCACHED_UNPACKED_MAX = 16 << 20 };

/* What is stored for `v`, in `out`. False: it is larger than a server takes. */
bool memcached_value_write(struct value v, struct buf *out, uint32_t *flags);
/* The value of what is stored, which is copied to `a`. False with a reason. */
bool memcached_value_read(struct arena *a, struct str bytes, uint32_t flags, struct value *out,
                          const char **problem);

/* ---- asking ---- */

enum memcached_state {
    MEMCACHED_ITEM_OPEN,   /* not asked yet */
    MEMCACHED_ITEM_MISSED, /* the servers do not have it */
    MEMCACHED_ITEM_FOUND,
    MEMCACHED_ITEM_STORED,
    MEMCACHED_ITEM_FAILED, /* no server answered, or what it said cannot be read: `problem` */
};

struct memcached_item {
    struct str           key;
    struct value         value;
    enum memcached_state state;
    const char          *problem;
};

/* What is asked for at once: each key once. Zero-initialised is empty. */
struct memcached_batch {
    uint32_t               len, cap;
    struct memcached_item *items;
    struct map             index; /* of keys to positions */
};
/* The position of the item with that key, a new one unless it is there. The key must live in `a`.
 */
uint32_t memcached_batch_add(struct memcached_batch *b, struct arena *a, struct str key);

/* The connections of one worker to all servers. */
struct memcached_client;

struct memcached_client *memcached_client_new(const struct memcached_ring *ring);
void                     memcached_client_free(void *client);

/* Fills in values and states. Values live in `a`. Waits at most about two seconds for a server. */
void memcached_client_get(struct memcached_client *c, struct memcached_batch *b, struct arena *a);
/* Stores the value for `ttl` seconds (0: for ever), and fills in the state. */
void memcached_client_set(struct memcached_client *c, struct memcached_item *item, int64_t ttl,
                          struct buf *scratch);

#endif
