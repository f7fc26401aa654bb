#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fatal.h"

void buf_grow(struct buf *b, size_t more)
{
    size_t want = b->cap ? b->cap : 64;

    if (more > SIZE_MAX / 4 || b->len > SIZE_MAX / 4) fatal_memory();
    while (want - b->len < more)
        want *= 2;
    char *bigger = realloc(b->data, want);
    if (!bigger) fatal_memory();
    b->data = bigger;
    b->cap = want;
}

void buf_release(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int n = vsnprintf(buf_room(b, 128), 128, format, args);
    if (n >= 128) vsnprintf(buf_room(b, (size_t)n + 1), (size_t)n + 1, format, again);
    if (n > 0) b->len += (size_t)n;
    va_end(again);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(b, format, args);
    va_end(args);
}
