#include "text/ewma.h"

#include <math.h>
#include <stdlib.h>

static const double  STEP_S = 5, DECAY = 0.015; /* a second */
static const int64_t STEP_NS = (int64_t)5 * 1000 * 1000 * 1000;
static const double  MINUTES[RATES] = {1, 5, 15};

enum { STEPS_MAX = 12 * 60 * 24 }; /* behind a day without events all rates are 0 anyway */

/* ---- rates ---- */

void meter_start(struct meter *m, int64_t now_ns)
{
    *m = (struct meter){.last_ns = now_ns};
}

static void step(struct meter *m)
{
    double rate = (double)m->uncounted / STEP_S;

    for (int i = 0; i < RATES; i++) {
        double alpha = 1 - exp(-STEP_S / 60 / MINUTES[i]);
        m->rates[i] = m->stepped ? m->rates[i] + alpha * (rate - m->rates[i]) : rate;
    }
    m->uncounted = 0;
    m->stepped = true;
}

static void catch_up(struct meter *m, int64_t now_ns)
{
    int64_t steps = (now_ns - m->last_ns) / STEP_NS;

    if (steps <= 0) return;
    m->last_ns += steps * STEP_NS;
    for (int64_t i = 0; i < steps && i < STEPS_MAX; i++)
        step(m);
}

void meter_mark(struct meter *m, int64_t now_ns)
{
    catch_up(m, now_ns);
    m->count++;
    m->uncounted++;
}

double meter_rate(struct meter *m, int rate, int64_t now_ns)
{
    catch_up(m, now_ns);
    return m->rates[rate];
}

/* ---- samples ---- */

void sample_start(struct sample *s, int64_t now_ns, uint64_t seed)
{
    s->start_ns = now_ns;
    s->random = seed | 1;
    s->len = 0;
}

/* In (0, 1]: xorshift64*. */
static double random_part(struct sample *s)
{
    s->random ^= s->random >> 12;
    s->random ^= s->random << 25;
    s->random ^= s->random >> 27;
    return ((double)((s->random * 0x2545F4914F6CDD1Du) >> 11) + 1) / 9007199254740992.0;
}

static void swap(struct sample_item *a, struct sample_item *b)
{
    struct sample_item c = *a;

    *a = *b;
    *b = c;
}

static void sink(struct sample *s)
{
    for (uint32_t i = 0;;) {
        uint32_t low = i, left = 2 * i + 1, right = left + 1;
        if (left < s->len && s->items[left].priority < s->items[low].priority) low = left;
        if (right < s->len && s->items[right].priority < s->items[low].priority) low = right;
        if (low == i) return;
        swap(&s->items[i], &s->items[low]);
        i = low;
    }
}

/* The logarithm of the weight over a random number: it grows with time, but never overflows. */
void sample_add(struct sample *s, double value, int64_t now_ns)
{
    double             age_s = (double)(now_ns - s->start_ns) / 1e9;
    struct sample_item item = {DECAY * age_s - log(random_part(s)), value};

    if (s->len == SAMPLE_MAX) {
        if (item.priority < s->items[0].priority) return;
        s->items[0] = item;
        sink(s);
        return;
    }
    s->items[s->len] = item;
    for (uint32_t i = s->len++; i && s->items[i].priority < s->items[(i - 1) / 2].priority;) {
        swap(&s->items[i], &s->items[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

double sample_quantile(const struct sample *s, double quantile)
{
    double values[SAMPLE_MAX];
    double at = quantile * (s->len + 1.0);

    for (uint32_t i = 0; i < s->len; i++)
        values[i] = s->items[i].value;
    if (s->len == 0) return 0;
    qsort(values, s->len, sizeof(*values), by_value);
    if (at < 1) return values[0];
    if (at >= s->len) return values[s->len - 1];
    uint32_t below = (uint32_t)at;
    return values[below - 1] + (at - below) * (values[below] - values[below - 1]);
}
