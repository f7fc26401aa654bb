#include <stdlib.h>

#include "base/utf8.h"
#include "plugin/option_parts.h"

/*
 * Logstash keeps the settings of a plugin in java.util.HashMap while it puts variables in, so
 * the entries of a hash reach the plugin in the order of that map's buckets, not of the config.
 * Where the order matters (mutate's copy, several mappings of dissect) configs work because of it,
 * or in spite of it. Source: CompiledPipeline.java, expandConfigVariables; JDK, HashMap.hash() and
 * String.hashCode().
 */
enum { BUCKETS_MIN = 16, DEPTH_MAX = 100 };

struct ranked {
    uint32_t         bucket, place;
    struct ast_entry entry;
};

/* String.hashCode() over UTF-16, spread as HashMap does. */
static uint32_t java_hash(struct str s)
{
    uint32_t h = 0, c;

    while (s.len) {
        s = str_from(s, utf8_get(s, &c));
        if (c > 0xFFFF) {
            h = 31 * h + 0xD800 + ((c - 0x10000) >> 10);
            c = 0xDC00 + ((c - 0x10000) & 0x3FF);
        }
        h = 31 * h + c;
    }
    return h ^ h >> 16;
}

static int compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->bucket != y->bucket) return x->bucket < y->bucket ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

static struct ast_value ordered(struct arena *a, const struct ast_value *v, int depth);

static void order_entries(struct arena *a, struct ast_value *hash, int depth)
{
    uint32_t buckets = BUCKETS_MIN;

    while (hash->len > buckets / 4 * 3)
        buckets *= 2;
    struct ranked    *ranked = arena_alloc(a, hash->len * sizeof(*ranked));
    struct ast_entry *entries = arena_alloc(a, hash->len * sizeof(*entries));
    for (uint32_t i = 0; i < hash->len; i++) {
        const struct ast_entry *e = &hash->entries[i];
        uint32_t                bucket = java_hash(ast_to_s(a, &e->key)) & (buckets - 1);
        ranked[i] = (struct ranked){bucket, i, {e->key, ordered(a, &e->value, depth)}};
    }
    qsort(ranked, hash->len, sizeof(*ranked), compare);
    for (uint32_t i = 0; i < hash->len; i++)
        entries[i] = ranked[i].entry;
    hash->entries = entries;
}

static struct ast_value ordered(struct arena *a, const struct ast_value *v, int depth)
{
    struct ast_value copy = *v;

    if (depth == DEPTH_MAX || v->len == 0) return copy;
    if (v->kind == AST_HASH) order_entries(a, &copy, depth + 1);
    if (v->kind != AST_LIST) return copy;
    copy.items = arena_alloc(a, v->len * sizeof(*copy.items));
    for (uint32_t i = 0; i < v->len; i++)
        copy.items[i] = ordered(a, &v->items[i], depth + 1);
    return copy;
}

const struct ast_value *ast_in_order(struct arena *a, const struct ast_value *v)
{
    if (v->kind != AST_HASH && v->kind != AST_LIST) return v;
    struct ast_value *copy = arena_alloc(a, sizeof(*copy));
    *copy = ordered(a, v, 0);
    return copy;
}
