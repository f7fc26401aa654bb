#ifndef LSC_OUTPUTS_FILE_H
#define LSC_OUTPUTS_FILE_H

#include "plugin/plugin.h"

/*
 * The open files of one file output; only outputs/file*.c include this. What they share between
 * workers is guarded by the mutex of the output: every function here wants it held.
 */
struct out_file;

struct file_store {
    struct str root;       /* absolute, without a slash at its end; not made by events */
    bool       below_root; /* paths hold what events say: no symbolic link below root is followed */
    bool       gzip;
    bool       overwrite;
    bool       create;              /* what was deleted is created again */
    int        file_mode, dir_mode; /* -1: what the umask says */

    struct out_file *newest; /* the one used last; list goes to the one unused longest */
    struct out_file *oldest;
    struct out_file *buckets[1024];
    uint32_t         open;
};

enum { STORE_OPEN_MAX = 1000, STORE_PATH_MAX = 4096, STORE_DEPTH_MAX = 64 };

/*
 * The path as it is without "//", "." and ".."; ".." at the root stays there. `path` is absolute.
 * False: it is too long, too deep, or has a byte that no path can have.
 */
bool store_normalize(struct str path, struct buf *out);
/* A normalized path below root. */
bool store_inside(const struct file_store *s, struct str path);

/*
 * Appends `bytes` to the file at the normalized `path`, or replaces its content by them. Returns 0
 * or an errno; `*written` gets how many bytes are written all the same: go on behind them.
 */
int store_write(struct file_store *s, struct str path, struct str bytes, size_t *written);
/* True when there is such a file. */
bool store_exists(const struct file_store *s, struct str path);
/* Gives compressed data that is held back to the files. */
void store_flush(struct file_store *s);
/* Closes files that were not written since `before_ns` (monotonic). */
void store_close_unused(struct file_store *s, int64_t before_ns);
void store_close(struct file_store *s);

#endif
