#ifndef LSC_BASE_DIAG_H
#define LSC_BASE_DIAG_H

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

/* One config file, held as long as its pipeline so that a loc can always be shown. */
struct source {
    const char *name; /* as the user gave it; "-e" for a config string */
    struct str  text;
};

/* A stretch of a source, in bytes. Line and column are worked out only when shown.
   `source` NULL: no place (a command-line flag, a setting). */
struct loc {
    const struct source *source;
    uint32_t             offset, len;
};

enum severity { DIAG_WARNING, DIAG_ERROR };

/* Collects problems, so that one run shows all of them. Zero-initialised prints to stderr. */
struct diags {
    int   errors, warnings;
    FILE *out;   /* NULL: stderr */
    bool  quiet; /* count only */
};

enum { DIAG_LIMIT = 20 }; /* errors shown; further ones are only counted */

/*
 * Prints "FILE:LINE:COLUMN: error: MESSAGE", the line, and a caret under `at`, with ~ for its
 * length. Columns count characters. Long lines are shown around the caret. Any thread, but one
 * `diags` is used by one thread.
 */
__attribute__((format(printf, 4, 5))) void diag(struct diags *d, enum severity s, struct loc at,
                                                const char *format, ...);
void diag_v(struct diags *d, enum severity s, struct loc at, const char *format, va_list args);

/* Says "N more errors" when there were more than DIAG_LIMIT; call it once, when all is checked. */
void diag_end(struct diags *d);

/* Line and column (both from 1; column in characters) of a loc with a source. */
void loc_position(struct loc at, int *line, int *column);

/* The candidate nearest to `word`, for "did you mean"; NULL when none is near. `candidate` returns
   the i-th name, NULL after the last. */
const char *nearest(struct str  word, const char *(*candidate)(const void *ctx, int i),
                    const void *ctx);

#endif
