#ifndef LSC_API_PROC_H
#define LSC_API_PROC_H

#include "base/buf.h"

/* What Linux says about this process and machine, in /proc and /sys. */

/* Entries of a folder; 0 when it cannot be read. */
int proc_count(const char *folder);
/* Reads a small file; false when there is none. The text has a NUL behind it. */
bool proc_read(const char *path, struct buf *out);
/* The number behind `key` in a file of "key number" or "Key:  number kB" lines; `missing` when the
   file or line is not there. */
int64_t proc_number(const char *path, const char *key, int64_t missing);
/* The most memory that this process may use: of its cgroup, else of the machine. */
int64_t proc_memory_limit(void);

#endif
