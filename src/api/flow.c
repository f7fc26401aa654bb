#include "api/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fatal.h"

static const int64_t SECOND = 1000000000;

/* The windows, and how far apart the rows are that they can begin with. The first two share rows.
 */
static const struct window {
    const char *name;
    int64_t     seconds, apart_s;
} windows[FLOW_WINDOWS] = {
    [FLOW_CURRENT] = {"current", 10, 0},
    [FLOW_1_MINUTE] = {"last_1_minute", 60, 3},
    [FLOW_5_MINUTES] = {"last_5_minutes", 300, 15},
    [FLOW_15_MINUTES] = {"last_15_minutes", 900, 30},
    [FLOW_1_HOUR] = {"last_1_hour", 3600, 60},
    [FLOW_24_HOURS] = {"last_24_hours", 86400, 900},
    [FLOW_LIFETIME] = {"lifetime", 0, 0},
};

/* A ring of rows: each is its time and the counters. */
struct ring {
    uint64_t *rows;
    uint32_t  cap, len, newest;
};

struct flow {
    uint32_t    columns;
    struct ring rings[FLOW_LIFETIME]; /* that of FLOW_CURRENT is empty */
    uint64_t    first[];              /* row */
};

const char *flow_window_name(enum flow_window w)
{
    return windows[w].name;
}

static uint64_t *row_at(const struct flow *f, const struct ring *r, uint32_t i)
{
    return r->rows + (size_t)i * (f->columns + 1);
}

static int64_t time_of(const uint64_t *row)
{
    return (int64_t)row[0];
}

static void fill(const struct flow *f, uint64_t *into, const uint64_t *row, int64_t now_ns)
{
    into[0] = (uint64_t)now_ns;
    memcpy(into + 1, row, f->columns * sizeof(*row));
}

static void ring_push(const struct flow *f, struct ring *r, const uint64_t *row, int64_t now_ns)
{
    r->newest = r->len ? (r->newest + 1) % r->cap : 0;
    if (r->len < r->cap) r->len++;
    fill(f, row_at(f, r, r->newest), row, now_ns);
}

struct flow *flow_new(uint32_t columns, const uint64_t *row, int64_t now_ns)
{
    struct flow *f = xcalloc(1, sizeof(*f) + (columns + 1) * sizeof(uint64_t));

    f->columns = columns;
    fill(f, f->first, row, now_ns);
    for (int w = FLOW_1_MINUTE; w < FLOW_LIFETIME; w++) {
        struct ring *r = &f->rings[w];
        /* One more than fit into the window, so that the oldest is as old as the window. */
        r->cap = (uint32_t)(windows[w].seconds / windows[w].apart_s) + 2;
        r->rows = xcalloc(r->cap, (columns + 1) * sizeof(uint64_t));
        ring_push(f, r, row, now_ns);
    }
    return f;
}

void flow_free(struct flow *f)
{
    if (!f) return;
    for (int w = FLOW_1_MINUTE; w < FLOW_LIFETIME; w++)
        free(f->rings[w].rows);
    free(f);
}

void flow_sample(struct flow *f, const uint64_t *row, int64_t now_ns)
{
    for (int w = FLOW_1_MINUTE; w < FLOW_LIFETIME; w++) {
        struct ring *r = &f->rings[w];
        int64_t      age = now_ns - time_of(row_at(f, r, r->newest));
        /* A second early is early enough: samples are not taken on the dot. */
        if (age >= (windows[w].apart_s - 1) * SECOND) ring_push(f, r, row, now_ns);
    }
}

/* The youngest row that is at least `age` old, or NULL. */
static const uint64_t *row_of_age(const struct flow *f, const struct ring *r, int64_t age,
                                  int64_t now_ns)
{
    for (uint32_t i = 0; i < r->len; i++) {
        const uint64_t *row = row_at(f, r, (r->newest + r->cap - i) % r->cap);
        if (now_ns - time_of(row) >= age) return row;
    }
    return NULL;
}

static const uint64_t *oldest(const struct flow *f, const struct ring *r)
{
    return row_at(f, r, (r->newest + r->cap - (r->len - 1)) % r->cap);
}

const uint64_t *flow_since(const struct flow *f, enum flow_window w, int64_t now_ns,
                           int64_t *then_ns)
{
    const struct ring *r = &f->rings[w == FLOW_CURRENT ? FLOW_1_MINUTE : w];
    const uint64_t    *row = f->first;

    if (w != FLOW_LIFETIME) row = row_of_age(f, r, windows[w].seconds * SECOND, now_ns);
    if (!row && w == FLOW_CURRENT) row = oldest(f, r);
    if (!row) return NULL;
    *then_ns = time_of(row);
    return row + 1;
}

bool flow_rate(double gained, double base, double *rate)
{
    if (base <= 0) return false;
    double value = gained / base;
    if (value > 0) {
        double scale = pow(10, 3 - floor(log10(value)));
        if (isfinite(scale)) value = round(value * scale) / scale;
    }
    *rate = value;
    return true;
}
