#ifndef LSC_TEXT_RUBYTEXT_H
#define LSC_TEXT_RUBYTEXT_H

#include "event/value.h"

/*
 * How Ruby turns values into text and text into numbers, where Logstash's filters let it show:
 * mutate's convert, join, split and strip, syslog_pri, sleep. All functions may be called on any
 * thread. Source: JRuby 9.3 (RubyFloat.java, RubyString.java, ConvertDouble.java), seen through
 * the conformance cases.
 */

/* Appends what to_s gives: null as nothing, lists and maps as ruby_inspect_value() shows them. */
void ruby_to_s(struct value v, struct buf *out);

/* Appends what inspect gives: {"k"=>1}, [2, "a"], nil. */
void ruby_inspect_value(struct value v, struct buf *out);

/* Array#join: items as to_s, lists in lists joined with the same separator. */
void ruby_join(const struct list *l, struct str separator, struct buf *out);

/* String#strip: blanks and tabs to carriage returns at both ends, and NULs at the end. */
struct str ruby_strip(struct str s);

/*
 * String#split by a literal separator into a list in `a`; the pieces are views into `s`. One blank
 * as separator means: split at runs of blanks, and none at the start. An empty one gives single
 * characters. Empty pieces at the end are dropped unless `keep_trailing`.
 */
struct list *ruby_split(struct arena *a, struct str s, struct str separator, bool keep_trailing);

/* Appends String#capitalize: the first character as a title has it, the rest in lower case. */
void ruby_capitalize(struct buf *out, struct str s);

/* Whether `s` is just an integer, digits with or without a sign, and fits; most numbers in logs are
   and do. */
bool ruby_plain_integer(struct str s, int64_t *out);

/* String#to_i: the integer at the start of `s`, else 0. An INT, or a NUMBER with digits in `a`. */
struct value ruby_to_i(struct arena *a, struct str s);

/* String#to_f: the number at the start of `s`, else 0.0. `scratch` is overwritten. */
double ruby_to_f(struct str s, struct buf *scratch);

/* A whole-valued, finite double as an integer: an INT, or a NUMBER with digits in `a`. */
struct value ruby_integer(struct arena *a, double whole);

#endif
