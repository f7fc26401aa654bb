#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "event/time.h"
#include "table.h"

static int64_t number(struct str s)
{
    char text[32] = "";

    memcpy(text, s.data, s.len < sizeof(text) ? s.len : sizeof(text) - 1);
    return strtoll(text, NULL, 10);
}

static void expect_text(struct str got, struct str want, struct str of)
{
    if (!str_eq(got, want))
        fail_msg("%.*s: got %.*s, want %.*s", STR_ARG(of), STR_ARG(got), STR_ARG(want));
}

static void check_timestamp(struct str *column, int len)
{
    struct timestamp t;
    char             text[40];

    if (str_is(column[1], "ERR")) {
        if (time_parse(column[0], &t)) fail_msg("%.*s was taken", STR_ARG(column[0]));
        return;
    }
    assert_int_equal(len, 4);
    if (!time_parse(column[0], &t)) fail_msg("%.*s was not taken", STR_ARG(column[0]));
    assert_int_equal(t.sec, number(column[1]));
    assert_int_equal(t.nsec, number(column[2]));
    expect_text((struct str){text, time_print(t, text)}, column[3], column[0]);
}

static void set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void reads_and_prints_timestamps(void **state)
{
    (void)state;
    set_zone("UTC");
    assert_in_range(table_read("timestamps.tsv", check_timestamp), 80, 1000);
    struct timestamp t; /* a difference: Logstash takes names of regions */
    assert_false(time_parse(STR("2024-03-09T08:07:06Europe/Paris"), &t));
}

static void without_a_zone_the_systems_counts(void **state)
{
    (void)state;
    set_zone("America/New_York");
    if (time_local_offset_utc(0) == 0) skip(); /* no zones installed */
    assert_in_range(table_read("timestamps-new-york.tsv", check_timestamp), 8, 1000);
    set_zone("UTC");
}

static void prints_the_second_it_kept(void **state)
{
    char text[40];

    (void)state;
    for (int i = 0; i < 3; i++) {
        size_t n = time_print((struct timestamp){1709971626, 1}, text);
        expect_text((struct str){text, n}, STR("2024-03-09T08:07:06.000000001Z"), STR("first"));
        n = time_print((struct timestamp){1709971627, 20000000}, text);
        expect_text((struct str){text, n}, STR("2024-03-09T08:07:07.020Z"), STR("second"));
    }
}

static void check_format(struct str *column, int len)
{
    struct arena              a = {0};
    struct buf                out = {0};
    const char               *problem;
    bool                      joda = str_is(column[0], "joda");
    struct timestamp          t = {number(column[1]), (uint32_t)number(column[2])};
    const struct time_format *f =
        time_format_parse(&a, joda ? TIME_JODA : TIME_JAVA, column[3], &problem);

    assert_int_equal(len, 5);
    if (str_is(column[4], "ERR")) {
        if (f) fail_msg("%.*s %.*s was taken", STR_ARG(column[0]), STR_ARG(column[3]));
        assert_non_null(problem);
    } else {
        if (!f) fail_msg("%.*s %.*s: %s", STR_ARG(column[0]), STR_ARG(column[3]), problem);
        /* Twice: the second time what was kept of the first counts. */
        time_format_print(f, t, &out);
        expect_text(buf_view(&out), column[4], column[3]);
        buf_clear(&out);
        time_format_print(f, t, &out);
        expect_text(buf_view(&out), column[4], column[3]);
    }
    buf_release(&out);
    arena_release(&a);
}

static void prints_date_patterns(void **state)
{
    (void)state;
    assert_in_range(table_read("date-formats.tsv", check_format), 1500, 10000);
}

static void keeps_a_day_only_for_that_day(void **state)
{
    struct arena              a = {0};
    struct buf                out = {0};
    const char               *problem;
    const struct time_format *f = time_format_parse(&a, TIME_JODA, STR("YYYY.MM.dd "), &problem);
    static const int64_t      seconds[] = {1709942399, 1709942400, 1710028799, 1710028800, -1, 0};

    (void)state;
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
        time_format_print(f, (struct timestamp){seconds[i], 0}, &out);
    expect_text(buf_view(&out),
                STR("2024.03.08 2024.03.09 2024.03.09 2024.03.10 1969.12.31 1970.01.01 "), STR(""));
    buf_release(&out);
    arena_release(&a);
}

/* The calendar against the C library's. */
static void civil_dates_go_both_ways(void **state)
{
    (void)state;
    for (int64_t sec = -62200000000; sec < 260000000000; sec += 86400 * 97 + 12345) {
        struct civil c = time_civil(sec);
        struct tm    tm;
        time_t       t = (time_t)sec;
        gmtime_r(&t, &tm);
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(c.weekday, tm.tm_wday == 0 ? 7 : tm.tm_wday);
        assert_int_equal(c.yearday, tm.tm_yday + 1);
        assert_int_equal(time_from_civil(c.year, c.month, c.day, c.hour, c.minute, c.second), sec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_prints_timestamps),
        cmocka_unit_test(without_a_zone_the_systems_counts),
        cmocka_unit_test(prints_the_second_it_kept),
        cmocka_unit_test(prints_date_patterns),
        cmocka_unit_test(keeps_a_day_only_for_that_day),
        cmocka_unit_test(civil_dates_go_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
