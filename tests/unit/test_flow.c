/* Windows of rates. Expected: arithmetic, and the windows that Logstash documents for its API. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/flow.h"

static const int64_t SECOND = 1000000000, START = 77 * (int64_t)1000000000;

/* A counter that grows by `per_s` each second, sampled every 5 s for `seconds`. */
static struct flow *grown(int64_t seconds, uint64_t per_s)
{
    uint64_t     row[2] = {0, 0};
    struct flow *f = flow_new(2, row, START);

    for (int64_t t = 5; t <= seconds; t += 5) {
        row[0] = (uint64_t)t * per_s;
        row[1] = (uint64_t)t;
        flow_sample(f, row, START + t * SECOND);
    }
    return f;
}

/* How far back the window reaches after so many seconds; -1: it is not there yet. */
static int64_t reach(const struct flow *f, enum flow_window w, int64_t seconds)
{
    int64_t         then, now = START + seconds * SECOND;
    const uint64_t *row = flow_since(f, w, now, &then);

    if (!row) return -1;
    assert_int_equal((int64_t)row[1], (then - START) / SECOND); /* the row of that time */
    return (now - then) / SECOND;
}

static void windows_come_when_they_are_full(void **state)
{
    static const struct {
        int64_t after, reach[FLOW_WINDOWS];
    } expected[] = {
        {3, {3, -1, -1, -1, -1, -1, 3}},
        {12, {12, -1, -1, -1, -1, -1, 12}},
        {59, {14, -1, -1, -1, -1, -1, 59}},
        {60, {10, 60, -1, -1, -1, -1, 60}},
        {300, {10, 60, 300, -1, -1, -1, 300}},
        {900, {10, 60, 300, 900, -1, -1, 900}},
        {3600, {10, 60, 300, 900, 3600, -1, 3600}},
        {86400, {10, 60, 300, 900, 3600, 86400, 86400}},
        {200000, {10, 60, 305, 920, 3620, 86600, 200000}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct flow *f = grown(expected[i].after, 3);
        for (int w = 0; w < FLOW_WINDOWS; w++) {
            int64_t want = expected[i].reach[w];
            int64_t got = reach(f, (enum flow_window)w, expected[i].after);
            if (want < 0) assert_int_equal(got, -1);
            if (want >= 0) assert_true(got >= want * 9 / 10 && got <= want + want / 20 + 4);
        }
        flow_free(f);
    }
}

static void a_steady_counter_has_one_rate_in_all_windows(void **state)
{
    struct flow *f = grown(90000, 250);
    int64_t      now = START + 90000 * SECOND, then;
    double       rate;

    (void)state;
    for (int w = 0; w < FLOW_WINDOWS; w++) {
        const uint64_t *row = flow_since(f, (enum flow_window)w, now, &then);
        assert_non_null(row);
        assert_true(flow_rate((double)(90000 * 250 - row[0]), (double)(now - then) * 1e-9, &rate));
        assert_true(rate == 250);
    }
    flow_free(f);
}

static void rates_have_four_digits(void **state)
{
    double rate;

    (void)state;
    assert_true(flow_rate(2, 3, &rate) && rate == 0.6667);
    assert_true(flow_rate(123456, 1, &rate) && rate == 123500);
    assert_true(flow_rate(0, 5, &rate) && rate == 0);
    assert_false(flow_rate(1, 0, &rate));
}

static void windows_are_called_as_logstash_calls_them(void **state)
{
    (void)state;
    assert_string_equal(flow_window_name(FLOW_CURRENT), "current");
    assert_string_equal(flow_window_name(FLOW_24_HOURS), "last_24_hours");
    assert_string_equal(flow_window_name(FLOW_LIFETIME), "lifetime");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_come_when_they_are_full),
        cmocka_unit_test(a_steady_counter_has_one_rate_in_all_windows),
        cmocka_unit_test(rates_have_four_digits),
        cmocka_unit_test(windows_are_called_as_logstash_calls_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
