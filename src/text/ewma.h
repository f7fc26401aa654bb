#ifndef LSC_TEXT_EWMA_H
#define LSC_TEXT_EWMA_H

#include "base/str.h"

/*
 * Rates of events over 1, 5 and 15 minutes as load averages are made: exponentially weighted, in
 * steps of five seconds. Source: the gem metriks, ewma.rb and meter.rb.
 */
enum { RATE_1M, RATE_5M, RATE_15M, RATES };

struct meter {
    uint64_t count, uncounted;
    int64_t  last_ns; /* monotonic; of the last step */
    bool     stepped; /* the rates have begun */
    double   rates[RATES];
};

void   meter_start(struct meter *m, int64_t now_ns);
void   meter_mark(struct meter *m, int64_t now_ns);
double meter_rate(struct meter *m, int rate, int64_t now_ns); /* events a second */

/*
 * A sample of what was measured, in which newer values are likelier (forward decay), for
 * percentiles. Source: Cormode et al., Forward Decay, 2009; metriks' defaults.
 */
enum { SAMPLE_MAX = 1028 };

struct sample_item {
    double priority, value;
};

struct sample {
    int64_t            start_ns;
    uint64_t           random; /* state */
    uint32_t           len;
    struct sample_item items[SAMPLE_MAX]; /* a heap: the lowest priority first */
};

void sample_start(struct sample *s, int64_t now_ns, uint64_t seed);
void sample_add(struct sample *s, double value, int64_t now_ns);
/* The value below which `quantile` (0 to 1) of the sample lies; 0 when it is empty. */
double sample_quantile(const struct sample *s, double quantile);

#endif
