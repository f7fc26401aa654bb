#include "data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/uuid.h"

static bool failed(char *error, size_t size, const char *what, const char *path)
{
    snprintf(error, size, "path.data: cannot %s %s: %s", what, path, strerror(errno));
    return false;
}

/* mkdir -p with mode 0700 for what is new. */
static bool make_dirs(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        *slash = '/';
        if (!made) return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* The descriptor stays open until the process ends, and with it the lock. */
static bool lock(const char *dir, char *error, size_t size)
{
    char file[PATH_MAX + 8];

    snprintf(file, sizeof(file), "%s/.lock", dir);
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return failed(error, size, "open", file);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK)
        snprintf(error, size,
                 "path.data: another lsc is using %s; give this one a folder of its own with "
                 "--path.data",
                 dir);
    else
        failed(error, size, "lock", file);
    close(fd);
    return false;
}

static bool write_uuid(const char *dir, char *error, size_t size)
{
    char        file[PATH_MAX + 8], uuid[UUID_TEXT + 1];
    struct stat st;

    snprintf(file, sizeof(file), "%s/uuid", dir);
    if (stat(file, &st) == 0 && st.st_size >= UUID_TEXT) return true;
    uuid_random(uuid);
    int  fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, uuid, UUID_TEXT) == UUID_TEXT;
    if (fd >= 0 && close(fd) != 0) good = false;
    return good || failed(error, size, "write", file);
}

bool data_dir_open(struct str path, char *error, size_t error_size)
{
    char dir[PATH_MAX];

    if (path.len == 0 || path.len >= sizeof(dir)) {
        snprintf(error, error_size, "path.data: empty or too long");
        return false;
    }
    memcpy(dir, path.data, path.len);
    dir[path.len] = '\0';
    if (!make_dirs(dir)) return failed(error, error_size, "make", dir);
    return lock(dir, error, error_size) && write_uuid(dir, error, error_size);
}
