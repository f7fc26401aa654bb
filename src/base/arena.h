#ifndef LSC_BASE_ARENA_H
#define LSC_BASE_ARENA_H

#include <stdarg.h>

#include "base/str.h"

/*
 * Memory that is freed all at once. A batch owns one; everything its events hold lives there,
 * never moves, and stays valid until arena_reset(). Zero-initialised is empty and ready. Running
 * out of memory ends the process, so no caller tests for NULL. One thread at a time.
 */
struct arena_block;

struct arena {
    struct arena_block *first, *current;
    char               *next, *end;
    char               *start; /* of the first block */
};

void arena_init(struct arena *a);
void arena_release(struct arena *a); /* frees everything; the arena is empty and ready again */
void arena_rewind(struct arena *a);
__attribute__((returns_nonnull)) void *arena_alloc_slow(struct arena *a, size_t size);

/* Forgets everything; keeps up to 1 MiB of blocks. Most scratch arenas have not been used. */
static inline void arena_reset(struct arena *a)
{
    if (a->next != a->start) arena_rewind(a);
}

/* `size` bytes, 8-byte aligned, not zeroed. */
__attribute__((returns_nonnull)) static inline void *arena_alloc(struct arena *a, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (size >= (size_t)(a->end - a->next)) return arena_alloc_slow(a, size); /* also the first */
    void *p = a->next;
    a->next += size;
    return p;
}

static inline void *arena_zalloc(struct arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

/* Gives back the end of the newest allocation `p`, of which `used` bytes stay. */
static inline void arena_trim(struct arena *a, void *p, size_t used)
{
    a->next = (char *)p + ((used + 7) & ~(size_t)7);
}

/* A copy of `s`, with a NUL behind it that is not counted. */
struct str arena_copy(struct arena *a, struct str s);
/* The same as a C string. */
const char *arena_cstr(struct arena *a, struct str s);

__attribute__((format(printf, 2, 3))) struct str arena_printf(struct arena *a, const char *format,
                                                              ...);

/* Bytes handed out or held back at block ends since the last reset; for tests and limits. */
size_t arena_used(const struct arena *a);

#endif
