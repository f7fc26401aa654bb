#ifndef LSC_TEXT_YAML_H
#define LSC_TEXT_YAML_H

#include <stdio.h>

#include "event/value.h"

struct yaml_problem {
    char   message[160];
    size_t line; /* from 1; 0: unknown */
};

/*
 * Reads the first document of `text` by libyaml into `a`, copying all of it. Plain scalars mean
 * what Ruby's Psych makes of them: nothing, ~ and null are null; yes, no, on, off, true and false
 * booleans; then integers (also 0x, 0b, 0 for octal, with _ and ,), floats with a point, times.
 * Dates stay texts. Aliases stand for scalars only.
 */
bool yaml_read(struct arena *a, struct str text, struct value *out, struct yaml_problem *problem);

/*
 * The members of the map that the document is, one after the other, so that no map of all of them
 * is made. `key_is_text` is false for keys such as 5 or true. `member` returns false to stop, after
 * filling problem->message. An empty document has no members.
 */
bool yaml_read_members(struct arena *a, struct str text,
                       bool (*member)(void *ctx, struct str key, bool key_is_text, struct value v,
                                      struct yaml_problem *problem),
                       void *ctx, struct yaml_problem *problem);

/* What the plain scalar `text`, which lives in `a`, means: text/yaml_scalar.c. */
struct value yaml_scalar(struct arena *a, struct str text);
/* 2024-01-31: no text for Ruby, though there is nothing better to make of it. */
bool yaml_is_date(struct str text);

#endif
