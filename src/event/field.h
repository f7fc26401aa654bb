#ifndef LSC_EVENT_FIELD_H
#define LSC_EVENT_FIELD_H

#include "event/value.h"

/* One step of a path: a member of a map, or, when the text is an integer, an item of a list. */
struct field_step {
    struct key key;
    int64_t    index; /* of a list; negative counts from the end */
    bool       is_index;
};

/*
 * A field reference such as [http][status], parsed once when the config is loaded.
 * `metadata`: it begins with [@metadata], which is not among the steps; [@metadata] alone has
 * depth 0. `plain`: one name at the top of the event or its metadata, and none that the event
 * guards: most are.
 */
struct field {
    bool              metadata, plain;
    uint32_t          depth;
    struct str        text; /* as written */
    struct field_step steps[];
};

struct fields {
    uint32_t             len;
    const struct field **at;
};

/* How brackets in names are written: config.field_reference.escape_style. */
enum field_escape { FIELD_ESCAPE_NONE, FIELD_ESCAPE_PERCENT, FIELD_ESCAPE_AMPERSAND };

enum { FIELD_DEPTH_MAX = 64 };

/*
 * Parses `text` ("foo", "[a][b][0]", "[[a][b]][c]") into `a`, copying what it keeps. NULL when it
 * is not a valid reference; then `*problem` (may be NULL) says why in a few words, and `*at` (may
 * be NULL) is the offset. Source: FieldReference.java (strict mode).
 */
const struct field *field_parse(struct arena *a, struct str text, const char **problem, size_t *at);
void                field_set_escape(enum field_escape style); /* before any parse; process-wide */

/* Whether both lead through the same name at the top of the event. */
static inline bool field_same_top(const struct field *a, const struct field *b)
{
    return a->metadata == b->metadata && a->depth && b->depth &&
           key_eq(&a->steps[0].key, &b->steps[0].key);
}

/* A reference of one top-level name, whatever characters it has. */
const struct field *field_of_name(struct arena *a, struct str name);

#endif
