#include "base/table.h"

#include <stdlib.h>

#include "base/fatal.h"
#include "base/hash.h"

enum { FIRST_BUCKETS = 64 };

static struct table_entry **bucket_of(const struct table *t, uint64_t hash)
{
    return &t->buckets[hash & (t->buckets_len - 1)];
}

static struct table_entry *find(const struct table *t, struct str key, uint64_t hash)
{
    struct table_entry *e = t->buckets_len ? *bucket_of(t, hash) : NULL;

    while (e && !(e->hash == hash && str_eq((struct str){e->key, e->key_len}, key)))
        e = e->next;
    return e;
}

void *table_get(const struct table *t, struct str key)
{
    return find(t, key, hash_keyed(key.data, key.len));
}

static void more_buckets(struct table *t)
{
    struct table_entry **old = t->buckets;
    size_t               old_len = t->buckets_len;

    t->buckets_len = old_len ? 2 * old_len : FIRST_BUCKETS;
    t->buckets = xcalloc(t->buckets_len, sizeof(struct table_entry *));
    for (size_t i = 0; i < old_len; i++) {
        for (struct table_entry *e = old[i], *next; e; e = next) {
            next = e->next;
            struct table_entry **bucket = bucket_of(t, e->hash);
            e->next = *bucket;
            *bucket = e;
        }
    }
    free(old);
}

static struct table_entry *new_entry(struct table *t, struct str key)
{
    struct table_entry *e = t->spare;

    if (e)
        t->spare = e->next;
    else
        e = xcalloc(1, t->size);
    if (e->key_cap < key.len || !e->key) {
        e->key_cap = key.len + 16;
        e->key = xrealloc(e->key, e->key_cap);
    }
    if (key.len) memcpy(e->key, key.data, key.len);
    e->key_len = key.len;
    return e;
}

void *table_add(struct table *t, struct str key, bool *added)
{
    uint64_t            hash = hash_keyed(key.data, key.len);
    struct table_entry *e = find(t, key, hash);

    *added = !e;
    if (e) return e;
    if (t->len == t->buckets_len) more_buckets(t);
    e = new_entry(t, key);
    e->hash = hash;
    struct table_entry **bucket = bucket_of(t, hash);
    e->next = *bucket;
    *bucket = e;
    t->len++;
    return e;
}

/* Takes out the entry that `*at` is. */
static void take_out(struct table *t, struct table_entry **at)
{
    struct table_entry *e = *at;

    *at = e->next;
    if (t->release) t->release(e);
    memset((char *)e + sizeof(*e), 0, t->size - sizeof(*e));
    e->next = t->spare;
    t->spare = e;
    t->len--;
}

void table_remove(struct table *t, void *record)
{
    struct table_entry  *e = record;
    struct table_entry **at = bucket_of(t, e->hash);

    while (*at != e)
        at = &(*at)->next;
    take_out(t, at);
}

void table_filter(struct table *t, bool (*keep)(void *record, void *ctx), void *ctx)
{
    for (size_t i = 0; i < t->buckets_len; i++) {
        for (struct table_entry **at = &t->buckets[i]; *at;) {
            if (keep(*at, ctx))
                at = &(*at)->next;
            else
                take_out(t, at);
        }
    }
}

static bool keep_none(void *record, void *ctx)
{
    (void)record;
    (void)ctx;
    return false;
}

void table_release(struct table *t)
{
    table_filter(t, keep_none, NULL);
    for (struct table_entry *e = t->spare, *next; e; e = next) {
        next = e->next;
        free(e->key);
        free(e);
    }
    free(t->buckets);
    t->spare = NULL;
    t->buckets = NULL;
    t->buckets_len = 0;
}
