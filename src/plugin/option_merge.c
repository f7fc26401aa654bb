#include "plugin/option_parts.h"

static void push(struct ast_value *list, const struct ast_value *v)
{
    list->items[list->len++] = *v;
}

static bool includes(const struct ast_value *list, const struct ast_value *v)
{
    for (uint32_t i = 0; i < list->len; i++)
        if (ast_equal(&list->items[i], v)) return true;
    return false;
}

/* Appends `v`, or what a list `v` holds; with `once`, only what is not there yet. */
static void push_all(struct ast_value *list, const struct ast_value *v, bool once)
{
    const struct ast_value *items = v->kind == AST_LIST ? v->items : v;
    uint32_t                len = v->kind == AST_LIST ? v->len : 1;

    for (uint32_t i = 0; i < len; i++)
        if (!once || !includes(list, &items[i])) push(list, &items[i]);
}

static struct ast_value *join(struct arena *a, const struct ast_value *first,
                              const struct ast_value *second, bool once)
{
    struct ast_value *list = arena_zalloc(a, sizeof(*list));
    size_t            room =
        (first->kind == AST_LIST ? first->len : 1u) + (second->kind == AST_LIST ? second->len : 1u);

    *list = (struct ast_value){.kind = AST_LIST, .loc = second->loc};
    list->items = arena_alloc(a, room * sizeof(*list->items));
    push_all(list, first, false);
    push_all(list, second, once);
    return list;
}

static struct ast_entry *find(struct ast_value *hash, const struct ast_value *key)
{
    for (uint32_t i = 0; i < hash->len; i++)
        if (ast_equal(&hash->entries[i].key, key)) return &hash->entries[i];
    return NULL;
}

static const struct ast_value *merge_hashes(struct arena *a, const struct ast_value *first,
                                            const struct ast_value *second);

/* Two values of one key: within hashes, equal values count once. */
static const struct ast_value *merge_values(struct arena *a, const struct ast_value *first,
                                            const struct ast_value *second)
{
    if (first->kind == AST_HASH && second->kind == AST_HASH) return merge_hashes(a, first, second);
    if (first->kind != AST_LIST && ast_equal(first, second)) return first;
    return join(a, first, second, true);
}

static const struct ast_value *merge_hashes(struct arena *a, const struct ast_value *first,
                                            const struct ast_value *second)
{
    struct ast_value *hash = arena_zalloc(a, sizeof(*hash));

    *hash = (struct ast_value){.kind = AST_HASH, .loc = second->loc, .len = first->len};
    hash->entries = arena_alloc(a, ((size_t)first->len + second->len) * sizeof(*hash->entries));
    if (first->len) memcpy(hash->entries, first->entries, first->len * sizeof(*hash->entries));
    for (uint32_t i = 0; i < second->len; i++) {
        const struct ast_entry *entry = &second->entries[i];
        struct ast_entry       *same = find(hash, &entry->key);
        if (same)
            same->value = *merge_values(a, &same->value, &entry->value);
        else
            hash->entries[hash->len++] = *entry;
    }
    return hash;
}

const struct ast_value *ast_merge(struct arena *a, const struct ast_value *first,
                                  const struct ast_value *second)
{
    if (first->kind == AST_HASH && second->kind == AST_HASH) return merge_hashes(a, first, second);
    if (first->kind != AST_LIST && ast_equal(first, second)) return first;
    return join(a, first, second, false);
}
