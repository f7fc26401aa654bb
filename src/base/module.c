#include "base/module.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_LENGTH = 4096 };

/* The folder of the program itself; false when the system does not say. */
static bool program_folder(char *out, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", out, size - 1);

    if (len <= 0) return false;
    out[len] = '\0';
    *strrchr(out, '/') = '\0';
    return true;
}

static bool present(char *path, size_t size, const char *folder, const char *below,
                    const char *file)
{
    int len = snprintf(path, size, "%s%s/%s.so", folder, below, file);

    return len > 0 && (size_t)len < size && access(path, R_OK) == 0;
}

static bool find_file(char *path, size_t size, const char *file)
{
    const char *given = getenv("LSC_MODULES");
    char        folder[PATH_LENGTH];

    if (given && *given) return present(path, size, given, "", file);
    if (program_folder(folder, sizeof(folder)) && present(path, size, folder, "/modules", file))
        return true;
    return present(path, size, PKGLIBDIR, "", file);
}

/* The open module; NULL after writing why not to `problem`. */
static void *open_file(const char *file, const char *package, struct buf *problem)
{
    const char *given = getenv("LSC_MODULES");
    char        path[2 * PATH_LENGTH];

    if (!find_file(path, sizeof(path), file)) {
        buf_printf(problem,
                   "its module %s.so is not in \"%s\"; it is built where the development files of "
                   "the Debian package %s are",
                   file, given && *given ? given : PKGLIBDIR, package);
        return NULL;
    }
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        buf_printf(
            problem,
            "its module cannot be loaded (%s); it needs the library of the Debian package %s",
            dlerror(), package);
    return handle;
}

const void *module_symbol(const char *file, const char *package, size_t interface_size,
                          const char *symbol, struct buf *problem)
{
    void *handle = open_file(file, package, problem);

    if (!handle) return NULL;
    const struct module_version *version = dlsym(handle, "lsc_module");
    const void                  *found = dlsym(handle, symbol);
    if (!version || strcmp(version->lsc, PACKAGE_VERSION) != 0 ||
        version->interface_size != interface_size)
        buf_printf(problem,
                   "its module %s.so was built for lsc %s, not for this lsc " PACKAGE_VERSION, file,
                   version ? version->lsc : "unknown");
    else if (!found)
        buf_printf(problem, "its module %s.so does not have it", file);
    else
        return found;
    dlclose(handle);
    return NULL;
}
