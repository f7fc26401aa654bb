#ifndef LSC_TEXT_GROK_COMPILE_H
#define LSC_TEXT_GROK_COMPILE_H

#include "text/grok_expand.h"
#include "text/regex.h"

/*
 * The regex of `pattern`, which grok_expand() made `expanded` of. What is too large for PCRE2 is
 * compiled from grok_expand_shared(). As regex_compile(), in the arena of `p`.
 */
struct regex *grok_compile(struct grok_patterns *p, struct str pattern, enum grok_captures which,
                           struct str expanded, struct regex_error *error);

#endif
