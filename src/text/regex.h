#ifndef LSC_TEXT_REGEX_H
#define LSC_TEXT_REGEX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/*
 * Ruby (Onigmo) regular expressions on PCRE2 with its JIT. The pattern is translated: ^ and $ match
 * at line ends, (?m) means that the dot takes newlines, \h is a hex digit, odd group names are
 * mapped, {,n}, POSIX brackets and so on. Always UTF-8, always under match, depth and heap limits.
 * A compiled regex is constant: any thread, any number at once.
 */
struct regex;

enum regex_flags {
    REGEX_DOTALL = 1, /* Onigmo's MULTILINE option, as grok compiles: dot takes newlines */
    REGEX_CASELESS = 2,
    REGEX_JAVA = 4, /* not Ruby's dialect but java.util.regex */
};

struct regex_error {
    char   message[160];
    size_t offset; /* into the pattern */
};

/* Compiles into memory that lives until regex_free(); `arena` keeps what names need. NULL with
   `*error` filled when the pattern is not valid or uses what PCRE2 cannot do. */
struct regex *regex_compile(struct arena *a, struct str pattern, unsigned flags,
                            struct regex_error *error);
void          regex_free(struct regex *r);

enum { REGEX_NO_MATCH = 0, REGEX_MATCH = 1, REGEX_LIMIT = -1 /* a limit was hit */ };

/* A stretch of the subject; start is SIZE_MAX for a group that took no part. */
struct span {
    size_t start, end;
};

/* True when the regex is found anywhere in `subject`. Limits count as no match. */
bool regex_test(const struct regex *r, struct str subject);

/*
 * Looks for the first match at or behind byte `from`. `spans` gets the whole match and the groups
 * 1 .. count-1, at most `count`. Returns one of the values above.
 */
int regex_find(const struct regex *r, struct str subject, size_t from, struct span *spans,
               uint32_t count);

/* The first match, for as long as `limit_ns` (INT64_MAX: for as long as two thousand million steps
   allow). REGEX_LIMIT comes within a tenth of that time, unless the match needs more memory than is
   allowed; then at once. A clock is only read when a match is slow. */
int regex_find_within(const struct regex *r, struct str subject, struct span *spans, uint32_t count,
                      int64_t limit_ns);

uint32_t regex_groups(const struct regex *r); /* capture groups, without the whole match */
/* Number of the group called `name` (as in the original pattern), or -1. */
int regex_group(const struct regex *r, struct str name);
/* Name of group `n` as in the original pattern; len 0 when it has none. */
struct str regex_group_name(const struct regex *r, uint32_t n);
struct str regex_source(const struct regex *r);

/*
 * Ruby's String#gsub: appends `subject` to `out` with every match replaced. In `replacement` \1 and
 * \k<name> stand for groups, \0 and \& for the match, \` and \' for what is before and behind it,
 * \\ for a backslash. Returns the number of replacements, or -1 when a limit was hit (then `out` is
 * as before).
 */
int regex_gsub(const struct regex *r, struct str subject, struct str replacement, struct buf *out);

#endif
