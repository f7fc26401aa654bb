/* Dates: expected values are those of Joda-Time 2.10.14 under Java 17 (and logstash-filter-date's
   year), but for the three that docs/differences.md names. Zones: RFC 8536, POSIX, tzdata. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "text/date_parse.h"
#include "text/zone_rules.h"

#define REFUSED INT64_MIN

static const struct timestamp now = {1709971626, 543000000}; /* 2024-03-09T08:07:06.543Z */

static const struct {
    const char *pattern, *locale, *zone, *text;
    int64_t     ms;
} dates[] = {
    {"dd/MMM/yyyy:HH:mm:ss Z", "en", "UTC", "3/feb/2021:4:5:6 -0800", 1612353906000},
    {"dd/MMM/yyyy:HH:mm:ss Z", "en", "UTC", "03/fEB/2021:04:05:06 -0800", REFUSED},
    {"EEE MMM dd HH:mm:ss yyyy", "en", "America/New_York", "Wed Feb 03 04:05:06 2021",
     1612343106000},
    {"EEE MMM dd HH:mm:ss yyyy", "en", "UTC", "Fri Dec 31 04:05:06 2021", 1640923506000},
    {"EEE MMM dd HH:mm:ss yyyy", "en", "UTC", "Sun Dec 31 04:05:06 2021", 1641096306000},
    {"MMM d, yyyy h:mm:ss a", "en", "UTC", "Feb 3, 2021 12:05:06 PM", 1612353906000},
    {"MMM d, yyyy h:mm:ss a", "en", "UTC", "Feb 3, 2021 0:05:06 PM", REFUSED},
    {"yyyy-MM-dd kk:mm", "en", "UTC", "2021-02-03 24:15", 1612311300000},
    {"yyyy-MM-dd H:mm:ss a", "en", "UTC", "2021-02-03 4:05:06 PM", 1612325106000},
    {"yyyyMMddHHmmss.SSS", "en", "UTC", "20210203040506.7", 1612325106700},
    {"yyyy-DDD", "en", "UTC", "2021-366", REFUSED},
    {"yyyy-DDD", "en", "UTC", "2020-366", 1609372800000},
    {"xxxx-'W'ww-e", "en", "UTC", "2020-W53-7", 1704240000000},
    {"xxxxyyyy-ww-e", "en", "UTC", "20212021-53-5", REFUSED},
    {"YYYY-MM-dd G", "en", "UTC", "0044-03-15 BC", -63517824000000},
    {"CC yy", "en", "UTC", "20 21", 1609459200000},
    {"yyyy-MM-dd", "en", "UTC", "2021-02-29", REFUSED},
    {"yyyy-MM-dd", "en", "UTC", "-0044-03-15", -63549360000000},
    {"yyyy-MM-dd", "en", "UTC", "12345678901-03-15", REFUSED},
    {"yyyy-mm-dd HH:mm:ss", "en", "UTC", "2021-02-03 04:05:06", 1609646706000},
    {"yyyy-MM-dd'T'HH:mm:ss''SSS", "en", "UTC", "2021-02-03t04:05:06'789", 1612325106789},
    {"HH:mm:ss yyyy", "en", "UTC", "04:05:60 2021", REFUSED},
    {"yyyy-MM-dd HH:mm:ss ZZZ", "en", "UTC", "2021-07-03 04:05:06 Asia/Kolkata", 1625265306000},
    {"yyyy-MM-dd HH:mm:ss Z", "en", "UTC", "2021-02-03 04:05:06 +02:30:15.5", 1612316090500},
    {"yyyy-MM-dd HH:mm:ss Z", "en", "UTC", "2021-02-03 04:05:06 +2", REFUSED},
    {"yyyy-MM-dd HH:mm:ss Z", "en", "UTC", "2021-02-03 04:05:06 +0260", REFUSED},
    {"dd. MMMM yyyy", "de-AT", "Europe/Vienna", "03. Jänner 2021", 1609628400000},
    {"dd. MMMM yyyy", "de", "Europe/Berlin", "03. JANUAR 2021", 1609628400000},
    {"dd. MMMM yyyy", "de", "Europe/Berlin", "03. Jänner 2021", REFUSED},
    {"EEEE d 'de' MMMM 'de' yyyy", "es", "Europe/Madrid", "miércoles 3 de febrero de 2021",
     1612306800000},
    {"d MMM yyyy", "pt", "America/Sao_Paulo", "3 de fev. de 2021", REFUSED},
    {"d 'de' MMM 'de' yyyy", "pt", "America/Sao_Paulo", "3 de fev. de 2021", 1612321200000},
    {"EEE d MMM yyyy", "it", "Europe/Rome", "mer 3 feb 2021", 1612306800000},
    {"EEE d MMM yyyy", "nl", "Europe/Amsterdam", "wo 3 mrt. 2021", 1614726000000},
    {"d MMMM yyyy", "ru", "Europe/Moscow", "3 ФЕВРАЛЯ 2021", 1612299600000},
    {"yyyy-MM-dd HH:mm:ss", "en", "Europe/Berlin", "2021-03-28 02:30:00", REFUSED},
    {"yyyy-MM-dd HH:mm:ss", "en", "Europe/Berlin", "2021-10-31 02:30:00", 1635640200000},
    {"yyyy-MM-dd HH:mm:ss", "en", "Europe/Berlin", "2055-07-01 12:00:00", 2698048800000},
    {"yyyy-MM-dd HH:mm:ss", "en", "Europe/Berlin", "2055-12-01 12:00:00", 2711271600000},
    {"yyyy-MM-dd HH:mm:ss", "en", "Australia/Sydney", "2060-01-01 12:00:00", 2840144400000},
    {"yyyy-MM-dd HH:mm:ss", "en", "Australia/Lord_Howe", "2021-04-04 01:45:00", 1617461100000},
    {"yyyy-MM-dd HH:mm:ss", "en", "Pacific/Apia", "2011-12-30 12:00:00", REFUSED},
    {"yyyy-MM-dd HH:mm:ss", "en", "America/New_York", "1965-07-01 12:00:00", -142070400000},
    {"yyyy-MM-dd HH:mm:ss", "en", "-03:30", "1965-07-01 12:00:00", -142072200000},
    {"MMM dd HH:mm:ss", "en", "Europe/Berlin", "Feb 29 04:05:06", 1709175906000},
    {"MMM dd HH:mm:ss", "en", "Europe/Berlin", "Dec 31 04:05:06", 1735614306000},
    {"MMM dd HH:mm:ss", "en", "Europe/Berlin", "Mar 31 02:30:00", 1711848600000},
    {"MMM dd HH:mm:ss Z", "en", "Europe/Berlin", "Jul 01 04:05:06 +0000", 1719806706000},
    {"MM/dd HH:mm", "en", "America/New_York", "11/03 01:30", 1730615400000},
    {"ISO8601", "en", "Europe/Berlin", "2021-07-03", 1625263200000},
    {"ISO8601", "en", "UTC", "2021-07-03T04.5Z", 1625286600000},
    {"ISO8601", "en", "UTC", "2021-07-03T04:05,25Z", 1625285115000},
    {"ISO8601", "en", "UTC", "2021-W53-7", REFUSED},
    {"ISO8601", "en", "UTC", "2020-W53-7", 1609632000000},
    {"ISO8601", "en", "UTC", "T10:11:12Z", 36672000},
    {"ISO8601", "en", "UTC", "2021-07-03T", 1625270400000},
    {"ISO8601", "en", "UTC", "2021-07-03Z", REFUSED},
    {"ISO8601", "en", "UTC", "2021-07-03T24:00:00", REFUSED},
    {"ISO8601", "en", "UTC", "2021-7-3T4:5:6.1234567890", REFUSED},
    {"ISO8601", "en", "UTC", "2021-07-03 04:05:06.789+01:00", 1625281506789},
    /* Where Joda fails for reasons of its own. */
    {"MMM dd HH:mm:ss", "en", "America/New_York", "Apr 02 02:30:00", 1712039400000},
    {"MMM dd HH:mm z", "en", "Europe/Berlin", "Jul 01 12:00 EDT", 1719849600000},
    {"ZZZ/MM yyyy", "en", "UTC", "EST/02 2021", 1612155600000},
};

static void reads_dates(void **state)
{
    struct arena a = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        const char               *problem = NULL;
        struct zone               zone;
        int64_t                   ms = 0;
        const struct date_format *f = date_format_compile(&a, str_of(dates[i].pattern),
                                                          str_of(dates[i].locale), now, &problem);
        if (!f) fail_msg("%s: %s", dates[i].pattern, problem);
        assert_true(zone_find(str_of(dates[i].zone), &zone));
        if (!date_parse(f, str_of(dates[i].text), zone, now, &ms)) ms = REFUSED;
        if (ms != dates[i].ms)
            fail_msg("%s in %s: %s gave %lld, not %lld", dates[i].pattern, dates[i].zone,
                     dates[i].text, (long long)ms, (long long)dates[i].ms);
    }
    arena_release(&a);
}

static int64_t guess(const char *text, int64_t now_s)
{
    struct arena              a = {0};
    const char               *problem;
    int64_t                   ms = 0;
    const struct date_format *f =
        date_format_compile(&a, STR("MMM dd HH:mm:ss"), STR("en"), now, &problem);

    assert_true(date_parse(f, str_of(text), ZONE_UTC, (struct timestamp){now_s, 0}, &ms));
    arena_release(&a);
    return ms / 1000;
}

/* Source: JodaParser.java. */
static void guesses_years_around_new_year(void **state)
{
    enum { JANUARY_2024 = 1704067200, DAY = 86400 };

    (void)state;
    assert_int_equal(guess("Dec 31 00:00:00", JANUARY_2024 + 3 * DAY), JANUARY_2024 - DAY);
    assert_int_equal(guess("Jan 01 00:00:00", JANUARY_2024 - 3 * DAY), JANUARY_2024);
    assert_int_equal(guess("Nov 30 00:00:00", JANUARY_2024 + 3 * DAY), JANUARY_2024 + 334 * DAY);
    assert_int_equal(guess("Feb 29 00:00:00", JANUARY_2024 - 30 * DAY),
                     JANUARY_2024 - 307 * DAY); /* 2023 has none */
}

static void refuses_patterns(void **state)
{
    static const char *const bad[] = {"", "yyyy-bb", "zzzz", "cc", "u"};
    struct arena             a = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *problem = NULL;
        assert_null(date_format_compile(&a, str_of(bad[i]), STR("en"), now, &problem));
        assert_non_null(problem);
    }
    assert_true(date_locale_known(STR("de_DE.UTF-8")));
    assert_true(date_locale_known(STR("pt-BR")));
    assert_false(date_locale_known(STR("xx")));
    assert_false(date_locale_known(STR("")));
    arena_release(&a);
}

/* Source: logstash-filter-date's documentation; https://cr.yp.to/libtai/tai64.html */
static void reads_epochs(void **state)
{
    struct arena              a = {0};
    const char               *problem;
    int64_t                   ms;
    const struct date_format *s = date_format_compile(&a, STR("UNIX"), STR("en"), now, &problem);
    const struct date_format *m = date_format_compile(&a, STR("UNIX_MS"), STR("en"), now, &problem);
    const struct date_format *t = date_format_compile(&a, STR("TAI64N"), STR("en"), now, &problem);

    (void)state;
    assert_true(date_parse_int(s, 1609459200, &ms));
    assert_int_equal(ms, 1609459200000);
    assert_true(date_parse_float(s, 1609459200.9996, &ms));
    assert_int_equal(ms, 1609459200999);
    assert_false(date_parse_int(s, 2147483648, &ms));
    assert_true(date_parse_int(m, -5, &ms));
    assert_int_equal(ms, -5);
    assert_false(date_parse_float(m, 1e300, &ms));
    assert_false(date_parse(m, STR("9223372036854775808"), ZONE_UTC, now, &ms));
    assert_true(date_parse(t, STR("@4000000050d506482dbdf024"), ZONE_UTC, now, &ms));
    assert_int_equal(ms, 1356138046767);
    assert_true(date_parse(t, STR("4000000050d506482dbdf024"), ZONE_UTC, now, &ms));
    assert_false(date_parse(t, STR("@4000000050d506482dbdf02"), ZONE_UTC, now, &ms));
    assert_false(date_parse_int(t, 5, &ms));
    arena_release(&a);
}

static int32_t offset_at(const struct zone_footer *f, int64_t utc)
{
    struct zone_span s = zone_footer_span(f, utc);

    assert_true(s.from <= utc && utc < s.until);
    assert_int_equal(zone_footer_span(f, s.from).offset, s.offset);
    assert_int_equal(zone_footer_span(f, s.until - 1).offset, s.offset);
    return s.offset;
}

static void reads_tz_strings(void **state)
{
    struct zone_footer f;

    (void)state;
    assert_true(zone_footer_parse(STR("CET-1CEST,M3.5.0,M10.5.0/3"), &f));
    assert_int_equal(offset_at(&f, 1711846799), 3600); /* 2024-03-31T00:59:59Z */
    assert_int_equal(offset_at(&f, 1711846800), 7200);
    assert_int_equal(offset_at(&f, 1729990800), 3600); /* 2024-10-27T01:00:00Z */
    assert_true(zone_footer_parse(STR("AEST-10AEDT,M10.1.0,M4.1.0/3"), &f));
    assert_int_equal(offset_at(&f, 1704067200), 39600); /* 2024-01-01 */
    assert_int_equal(offset_at(&f, 1719792000), 36000); /* 2024-07-01 */
    assert_true(zone_footer_parse(STR("<-02>2<-01>,M3.5.0/-1,M10.5.0/0"), &f));
    assert_int_equal(offset_at(&f, 1711846800), -3600);
    assert_true(zone_footer_parse(STR("XXX3EDT4,0/0,J365/23"), &f)); /* RFC 8536: all year */
    assert_int_equal(offset_at(&f, 1704067200), -14400);
    assert_false(zone_footer_parse(STR("CET-1CEST"), &f));
    assert_false(zone_footer_parse(STR("CET-1CEST,M13.5.0,M10.5.0"), &f));
    assert_false(zone_footer_parse(STR("C-1"), &f));
}

static void finds_zones(void **state)
{
    struct zone z;
    int64_t     ms;

    (void)state;
    assert_true(zone_find(STR("+05:30"), &z));
    assert_int_equal(zone_offset(z, 0), 19800000);
    assert_false(zone_find(STR("+05:3"), &z));
    assert_false(zone_find(STR("../../../etc/passwd"), &z));
    assert_false(zone_find(STR("europe/berlin"), &z));
    assert_false(zone_find(STR("zone.tab"), &z));
    assert_false(zone_find(STR(""), &z));
    assert_int_equal(zone_prefix(STR("Europe/Berlin+1"), &z), 13);
    assert_int_equal(zone_prefix(STR("EST5EDT"), &z), 7);
    assert_int_equal(zone_prefix(STR("Nowhere"), &z), 0);
    assert_true(zone_find(STR("Europe/Berlin"), &z));
    assert_false(zone_from_local(z, 1616898600000, &ms)); /* 2021-03-28 02:30 */
    assert_null(zone_rules_parse(STR("TZif2")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_dates),      cmocka_unit_test(guesses_years_around_new_year),
        cmocka_unit_test(refuses_patterns), cmocka_unit_test(reads_epochs),
        cmocka_unit_test(reads_tz_strings), cmocka_unit_test(finds_zones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
