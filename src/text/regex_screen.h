#ifndef LSC_TEXT_REGEX_SCREEN_H
#define LSC_TEXT_REGEX_SCREEN_H

#include "base/arena.h"
#include "base/str.h"

/*
 * Which of many regexes a text can match at all: one pass over it (Aho-Corasick) looks for the
 * words that they need (text/regex_needs.h). Filled by one thread; from regex_screen_ready() on
 * constant, for any thread.
 */
struct regex_screen;

struct regex_screen *regex_screen_new(void);
void                 regex_screen_free(struct regex_screen *s); /* NULL: nothing */

/* Adds a valid pattern, as regex_compile() takes it. Numbers are given from 0 on. */
void regex_screen_add(struct regex_screen *s, struct str pattern, unsigned flags);
void regex_screen_ready(struct regex_screen *s);

/* What of the words is in `subject`, for regex_screen_passes(); lies in `scratch`. */
const uint8_t *regex_screen_look(const struct regex_screen *s, struct str subject,
                                 struct arena *scratch);

/* False: the regex of that number cannot match. */
bool regex_screen_passes(const struct regex_screen *s, const uint8_t *found, uint32_t regex);
/* The first regex from number `from` on, before `to`, that can match; `to`: none. */
uint32_t regex_screen_next(const struct regex_screen *s, const uint8_t *found, uint32_t from,
                           uint32_t to);

#endif
