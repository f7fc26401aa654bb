#ifndef LSC_TEXT_LOSSY_H
#define LSC_TEXT_LOSSY_H

#include "base/arena.h"
#include "base/str.h"

/* Bytes of binary formats as strings of events, which must be UTF-8. */

/* `bytes` themselves when they are UTF-8; else a copy in `a` in which each byte is a character of
   ISO 8859-1. Source: JRuby, how strings without an encoding become Java's. */
struct str lossy_binary(struct arena *a, struct str bytes);

/* `bytes` themselves when they are UTF-8; else a copy in `a` in which each sequence that means
   nothing is U+FFFD. */
struct str lossy_utf8(struct arena *a, struct str bytes);

#endif
