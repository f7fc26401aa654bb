#ifndef LSC_CONFIG_H
#define LSC_CONFIG_H

#include "base/arena.h"
#include "grammar/ast.h"
#include "settings.h"

/*
 * The pipeline's config as the settings name it (-f or -e), parsed, its variables put in. -e
 * without an input or output section gets stdin and stdout. The tree and its texts live in `a`.
 * False after at least one diag. Source: config/source/local.rb.
 */
bool config_load(const struct settings *s, struct arena *a, struct ast_config *out,
                 struct diags *d);

/* A number that changes when a file of the config changes: for reloading. */
uint64_t config_hash(const struct settings *s);

#endif
