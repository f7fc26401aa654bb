#include "pipeline/stop.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fatal.h"

struct stop {
    atomic_bool requested;
    int         fd; /* an eventfd: readable for ever once the stop came */
};

struct stop *stop_new(void)
{
    struct stop *s = xcalloc(1, sizeof(*s));
    s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return s;
}

void stop_free(struct stop *s)
{
    if (!s) return;
    if (s->fd >= 0) close(s->fd);
    free(s);
}

void stop_request(struct stop *s)
{
    uint64_t one = 1;

    if (atomic_exchange(&s->requested, true)) return;
    if (s->fd >= 0 && write(s->fd, &one, sizeof(one)) < 0) return; /* the flag says it as well */
}

bool stop_requested(const struct stop *s)
{
    return atomic_load_explicit(&((struct stop *)(uintptr_t)s)->requested, memory_order_relaxed);
}

int stop_fd(const struct stop *s)
{
    return s->fd;
}

bool stop_sleep(const struct stop *s, int64_t ns)
{
    int64_t until = clock_monotonic_ns() + ns;

    while (!stop_requested(s)) {
        int64_t left = until - clock_monotonic_ns();
        if (left <= 0) return false;
        struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        struct pollfd   p = {.fd = s->fd, .events = POLLIN};
        ppoll(&p, 1, &wait, NULL);
    }
    return true;
}
