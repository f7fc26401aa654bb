/* The codec collectd. Packets by the page «Binary protocol» of collectd; signed and encrypted ones
   were made with the openssl program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/codec_fixture.h"

static struct codec_fixture f;

static int teardown(void **state)
{
    (void)state;
    codec_fixture_close(&f);
    return 0;
}

static void opens(const char *text)
{
    assert_true(codec_fixture_open(&f, text, ECS_DISABLED));
}

/* Bytes written as hexadecimal digits, with blanks anywhere. */
static struct str hex(const char *text)
{
    struct buf b = {0};
    unsigned   byte;
    int        n;

    for (; sscanf(text, " %2x%n", &byte, &n) == 1; text += n)
        buf_char(&b, (char)byte);
    struct str s = arena_copy(&f.batch, buf_view(&b));
    buf_release(&b);
    return s;
}

#define READ(text) codec_fixture_read(&f, hex(text))
#define EVENT(i, json) assert_true(codec_fixture_event_is(&f, i, json))

#define HOST "0000 0007 6c6f00 " /* "lo" */
#define TIME "0001 000c 00000000 558665b4 "
#define INTERVAL "0007 000c 00000000 0000000a "
#define LOAD "0002 0009 6c6f616400 0004 0009 6c6f616400 "
#define IS "\"@timestamp\":\"2015-06-21T07:20:20.000Z\",\"host\":\"lo\","
#define IS_LOAD IS "\"plugin\":\"load\",\"collectd_type\":\"load\""
/* Gauges 0.5, 0.25, 2. */
#define LOAD_VALUES "0006 0021 0003 010101 000000000000e03f 000000000000d03f 0000000000000040 "

static void gauges(void **state)
{
    (void)state;
    opens("collectd");
    READ(HOST TIME INTERVAL LOAD LOAD_VALUES);
    EVENT(0, "{" IS_LOAD ",\"shortterm\":0.5,\"midterm\":0.25,\"longterm\":2.0}");
    assert_int_equal(f.len, 1);
    assert_int_equal(f.failures, 0);
}

/* Parts count until others of their kind come; instances; each kind of number. */
static void numbers(void **state)
{
    (void)state;
    opens("collectd");
    READ(HOST "0008 000c 1561996d 20000000 " /* high resolution: 0x558665b4 + 0.5 s */
              "0002 000e 696e7465726661636500 0003 0009 6574683000 0004 000e 69665f6f637465747300 "
              "0005 0005 00 0006 0018 0002 00 02 ffffffffffffffff ffffffffffffffff "
              "0003 0005 00 0004 000a 757365727300 0005 0006 7800 0006 000f 0001 03 "
              "0000000000000007");
    EVENT(0, "{\"@timestamp\":\"2015-06-21T07:20:20.500Z\",\"host\":\"lo\",\"plugin\":"
             "\"interface\",\"plugin_instance\":\"eth0\",\"collectd_type\":\"if_octets\","
             "\"rx\":18446744073709551615,\"tx\":-1}");
    EVENT(1, "{\"host\":\"lo\",\"plugin\":\"interface\",\"collectd_type\":\"users\","
             "\"type_instance\":\"x\",\"value\":7}");
    assert_int_equal(f.failures, 0);
}

static void notifications(void **state)
{
    (void)state;
    opens("collectd");
    READ(TIME "0101 000c 00000000 00000002 " HOST "0100 0007 686900 0100 0007 686f00");
    EVENT(0, "{" IS "\"severity\":2,\"message\":\"hi\"}");
    EVENT(1, "{" IS "\"message\":\"ho\"}");
}

static void intervals(void **state)
{
    (void)state;
    opens("collectd { prune_intervals => false }");
    READ(HOST TIME INTERVAL "0009 000c 00000002 80000000");
    EVENT(0, "{" IS "\"interval\":10}");
    EVENT(1, "{" IS "\"interval\":10}");
}

#define NAN_VALUE "0006 000f 0001 01 000000000000f87f "
#define ONE_VALUE "0006 000f 0001 01 000000000000f03f "

static void not_numbers(void **state)
{
    (void)state;
    opens("collectd");
    READ(HOST TIME NAN_VALUE ONE_VALUE);
    EVENT(0, "{" IS "\"value\":0,\"tags\":[\"_collectdNaN\"]}");
    EVENT(1, "{" IS "\"value\":1.0}");
    codec_fixture_close(&f);
    opens("collectd { nan_handling => warn nan_value => -1.5 nan_tag => '' }");
    READ(HOST TIME NAN_VALUE);
    EVENT(0, "{" IS "\"value\":-1.5}");
    codec_fixture_close(&f);
    opens("collectd { nan_handling => drop }");
    READ(HOST TIME NAN_VALUE ONE_VALUE);
    EVENT(0, "{" IS "\"value\":1.0}");
    assert_int_equal(f.len, 1);
}

static void broken(void **state)
{
    static const char *const texts[] = {
        "00",
        "0000 0003 00",
        "0000 0008 6100",
        "0000 0006 6161",
        "0001 0006 0000",
        "0006 0006 0000",
        "0006 000f 0002 01 000000000000f03f",
        "0006 000f 0001 07 000000000000f03f",
        "0210 0004",
        "0210 0017 0001 61 00000000000000000000000000000000",
        "0001 000c ffffffff ffffffff",
        "0000 0004",
    };

    (void)state;
    opens("collectd");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        READ(texts[i]);
        assert_int_equal(f.failures, i + 1);
    }
    assert_int_equal(f.len, 0);
    READ("0fff 0005 00 " HOST TIME ONE_VALUE "0006"); /* unknown parts; a broken end */
    EVENT(0, "{" IS "\"value\":1.0}");
}

static char folder[] = "/tmp/test_collectd.XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[sizeof(folder) + 64];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *to = fopen(in_folder(name), "w");

    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

static void types(void **state)
{
    char config[256];

    (void)state;
    write_file("one", "# comment\nload a:GAUGE:0:U, b:GAUGE:0:U, c:GAUGE:0:U\n\nown x:GAUGE:0:1\n");
    write_file("two", "load  s:GAUGE:0:U,\tm:GAUGE:0:U\n");
    snprintf(config, sizeof(config), "collectd { typesdb => ['%s/one', '%s/two'] }", folder,
             folder);
    opens(config);
    READ(HOST TIME LOAD LOAD_VALUES);
    EVENT(0, "{" IS_LOAD ",\"s\":0.5,\"m\":0.25,\"values\":[2.0]}");
    unlink(in_folder("one"));
    unlink(in_folder("two"));
    codec_fixture_close(&f);
    assert_false(codec_fixture_open(&f, config, ECS_DISABLED));
}

/* A gauge of 1, sent by "user" with the password "secret". */
static const char is_signed[] =
    "02000028cd6f4005f19c1a3d2461be9a13aad88824c43d1121f7fa468e9685f90bcf5e3675736572"
    "000000076c6f000001000c00000000558665b40006000f000101000000000000f03f";
static const char forged[] =
    "02000028cd6f4005f19c1a3d2461be9a13aad88824c43d1121f7fa468e9685f90bcf5e3775736572"
    "000000076c6f000001000c00000000558665b40006000f000101000000000000f03f";
static const char encrypted[] =
    "02100050000475736572000102030405060708090a0b0c0d0e0fd3de9f19a577146abda34a02e638"
    "8cc7a046e753805ac93407683757f87e8b27900ee3982aab5e0af4e984a7417daae2b4a67c1feafd";
static const char badly_encrypted[] =
    "02100050000475736572000102030405060708090a0b0c0d0e0fd3de9f19a577146abda34a02e638"
    "8cc7a046e753805ac93407683757f87e8b27900ee3982aab5e0af4e984a7417daae2b4a67c1feafc";

static void security(void **state)
{
    char config[3][256];

    (void)state;
    write_file("auth", "# users\nbroken line\nuser: secret\n");
    for (int i = 0; i < 3; i++)
        snprintf(config[i], sizeof(config[i]), "collectd { security_level => %s authfile => '%s' }",
                 (const char *[]){"None", "Sign", "Encrypt"}[i], in_folder("auth"));
    for (uint32_t level = 0; level < 3; level++) {
        opens(config[level]);
        READ(HOST TIME ONE_VALUE);
        assert_int_equal(f.len, level == 0);
        f.len = 0;
        READ(is_signed);
        assert_int_equal(f.len, level <= 1);
        f.len = 0;
        READ(forged);
        assert_int_equal(f.len, level == 0);
        f.len = 0;
        READ(encrypted);
        assert_int_equal(f.len, 1);
        EVENT(0, "{" IS "\"value\":1.0}");
        READ(badly_encrypted);
        assert_int_equal(f.len, 1);
        codec_fixture_close(&f);
    }
    assert_false(codec_fixture_open(&f, "collectd { security_level => Sign }", ECS_DISABLED));
    unlink(in_folder("auth"));
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(gauges),      TEST(numbers), TEST(notifications), TEST(intervals),
        TEST(not_numbers), TEST(broken),  TEST(types),         TEST(security),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
