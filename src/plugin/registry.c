#include "plugin/module.h"

/* A plugin of the program, or where to find it in a module. */
struct entry {
    enum plugin_kind     kind;
    const char          *name;
    const struct plugin *plugin;  /* NULL: in a module that is not open */
    const char          *file;    /* of the module; NULL: part of the program */
    const char          *package; /* of the module's library */
    const char          *problem; /* why the module cannot be loaded */
};

#define PLUGIN(kind, name) extern const struct plugin kind##_##name;
#define MODULE(kind, name, file, package)
#include "plugin/plugins.def"
#undef PLUGIN
#undef MODULE

/* The words of plugins.def as kinds. */
enum {
    kind_input = PLUGIN_INPUT,
    kind_codec = PLUGIN_CODEC,
    kind_filter = PLUGIN_FILTER,
    kind_output = PLUGIN_OUTPUT,
};

/* Changes when a module is opened: while configs are loaded, which one thread does. */
#define PLUGIN(kind, name) {(enum plugin_kind)kind_##kind, #name, &kind##_##name, NULL, NULL, NULL},
#define MODULE(kind, name, file, package)                                                          \
    {(enum plugin_kind)kind_##kind, #name, NULL, #file, package, NULL},
static struct entry entries[] = {
#include "plugin/plugins.def"
};
#undef PLUGIN
#undef MODULE

enum { ENTRIES = sizeof(entries) / sizeof(entries[0]) };

static struct entry *entry_find(enum plugin_kind kind, struct str name)
{
    for (uint32_t i = 0; i < ENTRIES; i++)
        if (entries[i].kind == kind && str_is(name, entries[i].name)) return &entries[i];
    return NULL;
}

/* Opens the module of the entry unless that was tried before. */
static const struct plugin *entry_plugin(struct entry *e)
{
    if (!e->plugin && !e->problem)
        e->plugin = module_plugin(e->file, e->package, e->kind, e->name, &e->problem);
    return e->plugin;
}

const struct plugin *plugin_find(enum plugin_kind kind, struct str name)
{
    struct entry *e = entry_find(kind, name);

    return e ? entry_plugin(e) : NULL;
}

const char *plugin_problem(enum plugin_kind kind, struct str name)
{
    const struct entry *e = entry_find(kind, name);

    return e ? e->problem : NULL;
}

const struct plugin *plugin_at(uint32_t i)
{
    for (uint32_t k = 0; k < ENTRIES; k++)
        if (entry_plugin(&entries[k]) && i-- == 0) return entries[k].plugin;
    return NULL;
}

bool plugin_missing_at(uint32_t i, enum plugin_kind *kind, const char **name)
{
    for (uint32_t k = 0; k < ENTRIES; k++) {
        if (entry_plugin(&entries[k]) || i-- != 0) continue;
        *kind = entries[k].kind;
        *name = entries[k].name;
        return true;
    }
    return false;
}

const char *plugin_kind_name(enum plugin_kind kind)
{
    static const char *const kinds[] = {"input", "codec", "filter", "output"};

    return kinds[kind];
}

static const char *name_at(const void *kind, int i)
{
    for (uint32_t k = 0; k < ENTRIES; k++)
        if (entries[k].kind == *(const enum plugin_kind *)kind && i-- == 0) return entries[k].name;
    return NULL;
}

const char *plugin_nearest(enum plugin_kind kind, struct str name)
{
    return nearest(name, name_at, &kind);
}
