#ifndef LSC_BASE_BUF_H
#define LSC_BASE_BUF_H

#include <stdarg.h>

#include "base/str.h"

/*
 * Bytes that grow at the end, in memory of their own (malloc). Zero-initialised is empty and
 * ready. Kept and cleared rather than freed, so that warm code allocates nothing. Running out of
 * memory ends the process.
 */
struct buf {
    char  *data;
    size_t len, cap;
};

void buf_grow(struct buf *b, size_t more); /* makes room for at least `more` bytes */
void buf_release(struct buf *b);           /* frees; the buf is empty and ready again */

__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *format, ...);
void buf_vprintf(struct buf *b, const char *format, va_list args);

static inline void buf_clear(struct buf *b)
{
    b->len = 0;
}

/* A place to write `more` bytes at; the caller adds what it wrote to b->len. */
static inline char *buf_room(struct buf *b, size_t more)
{
    if (b->cap - b->len < more) buf_grow(b, more);
    return b->data + b->len;
}

static inline void buf_put(struct buf *b, const char *data, size_t len)
{
    if (len == 0) return;
    memcpy(buf_room(b, len), data, len);
    b->len += len;
}

static inline void buf_str(struct buf *b, struct str s)
{
    buf_put(b, s.data, s.len);
}

static inline void buf_char(struct buf *b, char c)
{
    *buf_room(b, 1) = c;
    b->len++;
}

/* A view of the content, valid until the buf changes. */
static inline struct str buf_view(const struct buf *b)
{
    return (struct str){b->data ? b->data : "", b->len};
}

/* The content with a NUL behind it (not counted in len), valid until the buf changes. */
static inline const char *buf_cstr(struct buf *b)
{
    *buf_room(b, 1) = '\0';
    return b->data;
}

#endif
