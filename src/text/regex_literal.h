#ifndef LSC_TEXT_REGEX_LITERAL_H
#define LSC_TEXT_REGEX_LITERAL_H

#include "base/arena.h"
#include "base/str.h"

/*
 * The longest text that every match of a valid regular expression (Ruby's dialect) must hold, as
 * far as a glance shows: to be looked for before the regex is tried. Empty when there is none of
 * at least three bytes. Lives in `a`.
 */
struct str regex_literal(struct arena *a, struct str pattern);

/* A literal made ready to be looked for again and again. */
struct needle {
    struct str text;
    size_t     rare; /* the byte of it that logs have least */
};

struct needle needle_make(struct str literal);

/* True when `text` holds it, or when it is empty. */
bool needle_in(const struct needle *n, struct str text);

#endif
