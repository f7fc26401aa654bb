#ifndef LSC_FILTERS_GROK_H
#define LSC_FILTERS_GROK_H

#include "plugin/plugin.h"
#include "text/regex.h"
#include "text/regex_literal.h"
#include "text/regex_screen.h"

/* What the files of the filter grok share: grok.c runs, grok_open.c compiles. */

enum capture_type { CAPTURE_TEXT, CAPTURE_INT, CAPTURE_FLOAT };

/* A group that becomes a field. */
struct capture {
    uint32_t            group;
    enum capture_type   type;
    bool                overwrite;
    bool                fresh; /* a plain field that no earlier capture of the pattern makes */
    const struct field *field; /* below the target */
};

/* Spans of one match, on the stack. */
enum { SPANS_MAX = 512 };

struct pattern {
    struct regex   *regex;
    struct needle   literal; /* text that each match holds, to be looked for first; or empty */
    uint32_t        groups;  /* spans wanted: up to the last one that is kept */
    uint32_t        captures_len;
    struct capture *captures; /* in the order in which they are set */
    struct str      source;   /* as the config has it */
};

/* A field and the patterns that are tried on it. Of many only a few can match a text: behind the
   first ones `screen` tells which. */
enum { SCREEN_MIN = 8, TRIED_FIRST = 4 };
struct rule {
    const struct field  *field;
    uint32_t             len;
    struct pattern      *patterns;
    struct regex_screen *screen; /* NULL: there are few */
};

enum { SCOPE_PATTERN, SCOPE_EVENT };

struct grok {
    bool           break_on_match;
    int            ecs_compatibility;
    bool           keep_empty_captures;
    struct pairs   match;
    bool           named_captures_only;
    struct strings overwrite;
    struct pairs   pattern_definitions;
    struct strings patterns_dir;
    struct str     patterns_files_glob;
    struct strings tag_on_failure;
    struct str     tag_on_timeout;
    struct str     target;
    int64_t        timeout_millis;
    int            timeout_scope;

    uint32_t     rules_len;
    struct rule *rules;
};

bool grok_open(void *self, struct plugin_open *cx);
void grok_close(void *self);

#endif
