#ifndef LSC_FILTERS_MUTATE_H
#define LSC_FILTERS_MUTATE_H

#include "plugin/plugin.h"
#include "text/regex.h"
#include "text/regex_cache.h"

/* Shared by the files of the mutate filter only. */

enum conversion {
    CONVERT_STRING,
    CONVERT_INTEGER,
    CONVERT_FLOAT,
    CONVERT_BOOLEAN,
    CONVERT_INTEGER_EU,
    CONVERT_FLOAT_EU,
};

/* A field named by a setting: fixed, or, when `text` is set, named anew by every event. */
struct mutate_name {
    const struct field    *field;
    const struct template *text;
};

struct mutate_step;

/* Does a step. NULL when done, or why it could not be (constant, lower case). */
typedef const char *mutate_operation(const struct mutate_step *s, struct event *ev,
                                     struct filter_context *cx);

/* One step of a mutate filter. What it does not need is zero. */
struct mutate_step {
    mutate_operation      *run;
    const char            *option;    /* for messages */
    struct mutate_name     name, to;  /* `to`: where rename and copy put it */
    struct fields          added;     /* merge */
    const struct template *value;     /* coerce, update, replace; the replacement of gsub */
    const struct template *needle;    /* gsub: a pattern with %{…} */
    struct regex          *regex;     /* gsub: the pattern when it is fixed */
    struct regex_cache    *patterns;  /* gsub: those that came out of `needle` */
    struct str             separator; /* split, join */
    enum conversion        conversion;
};

bool mutate_conversion(struct str name, enum conversion *out);

/* mutate_convert.c */
mutate_operation mutate_convert;

/* mutate_text.c */
mutate_operation mutate_gsub, mutate_uppercase, mutate_capitalize, mutate_lowercase, mutate_strip,
    mutate_split, mutate_join, mutate_merge;

#endif
