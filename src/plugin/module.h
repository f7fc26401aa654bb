#ifndef LSC_PLUGIN_MODULE_H
#define LSC_PLUGIN_MODULE_H

#include "plugin/plugin.h"

/*
 * Plugins whose library is heavy live in modules: shared objects that the registry opens the first
 * time a config names one of them, so that a config without them pays nothing. A module is the same
 * `struct plugin`, in files of its own, with a line MODULE(kind, name, file, package) in
 * plugins.def. It uses the functions of the program itself; src/plugin/exports.list says which.
 *
 * Modules are looked for in $LSC_MODULES, or else in the folder modules/ beside the program (a
 * build tree), or else where they were installed.
 */

/* Every module says, once, which lsc it was built for: another's structs may look different. */
struct module_version {
    const char *lsc;
    size_t      plugin_size;
};
#define PLUGIN_MODULE                                                                              \
    extern const struct module_version lsc_module;                                                 \
    const struct module_version        lsc_module = {PACKAGE_VERSION, sizeof(struct plugin)}

/*
 * The plugin `kind`_`name` of the module `file`; NULL when it cannot be loaded: then `*problem`
 * says why, naming the Debian `package` of the library it needs. One thread at a time. Modules stay
 * open until the process ends.
 */
const struct plugin *module_plugin(const char *file, const char *package, enum plugin_kind kind,
                                   const char *name, const char **problem);

#endif
