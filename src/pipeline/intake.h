#ifndef LSC_PIPELINE_INTAKE_H
#define LSC_PIPELINE_INTAKE_H

#include "plugin/common.h"
#include "plugin/intake.h"
#include "queue/queue.h"

/* The inside of an intake, for the pipeline and for streams; inputs see plugin/intake.h. */
struct intake {
    struct node        *node;
    struct queue       *queue;
    struct batch       *batch; /* the current one; NULL until something comes */
    uint32_t            batch_size;
    uint64_t            generation; /* batches handed over */
    struct queue_waiter waiter;
    int64_t             waiting_since_ns; /* intake_ready() found no batch then; 0: it did */
    struct arena        spare;
    struct str          host;
    bool                done;
    void (*ended)(void *ctx); /* called once by intake_end() */
    void *ended_ctx;
};

struct intake *intake_new(struct node *node, struct queue *q, uint32_t batch_size, struct str host,
                          void (*ended)(void *ctx), void *ctx);
void           intake_free(struct intake *to);

/* As intake_event(), but a full batch stays until intake_settle(): for events that share an arena.
 */
void intake_hold(struct intake *to, struct event *ev, const struct origin *origin);
/* Hands the batch over if it is full. */
void intake_settle(struct intake *to);

#endif
