#ifndef LSC_TEXT_REGEX_SET_H
#define LSC_TEXT_REGEX_SET_H

#include "text/regex.h"

/*
 * Many regexes of which the first that matches is wanted. Only those are tried that
 * text/regex_screen.h lets through. Filled by one thread; from regex_set_ready() on constant, for
 * any thread.
 */
struct regex_set;

struct regex_set *regex_set_new(void);
void              regex_set_free(struct regex_set *s); /* NULL: nothing */

/* Adds a pattern, as regex_compile() takes it. Its number, from 0 on; -1 with `*error` filled. */
int64_t regex_set_add(struct regex_set *s, struct str pattern, unsigned flags,
                      struct regex_error *error);
void    regex_set_ready(struct regex_set *s);

uint32_t            regex_set_len(const struct regex_set *s);
const struct regex *regex_set_at(const struct regex_set *s, uint32_t i);

/* What is looked at for one subject; lies in `scratch`. */
struct regex_hits {
    const uint8_t *found;
};
struct regex_hits regex_set_look(const struct regex_set *s, struct str subject,
                                 struct arena *scratch);

/* The first regex of those from `from` on and before `to` that matches; `spans` as for
   regex_find(). -1: none. */
int64_t regex_set_find(const struct regex_set *s, struct str subject, struct regex_hits hits,
                       uint32_t from, uint32_t to, struct span *spans, uint32_t count);

#endif
