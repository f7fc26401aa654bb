#include "stall.h"

#include "base/log.h"

enum { CHECKS_PER_REPORT = 5, REPORTS_MAX = 3 };

void stall_begin(struct stall *s, int64_t period_ns)
{
    stall_release(s);
    *s = (struct stall){.period_ns = period_ns, .due_ns = clock_monotonic_ns() + period_ns};
}

void stall_release(struct stall *s)
{
    buf_release(&s->busy);
}

/* Compares with the check before: as much on its way or more, and the same plugins busy? */
static void look(struct stall *s, const struct pipeline *p)
{
    struct buf busy = {0};
    uint64_t   in_flight = pipeline_in_flight(p);

    pipeline_describe_busy(p, &busy);
    bool steady = in_flight >= s->in_flight && str_eq(buf_view(&busy), buf_view(&s->busy));
    s->steady = steady ? s->steady + 1 : 0;
    s->in_flight = in_flight;
    buf_release(&s->busy);
    s->busy = busy;
}

static enum stall_verdict report(struct stall *s)
{
    log_warn("agent", "shutdown waits for events in flight",
             LOG_INT("in_flight", (int64_t)s->in_flight), LOG_STR("busy", buf_view(&s->busy)));
    if (s->steady < CHECKS_PER_REPORT - 1) {
        s->reports = 0;
        return STALL_NOT_NOW;
    }
    if (s->reports++ == 0)
        log_error("agent", "shutdown is stalled: plugins are busy or wait for their peers",
                  LOG_STR("busy", buf_view(&s->busy)));
    return s->reports < REPORTS_MAX ? STALL_STALLED : STALL_HOPELESS;
}

enum stall_verdict stall_check(struct stall *s, const struct pipeline *p)
{
    s->due_ns = clock_monotonic_ns() + s->period_ns;
    look(s, p);
    if (++s->checks < CHECKS_PER_REPORT) return STALL_NOT_NOW;
    s->checks = 0;
    return report(s);
}
