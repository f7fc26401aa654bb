#include "text/grok_library.h"

#include <errno.h>
#include <unistd.h>

/* Patterns that both sets share lie in common/; each set adds its own to them. */
struct library {
    struct arena         arena;
    struct grok_patterns patterns;
    bool                 tried, good;
    struct str           problem;
};

enum { PATH_LENGTH = 4096 };

/* `folder`/patterns, when it is there. */
static bool find_patterns(struct arena *a, const char *folder, struct str *found)
{
    *found = arena_printf(a, "%s/patterns", folder);
    return access(arena_printf(a, "%s/common", found->data).data, R_OK | X_OK) == 0;
}

/* Cuts the last name off `path`. False when there is none. */
static bool cut_name(char *path)
{
    char *slash = strrchr(path, '/');

    if (!slash || slash == path) return false;
    *slash = '\0';
    return true;
}

/* In a build tree the programs lie one or two folders below the one that has patterns/. */
static bool find_in_build_tree(struct arena *a, struct str *found)
{
    char    program[PATH_LENGTH];
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

    if (len <= 0) return false;
    program[len] = '\0';
    if (!cut_name(program)) return false;
    for (int up = 0; up < 2 && cut_name(program); up++)
        if (find_patterns(a, program, found)) return true;
    return false;
}

static bool load_set(struct library *l, struct str folder, const char *set)
{
    struct str path = arena_printf(&l->arena, "%s/%s", folder.data, set);
    struct str culprit;

    if (grok_patterns_load_all(&l->patterns, path, STR("*"), &culprit) > 0) return true;
    l->problem = arena_printf(&l->arena, "cannot read the grok patterns in \"%s\": %s", path.data,
                              strerror(errno));
    return false;
}

static bool load(struct library *l, const char *set)
{
    struct str folder;

    grok_patterns_init(&l->patterns, &l->arena);
    if (find_in_build_tree(&l->arena, &folder) || find_patterns(&l->arena, PKGDATADIR, &folder))
        return load_set(l, folder, "common") && load_set(l, folder, set);
    l->problem =
        arena_printf(&l->arena, "lsc's grok patterns are not in \"%s/patterns\"", PKGDATADIR);
    return false;
}

const struct grok_patterns *grok_library(bool ecs, struct str *problem)
{
    static struct library libraries[2];
    struct library       *l = &libraries[ecs];

    if (!l->tried) l->good = load(l, ecs ? "ecs-v1" : "legacy");
    l->tried = true;
    *problem = l->problem;
    return l->good ? &l->patterns : NULL;
}
