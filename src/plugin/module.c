#include "plugin/module.h"

#include <stdio.h>

#include "base/fatal.h"

const struct plugin *module_plugin(const char *file, const char *package, enum plugin_kind kind,
                                   const char *name, const char **problem)
{
    struct buf why = {0};
    char       symbol[64];

    snprintf(symbol, sizeof(symbol), "%s_%s", plugin_kind_name(kind), name);
    const struct plugin *p = module_symbol(file, package, sizeof(*p), symbol, &why);
    *problem = p ? NULL : xstrndup(why.data, why.len);
    buf_release(&why);
    return p;
}
