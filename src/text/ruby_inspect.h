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

/* Appends `f` as JRuby's Float#inspect and #to_s do: 1.0, 1.0e-05, 10000000000000000.0, 1.0e+20,
   NaN, Infinity. Source: RubyFloat.java, "%#.20g" of the shortest digits. */
void ruby_inspect_float(struct buf *out, double f);

#endif
