#ifndef LSC_TESTS_MODULES_H
#define LSC_TESTS_MODULES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/plugin.h"

/* For programs two folders below the build tree's top that are run by hand: where its modules are,
   unless LSC_MODULES says so already, as under `make check`. */
static inline void modules_of_build_tree(void)
{
    char    program[4000], folder[4096];
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

    if (len <= 0) return;
    program[len] = '\0';
    *strrchr(program, '/') = '\0';
    snprintf(folder, sizeof(folder), "%s/../../src/modules", program);
    setenv("LSC_MODULES", folder, 0);
}

/* True when the filter is in a module that was not built; a module that is there must load. */
static inline bool module_missing(const char *filter)
{
    modules_of_build_tree();
    if (plugin_find(PLUGIN_FILTER, str_of(filter))) return false;
    if (strstr(plugin_problem(PLUGIN_FILTER, str_of(filter)), "cannot be loaded")) abort();
    return true;
}

#endif
