#ifndef LSC_PLUGIN_HELP_H
#define LSC_PLUGIN_HELP_H

#include <stdio.h>

#include "plugin/plugin.h"

/* All plugins, one a line. */
void help_list(FILE *out);

/* What "truncate" or "filter/truncate" does and all its settings; every plugin of that name. False
   when there is none, after saying so on stderr. */
bool help_plugin(struct str name, FILE *out);

/* Writes DIR/KIND-NAME.md for every plugin, and DIR/README.md, which lists them. The same plugins
   give the same bytes. False with a message on stderr when a file cannot be written. */
bool help_write_docs(struct str dir);

#endif
