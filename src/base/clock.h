#ifndef LSC_BASE_CLOCK_H
#define LSC_BASE_CLOCK_H

#include <stdint.h>

/* A point in time: seconds since 1970 UTC and nanoseconds 0 .. 999999999. */
struct timestamp {
    int64_t  sec;
    uint32_t nsec;
};

/* Now, to the nanosecond; the fixed time while clock_fix() is in force (--test-clock). */
struct timestamp clock_now(void);
void             clock_fix(struct timestamp t);

/* Nanoseconds of a clock that never goes back; never fixed. For durations and time-outs. */
int64_t clock_monotonic_ns(void);

#endif
