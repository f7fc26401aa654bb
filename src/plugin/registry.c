#include "plugin/plugin.h"

#define PLUGIN(kind, name) extern const struct plugin kind##_##name;
#include "plugin/plugins.def"
#undef PLUGIN

#define PLUGIN(kind, name) &kind##_##name,
static const struct plugin *const plugins[] = {
#include "plugin/plugins.def"
};
#undef PLUGIN

enum { PLUGINS = sizeof(plugins) / sizeof(plugins[0]) };

const struct plugin *plugin_find(enum plugin_kind kind, struct str name)
{
    for (uint32_t i = 0; i < PLUGINS; i++)
        if (plugins[i]->kind == kind && str_is(name, plugins[i]->name)) return plugins[i];
    return NULL;
}

const struct plugin *plugin_at(uint32_t i)
{
    return i < PLUGINS ? plugins[i] : NULL;
}

const char *plugin_kind_name(enum plugin_kind kind)
{
    static const char *const kinds[] = {"input", "codec", "filter", "output"};

    return kinds[kind];
}

static const char *name_at(const void *kind, int i)
{
    for (uint32_t k = 0; k < PLUGINS; k++)
        if (plugins[k]->kind == *(const enum plugin_kind *)kind && i-- == 0)
            return plugins[k]->name;
    return NULL;
}

const char *plugin_nearest(enum plugin_kind kind, struct str name)
{
    return nearest(name, name_at, &kind);
}
