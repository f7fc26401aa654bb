#ifndef LSC_TEXT_EDN_H
#define LSC_TEXT_EDN_H

#include "event/event.h"

/*
 * Extensible data notation: nil, booleans, numbers, strings, characters, keywords and symbols
 * (which become strings), lists, vectors and sets (lists), maps, comments, #_ and tagged elements
 * (#inst becomes a time, of others only the element counts). Source: github.com/edn-format/edn.
 */

enum edn_status { EDN_DONE, EDN_END /* nothing but blanks and comments */, EDN_BROKEN };

/*
 * Reads the element at the start of `text`, which is UTF-8 and lives as long as `a`; strings
 * without escapes are views. `*used` gets its length, blanks before it included. When EDN_BROKEN,
 * `*why` says what is wrong.
 */
enum edn_status edn_read(struct arena *a, struct str text, struct value *out, size_t *used,
                         const char **why);

/*
 * Appends `v`. Integers are written as the Ruby library of Logstash does (1M). Times become
 * strings. Newlines in strings are written as \n, so that an element is a line.
 */
void edn_write(struct value v, struct buf *out);

#endif
