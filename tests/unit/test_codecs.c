/* The codecs without memory: messages to events, events to bytes. Expected values: conformance
   cases of the areas codec-in-*, codec-out-* and json-fidelity (Logstash 8.9.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/codec_fixture.h"

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

static void json_reads(void **state)
{
    (void)state;
    opens("json", ECS_DISABLED);
    READ("{\"a\":1}");
    READ("  {\"a\":2}  ");
    READ("[{\"a\":3},{\"b\":4},null]");
    READ("{\"a\":5} x");
    READ("");
    READ(" \t");
    READ("[]");
    assert_int_equal(f.len, 6);
    assert_int_equal(f.failures, 0);
    EVENT(0, "{\"a\":1,\"@version\":\"1\"," AT "}");
    EVENT(1, "{\"a\":2}");
    EVENT(2, "{\"a\":3}");
    EVENT(3, "{\"b\":4}");
    EVENT(4, "{}");
    EVENT(5, "{\"a\":5}");
}

/* Whatever is no JSON of objects stays as it is and is tagged. */
static void json_failures(void **state)
{
    static const char *const texts[] = {
        "broken",     "5",          "\"str\"",           "null",   "true",     "[1,2]", "[[{}]]",
        "{\"a\":1,}", "{\"a\":+1}", "{\"@metadata\":5}", "[{},5]", "{\"a\":1",
    };

    (void)state;
    opens("json", ECS_V8);
    for (uint32_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        codec_fixture_read(&f, str_of(texts[i]));
        assert_int_equal(f.len, i + 1);
        assert_int_equal(f.failures, i + 1);
        assert_true(str_is(value_str(*event_get_key(f.events[i], names.message)), texts[i]));
        assert_int_equal(f.events[i]->data.len, 4);
    }
    EVENT(0, "{\"message\":\"broken\",\"tags\":[\"_jsonparsefailure\"]}");
}

static void json_keeps_the_original(void **state)
{
    (void)state;
    opens("json", ECS_V8);
    READ("{\"a\":1}");
    READ("[{\"a\":1},{\"a\":2}]");
    READ("[{\"a\":3}]");
    READ("{\"event\":{\"original\":\"mine\"}}");
    READ("{\"event\":\"text\"}");
    assert_int_equal(f.len, 6);
    EVENT(0, "{\"a\":1,\"event\":{\"original\":\"{\\\"a\\\":1}\"}}");
    EVENT(1, "{\"a\":1}");
    EVENT(3, "{\"a\":3,\"event\":{\"original\":\"[{\\\"a\\\":3}]\"}}");
    EVENT(4, "{\"event\":{\"original\":\"mine\"}}");
    EVENT(5, "{\"message\":\"{\\\"event\\\":\\\"text\\\"}\",\"tags\":[\"_jsonparsefailure\"]}");
}

static void json_on_streams(void **state)
{
    (void)state;
    opens("json { target => 'p' charset => 'CP1252' }", ECS_V8);
    f.codec->plugin->codec_ops.read_streams(f.codec->self);
    READ("{\"a\":\"\x80\"}");
    EVENT(0, "{\"a\":\"€\"}");
}

static void targets(void **state)
{
    (void)state;
    opens("json_lines { target => '[p][q]' }", ECS_V8);
    READ("{\"a\":1," AT ",\"tags\":[\"x\"]}");
    READ("[{\"b\":1},{\"b\":2}]");
    assert_int_equal(f.len, 3);
    EVENT(0, "{\"p\":{\"q\":{\"a\":1," AT ",\"tags\":[\"x\"]}}}");
    EVENT(1, "{\"p\":{\"q\":{\"b\":1}}}");
    EVENT(2, "{\"p\":{\"q\":{\"b\":2}}}");
}

static void json_writes(void **state)
{
    (void)state;
    opens("json", ECS_V8);
    WRITES("{\"@version\":\"1\"," AT ",\"a\":\"é\\u0001\\\"/\\\\\"}",
           "{\"@version\":\"1\"," AT ",\"a\":\"é\\u0001\\\"/\\\\\"}");
}

static void json_lines_writes(void **state)
{
    (void)state;
    opens("json_lines { delimiter => '||' }", ECS_V8);
    WRITES("{\"@version\":\"1\"," AT "}", "{\"@version\":\"1\"," AT "}||");
}

static void line_reads(void **state)
{
    (void)state;
    opens("line", ECS_V8);
    READ("one");
    READ("");
    READ("caf\xe9");
    EVENT(0, "{\"message\":\"one\",\"event\":{\"original\":\"one\"},\"@version\":\"1\"," AT "}");
    EVENT(1, "{\"message\":\"\",\"event\":{\"original\":\"\"}}");
    EVENT(2, "{\"message\":\"caf\\\\xE9\",\"event\":{\"original\":\"caf\\\\xE9\"}}");
}

static void line_without_ecs(void **state)
{
    (void)state;
    opens("line { ecs_compatibility => disabled charset => 'ISO-8859-1' }", ECS_V8);
    READ("caf\xe9");
    EVENT(0, "{\"message\":\"café\"}");
}

static void framing(void **state)
{
    struct framing fr = {.max = 0};

    (void)state;
    opens("line { delimiter => '<>' }", ECS_V8);
    f.codec->plugin->codec_ops.framing(f.codec->self, &fr);
    assert_true(str_is(fr.delimiter, "<>"));
    codec_fixture_close(&f);
    opens("json_lines { decode_size_limit_bytes => 100 }", ECS_V8);
    f.codec->plugin->codec_ops.framing(f.codec->self, &fr);
    assert_true(str_is(fr.delimiter, "\n"));
    assert_int_equal(fr.max, 100);
}

static void line_writes(void **state)
{
    (void)state;
    opens("line", ECS_V8);
    WRITES("{\"message\":\"hi\"," AT "}", "2024-03-09T08:07:06.543Z %{host} hi\n");
    codec_fixture_close(&f);
    opens("line { format => '%{a}-%{no} %{+YYYY}' charset => 'ISO-8859-1' }", ECS_V8);
    WRITES("{\"a\":[1,2]," AT "}", "1,2-%{no} 2024\n");
    WRITES("{\"a\":\"é\"," AT "}", "é-%{no} 2024\n");
    codec_fixture_close(&f);
    opens("line { format => '' }", ECS_V8);
    WRITES("{\"a\":1}", "\n");
}

static void plain_writes(void **state)
{
    (void)state;
    opens("plain", ECS_V8);
    WRITES("{\"message\":\"hi\",\"host\":\"h1\"," AT "}", "2024-03-09T08:07:06.543Z h1 hi");
    codec_fixture_close(&f);
    opens("plain { format => '%{a}\\n' }", ECS_V8);
    WRITES("{\"a\":1}", "1\\n");
}

static void plain_reads(void **state)
{
    (void)state;
    opens("plain { charset => 'UTF-16LE' }", ECS_V8);
    READ("a\0\xe9\0");
    EVENT(0, "{\"message\":\"aé\",\"event\":{\"original\":\"aé\"}}");
}

static void dots_write(void **state)
{
    (void)state;
    opens("dots", ECS_V8);
    WRITES("{\"a\":1}", ".");
}

static void rubydebug_nests(void **state)
{
    (void)state;
    opens("rubydebug", ECS_V8);
    WRITES("{\"@version\":\"1\"," AT
           ",\"a\":{\"b\":{\"c\":1,\"dd\":2},\"x\":[1,[],{}]},\"@metadata\":{\"m\":1}}",
           "{\n"
           "      \"@version\" => \"1\",\n"
           "    \"@timestamp\" => 2024-03-09T08:07:06.543Z,\n"
           "             \"a\" => {\n"
           "        \"b\" => {\n"
           "             \"c\" => 1,\n"
           "            \"dd\" => 2\n"
           "        },\n"
           "        \"x\" => [\n"
           "            [0] 1,\n"
           "            [1] [],\n"
           "            [2] {}\n"
           "        ]\n"
           "    }\n"
           "}\n");
}

static void rubydebug_values(void **state)
{
    (void)state;
    opens("rubydebug { metadata => true }", ECS_V8);
    WRITES("{\"@version\":null," AT ",\"é\":true,\"b\\\"q\":1.0E20,"
           "\"n\":12345678901234567890,\"s\":\"#{x} \\t\",\"@metadata\":{\"m\":{\"n\":1}}}",
           "{\n"
           "      \"@version\" => nil,\n"
           "    \"@timestamp\" => 2024-03-09T08:07:06.543Z,\n"
           "             \"é\" => true,\n"
           "          \"b\\\"q\" => 1.0e+20,\n"
           "             \"n\" => 12345678901234567890,\n"
           "             \"s\" => \"\\#{x} \\t\",\n"
           "     \"@metadata\" => {\n"
           "        \"m\" => {\n"
           "            \"n\" => 1\n"
           "        }\n"
           "    }\n"
           "}\n");
}

/* Labels of lists are as wide as the last one. */
static void rubydebug_long_lists(void **state)
{
    (void)state;
    opens("rubydebug", ECS_V8);
    const char *text = codec_fixture_write(&f, "{\"a\":[0,1,2,3,4,5,6,7,8,9,10]}");
    assert_non_null(strstr(text, "\n        [ 0] 0,\n        [ 1] 1,\n"));
    assert_non_null(strstr(text, "\n        [10] 10\n    ]"));
}

static void refused(void **state)
{
    static const char *const texts[] = {
        "json { nosuch => 1 }",           "line { charset => 'NOSUCH' }",
        "line { charset => 'CESU-8' }",   "line { delimiter => '' }",
        "json_lines { delimiter => '' }",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(codec_fixture_open(&f, texts[i], ECS_DISABLED));
        assert_int_equal(f.diags.errors, 1);
        codec_fixture_close(&f);
    }
    f = (struct codec_fixture){.len = 0};
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(json_reads),
        TEST(json_failures),
        TEST(json_keeps_the_original),
        TEST(json_on_streams),
        TEST(targets),
        TEST(json_writes),
        TEST(json_lines_writes),
        TEST(line_reads),
        TEST(line_without_ecs),
        TEST(framing),
        TEST(line_writes),
        TEST(plain_writes),
        TEST(plain_reads),
        TEST(dots_write),
        TEST(rubydebug_nests),
        TEST(rubydebug_values),
        TEST(rubydebug_long_lists),
        TEST(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
