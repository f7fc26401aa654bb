#ifndef LSC_TEXT_RUBY_INSPECT_H
#define LSC_TEXT_RUBY_INSPECT_H

#include "base/buf.h"
#include "base/str.h"

/*
 * Appends `s` as Ruby's String#inspect writes a UTF-8 string, without the quotes around it: \" \\
 * \n \t \r \f \v \b \a \e, \#{ \#$ \#@, other characters that cannot be printed as \u0001 or
 * \u{10FFFF}, and bytes that are no UTF-8 as \xNN. Any thread. Source: RubyString.java, inspect.
 */
void ruby_inspect(struct buf *out, struct str s);

/* Appends `f` as Ruby's Float#inspect does: 1.0, 1.0e+16, 1.0e-05, NaN, Infinity. */
void ruby_inspect_float(struct buf *out, double f);

#endif
