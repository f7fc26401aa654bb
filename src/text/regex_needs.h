#ifndef LSC_TEXT_REGEX_NEEDS_H
#define LSC_TEXT_REGEX_NEEDS_H

#include "base/arena.h"
#include "base/str.h"

/*
 * What every match of a regex must hold, as far as its text shows: of each set at least one word.
 * Words are in lower case (ASCII) and stand for themselves in any case. No sets: nothing is known.
 */
enum { REGEX_NEEDS_MAX = 8, REGEX_NEEDS_WORDS_MAX = 256 };

struct regex_words {
    uint32_t    len;
    struct str *at;
};

struct regex_needs {
    uint32_t           len;
    struct regex_words sets[REGEX_NEEDS_MAX];
};

/* Of a valid pattern, of Ruby's dialect or Java's. `flags` as for regex_compile(). Words lie in
   `a`. */
void regex_needs(struct arena *a, struct str pattern, unsigned flags, struct regex_needs *out);

#endif
