#ifndef LSC_FILTERS_RUBY_CACHE_H
#define LSC_FILTERS_RUBY_CACHE_H

#include "event/template.h"

/*
 * Field references and templates that Ruby code names are parsed once, not at every call. Code that
 * makes up names without end does not fill memory: beyond a few thousand, they are parsed into the
 * event's own arena, `a`. On Ruby's thread only.
 */

/* NULL: not a valid reference. */
const struct field    *ruby_cache_field(struct str text, struct arena *a);
const struct template *ruby_cache_template(struct str text, struct arena *a);

#endif
