#ifndef LSC_PLUGIN_OPTION_PARTS_H
#define LSC_PLUGIN_OPTION_PARTS_H

#include "plugin/plugin.h"

/* What option.c, option_merge.c and option_convert.c share; nobody else needs it. */

/*
 * A setting given twice: hashes are merged, lists joined, scalars collected into a list unless they
 * are equal. Source: expr_attributes of lscl.rb, hash_merge of util.rb.
 */
const struct ast_value *ast_merge(struct arena *a, const struct ast_value *first,
                                  const struct ast_value *second);

/* The value with the entries of its hashes, at any depth, in the order in which Logstash's plugins
   see them: that of java.util.HashMap. The same value when it holds none. */
const struct ast_value *ast_in_order(struct arena *a, const struct ast_value *v);

/* Puts `v` into `member` as the row says. False after a diag at the value's place. */
bool option_convert(const struct option *o, const struct ast_value *v, void *member,
                    struct plugin_open *cx);

/* The default of a row as a value; NULL when it has none. */
const struct ast_value *option_preset(const struct option *o, struct plugin_open *cx);

/* Appends what a row takes: "a whole number from 1 to 65535", "one of: legacy, and, or". */
void option_describe(const struct option *o, struct buf *out);

extern const char *const ecs_names[]; /* by enum ecs; ends with NULL */

#endif
