#ifndef LSC_BASE_FILE_H
#define LSC_BASE_FILE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

/* The whole file in memory that the caller frees. NULL with errno set when it cannot be read, or
   has `max` bytes or more (EFBIG). */
char *file_read(const char *path, size_t max, size_t *len);

/* What tells one state of a file from another. */
struct file_mark {
    dev_t   device;
    ino_t   inode;
    off_t   size;
    int64_t mtime_ns;
};
bool file_mark_of(const char *path, struct file_mark *out); /* false: errno */
bool file_mark_eq(const struct file_mark *a, const struct file_mark *b);

/* For what is done every `interval_ns` by whichever thread comes first: true for that one. */
bool file_turn(_Atomic int64_t *next_ns, int64_t interval_ns);

#endif
