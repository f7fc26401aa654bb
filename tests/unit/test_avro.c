/* Avro: the examples of the specification (1.11, «Binary Encoding»), and the codec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/codec_fixture.h"
#include "text/avro.h"

static struct codec_fixture f;

static int teardown(void **state)
{
    (void)state;
    codec_fixture_close(&f);
    return 0;
}

/* Bytes written as hexadecimal digits. */
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

static const struct {
    const char *schema, *bytes, *json;
    bool        one_way; /* another spelling of what is written */
} vectors[] = {
    {"\"null\"", "", "null", false},
    {"\"boolean\"", "01", "true", false},
    {"\"long\"", "00", "0", false},
    {"\"long\"", "01", "-1", false},
    {"\"long\"", "02", "1", false},
    {"\"long\"", "7f", "-64", false},
    {"\"int\"", "8001", "64", false},
    {"\"long\"", "ffffffffffffffffff01", "-9223372036854775808", false},
    {"\"float\"", "0000003f", "0.5", false},
    {"\"double\"", "000000000000e03f", "0.5", false},
    {"\"string\"", "06666f6f", "\"foo\"", false},
    {"\"bytes\"", "0461ff", "\"a\xC3\xBF\"", true},
    {"{\"type\":\"record\",\"name\":\"test\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"},"
     "{\"name\":\"b\",\"type\":\"string\"}]}",
     "3606666f6f", "{\"a\":27,\"b\":\"foo\"}", false},
    {"{\"type\":\"enum\",\"name\":\"Foo\",\"symbols\":[\"A\",\"B\",\"C\",\"D\"]}", "06", "\"D\"",
     false},
    {"{\"type\":\"array\",\"items\":\"long\"}", "04063600", "[3,27]", false},
    {"{\"type\":\"array\",\"items\":\"long\"}", "0304063600", "[3,27]", true},
    {"{\"type\":\"map\",\"values\":\"long\"}", "0202610200", "{\"a\":1}", false},
    {"[\"null\",\"string\"]", "00", "null", false},
    {"[\"null\",\"string\"]", "020261", "\"a\"", false},
    {"{\"type\":\"fixed\",\"name\":\"x\",\"size\":3}", "616263", "\"abc\"", false},
    {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", "dee882a4c463",
     "\"2024-03-09T08:07:06.543Z\"", true},
    {"{\"type\":\"int\",\"logicalType\":\"date\"}", "a49a02", "\"2019-06-19\"", true},
    {"{\"type\":\"record\",\"name\":\"n.List\",\"fields\":[{\"name\":\"v\",\"type\":\"int\"},"
     "{\"name\":\"next\",\"type\":[\"null\",\"List\"]}]}",
     "02020400", "{\"v\":1,\"next\":{\"v\":2,\"next\":null}}", false},
};
enum { VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

static void examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        const char               *why;
        struct value              v;
        struct str                bytes = hex(vectors[i].bytes);
        const struct avro_schema *s = avro_schema_read(&f.batch, str_of(vectors[i].schema), &why);
        assert_non_null(s);
        assert_true(avro_read(s, &f.batch, bytes, &v, &why));
        buf_clear(&f.out);
        json_encode(v, &f.out);
        assert_string_equal(buf_cstr(&f.out), vectors[i].json);
        for (size_t len = 0; len < bytes.len; len++)
            assert_false(avro_read(s, &f.batch, (struct str){bytes.data, len}, &v, &why));
        if (vectors[i].one_way) continue;
        assert_true(json_decode(&f.batch, str_of(vectors[i].json), NULL, &v, NULL));
        buf_clear(&f.out);
        assert_true(avro_write(s, v, &f.out));
        assert_true(str_eq(buf_view(&f.out), bytes));
    }
}

static void broken_bytes(void **state)
{
    static const char *const cases[][2] = {
        {"\"boolean\"", "02"},
        {"\"int\"", "ffffffffffffffffff01"},
        {"\"long\"", "ffffffffffffffffffff01"},
        {"\"string\"", "01"},
        {"[\"null\"]", "02"},
        {"{\"type\":\"array\",\"items\":\"null\"}", "feffffffff0f00"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "01"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char               *why;
        struct value              v;
        const struct avro_schema *s = avro_schema_read(&f.batch, str_of(cases[i][0]), &why);
        assert_non_null(s);
        assert_false(avro_read(s, &f.batch, hex(cases[i][1]), &v, &why));
        assert_non_null(why);
    }
}

static void broken_schemas(void **state)
{
    static const char *const texts[] = {
        "",
        "5",
        "\"int",
        "\"unknown\"",
        "{}",
        "{\"type\":\"record\",\"name\":\"a\"}",
        "{\"type\":\"record\",\"fields\":[]}",
        "{\"type\":\"array\"}",
        "[]",
        "{\"type\":\"enum\",\"name\":\"a\",\"symbols\":[1]}",
        "{\"type\":\"fixed\",\"name\":\"a\"}",
        ("{\"type\":\"record\",\"name\":\"a\",\"fields\":[{\"name\":\"b\",\"type\":"
         "{\"type\":\"fixed\",\"name\":\"a\",\"size\":1}}]}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *why;
        assert_null(avro_schema_read(&f.batch, str_of(texts[i]), &why));
        assert_non_null(why);
    }
}

/* ---- the codec ---- */

static char path[] = "/tmp/test_avro.XXXXXX";

static int make_schema(void **state)
{
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"Event\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"},"
        "{\"name\":\"b\",\"type\":\"string\",\"default\":\"none\"},{\"name\":\"@timestamp\","
        "\"type\":[\"null\",\"string\"]}]}";
    int fd = mkstemp(path);

    (void)state;
    bool good = fd >= 0 && write(fd, schema, sizeof(schema) - 1) == (ssize_t)sizeof(schema) - 1;
    if (fd >= 0) close(fd);
    return good ? 0 : -1;
}

static int remove_schema(void **state)
{
    (void)state;
    return unlink(path);
}

static void opens(const char *options, enum ecs ecs)
{
    char config[256];

    snprintf(config, sizeof(config), "avro { schema_uri => '%s' %s }", path, options);
    assert_true(codec_fixture_open(&f, config, ecs));
}

#define READ(text) codec_fixture_read(&f, STR(text))
#define EVENT(i, json) assert_true(codec_fixture_event_is(&f, i, json))

static void codec(void **state)
{
    (void)state;
    opens("", ECS_V8);
    READ("NgZmb28A"); /* 36 06666f6f 00 */
    EVENT(0, "{\"a\":27,\"b\":\"foo\",\"event\":{\"original\":\"NgZmb28A\"}}");
    READ("\x36\x06"
         "foo\x00"); /* no base64, so binary */
    EVENT(1, "{\"a\":27,\"b\":\"foo\",\"event\":{\"original\":\"6\\u0006foo\\u0000\"}}");
    READ("\x36");
    EVENT(2, "{\"message\":\"6\"}");
    assert_int_equal(f.failures, 1);
    const char *json = "{\"a\":1,\"@timestamp\":\"2024-03-09T08:07:06.543Z\"}";
    assert_string_equal(codec_fixture_write(&f, json),
                        "Aghub25lAjAyMDI0LTAzLTA5VDA4OjA3OjA2LjU0M1o=");
    assert_string_equal(codec_fixture_write(&f, "{\"a\":\"x\"}"), "refused");
}

static void codec_options(void **state)
{
    (void)state;
    opens("encoding => binary tag_on_failure => true target => '[doc]'", ECS_DISABLED);
    READ("\x36\x06"
         "foo\x00");
    EVENT(0, "{\"doc\":{\"a\":27,\"b\":\"foo\",\"@timestamp\":null}}");
    READ("NgZmb28A");
    EVENT(1, "{\"message\":\"NgZmb28A\",\"tags\":[\"_avroparsefailure\"]}");
    codec_fixture_close(&f);
    assert_false(codec_fixture_open(&f, "avro { schema_uri => '/nonexistent' }", ECS_V8));
    codec_fixture_close(&f);
    assert_false(codec_fixture_open(&f, "avro { schema_uri => 'http://x/y' }", ECS_V8));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(examples), TEST(broken_bytes), TEST(broken_schemas), TEST(codec), TEST(codec_options),
    };

    return cmocka_run_group_tests(tests, make_schema, remove_schema);
}
