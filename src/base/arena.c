#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fatal.h"

enum { BLOCK_SIZE = 64 * 1024, KEEP = 1024 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t              size;
    _Alignas(16) char bytes[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

static void free_from(struct arena_block *b)
{
    while (b) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
}

void arena_release(struct arena *a)
{
    free_from(a->first);
    arena_init(a);
}

static void use_block(struct arena *a, struct arena_block *b)
{
    a->current = b;
    a->next = b->bytes;
    a->end = b->bytes + b->size;
    a->start = a->first->bytes;
}

/* One huge event must not make every batch huge for ever, so what exceeds KEEP goes back. */
void arena_rewind(struct arena *a)
{
    size_t               kept = 0;
    struct arena_block **link = &a->first;

    while (*link && kept + (*link)->size <= KEEP) {
        kept += (*link)->size;
        link = &(*link)->next;
    }
    free_from(*link);
    *link = NULL;
    if (a->first)
        use_block(a, a->first);
    else
        arena_init(a);
}

void *arena_alloc_slow(struct arena *a, size_t size)
{
    struct arena_block *b = a->current ? a->current->next : a->first;

    if (!b || b->size < size) {
        size_t              want = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct arena_block *fresh = xmalloc(sizeof(*fresh) + want);
        fresh->size = want;
        fresh->next = b;
        if (a->current)
            a->current->next = fresh;
        else
            a->first = fresh;
        b = fresh;
    }
    use_block(a, b);
    void *p = a->next;
    a->next += size;
    return p;
}

struct str arena_copy(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len + 1);
    if (s.len) memcpy(p, s.data, s.len);
    p[s.len] = '\0';
    return (struct str){p, s.len};
}

const char *arena_cstr(struct arena *a, struct str s)
{
    return arena_copy(a, s).data;
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int   n = vsnprintf(NULL, 0, format, args);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return (struct str){p, (size_t)n};
}

size_t arena_used(const struct arena *a)
{
    size_t used = 0;

    for (const struct arena_block *b = a->first; b && b != a->current; b = b->next)
        used += b->size;
    return a->current ? used + (size_t)(a->next - a->current->bytes) : 0;
}
