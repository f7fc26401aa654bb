#ifndef LSC_TEXT_MARSHAL_H
#define LSC_TEXT_MARSHAL_H

#include "event/value.h"

/*
 * Ruby's Marshal, version 4.8, as far as events need it: nil, true, false, numbers, strings,
 * symbols, arrays and hashes. Source: Ruby, doc/marshal.rdoc.
 */

/*
 * Reads the one value that `bytes` hold, which live as long as `a`: strings are views where they
 * are UTF-8, else each byte is a character of ISO 8859-1; symbols become strings, and names of
 * members that are numbers their digits. False, with a few words in `*why`, for objects of other
 * classes, for an array or hash that stands in two places, and for what Marshal did not write.
 */
bool marshal_read(struct arena *a, struct str bytes, struct value *out, const char **why);

/* Appends what Marshal.dump writes. Times become strings in ISO 8601, numbers that no int64_t and
   no double holds the strings of their digits. */
void marshal_write(struct value v, struct buf *out);

#endif
