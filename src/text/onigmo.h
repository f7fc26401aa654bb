#ifndef LSC_TEXT_ONIGMO_H
#define LSC_TEXT_ONIGMO_H

#include "base/arena.h"
#include "base/buf.h"
#include "text/regex.h"

/* The translation of Ruby's (and Java's) regular expressions to PCRE2's. Used by text/regex.c. */

/* A named group. In Ruby several groups may have one name; each has an entry. */
struct onigmo_name {
    struct str name;
    uint32_t   group;
};

enum { ONIGMO_NAMES_MAX = 1000, ONIGMO_NESTING_MAX = 200, ONIGMO_PATTERN_MAX = 256 * 1024 };

struct onigmo {
    struct buf          pcre; /* to be compiled with onigmo_compile_options(); names are gone */
    uint32_t            groups;
    uint32_t            names_len;
    struct onigmo_name *names; /* views into the pattern */
    bool                ascii; /* the pattern is ASCII and needs no Unicode tables */
};

/*
 * Translates `pattern`, which is valid UTF-8. `bytes`: into a form for subjects that are ASCII,
 * compiled without UTF and UCP; gives the same matches and is quicker. False with `*error` filled
 * when the pattern is not valid or has no counterpart. `out` is overwritten; its buf stays the
 * caller's to release, also on failure.
 */
bool onigmo_translate(struct arena *a, struct str pattern, unsigned flags, bool bytes,
                      struct onigmo *out, struct regex_error *error);

/* The place in `pattern` that became byte `offset` of the translation, nearly. */
size_t onigmo_source_offset(struct arena *a, struct str pattern, unsigned flags, bool bytes,
                            size_t offset);

#endif
