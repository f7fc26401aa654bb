/* Dissections: what the documentation of logstash-filter-dissect says, and its own test texts where
   the conformance cases do not reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/filter_fixture.h"
#include "text/dissect.h"

static void gives(const char *mapping, const char *text, const char *out)
{
    struct filter_fixture f;
    struct arena          a = {0};
    struct str            config =
        arena_printf(&a, "dissect { mapping => { \"m\" => '%s' } remove_field => \"m\" }", mapping);
    struct str in = arena_printf(&a, "{\"m\":\"%s\"}", text);

    if (!filter_fixture_open(&f, arena_cstr(&a, config), ECS_DISABLED))
        fail_msg("refused: %s", mapping);
    assert_true(filter_fixture_run(&f, arena_cstr(&a, in)));
    if (!filter_fixture_is(&f, out))
        fail_msg("%s of %s gave %s, not %s", mapping, text, filter_fixture_json(&f), out);
    filter_fixture_close(&f);
    arena_release(&a);
}

static void refused(const char *config)
{
    struct filter_fixture f;

    if (filter_fixture_open(&f, config, ECS_DISABLED)) fail_msg("accepted: %s", config);
    assert_int_equal(f.diags.errors, 1);
    filter_fixture_close(&f);
}

static void cuts(void **state)
{
    (void)state;
    gives("/var/%{key}/log", "/var/foobar/log", "{\"key\":\"foobar\"}");
    gives("/var/%{key}/log/%{key1}.log", "/var/foobar/log/apache.log",
          "{\"key\":\"foobar\",\"key1\":\"apache\"}");
    gives("/var/%{key}", "/opt/foobar", "{\"m\":\"/opt/foobar\",\"tags\":[\"_dissectfailure\"]}");
    gives("%{name},%{addr1},%{addr2},%{addr3},%{city},%{zip}",
          "Jane Doe,4321 Fifth Avenue,,,New York,87432",
          "{\"addr1\":\"4321 Fifth Avenue\",\"addr2\":\"\",\"addr3\":\"\",\"city\":\"New "
          "York\",\"name\":\"Jane Doe\",\"zip\":\"87432\"}");
    gives("%{id} %{function->} %{server}", "00000043 ViewReceive     machine-321",
          "{\"function\":\"ViewReceive\",\"id\":\"00000043\",\"server\":\"machine-321\"}");
    gives("[%{[a][b]}] %{->} %{c}", "[x] skipped    rest", "{\"a\":{\"b\":\"x\"},\"c\":\"rest\"}");
}

static void appends(void **state)
{
    (void)state;
    gives("%{+a/2} %{+a/1} %{+a/4} %{+a/3}", "1 2 3 go", "{\"a\":\"2 1 go 3\"}");
    gives("%{a} %{b} %{+a}", "1 2 3 go", "{\"a\":\"1 3 go\",\"b\":\"2\"}");
    gives("%{a->} %{+a/1->} %{b}", "1   2   3", "{\"a\":\"1 2\",\"b\":\"3\"}");
}

static void names_by_values(void **state)
{
    (void)state;
    gives("error: %{?err}, %{&err}", "error: some_error, some_description",
          "{\"some_error\":\"some_description\"}");
    gives("%{?a}: %{&a}", "[x: 1", "{\"m\":\"[x: 1\",\"tags\":[\"_dissectfailure\"]}");
}

static void refuses_bad_settings(void **state)
{
    (void)state;
    refused("dissect { mapping => { \"m\" => \"no fields\" } }");
    refused("dissect { mapping => { \"m\" => \"\" } }");
    refused("dissect { mapping => { \"m\" => \"%{+} %{b}\" } }");
    refused("dissect { mapping => { \"m\" => \"%{+&a} %{b}\" } }");
    refused("dissect { mapping => { \"m\" => \"%{[a} %{b}\" } }");
    refused("dissect { mapping => { \"[m\" => \"%{a} %{b}\" } }");
    refused("dissect { convert_datatype => { \"a\" => \"integer\" } }");
}

static void number(enum dissect_type type, const char *text, const char *json)
{
    struct arena a = {0};
    struct buf   buf = {0}, shown = {0};
    struct value v;
    bool         good = dissect_number(type, str_of(text), &a, &buf, &v);

    if (good) json_encode(v, &shown);
    if (good != (json != NULL) || (good && strcmp(buf_cstr(&shown), json) != 0))
        fail_msg("%s gave %s", text, good ? buf_cstr(&shown) : "nothing");
    buf_release(&buf);
    buf_release(&shown);
    arena_release(&a);
}

/* Source: java.math.BigDecimal(String), toBigInteger. */
static void reads_numbers(void **state)
{
    (void)state;
    number(DISSECT_INT, "-42", "-42");
    number(DISSECT_INT, "+1.99e2", "199");
    number(DISSECT_INT, "1.5e3", "1500");
    number(DISSECT_INT, "123e-2", "1");
    number(DISSECT_INT, "5e-9", "0");
    number(DISSECT_INT, "123456789012345678901234567890", "123456789012345678901234567890");
    number(DISSECT_INT, "1e999999999", NULL);
    number(DISSECT_INT, " 1", NULL);
    number(DISSECT_INT, "0x10", NULL);
    number(DISSECT_INT, ".", NULL);
    number(DISSECT_INT, "", NULL);
    number(DISSECT_FLOAT, "1.25", "1.25");
    number(DISSECT_FLOAT, ".5", "0.5");
    number(DISSECT_FLOAT, "5.", "5.0");
    number(DISSECT_FLOAT, "-1E2", "-100.0");
    number(DISSECT_FLOAT, "NaN", NULL);
    number(DISSECT_FLOAT, "1,5", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts),
        cmocka_unit_test(appends),
        cmocka_unit_test(names_by_values),
        cmocka_unit_test(refuses_bad_settings),
        cmocka_unit_test(reads_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
