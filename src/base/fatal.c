#include "base/fatal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fatal_memory(void)
{
    fputs("lsc: out of memory\n", stderr);
    abort();
}

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p) fatal_memory();
    return p;
}

void *xcalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p) fatal_memory();
    return p;
}

void *xrealloc(void *p, size_t size)
{
    void *bigger = realloc(p, size ? size : 1);
    if (!bigger) fatal_memory();
    return bigger;
}

char *xstrndup(const char *s, size_t len)
{
    char *copy = xmalloc(len + 1);
    if (len) memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}
