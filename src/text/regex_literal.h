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

#endif
