#ifndef LSC_TEXT_GROK_EXPAND_H
#define LSC_TEXT_GROK_EXPAND_H

#include "base/arena.h"
#include "base/buf.h"
#include "event/value.h"

/*
 * Named patterns, and %{NAME} in regular expressions replaced by them. What comes out is a plain
 * Ruby regex for regex_compile(). Source: jls-grok, lib/grok-pure.rb.
 */
struct grok_patterns {
    struct arena               *arena;
    const struct grok_patterns *base;    /* where names are looked for that are not here; or NULL */
    struct map                  regexes; /* name → text */
};

/* Empty; names and texts are copied into `a`, which must outlive the patterns. */
void grok_patterns_init(struct grok_patterns *p, struct arena *a);

/* The text of `name`, here or in the base; data NULL when it is not defined. */
struct str grok_patterns_get(const struct grok_patterns *p, struct str name);

/* Defines `name`; a later definition takes the place of an earlier one. */
void grok_patterns_add(struct grok_patterns *p, struct str name, struct str regex);

/* Adds what a pattern file holds: "NAME REGEX" on each line, comments with #, other lines skipped.
   Returns the number of patterns. */
uint32_t grok_patterns_parse(struct grok_patterns *p, struct str text);

/* The same for the file `path`. False with errno set when it cannot be read or is longer than
   16 MiB. */
bool grok_patterns_load(struct grok_patterns *p, const char *path);

/* The same for a file, for the files of a folder that `files` (a glob, such as "*") names, or for
   what the glob `path` finds. Returns the number of files, or -1 with errno set when one cannot
   be read; its name is then in `*culprit`, in the arena of the patterns. */
int grok_patterns_load_all(struct grok_patterns *p, struct str path, struct str files,
                           struct str *culprit);

/* Which references become capture groups. Names that begin with LSC_ are the library's own and
   never do by themselves. */
enum grok_captures {
    GROK_CAPTURE_NONE,  /* only whether it matches counts */
    GROK_CAPTURE_NAMED, /* %{NAME:field}, not %{NAME} */
    GROK_CAPTURE_ALL,
};

/* One reference that became a group: views into the pattern or the patterns. */
struct grok_capture {
    struct str group; /* name of the group: "NAME:field:type", "NAME:field" or "NAME" */
    struct str name, field, type;
};

struct grok_captures_list {
    uint32_t             len, cap;
    struct grok_capture *at; /* in the arena of the patterns */
};

/* What a group is kept as: of "NAME:field:type", "NAME:field", "NAME" and "field" the field, which
   is the whole of the last two, and the type or nothing. */
void grok_split_group(struct str group, struct str *field, struct str *type);

struct grok_error {
    char   message[200];
    size_t offset, len; /* of the reference in the pattern given */
};

enum { GROK_DEPTH_MAX = 64, GROK_LENGTH_MAX = 1 << 20 };

/*
 * Appends `pattern` to `out` with each %{NAME}, %{NAME:field} and %{NAME:field:type} replaced by
 * the pattern of that name, which is expanded likewise; %{NAME=REGEX} defines NAME first. `list`
 * (may be NULL with GROK_CAPTURE_NONE) gets the groups in the order of their parentheses. False
 * with `*error` filled when a name is not defined, patterns refer to one another in a circle, or
 * the result is longer than GROK_LENGTH_MAX.
 */
bool grok_expand(struct grok_patterns *p, struct str pattern, enum grok_captures which,
                 struct grok_captures_list *list, struct buf *out, struct grok_error *error);

/* The same in less space, for what PCRE2 finds too large: a long pattern without captures that
   stands there again is a call of the group that it made the first time. These groups have names
   that begin with GROK_SHARED; matching is somewhat slower. */
#define GROK_SHARED "LSC_shared"

bool grok_expand_shared(struct grok_patterns *p, struct str pattern, enum grok_captures which,
                        struct grok_captures_list *list, struct buf *out, struct grok_error *error);

#endif
