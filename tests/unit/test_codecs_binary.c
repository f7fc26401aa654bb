/* The codecs msgpack, fluent, gzip_lines, es_bulk and graphite. Expected values: conformance cases
   of the areas codec-in-* and codec-out-* (Logstash 8.9.2); Fluentd's Forward Protocol
   Specification v1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/codec_fixture.h"
#include "text/msgpack.h"

static struct codec_fixture f;

static int teardown(void **state)
{
    (void)state;
    codec_fixture_close(&f);
    return 0;
}

static void opens(const char *text, enum ecs ecs)
{
    assert_true(codec_fixture_open(&f, text, ecs));
}

#define READ(text) codec_fixture_read(&f, STR(text))
#define EVENT(i, json) assert_true(codec_fixture_event_is(&f, i, json))
#define WRITES(json, text) assert_string_equal(codec_fixture_write(&f, json), text)
#define AT "\"@timestamp\":\"2024-03-09T08:07:06.543Z\""

/* ---- msgpack ---- */

static void msgpack_reads(void **state)
{
    (void)state;
    opens("msgpack { format => '<%{a}>' }", ECS_DISABLED);
    READ("\x81\xA1"
         "a\x01");
    EVENT(0, "{\"message\":\"<1>\",\"a\":1}");
    READ("\x82\xAA@timestamp\xB8"
         "2024-03-09T08:07:06.543Z\xA7message\xA1m");
    EVENT(1, "{\"message\":\"m\"," AT "}");
    READ("\x81\xA1"
         "a\x02\x81\xA1"
         "a\x03");
    EVENT(2, "{\"message\":\"<2>\",\"a\":2}");
    EVENT(3, "{\"message\":\"<3>\",\"a\":3}");
    assert_int_equal(f.failures, 0);
}

static void msgpack_failures(void **state)
{
    (void)state;
    opens("msgpack", ECS_DISABLED);
    READ("\xC1"
         "broken");
    EVENT(0, "{\"message\":\"\\u00c1broken\",\"tags\":[\"_msgpackparsefailure\"]}");
    READ("");
    READ("\x91\x01");
    READ("\x81\xA1");
    READ("\x81\xA1"
         "a\x01\x05");
    assert_int_equal(f.len, 5);
    assert_int_equal(f.failures, 5);
}

static void msgpack_target(void **state)
{
    (void)state;
    opens("msgpack { target => '[doc]' }", ECS_V8);
    READ("\x81\xA1"
         "a\x01");
    EVENT(0, "{\"doc\":{\"a\":1}}");
}

/* ---- fluent ---- */

#define TIME "\xCE\x65\x53\xF1\x00"
#define IS "\"@timestamp\":\"2023-11-14T22:13:20.000Z\",\"tags\":[\"tag.x\"]"

static void fluent_modes(void **state)
{
    (void)state;
    opens("fluent", ECS_DISABLED);
    READ("\x93\xA5tag.x" TIME "\x81\xA1"
         "a\x01");
    EVENT(0, "{" IS ",\"a\":1}");
    READ("\x92\xA5tag.x\x92\x92" TIME "\x81\xA1"
         "a\x01\x92" TIME "\x81\xA1"
         "a\x02");
    EVENT(1, "{" IS ",\"a\":1}");
    EVENT(2, "{" IS ",\"a\":2}");
    READ("\x93\xA5tag.x\xC4\x14\x92" TIME "\x81\xA1"
         "a\x01\x92" TIME "\x81\xA1"
         "a\x02\x80");
    EVENT(3, "{" IS ",\"a\":1}");
    EVENT(4, "{" IS ",\"a\":2}");
    READ("\x94\xA5tag.x\xD7\x00\x65\x53\xF1\x00\x00\x00\x00\x07\x81\xA1"
         "a\x01\x80");
    EVENT(5, "{\"@timestamp\":\"2023-11-14T22:13:20.000000007Z\",\"tags\":[\"tag.x\"],\"a\":1}");
    assert_int_equal(f.len, 6);
    assert_int_equal(f.failures, 0);
}

/* One entry packed by gzip, twice: a string of two members. */
static void fluent_compressed(void **state)
{
    static const char packed[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x9b\x74\x2e\x35\xf8\x23"
                                 "\x43\xe3\xc2\x44\x46\x00\x48\xf3\x97\x84\x0a\x00\x00\x00";
    struct buf        b = {0};
    size_t            len = sizeof(packed) - 1;

    (void)state;
    opens("fluent", ECS_DISABLED);
    buf_str(&b, STR("\x93\xA5tag.x\xC4"));
    buf_char(&b, (char)(2 * len));
    buf_put(&b, packed, len);
    buf_put(&b, packed, len);
    buf_str(&b, STR("\x81\xAA"
                    "compressed\xA4gzip"));
    codec_fixture_read(&f, buf_view(&b));
    buf_release(&b);
    assert_int_equal(f.failures, 0);
    assert_int_equal(f.len, 2);
    EVENT(1, "{" IS ",\"a\":1}");
}

/* Messages come in pieces of any size. */
static void fluent_pieces(void **state)
{
    static const char stream[] = "\x93\xA5tag.x" TIME "\x81\xA1"
                                 "a\x01"
                                 "\x92\xA5tag.x\x91\x92" TIME "\x81\xA1"
                                 "a\x02";
    struct str        all = {stream, sizeof(stream) - 1};

    (void)state;
    for (size_t step = 1; step <= all.len; step++) {
        opens("fluent", ECS_DISABLED);
        for (size_t at = 0; at < all.len; at += step) {
            struct str rest = str_from(all, at);
            codec_fixture_read(&f, (struct str){rest.data, rest.len < step ? rest.len : step});
        }
        codec_fixture_flush(&f, true);
        assert_int_equal(f.len, 2);
        EVENT(0, "{" IS ",\"a\":1}");
        EVENT(1, "{" IS ",\"a\":2}");
        codec_fixture_close(&f);
    }
    opens("fluent", ECS_DISABLED);
}

static void fluent_failures(void **state)
{
    (void)state;
    opens("fluent", ECS_DISABLED);
    READ("\x93\xA5tag.x\xC3\x80"); /* true is no time */
    EVENT(0, "{\"message\":[\"tag.x\",true,{}],\"tags\":[\"_fluentparsefailure\"]}");
    READ("\xC1xyz");
    EVENT(1, "{\"message\":\"\\u00c1xyz\",\"tags\":[\"_fluentparsefailure\"]}");
    READ("\x92\xA1t\x92\x92" TIME "\x81\xA1"
         "a\x01\x05");
    EVENT(2, "{\"@timestamp\":\"2023-11-14T22:13:20.000Z\",\"tags\":[\"t\"],\"a\":1}");
    READ("\x93\xA1t");
    codec_fixture_flush(&f, true);
    EVENT(4, "{\"message\":\"\\u0093\\u00a1t\",\"tags\":[\"_fluentparsefailure\"]}");
    assert_int_equal(f.len, 5);
}

static void fluent_writes(void **state)
{
    (void)state;
    opens("fluent", ECS_DISABLED);
    WRITES("{\"tags\":[\"p\",\"q\"]," AT ",\"@version\":1}",
           "\x93\xA3p.q\xCE\x65\xEC\x18\xAA\x83\xA4tags\x92\xA1p\xA1q\xAA@timestamp\xB8"
           "2024-03-09T08:07:06.543Z\xA8@version\x01");
    WRITES("{" AT ",\"@version\":1}", "\x93\xA3log\xCE\x65\xEC\x18\xAA\x82\xAA@timestamp\xB8"
                                      "2024-03-09T08:07:06.543Z\xA8@version\x01");
}

/* ---- gzip_lines ---- */

static void gzip_lines_reads(void **state)
{
    /* printf 'one\ntwo' | gzip -n */
    static const char packed[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\xcf\x4b\xe5\x2a\x29"
                                 "\xcf\x07\x00\x75\xc6\x88\x02\x07\x00\x00\x00";
    struct str        all = {packed, sizeof(packed) - 1};

    (void)state;
    opens("gzip_lines", ECS_DISABLED);
    codec_fixture_read(&f, all);
    EVENT(0, "{\"message\":\"one\\n\"}");
    EVENT(1, "{\"message\":\"two\"}");
    assert_int_equal(f.failures, 0);
    codec_fixture_read(&f, (struct str){all.data, all.len - 1});
    assert_int_equal(f.failures, 1);
    assert_int_equal(f.len, 5);
    READ("plain");
    EVENT(5, "{\"message\":\"plain\",\"tags\":[\"_gzipparsefailure\"]}");
}

/* ---- es_bulk ---- */

#define METADATA(i, json)                                                                          \
    do {                                                                                           \
        struct value want_;                                                                        \
        assert_true(json_decode(&f.batch, STR(json), NULL, &want_, NULL));                         \
        assert_true(value_eq(value_map(&f.events[i]->metadata), want_));                           \
    } while (0)

static void es_bulk_lines(void **state)
{
    (void)state;
    opens("es_bulk", ECS_DISABLED);
    READ("{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}");
    READ("{\"a\":1}");
    READ("{\"delete\":{\"_id\":\"2\"}}");
    READ("{\"create\":{}}");
    READ("");
    READ("{\"a\":2}\n");
    EVENT(0, "{\"a\":1}");
    METADATA(0, "{\"action\":\"index\",\"_index\":\"i\",\"_id\":\"1\"}");
    EVENT(1, "{}");
    METADATA(1, "{\"action\":\"delete\",\"_id\":\"2\"}");
    EVENT(2, "{\"a\":2}");
    METADATA(2, "{\"action\":\"create\"}");
    assert_int_equal(f.failures, 0);
}

static void es_bulk_whole(void **state)
{
    (void)state;
    opens("es_bulk { target => '[doc]' }", ECS_V8);
    READ("{\"update\":{\"_id\":\"1\"}}\n{\"doc\":{\"a\":1}}\n{\"index\":{}}");
    EVENT(0, "{\"doc\":{\"doc\":{\"a\":1}}}");
    METADATA(0, "{\"codec\":{\"es_bulk\":{\"action\":\"update\",\"_id\":\"1\"}}}");
    EVENT(1, "{\"message\":\"{\\\"index\\\":{}}\",\"tags\":[\"_jsonparsefailure\"]}");
    READ("{\"delete\":{}}\n");
    EVENT(2, "{\"doc\":{}}");
}

static void es_bulk_failures(void **state)
{
    (void)state;
    opens("es_bulk", ECS_DISABLED);
    READ("broken");
    READ("[]");
    READ("{}");
    READ("{\"index\":5}");
    READ("{\"index\":{}}");
    READ("nor this");
    READ("{\"index\":{}}");
    codec_fixture_flush(&f, true);
    assert_int_equal(f.len, 6);
    assert_int_equal(f.failures, 6);
    EVENT(4, "{\"message\":\"nor this\",\"tags\":[\"_jsonparsefailure\"]}");
}

/* ---- graphite ---- */

static void graphite_reads(void **state)
{
    (void)state;
    opens("graphite", ECS_DISABLED);
    READ("web.load 0.25 1709971626\n\n  a\t7 0");
    EVENT(0, "{\"@timestamp\":\"2024-03-09T08:07:06.000Z\",\"web.load\":0.25}");
    EVENT(1, "{\"@timestamp\":\"1970-01-01T00:00:00.000Z\",\"a\":7.0}");
    READ("a 1");
    EVENT(2, "{\"message\":\"a 1\",\"tags\":[\"_graphiteparsefailure\"]}");
    assert_int_equal(f.len, 3);
}

static void graphite_fields(void **state)
{
    (void)state;
    opens("graphite { fields_are_metrics => true exclude_metrics => ['^no'] }", ECS_DISABLED);
    WRITES("{\"a\":1,\"b\":\"2.5\",\"c\":\"x\",\"d\":null,\"no\":1}",
           "a 1.0 1709971626\nb 2.5 1709971626\nc 0.0 1709971626\nd 0.0 1709971626\n");
}

static void graphite_metrics(void **state)
{
    (void)state;
    opens("graphite { metrics => { 'm.%{h}' => '%{v}' '%{no}' => 1 } metrics_format => 'x.*.y' }",
          ECS_DISABLED);
    WRITES("{\"h\":\"web\",\"v\":12}", "x.m.web.y 12.0 1709971626\n");
    codec_fixture_close(&f);
    opens("graphite { metrics => { 'fix' => 1.50 'other' => 1 } include_metrics => ['^f'] }",
          ECS_DISABLED);
    WRITES("{}", "fix 1.5 1709971626\n");
    codec_fixture_close(&f);
    assert_false(codec_fixture_open(&f, "graphite { include_metrics => ['('] }", ECS_V8));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(msgpack_reads),   TEST(msgpack_failures),  TEST(msgpack_target),
        TEST(fluent_modes),    TEST(fluent_compressed), TEST(fluent_pieces),
        TEST(fluent_failures), TEST(fluent_writes),     TEST(gzip_lines_reads),
        TEST(es_bulk_lines),   TEST(es_bulk_whole),     TEST(es_bulk_failures),
        TEST(graphite_reads),  TEST(graphite_fields),   TEST(graphite_metrics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
