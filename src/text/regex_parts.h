#ifndef LSC_TEXT_REGEX_PARTS_H
#define LSC_TEXT_REGEX_PARTS_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdatomic.h>

#include "text/onigmo.h"
#include "text/regex.h"

/* What text/regex.c and text/regex_within.c share. */

enum {
    REGEX_STEPS_MAX =
        5 * 1000 * 1000, /* PCRE2's match limit: for each place where a match starts */
    REGEX_DEPTH_MAX = 100 * 1000,
    REGEX_HEAP_MAX_KB = 64 * 1024,
    REGEX_STACK_MIN = 32 * 1024,
    REGEX_STACK_MAX = 8 * 1024 * 1024,
    REGEX_SHORT = 64 * 1024, /* longer subjects are searched in slices from the start */
};

/* SLICED: UTF-8, and the places where a match may start can be limited. */
enum regex_form { REGEX_FORM_UTF, REGEX_FORM_BYTES, REGEX_FORM_SLICED, REGEX_FORMS };

struct regex_code {
    _Atomic bool ready; /* what follows does not change any more */
    bool         jit;
    pcre2_code  *code; /* NULL: there is no such form */
};

struct regex {
    struct regex_code   forms[REGEX_FORMS];
    unsigned            flags;
    bool                ascii; /* the pattern is, so it has a form for bytes */
    uint32_t            groups, names_len;
    struct onigmo_name *names;
    struct str          source;
};

/* What a thread matches with, kept from match to match. */
struct regex_matcher {
    pcre2_match_data    *data;
    uint32_t             pairs;
    pcre2_match_context *context; /* with the limits above */
    pcre2_match_context *within;  /* with limits that change */
    pcre2_jit_stack     *stack;
};
/* That of this thread, with room for that many spans. */
struct regex_matcher *regex_matcher(uint32_t pairs);

const struct regex_code *regex_make_code(const struct regex *r, enum regex_form form);

static inline const struct regex_code *regex_code(const struct regex *r, enum regex_form form)
{
    const struct regex_code *c = &r->forms[form];

    return atomic_load_explicit(&c->ready, memory_order_acquire) ? c : regex_make_code(r, form);
}

/* What PCRE2 says: the groups found + 1, or one of its errors. The spans are in `m->data`. */
int regex_run(const struct regex_code *c, struct regex_matcher *m, pcre2_match_context *context,
              struct str subject, size_t from);

/* Turns that to REGEX_MATCH, with `spans` filled, REGEX_NO_MATCH or REGEX_LIMIT. */
int regex_result(const struct regex_matcher *m, int found, struct span *spans, uint32_t count);

/* The steps that a first try gets at each place of a subject, so that all of it is quick. */
static inline uint32_t regex_first_steps(size_t len)
{
    enum { FEWEST = 2000, ALL = 1000 * 1000 };

    return ALL / ((uint32_t)len + 1) > FEWEST ? ALL / ((uint32_t)len + 1) : FEWEST;
}

/* regex_find_within() behind a first try that was too long. */
int regex_find_slowly(const struct regex *r, struct str subject, struct span *spans, uint32_t count,
                      int64_t limit_ns);

#endif
