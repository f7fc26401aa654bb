#include "event/batch.h"

#include <stdlib.h>

#include "base/fatal.h"

enum { FIRST_CAPACITY = 128 };

static uint32_t larger(uint32_t cap)
{
    if (cap > UINT32_MAX / 2) fatal_memory();
    return cap ? 2 * cap : FIRST_CAPACITY;
}

void batch_push(struct batch *b, struct item item)
{
    if (b->len == b->cap) {
        b->cap = larger(b->cap);
        b->items = xrealloc(b->items, b->cap * sizeof(*b->items));
    }
    b->items[b->len++] = item;
    b->bytes += item.message.len;
}

void batch_clear(struct batch *b)
{
    arena_reset(&b->arena);
    b->len = 0;
    b->bytes = 0;
}

void batch_release(struct batch *b)
{
    arena_release(&b->arena);
    free(b->items);
    *b = (struct batch){0};
}

void event_list_push(struct event_list *l, struct event *ev)
{
    if (l->len == l->cap) {
        l->cap = larger(l->cap);
        l->at = xrealloc(l->at, l->cap * sizeof(struct event *));
    }
    l->at[l->len++] = ev;
}

void event_list_release(struct event_list *l)
{
    free(l->at);
    *l = (struct event_list){0};
}
