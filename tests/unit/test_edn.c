/* EDN: the elements of the specification (github.com/edn-format/edn), and how the codecs edn and
   edn_lines use them (conformance cases codec-in-edn, codec-out-edn_lines). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/codec_fixture.h"
#include "text/edn.h"

static struct codec_fixture f;

static int teardown(void **state)
{
    (void)state;
    codec_fixture_close(&f);
    return 0;
}

static void elements(void **state)
{
    static const char *const cases[][2] = {
        {"nil", "null"},
        {"true", "true"},
        {" , \t\n false", "false"},
        {"\"a\\tb\\\"\\\\\\u00e9\"", "\"a\\tb\\\"\\\\é\""},
        {"\\c", "\"c\""},
        {"\\newline", "\"\\n\""},
        {"\\u0041", "\"A\""},
        {"[\\( \\;]", "[\"(\",\";\"]"},
        {"foo/bar.baz", "\"foo/bar.baz\""},
        {":fred/x", "\"fred/x\""},
        {"42", "42"},
        {"-1", "-1"},
        {"+7", "7"},
        {"123456789012345678901234567890N", "123456789012345678901234567890"},
        {"2.5", "2.5"},
        {"-1.5e3", "-1500.0"},
        {"1.25M", "1.25"},
        {"(a b 42)", "[\"a\",\"b\",42]"},
        {"[1[2]3]", "[1,[2],3]"},
        {"{:a 1, \"foo\" :bar, 4 nil}", "{\"a\":1,\"foo\":\"bar\",\"4\":null}"},
        {"#{a :b}", "[\"a\",\"b\"]"},
        {"#inst \"1985-04-12T23:20:50.52Z\"", "\"1985-04-12T23:20:50.520Z\""},
        {"#uuid \"f81d4fae\"", "\"f81d4fae\""},
        {"#my/tag {:a 1}", "{\"a\":1}"},
        {"; comment\n1", "1"},
        {"[a b #_foo 42 #_ [x]]", "[\"a\",\"b\",42]"},
        {"#_ 1 2", "2"},
        {"-", "\"-\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct value v;
        size_t       used;
        const char  *why;
        assert_int_equal(edn_read(&f.batch, str_of(cases[i][0]), &v, &used, &why), EDN_DONE);
        assert_int_equal(used, strlen(cases[i][0]));
        buf_clear(&f.out);
        json_encode(v, &f.out);
        assert_string_equal(buf_cstr(&f.out), cases[i][1]);
    }
}

static void broken(void **state)
{
    static const char *const texts[] = {
        "{",  "[1",    "\"a",  "\"\\q\"", "{:a}",      "]",    "(1]", "#inst 5",
        "\\", "\\foo", "#",    "#tag",    "1x",        ":",    "01",  "{[1] 2}",
        "#_", "1.",    "\"\\", "#{1",     "\"\\u12\"", "[#_]",
    };
    struct value v;
    size_t       used;
    const char  *why;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(edn_read(&f.batch, str_of(texts[i]), &v, &used, &why), EDN_BROKEN);
        assert_true(*why != '\0');
    }
    char deep[1000];
    memset(deep, '[', sizeof(deep));
    assert_int_equal(edn_read(&f.batch, (struct str){deep, 1000}, &v, &used, &why), EDN_BROKEN);
    assert_string_equal(why, "nested too deeply");
    assert_int_equal(edn_read(&f.batch, STR(" ; x"), &v, &used, &why), EDN_END);
}

#define READ(text) codec_fixture_read(&f, STR(text))
#define EVENT(i, json) assert_true(codec_fixture_event_is(&f, i, json))
#define AT "\"@timestamp\":\"2024-03-09T08:07:06.543Z\""

static void codec(void **state)
{
    (void)state;
    assert_true(codec_fixture_open(&f, "edn", ECS_DISABLED));
    READ("{:a 1 \"b\" [1 2.5 nil true] :c/d {:e \"x\"}}");
    EVENT(0, "{\"b\":[1,2.5,null,true],\"c/d\":{\"e\":\"x\"},\"a\":1}");
    READ("not { edn");
    EVENT(1, "{\"message\":\"not { edn\"}");
    READ("{:a 1} {:a 2} tail");
    EVENT(2, "{\"a\":1}");
    EVENT(3, "{\"a\":2}");
    EVENT(4, "{\"message\":\" tail\"}");
    READ(" \n");
    READ("{:@timestamp \"2023-11-14T22:13:20Z\"}");
    EVENT(5, "{\"@timestamp\":\"2023-11-14T22:13:20.000Z\"}");
    assert_int_equal(f.len, 6);
    assert_int_equal(f.failures, 2);
    assert_string_equal(codec_fixture_write(&f, "{\"@version\":\"1\"," AT
                                                ",\"a\":1,\"b\":[1.5,null,true,\"q\\\"\\\\\\n\"]}"),
                        "{\"@version\" \"1\", \"@timestamp\" \"2024-03-09T08:07:06.543Z\", \"a\" "
                        "1M, \"b\" [1.5 nil "
                        "true \"q\\\"\\\\\\n\"]}");
}

static void lines(void **state)
{
    (void)state;
    assert_true(codec_fixture_open(&f, "edn_lines { target => '[x]' }", ECS_DISABLED));
    READ("{:a 1}");
    EVENT(0, "{\"x\":{\"a\":1}}");
    assert_string_equal(codec_fixture_write(&f, "{" AT ",\"@version\":\"1\"}"),
                        "{\"@timestamp\" \"2024-03-09T08:07:06.543Z\", \"@version\" \"1\"}\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {TEST(elements), TEST(broken), TEST(codec), TEST(lines)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
