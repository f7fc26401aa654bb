#ifndef LSC_BASE_MODULE_H
#define LSC_BASE_MODULE_H

#include "base/buf.h"

/*
 * What needs a heavy library lives in a module: a shared object that is opened the first time
 * somebody wants it, so that all others pay nothing. A module offers one constant struct of
 * functions, or several of one kind. It uses the functions of the program itself;
 * src/plugin/exports.list says which.
 *
 * Modules are looked for in $LSC_MODULES, or else in the folder modules/ beside the program (a
 * build tree), or else where they were installed.
 */

/* Every module says, once, which lsc it was built for, and how big the structs of functions are
   that it offers: another's may look different. */
struct module_version {
    const char *lsc;
    size_t      interface_size;
};
#define MODULE_OFFERS(interface)                                                                   \
    extern const struct module_version lsc_module;                                                 \
    const struct module_version        lsc_module = {PACKAGE_VERSION, sizeof(interface)}

/*
 * The struct called `symbol`, of `interface_size` bytes, in the module `file`. NULL when it cannot
 * be had, with the reason appended to `problem`: it names the Debian `package` of the library that
 * the module needs. One thread at a time. Modules stay open until the process ends.
 */
const void *module_symbol(const char *file, const char *package, size_t interface_size,
                          const char *symbol, struct buf *problem);

#endif
