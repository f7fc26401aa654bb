#ifndef LSC_API_FLOW_H
#define LSC_API_FLOW_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What counters were at earlier times, for rates over the last minutes and hours: rows of counters,
 * finer for the near past, coarser for the far. A rate is the difference between now and the row
 * that is as old as the window. Not thread-safe.
 *
 * Source: Logstash's FlowMetricRetentionPolicy.java (windows and their resolution).
 */
struct flow;

enum flow_window {
    FLOW_CURRENT,
    FLOW_1_MINUTE,
    FLOW_5_MINUTES,
    FLOW_15_MINUTES,
    FLOW_1_HOUR,
    FLOW_24_HOURS,
    FLOW_LIFETIME,
    FLOW_WINDOWS,
};

/* "last_1_minute" and so on, as the API calls them. */
const char *flow_window_name(enum flow_window w);

/* `row` holds the `columns` counters as they are at the start. */
struct flow *flow_new(uint32_t columns, const uint64_t *row, int64_t now_ns);
void         flow_free(struct flow *f);

/* To be called every few seconds. */
void flow_sample(struct flow *f, const uint64_t *row, int64_t now_ns);

/*
 * The counters at the beginning of the window, and when that was; NULL while there are no rows that
 * old. The current window (10 s) begins at the oldest row then. Lifetime begins at the first.
 */
const uint64_t *flow_since(const struct flow *f, enum flow_window w, int64_t now_ns,
                           int64_t *then_ns);

/* `gained` per `base`, rounded to four digits; false when base is 0: there is no rate. */
bool flow_rate(double gained, double base, double *rate);

#endif
