#ifndef LSC_TEXT_REGEX_CACHE_H
#define LSC_TEXT_REGEX_CACHE_H

#include "text/regex.h"

/*
 * Compiled regexes whose patterns come out of events (gsub with %{field}, prune with interpolate),
 * so that a pattern seen again is not compiled again. Holds up to REGEX_CACHE_MAX of them, the
 * least used ones go. Shared by the workers under a mutex of its own.
 */
enum { REGEX_CACHE_MAX = 64, REGEX_CACHE_PATTERN_MAX = 64 * 1024 /* bytes */ };

struct regex_cache;

struct regex_cache *regex_cache_new(void);
void                regex_cache_free(struct regex_cache *c); /* nothing may be taken any more */

/*
 * The regex of `pattern` under `flags` (always the same for one cache). It is the caller's until
 * regex_cache_give(). NULL with `*error` filled when the pattern is not valid or too long.
 */
const struct regex *regex_cache_take(struct regex_cache *c, struct str pattern, unsigned flags,
                                     struct regex_error *error);
void                regex_cache_give(struct regex_cache *c, const struct regex *r);

#endif
