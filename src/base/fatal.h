#ifndef LSC_BASE_FATAL_H
#define LSC_BASE_FATAL_H

#include <stddef.h>

/* Out of memory: says so on stderr and ends the process (abort). */
_Noreturn void fatal_memory(void);

/* malloc, calloc and realloc that never return NULL. For start-up code and base/. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrndup(const char *s, size_t len);

#endif
