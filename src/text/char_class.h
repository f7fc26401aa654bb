#ifndef LSC_TEXT_CHAR_CLASS_H
#define LSC_TEXT_CHAR_CLASS_H

#include "text/regex.h"

/*
 * The characters between the brackets of a regular expression, as kv's settings give them:
 * "<>\[\]," or "\s". Where all of them are ASCII a table answers; else a regex does. Constant once
 * compiled: any thread.
 */
struct char_class {
    bool          ascii;    /* `has` is right for every byte */
    bool          has[256]; /* no byte of a character beyond ASCII */
    struct regex *one;      /* [...] */
    struct regex *ends;     /* ^[...]+|[...]+$ */
};

/* False with `*error` filled when `source` is no valid class. */
bool char_class_compile(struct char_class *c, struct arena *a, struct str source,
                        struct regex_error *error);
void char_class_release(struct char_class *c);

/* `s` without these characters at its ends, or anywhere. A view of `s` or of `buf`, which is
   overwritten. */
struct str char_class_trim(const struct char_class *c, struct str s, struct buf *buf);
struct str char_class_remove(const struct char_class *c, struct str s, struct buf *buf);

#endif
