#ifndef LSC_TEXT_GROK_STOP_H
#define LSC_TEXT_GROK_STOP_H

#include "text/grok_expand.h"
#include "text/regex_cache.h"

/*
 * Why a line does not match: the pattern is tried piece by piece (a %{NAME}, a group, a class or a
 * character with its repeat), and the first piece that does not match any more is looked into in
 * the same way, until it is a single one. Slow, for people who write patterns.
 */
struct grok_stop {
    size_t     start, end; /* what the pieces before it match, bytes of the subject */
    struct str piece;      /* that does not match behind `end`; empty when all of them do */
    struct str within;     /* the %{NAME} that the piece stands in; empty: in the pattern itself */
};

/* `pattern` as grok_expand() takes it, whose patterns outlive the call; `cache` is used for
   REGEX_DOTALL only. The piece is a view into the pattern or into one of `p`. */
struct grok_stop grok_find_stop(struct grok_patterns *p, struct str pattern, struct str subject,
                                struct regex_cache *cache);

/* Bytes of the piece that `pattern` begins with, with its repeat; 0 when it is empty. */
size_t grok_piece(struct str pattern);

#endif
