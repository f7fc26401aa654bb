#include "text/regex_cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/fatal.h"

struct entry {
    struct regex *regex;
    struct arena  arena; /* what the regex keeps, and the pattern */
    struct str    pattern;
    uint64_t      used; /* when it was taken last; 0: the place is free */
    uint32_t      users;
    bool          single; /* more patterns in use than places: freed when given back */
    struct entry *next;   /* of the single ones */
};

struct regex_cache {
    pthread_mutex_t lock;
    uint64_t        clock;
    struct entry   *singles;
    struct entry    entries[REGEX_CACHE_MAX];
};

struct regex_cache *regex_cache_new(void)
{
    struct regex_cache *c = xcalloc(1, sizeof(*c));

    pthread_mutex_init(&c->lock, NULL);
    return c;
}

static void entry_clear(struct entry *e)
{
    if (e->regex) regex_free(e->regex);
    arena_release(&e->arena);
    e->regex = NULL;
    e->used = 0;
}

void regex_cache_free(struct regex_cache *c)
{
    if (!c) return;
    for (int i = 0; i < REGEX_CACHE_MAX; i++)
        entry_clear(&c->entries[i]);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* The entry of `pattern`, or else the best place for a new one: free, or unused the longest. */
static struct entry *find(struct regex_cache *c, struct str pattern, struct entry **place)
{
    *place = NULL;
    for (int i = 0; i < REGEX_CACHE_MAX; i++) {
        struct entry *e = &c->entries[i];
        if (e->used && str_eq(e->pattern, pattern)) return e;
        if (e->users == 0 && (!*place || e->used < (*place)->used)) *place = e;
    }
    return NULL;
}

static bool fill(struct entry *e, struct str pattern, unsigned flags, struct regex_error *error)
{
    entry_clear(e);
    arena_init(&e->arena);
    e->pattern = arena_copy(&e->arena, pattern);
    e->regex = regex_compile(&e->arena, e->pattern, flags, error);
    if (!e->regex) entry_clear(e);
    return e->regex != NULL;
}

const struct regex *regex_cache_take(struct regex_cache *c, struct str pattern, unsigned flags,
                                     struct regex_error *error)
{
    struct entry *place;

    if (pattern.len > REGEX_CACHE_PATTERN_MAX) {
        *error = (struct regex_error){.message = "the pattern is longer than 64 KiB"};
        return NULL;
    }
    pthread_mutex_lock(&c->lock);
    struct entry *e = find(c, pattern, &place);
    if (!e) {
        e = place ? place : xcalloc(1, sizeof(*e));
        e->single = !place;
        if (!fill(e, pattern, flags, error)) {
            if (e->single) free(e);
            pthread_mutex_unlock(&c->lock);
            return NULL;
        }
        if (e->single) {
            e->next = c->singles;
            c->singles = e;
        }
    }
    e->used = ++c->clock;
    e->users++;
    pthread_mutex_unlock(&c->lock);
    return e->regex;
}

static void give_single(struct regex_cache *c, const struct regex *r)
{
    for (struct entry **p = &c->singles; *p; p = &(*p)->next) {
        struct entry *e = *p;
        if (e->regex != r) continue;
        *p = e->next;
        entry_clear(e);
        free(e);
        return;
    }
}

void regex_cache_give(struct regex_cache *c, const struct regex *r)
{
    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < REGEX_CACHE_MAX; i++) {
        if (c->entries[i].regex == r) {
            c->entries[i].users--;
            pthread_mutex_unlock(&c->lock);
            return;
        }
    }
    give_single(c, r);
    pthread_mutex_unlock(&c->lock);
}
