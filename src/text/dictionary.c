#include "text/dictionary.h"

#include <stdlib.h>

#include "base/fatal.h"

enum { FIRST_SLOTS = 64 };

struct dictionary *dictionary_new(void)
{
    struct dictionary *d = xcalloc(1, sizeof(*d));

    d->slots = xcalloc(FIRST_SLOTS, sizeof(*d->slots));
    d->mask = FIRST_SLOTS - 1;
    return d;
}

void dictionary_free(struct dictionary *d)
{
    if (!d) return;
    arena_release(&d->arena);
    free(d->entries);
    free(d->slots);
    free(d);
}

static struct key make_key(struct str text)
{
    return (struct key){text.data, (uint32_t)text.len, (uint32_t)hash_keyed(text.data, text.len)};
}

/* The slot of `key`, or the free one where it belongs. */
static uint32_t slot_of(const struct dictionary *d, const struct key *key)
{
    uint32_t at = key->hash & d->mask;

    while (d->slots[at] && !key_eq(&d->entries[d->slots[at] - 1].key, key))
        at = (at + 1) & d->mask;
    return at;
}

static void more_slots(struct dictionary *d)
{
    size_t slots = 2 * ((size_t)d->mask + 1);

    free(d->slots);
    d->slots = xcalloc(slots, sizeof(*d->slots));
    d->mask = (uint32_t)(slots - 1);
    for (uint32_t i = 0; i < d->len; i++) { /* all different, so nothing is compared */
        uint32_t at = d->entries[i].key.hash & d->mask;
        while (d->slots[at])
            at = (at + 1) & d->mask;
        d->slots[at] = i + 1;
    }
}

bool dictionary_put(struct dictionary *d, struct str text, struct value v)
{
    struct key key = make_key(text);
    uint32_t   at = slot_of(d, &key);

    if (d->slots[at]) {
        d->entries[d->slots[at] - 1].value = v;
        return true;
    }
    if (d->len == DICTIONARY_MAX) return false;
    if (d->len == d->cap) {
        d->cap = d->cap ? 2 * d->cap : FIRST_SLOTS / 2;
        d->entries = xrealloc(d->entries, d->cap * sizeof(*d->entries));
    }
    d->entries[d->len++] = (struct dictionary_entry){key, v};
    d->slots[at] = d->len;
    if (d->len > d->mask / 2) more_slots(d); /* at most half full: chains stay short */
    return true;
}

int64_t dictionary_find(const struct dictionary *d, struct str text)
{
    if (text.len > UINT32_MAX) return -1;
    struct key key = make_key(text);

    return (int64_t)d->slots[slot_of(d, &key)] - 1;
}

const struct value *dictionary_get(const struct dictionary *d, struct str text)
{
    int64_t at = dictionary_find(d, text);

    return at < 0 ? NULL : &d->entries[at].value;
}

bool dictionary_merge(struct dictionary *d, const struct dictionary *from)
{
    for (uint32_t i = 0; i < from->len; i++) {
        const struct dictionary_entry *e = &from->entries[i];
        struct str                     key = arena_copy(&d->arena, key_str(e->key));
        if (!dictionary_put(d, key, value_copy(&d->arena, e->value))) return false;
    }
    return true;
}
