/* When a stop counts as stalled. Expected: ShutdownWatcherExt.java: a report every five checks, and
   it is stalled when in those five nothing became less and the same plugins were busy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "stall.h"

/* The pipeline, as far as a stall looks at it. */
static uint64_t    in_flight;
static const char *busy = "";

uint64_t pipeline_in_flight(const struct pipeline *p)
{
    (void)p;
    return in_flight;
}

void pipeline_describe_busy(const struct pipeline *p, struct buf *out)
{
    (void)p;
    buf_str(out, str_of(busy));
}

static enum stall_verdict check(struct stall *s)
{
    return stall_check(s, NULL);
}

static void expect(struct stall *s, int checks, enum stall_verdict verdict)
{
    for (int i = 1; i < checks; i++)
        assert_int_equal(check(s), STALL_NOT_NOW);
    assert_int_equal(check(s), verdict);
}

static void begin(struct stall *s)
{
    in_flight = 125;
    busy = "output websocket (relay), 1 worker";
    stall_begin(s, 1000000000);
}

static void three_reports_without_a_move_are_hopeless(void **state)
{
    struct stall s = {0};

    (void)state;
    begin(&s);
    expect(&s, 5, STALL_STALLED);
    expect(&s, 5, STALL_STALLED);
    expect(&s, 5, STALL_HOPELESS);
    expect(&s, 5, STALL_HOPELESS); /* it goes on when it may not quit */
    begin(&s);
    expect(&s, 5, STALL_STALLED);
    stall_release(&s);
}

static void more_in_flight_is_no_progress(void **state)
{
    struct stall s = {0};

    (void)state;
    begin(&s);
    for (int i = 0; i < 4; i++, in_flight++)
        assert_int_equal(check(&s), STALL_NOT_NOW);
    assert_int_equal(check(&s), STALL_STALLED);
    stall_release(&s);
}

static void what_gets_on_is_not_stalled_however_long_it_takes(void **state)
{
    struct stall s = {0};

    (void)state;
    begin(&s);
    in_flight = 1000;
    for (int report = 0; report < 10; report++) {
        expect(&s, 3, STALL_NOT_NOW);
        in_flight--; /* the one batch of five seconds */
        expect(&s, 2, STALL_NOT_NOW);
    }
    stall_release(&s);
}

static void another_plugin_that_is_busy_is_progress(void **state)
{
    struct stall s = {0};

    (void)state;
    begin(&s);
    expect(&s, 5, STALL_STALLED);
    expect(&s, 5, STALL_STALLED);
    expect(&s, 2, STALL_NOT_NOW);
    busy = "output file (kept), 1 worker";
    expect(&s, 3, STALL_NOT_NOW);
    expect(&s, 5, STALL_STALLED); /* and the count begins anew */
    expect(&s, 5, STALL_STALLED);
    expect(&s, 5, STALL_HOPELESS);
    stall_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_reports_without_a_move_are_hopeless),
        cmocka_unit_test(more_in_flight_is_no_progress),
        cmocka_unit_test(what_gets_on_is_not_stalled_however_long_it_takes),
        cmocka_unit_test(another_plugin_that_is_busy_is_progress),
    };
    log_set_level(NULL, LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
