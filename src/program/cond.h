#ifndef LSC_PROGRAM_COND_H
#define LSC_PROGRAM_COND_H

#include "event/event.h"
#include "grammar/ast.h"
#include "plugin/plugin.h"

/* An if-expression with fields, numbers and regexes resolved. Constant; any thread. */
struct cond;

/* NULL after at least one diag. */
const struct cond *cond_compile(const struct ast_condition *ast, struct plugin_open *cx);
void               cond_free(const struct cond *c); /* releases regexes; the rest is arena memory */

/*
 * True when the condition holds for `ev`. A comparison that cannot be made (< on a missing field,
 * text against number) makes the whole condition false, is counted, and logged at most every ten
 * seconds with its place. Source: EventCondition.java; differences in docs/differences.md.
 */
bool cond_eval(const struct cond *c, const struct event *ev);

/* The expression as written. */
struct str cond_source(const struct cond *c);

/* Comparisons that could not be made since the start of the process. */
uint64_t cond_failures(void);

#endif
