#include "text/recent.h"

void recent_init(struct recent *r, int64_t max)
{
    int64_t half = (max + 1) / 2;

    r->half = half > DICTIONARY_MAX ? DICTIONARY_MAX : half < 1 ? 1 : (uint32_t)half;
    r->newer = dictionary_new();
    r->older = NULL;
}

void recent_release(struct recent *r)
{
    dictionary_free(r->newer);
    dictionary_free(r->older);
    r->newer = r->older = NULL;
}

/* Entries that are put again leave their old text behind, so bytes have a limit, too. */
static bool is_full(const struct recent *r)
{
    enum { BYTES_EACH = 2048, BYTES_MORE = 1 << 20 };

    return r->newer->len >= r->half ||
           arena_used(&r->newer->arena) > (size_t)r->half * BYTES_EACH + BYTES_MORE;
}

void recent_put(struct recent *r, struct str key, struct value v)
{
    if (key.len > RECENT_KEY_MAX) return;
    if (is_full(r)) {
        struct dictionary *oldest = r->older;
        r->older = r->newer;
        r->newer = dictionary_new();
        struct arena *a = &r->newer->arena;
        key = arena_copy(a, key); /* both may lie in the oldest half */
        v = value_copy(a, v);
        dictionary_free(oldest);
        dictionary_put(r->newer, key, v);
        return;
    }
    struct arena *a = &r->newer->arena;
    dictionary_put(r->newer, arena_copy(a, key), value_copy(a, v));
}

const struct value *recent_get(struct recent *r, struct str key)
{
    if (key.len > RECENT_KEY_MAX) return NULL;
    const struct value *v = dictionary_get(r->newer, key);
    if (v || !r->older) return v;
    v = dictionary_get(r->older, key);
    if (!v) return NULL;
    recent_put(r, key, *v);
    return dictionary_get(r->newer, key);
}
