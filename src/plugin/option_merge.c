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

/* Values of one key of two hashes: each counts once. A setting: a list takes in another with all
   its items, but a scalar and then a list make a list inside a list (lang-0255). */
enum join { JOIN_VALUES, JOIN_SETTINGS };

static struct ast_value *join(struct arena *a, const struct ast_value *first,
                              const struct ast_value *second, enum join how)
{
    bool take_in = second->kind == AST_LIST && (how == JOIN_VALUES || first->kind == AST_LIST);
    const struct ast_value *items = take_in ? second->items : second;
    uint32_t                len = take_in ? second->len : 1;
    struct ast_value       *list = arena_zalloc(a, sizeof(*list));

    *list = (struct ast_value){.kind = AST_LIST, .loc = second->loc};
    list->items = arena_alloc(a, ((size_t)first->len + len + 1) * sizeof(*list->items));
    if (first->kind != AST_LIST) push(list, first);
    for (uint32_t i = 0; first->kind == AST_LIST && i < first->len; i++)
        push(list, &first->items[i]);
    for (uint32_t i = 0; i < len; i++)
        if (how == JOIN_SETTINGS || !includes(list, &items[i])) push(list, &items[i]);
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
    return join(a, first, second, JOIN_VALUES);
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
    return join(a, first, second, JOIN_SETTINGS);
}
