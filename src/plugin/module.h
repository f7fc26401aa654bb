#ifndef LSC_PLUGIN_MODULE_H
#define LSC_PLUGIN_MODULE_H

#include "base/module.h"
#include "plugin/plugin.h"

/*
 * Plugins whose library is heavy live in modules (base/module.h), which the registry opens the
 * first time a config names one of them. Such a plugin is the same `struct plugin`, in files of its
 * own, with a line MODULE(kind, name, file, package) in plugins.def.
 */

/* Once in the files of each module of plugins. */
#define PLUGIN_MODULE MODULE_OFFERS(struct plugin)

/*
 * The plugin `kind`_`name` of the module `file`; NULL when it cannot be loaded: then `*problem`
 * says why, see module_symbol().
 */
const struct plugin *module_plugin(const char *file, const char *package, enum plugin_kind kind,
                                   const char *name, const char **problem);

#endif
