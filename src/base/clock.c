#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

/* Set once, before threads start, so it needs no lock. */
static bool             fixed;
static struct timestamp fixed_time;

struct timestamp clock_now(void)
{
    struct timespec now;

    if (fixed) return fixed_time;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct timestamp){now.tv_sec, (uint32_t)now.tv_nsec};
}

void clock_fix(struct timestamp t)
{
    fixed_time = t;
    fixed = true;
}

int64_t clock_monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
