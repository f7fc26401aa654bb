#include "api/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 64 * 1024 };

int proc_count(const char *folder)
{
    DIR *dir = opendir(folder);
    int  n = 0;

    if (!dir) return 0;
    for (const struct dirent *e; (e = readdir(dir));)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

bool proc_read(const char *path, struct buf *out)
{
    int     fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;

    buf_clear(out);
    if (fd < 0) return false;
    while (out->len < FILE_MAX && (n = read(fd, buf_room(out, 4096), 4096)) > 0)
        out->len += (size_t)n;
    close(fd);
    buf_cstr(out);
    return n >= 0;
}

int64_t proc_number(const char *path, const char *key, int64_t missing)
{
    struct buf text = {0};
    int64_t    number = missing;
    size_t     len = strlen(key);

    if (proc_read(path, &text))
        for (const char *line = text.data; line; line = strchr(line, '\n')) {
            line += *line == '\n';
            if (strncmp(line, key, len) != 0 || !strchr(" :\t", line[len])) continue;
            number = strtoll(line + len + strspn(line + len, ": \t"), NULL, 10);
            break;
        }
    buf_release(&text);
    return number;
}

int64_t proc_memory_limit(void)
{
    struct buf text = {0};
    int64_t    limit = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

    if (proc_read("/sys/fs/cgroup/memory.max", &text) && text.data[0] != 'm') {
        int64_t own = strtoll(text.data, NULL, 10);
        if (own > 0 && own < limit) limit = own;
    }
    buf_release(&text);
    return limit;
}
