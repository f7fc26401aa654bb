#ifndef LSC_STALL_H
#define LSC_STALL_H

#include "base/buf.h"
#include "pipeline/pipeline.h"

/*
 * Looks after a pipeline that was asked to end: says now and then what keeps it, and whether it
 * gets on. Source: ShutdownWatcherExt.java, PipelineReporterExt.java (how often, what is stalled).
 * Functions are for the agent's thread.
 */
struct stall {
    int64_t    period_ns, due_ns;
    uint32_t   checks;  /* since the last report */
    uint32_t   steady;  /* checks in a row that found nothing better than the one before */
    uint32_t   reports; /* in a row that found it stalled */
    uint64_t   in_flight;
    struct buf busy; /* what was busy at the last check */
};

enum stall_verdict {
    STALL_NOT_NOW, /* no report was due, or the pipeline gets on */
    STALL_STALLED, /* reported: nothing has moved since the last report */
    STALL_HOPELESS /* for the third time */
};

/* The pipeline was asked to end just now. A check is due each period, a report every five. */
void stall_begin(struct stall *s, int64_t period_ns);
/* To be called when it is due (monotonic s->due_ns). */
enum stall_verdict stall_check(struct stall *s, const struct pipeline *p);
void               stall_release(struct stall *s);

#endif
