#ifndef LSC_BASE_TABLE_H
#define LSC_BASE_TABLE_H

#include "base/str.h"

/*
 * A hash table of records under text keys, for state that changes: entries come and go. A record
 * begins with a struct table_entry. The memory of removed ones is used again. Zero-initialised but
 * for `size` is empty and ready. One thread at a time.
 */
struct table_entry {
    struct table_entry *next; /* in its bucket */
    uint64_t            hash;
    char               *key;
    size_t              key_len, key_cap;
};

struct table {
    size_t               size; /* of a record */
    size_t               len, buckets_len;
    struct table_entry **buckets;
    struct table_entry  *spare;
    /* Optional: frees what a record holds, before it is used again or freed. */
    void (*release)(void *record);
};

/* NULL: no such key. */
void *table_get(const struct table *t, struct str key);
/* The record of `key`; a new one, `*added`, is zeroed behind its entry. */
void *table_add(struct table *t, struct str key, bool *added);
void  table_remove(struct table *t, void *record);
void  table_release(struct table *t); /* frees all; empty and ready again */

static inline struct str table_key(const void *record)
{
    const struct table_entry *e = record;

    return (struct str){e->key, e->key_len};
}

/* Calls `keep` with each record, in no order; those for which it returns false are removed. */
void table_filter(struct table *t, bool (*keep)(void *record, void *ctx), void *ctx);

#endif
