/* Rates and samples. Expected: the formulas of load averages and of percentiles, by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/ewma.h"

enum { START = 7 };
static const int64_t SECOND = 1000000000;

static void near(double got, double expected)
{
    if (fabs(got - expected) > 1e-9) fail_msg("%.12f, not %.12f", got, expected);
}

static void rates_decay(void **state)
{
    struct meter m;

    (void)state;
    meter_start(&m, START);
    for (int i = 0; i < 50; i++)
        meter_mark(&m, START + 4 * SECOND);
    near(meter_rate(&m, RATE_1M, START + 4 * SECOND), 0); /* not yet */
    near(meter_rate(&m, RATE_1M, START + 5 * SECOND), 10);
    near(meter_rate(&m, RATE_15M, START + 5 * SECOND), 10);
    near(meter_rate(&m, RATE_1M, START + 65 * SECOND), 10 * exp(-1));
    near(meter_rate(&m, RATE_5M, START + 65 * SECOND), 10 * exp(-1.0 / 5));
    near(meter_rate(&m, RATE_15M, START + 65 * SECOND), 10 * exp(-1.0 / 15));
    for (int i = 0; i < 50; i++)
        meter_mark(&m, START + 66 * SECOND);
    near(meter_rate(&m, RATE_1M, START + 70 * SECOND),
         10 * exp(-1) + (1 - exp(-1.0 / 12)) * (10 - 10 * exp(-1)));
    assert_int_equal(m.count, 100);
    near(meter_rate(&m, RATE_15M, START + 10 * 86400 * SECOND), 0);
}

static void sample_has_quantiles(void **state)
{
    static struct sample s;

    (void)state;
    sample_start(&s, START, 1);
    near(sample_quantile(&s, 0.5), 0);
    for (int i = 1; i <= 9; i++)
        sample_add(&s, (i * 7) % 10, START); /* 1 to 9 */
    near(sample_quantile(&s, 0), 1);
    near(sample_quantile(&s, 0.5), 5);
    near(sample_quantile(&s, 0.25), 2.5);
    near(sample_quantile(&s, 1), 9);
}

static void sample_prefers_what_is_new(void **state)
{
    static struct sample s;

    (void)state;
    sample_start(&s, START, 99);
    for (int i = 0; i < 5000; i++)
        sample_add(&s, 1, START);
    assert_int_equal(s.len, SAMPLE_MAX);
    near(sample_quantile(&s, 0.99), 1);
    /* An hour later a value weighs exp(54) times as much. */
    for (int i = 0; i < SAMPLE_MAX; i++)
        sample_add(&s, 2, START + 3600 * SECOND);
    near(sample_quantile(&s, 0.01), 2);
    for (uint32_t i = 1; i < s.len; i++)
        assert_true(s.items[(i - 1) / 2].priority <= s.items[i].priority);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_decay),
        cmocka_unit_test(sample_has_quantiles),
        cmocka_unit_test(sample_prefers_what_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
