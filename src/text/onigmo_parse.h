#ifndef LSC_TEXT_ONIGMO_PARSE_H
#define LSC_TEXT_ONIGMO_PARSE_H

#include "text/onigmo.h"

/* What the files of the translation share: text/onigmo.c, onigmo_escape.c, onigmo_class.c. */

/* Where reading the pattern and writing its translation stand. */
struct translation {
    struct str          pattern;
    size_t              at; /* the next byte of the pattern */
    bool                java, bytes;
    bool                failed;
    bool                unicode; /* (?u): \w and so on take more than ASCII */
    struct buf         *out;
    struct regex_error *error;
};

/* Fails the translation, once: the first problem is the one that is told. Returns false. */
__attribute__((format(printf, 3, 4))) bool onigmo_fail(struct translation *t, size_t at,
                                                       const char *format, ...);

static inline bool onigmo_more(const struct translation *t)
{
    return t->at < t->pattern.len;
}

/* The byte `ahead` of the next one; NUL behind the end. */
static inline char onigmo_peek(const struct translation *t, size_t ahead)
{
    return t->at + ahead < t->pattern.len ? t->pattern.data[t->at + ahead] : '\0';
}

static inline bool onigmo_take(struct translation *t, char c)
{
    if (!onigmo_more(t) || t->pattern.data[t->at] != c) return false;
    t->at++;
    return true;
}

/* What a backslash and what follows it mean, in and outside brackets. */
struct onigmo_escape {
    enum { ESCAPE_CHAR, ESCAPE_CHARS, ESCAPE_SET, ESCAPE_OTHER } kind;
    uint32_t   c;        /* CHAR */
    bool       negated;  /* SET */
    struct str items;    /* SET: what stands between brackets, not negated */
    struct str opposite; /* SET: what stands for all the others; data NULL when nothing does */
    struct buf chars;    /* CHARS: of \u{61 62}, UTF-8; else memory of items. To be released */
};

/* Reads an escape that means a character or a set; `t->at` is behind the backslash, and stays there
   for OTHER: assertions, references and so on. `e->chars` is to be released on failure, too. */
bool onigmo_escape(struct translation *t, struct onigmo_escape *e);

/* Reads a number of `base` 8, 10 or 16 of up to `max` digits; false when there is no digit. */
bool onigmo_number(struct translation *t, unsigned base, int max, uint32_t *value);

/* The inside of brackets for \p{name} and [:name:]; data NULL when the name is not known. */
struct str onigmo_property(const struct translation *t, struct str name, bool posix);

/* Appends the character `c` so that it means itself, in brackets and outside. */
void onigmo_literal(struct buf *out, uint32_t c);
/* Appends a set, outside of brackets. */
void onigmo_set(struct buf *out, struct str items, bool negated);

/* Reads what is behind a "[" up to its "]" and appends it. */
bool onigmo_class(struct translation *t, struct buf *out);

/* ---- groups and references: onigmo_group.c ---- */

/* A group that is open, and what its end restores. */
struct level {
    size_t start;  /* where it begins in the output */
    size_t source; /* and in the pattern */
    int    closes; /* brackets of isolated options such as (?i) that end with it */
    bool   extended, unicode;
};

/* `pass` counts to PASSES: see text/onigmo.c. */
enum { NO_ATOM = -1, PASSES = 3 };

struct parser {
    struct translation t;
    struct arena      *arena;
    struct onigmo     *out;
    struct onigmo      known; /* what the pass before found: groups and names */
    int                pass;
    bool               extended; /* (?x) */
    ptrdiff_t          atom;     /* where the last atom begins in the output, or NO_ATOM */
    bool               quantified;
    int                wraps; /* of the last atom */
    int                depth;
    size_t             watch, watched; /* see onigmo_source_offset() */
    struct level       levels[ONIGMO_NESTING_MAX + 1];
};

static inline void onigmo_begin_atom(struct parser *p)
{
    p->atom = (ptrdiff_t)p->t.out->len;
    p->quantified = false;
    p->wraps = 0;
}

/* An anchor can be repeated as well, but PCRE2 wants it in a group then. */
static inline void onigmo_begin_anchor(struct parser *p)
{
    onigmo_begin_atom(p);
    p->quantified = true;
}

static inline void onigmo_no_atom(struct parser *p)
{
    p->atom = NO_ATOM;
}

/* Reads what is behind a "(". */
bool onigmo_group(struct parser *p);
/* Ends the group that a ")" ends. */
bool onigmo_group_end(struct parser *p);
/* Writes the ends of isolated options, at the end of a group or of the pattern. */
void onigmo_end_options(struct parser *p);

/* Reads what is behind \k or \g, and behind the backslash of \1; `at` is the backslash. */
bool onigmo_reference(struct parser *p, size_t at);
bool onigmo_numbered(struct parser *p, size_t at);

#endif
