/* Ruby's ways with text and numbers. Expected: conformance cases mutate-0033, -0037, -0041, -0100,
   -0101, -0105 to -0108, -0114 (Logstash 8.9.2) and Ruby's documentation of String and Array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/json.h"
#include "text/rubytext.h"

static struct arena arena;
static struct buf   buf;

static struct value json(const char *text)
{
    struct value v;

    assert_true(json_decode(&arena, arena_copy(&arena, str_of(text)), NULL, &v, NULL));
    return v;
}

static void equals(struct str got, const char *expected)
{
    if (!str_is(got, expected)) fail_msg("got %.*s, expected %s", STR_ARG(got), expected);
}

static void to_s(const char *value, const char *expected)
{
    buf_clear(&buf);
    ruby_to_s(json(value), &buf);
    equals(buf_view(&buf), expected);
}

static void values_become_text(void **state)
{
    (void)state;
    to_s("null", "");
    to_s("true", "true");
    to_s("-7", "-7");
    to_s("12345678901234567890", "12345678901234567890");
    to_s("1.0", "1.0");
    to_s("0.0001", "0.0001");
    to_s("1e-05", "1.0e-05");
    to_s("1e16", "10000000000000000.0");
    to_s("1e17", "100000000000000000.0");
    to_s("1.5e300", "1.5e+300");
    to_s("123456789.123", "123456789.123");
    to_s("0.1", "0.1");
    to_s("-0.0", "-0.0");
    to_s("{\"k\":1}", "{\"k\"=>1}");
    to_s("[2,\"a\",null,{\"k\":[]}]", "[2, \"a\", nil, {\"k\"=>[]}]");
    to_s("[\"q\\\"\\n\\\\#{x}\"]", "[\"q\\\"\\n\\\\\\#{x}\"]");
}

static void joins(void **state)
{
    (void)state;
    buf_clear(&buf);
    ruby_join(json("[\"a\",{\"k\":\"t\"},null,[1,[2.5]]]").as.list, STR(","), &buf);
    equals(buf_view(&buf), "a,{\"k\"=>\"t\"},,1,2.5");
}

static void splits_into(const char *text, const char *separator, bool keep, const char *expected)
{
    buf_clear(&buf);
    ruby_join(ruby_split(&arena, str_of(text), str_of(separator), keep), STR("|"), &buf);
    equals(buf_view(&buf), expected);
}

static void splits(void **state)
{
    (void)state;
    splits_into("1.2.3", ".", false, "1|2|3");
    splits_into("x::y:::z", "::", false, "x|y|:z");
    splits_into(",a,,b,,", ",", false, "|a||b");
    splits_into(",a,,b,,", ",", true, "|a||b||");
    splits_into("  x  y z ", " ", false, "x|y|z");
    splits_into("x ", " ", true, "x|");
    splits_into("a\xC3\xA9z", "", false, "a|\xC3\xA9|z");
    splits_into(",,", ",", false, "");
    assert_int_equal(ruby_split(&arena, STR(""), STR(","), true)->len, 0);
    assert_int_equal(ruby_split(&arena, STR(",,"), STR(","), false)->len, 0);
}

static void strips(void **state)
{
    (void)state;
    equals(ruby_strip(STR(" \t\n x y \r\n\v\f ")), "x y");
    assert_true(str_eq(ruby_strip(STR("\0x\0")), STR("\0x")));
    equals(ruby_strip(STR("x \0 ")), "x");
    equals(ruby_strip(STR("  ")), "");
}

static void to_i(const char *text, const char *expected)
{
    buf_clear(&buf);
    ruby_to_s(ruby_to_i(&arena, str_of(text)), &buf);
    equals(buf_view(&buf), expected);
}

static void integers(void **state)
{
    (void)state;
    to_i("12", "12");
    to_i("  -12x", "-12");
    to_i("+5", "5");
    to_i("", "0");
    to_i("x", "0");
    to_i("0x1A", "0");
    to_i("1_000", "1000");
    to_i("1__0", "1");
    to_i("_1", "0");
    to_i("9223372036854775807", "9223372036854775807");
    to_i("-9223372036854775808", "-9223372036854775808");
    to_i("9223372036854775808", "9223372036854775808");
    to_i("-0012345678901234567890_1.5", "-123456789012345678901");
}

static void floats(void **state)
{
    (void)state;
    assert_true(ruby_to_f(STR("1.5"), &buf) == 1.5);
    assert_true(ruby_to_f(STR("1e3"), &buf) == 1000);
    assert_true(ruby_to_f(STR("1E-3"), &buf) == 0.001);
    assert_true(ruby_to_f(STR(".5"), &buf) == 0.5);
    assert_true(ruby_to_f(STR("5."), &buf) == 5);
    assert_true(ruby_to_f(STR("-.5"), &buf) == -0.5);
    assert_true(ruby_to_f(STR("1.5abc"), &buf) == 1.5);
    assert_true(ruby_to_f(STR("1_0.5"), &buf) == 10.5);
    assert_true(ruby_to_f(STR("0x1A"), &buf) == 0);
    assert_true(ruby_to_f(STR("  2.5"), &buf) == 2.5);
    assert_true(ruby_to_f(STR("Infinity"), &buf) == 0);
    assert_true(ruby_to_f(STR("abc"), &buf) == 0);
    assert_true(ruby_to_f(STR(""), &buf) == 0);
    assert_true(ruby_to_f(STR("2e"), &buf) == 2);
    assert_true(ruby_to_f(STR("1.7976931348623159e309"), &buf) > 1.7976931348623157e308);
}

static void whole_doubles(void **state)
{
    (void)state;
    buf_clear(&buf);
    ruby_to_s(ruby_integer(&arena, 10376293541461622784.0), &buf);
    equals(buf_view(&buf), "10376293541461622784");
    assert_int_equal(ruby_integer(&arena, -9223372036854775808.0).as.i, INT64_MIN);
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    buf_release(&buf);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_text),
        cmocka_unit_test(joins),
        cmocka_unit_test(splits),
        cmocka_unit_test(strips),
        cmocka_unit_test(integers),
        cmocka_unit_test(floats),
        cmocka_unit_test(whole_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
