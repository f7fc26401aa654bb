#ifndef LSC_TEXT_CHARSET_H
#define LSC_TEXT_CHARSET_H

#include "base/arena.h"
#include "base/buf.h"

/*
 * Text in any of the encodings that Ruby knows, to UTF-8, as Logstash's codecs do it. Source:
 * logstash/util/charset.rb.
 */
struct charset;

/* Every name that Logstash accepts for the option `charset`, in its order; ends with NULL. For
   OPT_ENUM, so the option's value is the index of a name. */
extern const char *const charset_names[];

/* Ready to convert from the charset `name`; lives in `a`, constant, for any thread. NULL when the
   C library has no tables for it; `*problem` then says so in a few words. */
const struct charset *charset_open(struct arena *a, int name, const char **problem);

/*
 * `bytes` as UTF-8: themselves when that is what they are, else a copy in `a`. Of declared UTF-8
 * that is not valid, the whole text comes back as Ruby's String#inspect writes it (bad bytes as
 * \xNN, quotes and control characters escaped too), and a warning is logged. In other charsets
 * each sequence that means nothing becomes U+FFFD. `scratch` is used and cleared.
 */
struct str charset_convert(const struct charset *c, struct str bytes, struct arena *a,
                           struct buf *scratch);

#endif
