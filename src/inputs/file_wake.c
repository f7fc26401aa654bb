/*
 * Where the kernel tells of changes (inotify), a round begins as soon as something changes and not
 * only when stat_interval is over. This is but a hint: network file systems, links to other places
 * and a full table of watches have none, and there polling finds everything in time.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "inputs/file.h"

/* Rounds take at most a tenth of the time, and there are at most a hundred a second. */
static const int64_t pause_least_ns = INT64_C(10000000);
enum { PAUSE_FACTOR = 9 };

void wake_close(struct file_run *run)
{
    if (run->wake_fd >= 0) close(run->wake_fd);
}

void wake_watch(struct file_run *run, const char *path)
{
    const char *slash = strrchr(path, '/');
    char       *dir = xstrndup(path, slash && slash > path ? (size_t)(slash - path) : 1);

    if (run->wake_fd >= 0)
        inotify_add_watch(run->wake_fd, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE);
    free(dir);
}

void wake_open(struct file_run *run)
{
    run->wake_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    for (uint32_t i = 0; i < run->in->path.len; i++) {
        struct str pattern = run->in->path.at[i];
        char      *path = xstrndup(pattern.data, pattern.len);
        wake_watch(run, path); /* fails where directories are patterns */
        free(path);
    }
}

/* Takes all events out; a new name means that the patterns are worth expanding. */
static void drain(struct file_run *run)
{
    _Alignas(struct inotify_event) char events[8192];
    ssize_t                             n;

    while ((n = read(run->wake_fd, events, sizeof(events))) > 0) {
        for (char *p = events; p < events + n;) {
            const struct inotify_event *e = (const void *)p;
            if (e->mask & (IN_CREATE | IN_MOVED_TO | IN_Q_OVERFLOW)) run->appeared = true;
            p += sizeof(*e) + e->len;
        }
    }
}

bool wake_wait(struct file_run *run, int64_t round_ns)
{
    int64_t       began = clock_monotonic_ns(), left = run->in->stat_interval.ns;
    int64_t       pause = PAUSE_FACTOR * round_ns;
    struct pollfd fds[] = {
        {.fd = stop_fd(run->stop), .events = POLLIN},
        {.fd = run->wake_fd, .events = POLLIN}, /* negative: poll ignores it */
    };

    if (pause < pause_least_ns) pause = pause_least_ns;
    if (pause > left) pause = left;
    if (stop_sleep(run->stop, pause)) return true;
    left -= clock_monotonic_ns() - began;
    if (left > 0) {
        struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        ppoll(fds, 2, &wait, NULL);
    }
    drain(run);
    return stop_requested(run->stop);
}
