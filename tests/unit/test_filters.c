/* Filters one by one, where the conformance cases do not reach. Expected: the documentation of each
   filter, RFC 9562 (uuid), docs/differences.md for what makes a Logstash worker die. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/filter_checks.h"

/* ---- mutate ---- */

static void mutate_opens_with_errors(void **state)
{
    (void)state;
    refused("mutate { convert => { \"a\" => \"number\" } }");
    refused("mutate { gsub => [\"a\", \"b\"] }");
    refused("mutate { gsub => [\"a\", \"(\", \"\"] }");
    refused("mutate { rename => { \"a\" => [\"b\", \"c\"] } }");
    refused("mutate { rename => { \"[a\" => \"b\" } }");
    refused("mutate { remove => [\"a\"] }");
}

static void mutate_merges(void **state)
{
    struct filter_fixture f;

    (void)state;
    assert_true(filter_fixture_open(&f, "mutate { merge => { \"a\" => [\"b\", \"c\"] } }", ECS_V8));
    gives(&f, "{\"a\":[1],\"b\":2,\"c\":[3,[4]]}", "{\"a\":[1,2,3,[4]],\"b\":2,\"c\":[3,[4]]}");
    gives(&f, "{\"a\":{\"x\":1},\"b\":2,\"c\":{\"y\":3}}",
          "{\"a\":{\"x\":1,\"y\":3},\"b\":2,\"c\":{\"y\":3}}");
    filter_fixture_close(&f);
}

static void mutate_copies_share_nothing(void **state)
{
    (void)state;
    one("mutate { copy => { \"a\" => \"b\" } add_field => { \"[b][k]\" => \"new\" } }",
        "{\"a\":{\"k\":\"old\"}}", "{\"a\":{\"k\":\"old\"},\"b\":{\"k\":[\"old\",\"new\"]}}");
}

static void mutate_tags_what_fails(void **state)
{
    struct filter_fixture f;

    (void)state;
    assert_true(filter_fixture_open(&f, "mutate { convert => { \"a\" => \"integer\" } }", ECS_V8));
    gives(&f, "{\"a\":[{}]}", "{\"a\":[{}],\"tags\":[\"_mutate_error\"]}");
    assert_int_equal(f.failures, 1);
    gives(&f, "{\"a\":\"-1,234.9x\"}", "{\"a\":-1234}");
    gives(&f, "{\"a\":1.5e22}", "{\"a\":15000000000000000000000}");
    assert_int_equal(f.failures, 1);
    filter_fixture_close(&f);
}

static void mutate_patterns_of_events(void **state)
{
    struct filter_fixture f;
    char                  in[80], out[120];

    (void)state;
    assert_true(filter_fixture_open(&f, "mutate { gsub => [\"a\", \"%{p}\", \"-\"] }", ECS_V8));
    for (int i = 0; i < 300; i++) { /* more than the cache holds, and again */
        snprintf(in, sizeof(in), "{\"a\":\"<%d>\",\"p\":\"%d>\"}", i % 150, i % 150);
        snprintf(out, sizeof(out), "{\"a\":\"<-\",\"p\":\"%d>\"}", i % 150);
        gives(&f, in, out);
    }
    gives(&f, "{\"a\":\"x\",\"p\":\"(\"}",
          "{\"a\":\"x\",\"p\":\"(\",\"tags\":[\"_mutate_error\"]}");
    filter_fixture_close(&f);
}

/* ---- drop, uuid, sleep ---- */

static void drop_takes_its_share(void **state)
{
    struct filter_fixture f;
    int                   dropped = 0;

    (void)state;
    assert_true(filter_fixture_open(&f, "drop { percentage => 50 }", ECS_V8));
    for (int i = 0; i < 10000; i++) {
        assert_true(filter_fixture_run(&f, "{\"a\":1}"));
        dropped += f.verdict == FILTER_DROP;
    }
    assert_in_range(dropped, 4000, 6000); /* 20 standard deviations */
    filter_fixture_close(&f);
}

static void uuids_are_random(void **state)
{
    struct filter_fixture f;
    char                  seen[200][37];

    (void)state;
    assert_true(filter_fixture_open(&f, "uuid { target => \"u\" }", ECS_V8));
    for (int i = 0; i < 200; i++) {
        assert_true(filter_fixture_run(&f, "{\"u\":null}"));
        struct value *v = event_get_key(f.event, key_make(STR("u")));
        assert_int_equal(v->len, 36);
        memcpy(seen[i], v->as.s, 36);
        seen[i][36] = '\0';
        assert_int_equal(strspn(seen[i], "0123456789abcdef-"), 36);
        assert_int_equal(seen[i][14], '4');
        assert_non_null(strchr("89ab", seen[i][19]));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
    }
    gives(&f, "{\"u\":\"keep\"}", "{\"u\":\"keep\"}");
    filter_fixture_close(&f);
}

static void sleeps(void **state)
{
    struct filter_fixture f;

    (void)state;
    assert_true(filter_fixture_open(&f, "sleep { time => \"%{t}\" every => 2 }", ECS_V8));
    int64_t start = clock_monotonic_ns();
    gives(&f, "{\"t\":1000000}", "{\"t\":1000000}"); /* not its turn */
    gives(&f, "{\"t\":\"0.02\"}", "{\"t\":\"0.02\"}");
    gives(&f, "{\"t\":1000000}", "{\"t\":1000000}");
    gives(&f, "{\"t\":\"-1\"}", "{\"t\":\"-1\"}");
    assert_true(clock_monotonic_ns() - start >= 20000000);
    filter_fixture_close(&f);
    refused("sleep { }");
    refused("sleep { time => -1 }");
}

static void replays(void **state)
{
    struct filter_fixture f;

    (void)state;
    assert_true(filter_fixture_open(&f, "sleep { replay => true time => 2 }", ECS_V8));
    int64_t start = clock_monotonic_ns();
    gives(&f, "{\"@timestamp\":\"2024-01-01T00:00:00.000Z\"}", "{}");
    gives(&f, "{\"@timestamp\":\"2024-01-01T00:00:00.040Z\"}", "{}");
    gives(&f, "{\"@timestamp\":\"2023-01-01T00:00:00.000Z\"}", "{}"); /* back: no sleep */
    assert_true(clock_monotonic_ns() - start >= 20000000);
    filter_fixture_close(&f);
}

/* ---- cidr ---- */

static void cidr_reads_its_file_again(void **state)
{
    struct filter_fixture f;
    char                  path[] = "/tmp/lsc-cidr-XXXXXX", config[200];
    int                   fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "10.0.0.0/8\r\n\nbad\nfe80::/10\n");
    snprintf(config, sizeof(config),
             "cidr { address => [\"%%{a}\"] network_path => \"%s\" refresh_interval => 0 "
             "add_tag => \"in\" }",
             path);
    assert_true(filter_fixture_open(&f, config, ECS_V8));
    gives(&f, "{\"a\":\"10.1.1.1\"}", "{\"a\":\"10.1.1.1\",\"tags\":[\"in\"]}");
    write_file(path, "11.0.0.0/8\n");
    gives(&f, "{\"a\":\"10.1.1.1\"}", "{\"a\":\"10.1.1.1\"}");
    gives(&f, "{\"a\":\"11.1.1.1\"}", "{\"a\":\"11.1.1.1\",\"tags\":[\"in\"]}");
    unlink(path);
    gives(&f, "{\"a\":\"11.1.1.1\"}", "{\"a\":\"11.1.1.1\",\"tags\":[\"in\"]}");
    filter_fixture_close(&f);
}

static void cidr_takes_one_source(void **state)
{
    (void)state;
    refused("cidr { network => [\"10.0.0.0/8\"] network_path => \"/etc/passwd\" }");
    refused("cidr { network_path => \"/etc/passwd\" separator => \"\" }"); /* no networks */
}

/* ---- prune, de_dot, bytes, syslog_pri, truncate, urldecode ---- */

static void prune_compares_the_text_of_numbers(void **state)
{
    struct filter_fixture f;

    (void)state;
    one("prune { blacklist_values => { \"a\" => \"1\" } }", "{\"a\":1,\"b\":1}", "{\"b\":1}");
    one("prune { whitelist_values => { \"a\" => \"1\" } }", "{\"a\":{\"k\":1},\"b\":1}",
        "{\"b\":1}");
    one("prune { whitelist_values => { \"a\" => \"1\" } }", "{\"a\":[1,2,null,[1]]}",
        "{\"a\":[1]}");
    assert_true(filter_fixture_open(
        &f, "prune { interpolate => true blacklist_names => [\"%{p}\"] }", ECS_V8));
    gives(&f, "{\"p\":\"(\",\"a\":1}", "{\"p\":\"(\",\"a\":1}");
    assert_int_equal(f.failures, 1);
    filter_fixture_close(&f);
    refused("prune { whitelist_names => [\"(\"] }");
}

static void de_dot_loses_nothing(void **state)
{
    (void)state;
    one("de_dot { nested => true }", "{\"a.b\":1,\"a\":\"scalar\"}",
        "{\"a.b\":1,\"a\":\"scalar\",\"tags\":[\"_de_dot_error\"]}");
    one("de_dot { fields => [\"[a.b][c.d]\"] }", "{\"a.b\":{\"c.d\":1,\"e\":2}}",
        "{\"a_b\":{\"c_d\":1,\"e\":2}}");
    one("de_dot { recursive => true separator => \"\" }",
        "{\"a.b\":{\"c.d\":[{\"e.f\":{\"g.h\":1}}]},\"i\":{\"j.k\":2}}",
        "{\"ab\":{\"cd\":[{\"ef\":{\"gh\":1}}]},\"i\":{\"jk\":2}}");
    one("de_dot { recursive => true fields => [\"[l][0]\"] }", "{\"l\":[{\"a.b\":1},{\"c.d\":2}]}",
        "{\"l\":[{\"a_b\":1},{\"c.d\":2}]}");
    one("de_dot { nested => true }", "{\"a..b\":1}", "{\"a..b\":1,\"tags\":[\"_de_dot_error\"]}");
    refused("de_dot { separator => \".\" }");
}

static void bytes_needs_a_target(void **state)
{
    (void)state;
    refused("bytes { source => \"m\" }");
    one("bytes { target => \"b\" }", "{\"message\":\"x\\n5kb\"}",
        "{\"message\":\"x\\n5kb\",\"b\":5120}");
    one("bytes { target => \"[message][b]\" }", "{\"message\":\"5kb\"}",
        "{\"message\":\"5kb\",\"tags\":[\"_bytesparsefailure\"]}");
}

static void syslog_pri_tags_what_is_no_priority(void **state)
{
    (void)state;
    one("syslog_pri { }", "{\"syslog_pri\":true}",
        "{\"syslog_pri\":true,\"tags\":[\"_syslogpriparsefailure\"]}");
    one("syslog_pri { }", "{\"syslog_pri\":{\"a\":1}}",
        "{\"syslog_pri\":{\"a\":1},\"tags\":[\"_syslogpriparsefailure\"]}");
    one("syslog_pri { }", "{\"syslog_pri\":99999999999999999999}",
        "{\"syslog_pri\":99999999999999999999,\"tags\":[\"_syslogpriparsefailure\"]}");
}

static void truncate_reaches_into_maps(void **state)
{
    (void)state;
    one("truncate { fields => [\"a\"] length_bytes => 2 }",
        "{\"a\":{\"k\":\"abc\",\"l\":{\"m\":[\"xyz\",[\"xyz\"]]}}}",
        "{\"a\":{\"k\":\"ab\",\"l\":{\"m\":[\"xy\",[\"xyz\"]]}}}");
    one("truncate { fields => [\"a\"] length_bytes => -1 }", "{\"a\":\"abc\"}", "{\"a\":null}");
}

static void urldecode_shows_broken_text(void **state)
{
    (void)state;
    one("urldecode { }", "{\"message\":\"%E9 %4 %zz %C3%A9 \\\"\"}",
        "{\"message\":\"\\\\xE9 %4 %zz \xC3\xA9 \\\\\\\"\"}");
    one("urldecode { field => \"[a][b]\" }", "{\"a\":\"x\"}",
        "{\"a\":\"x\",\"tags\":[\"_urldecodefailure\"]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutate_opens_with_errors),
        cmocka_unit_test(mutate_merges),
        cmocka_unit_test(mutate_copies_share_nothing),
        cmocka_unit_test(mutate_tags_what_fails),
        cmocka_unit_test(mutate_patterns_of_events),
        cmocka_unit_test(drop_takes_its_share),
        cmocka_unit_test(uuids_are_random),
        cmocka_unit_test(sleeps),
        cmocka_unit_test(replays),
        cmocka_unit_test(cidr_reads_its_file_again),
        cmocka_unit_test(cidr_takes_one_source),
        cmocka_unit_test(prune_compares_the_text_of_numbers),
        cmocka_unit_test(de_dot_loses_nothing),
        cmocka_unit_test(bytes_needs_a_target),
        cmocka_unit_test(syslog_pri_tags_what_is_no_priority),
        cmocka_unit_test(truncate_reaches_into_maps),
        cmocka_unit_test(urldecode_shows_broken_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
