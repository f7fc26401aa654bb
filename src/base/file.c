#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fatal.h"

char *file_read(const char *path, size_t max, size_t *len)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;

    if (!f) return NULL;
    size_t cap = 0;
    *len = 0;
    do {
        cap = cap ? 2 * cap : 65536;
        if (cap > max) cap = max;
        text = xrealloc(text, cap);
        *len += fread(text + *len, 1, cap - *len, f);
    } while (*len == cap && cap < max);
    int reason = ferror(f) ? errno : *len == max ? EFBIG : 0;
    fclose(f);
    if (reason == 0) return text;
    free(text);
    errno = reason;
    return NULL;
}

bool file_mark_of(const char *path, struct file_mark *out)
{
    struct stat st;

    if (stat(path, &st) != 0) return false;
    *out = (struct file_mark){.device = st.st_dev,
                              .inode = st.st_ino,
                              .size = st.st_size,
                              .mtime_ns =
                                  (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec};
    return true;
}

bool file_mark_eq(const struct file_mark *a, const struct file_mark *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns;
}

bool file_turn(_Atomic int64_t *next_ns, int64_t interval_ns)
{
    int64_t now = clock_monotonic_ns();
    int64_t due = atomic_load_explicit(next_ns, memory_order_relaxed);

    return now >= due && atomic_compare_exchange_strong(next_ns, &due, now + interval_ns);
}
