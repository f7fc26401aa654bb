/* CSV: rows as Ruby 3.1's CSV.parse_line and CSV.generate_line give them; filter and codec as
   logstash-filter-csv and logstash-codec-csv document them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/codec_fixture.h"
#include "tests/filter_fixture.h"
#include "text/csv.h"

static const struct csv_dialect commas = {{",", 1}, {"\"", 1}};

static void reads_a_row(void **state)
{
    /* NULL: malformed. */
    static const char *const rows[][2] = {
        {"a,b\nc", "[\"a\",\"b\"]"},
        {"\n", "[]"},
        {"a,", "[\"a\",null]"},
        {",", "[null,null]"},
        {"\"\"", "[\"\"]"},
        {"  ", "[\"  \"]"},
        {"a\rb,c", "[\"a\"]"},
        {"a\r\nb\nc", "[\"a\"]"},
        {"\"a\"\r\n", "[\"a\"]"},
        {"a,\"b\nc\"\nd", "[\"a\",\"b\\nc\"]"},
        {"\"a\rb\",c", "[\"a\\rb\",\"c\"]"},
        {"\"a \"\"q\"\"\",\"\"\"\"", "[\"a \\\"q\\\"\",\"\\\"\"]"},
        {"\"a\"b,c", NULL},
        {"\"a\" ,b", NULL},
        {"a,\"b", NULL},
        {" \"x\"", NULL},
        {"a,b\"c", NULL},
        {"\"x\r\ny\",a\nb", NULL},
    };
    struct arena a = {0};
    struct buf   shown = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct csv_row  row;
        const char     *problem = NULL;
        size_t          at = 0;
        enum csv_result r = csv_read(&commas, &a, &a, str_of(rows[i][0]), &at, &row, &problem);
        if ((r == CSV_ROW) != (rows[i][1] != NULL)) fail_msg("%s", rows[i][0]);
        if (r != CSV_ROW) {
            assert_non_null(problem);
            continue;
        }
        struct list l = {.len = row.len, .items = row.at};
        buf_clear(&shown);
        json_encode(value_list(&l), &shown);
        assert_string_equal(buf_cstr(&shown), rows[i][1]);
    }
    buf_release(&shown);
    arena_release(&a);
}

static void writes_values(void **state)
{
    static const char *const values[][2] = {
        {"null", ""},
        {"\"\"", "\"\""},
        {"\"a,b\"", "\"a,b\""},
        {"\"q\\\"q\"", "\"q\"\"q\""},
        {"\" a\"", " a"},
        {"\"x\\ny\"", "\"x\ny\""},
        {"1", "1"},
        {"1.5", "1.5"},
        {"true", "true"},
        {"[1]", "[1]"},
        {"{\"a\":1}", "\"{\"\"a\"\"=>1}\""},
    };
    struct arena a = {0};
    struct buf   out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct value v;
        assert_true(json_decode(&a, str_of(values[i][0]), NULL, &v, NULL));
        buf_clear(&out);
        csv_write(&commas, v, &out);
        assert_string_equal(buf_cstr(&out), values[i][1]);
    }
    buf_release(&out);
    arena_release(&a);
}

static void one(const char *config, const char *in, const char *out)
{
    struct filter_fixture f;

    if (!filter_fixture_open(&f, config, ECS_DISABLED)) fail_msg("refused: %s", config);
    assert_true(filter_fixture_run(&f, in));
    if (!filter_fixture_is(&f, out))
        fail_msg("%s with %s gave %s, not %s", config, in, filter_fixture_json(&f), out);
    filter_fixture_close(&f);
}

static void refused(const char *config)
{
    struct filter_fixture f;

    if (filter_fixture_open(&f, config, ECS_DISABLED)) fail_msg("accepted: %s", config);
    assert_true(f.diags.errors > 0);
    filter_fixture_close(&f);
}

#define CONVERT(type)                                                                              \
    "csv { source => \"m\" remove_field => \"m\" convert => { \"column1\" => \"" type "\" } }"

/* Source: CSV::Converters, Kernel#Integer, Kernel#Float. */
static void converts(void **state)
{
    (void)state;
    one(CONVERT("integer"), "{\"m\":\" 1_000 \"}", "{\"column1\":1000}");
    one(CONVERT("integer"), "{\"m\":\"-0x1F\"}", "{\"column1\":-31}");
    one(CONVERT("integer"), "{\"m\":\"010\"}", "{\"column1\":8}");
    one(CONVERT("integer"), "{\"m\":\"08\"}", "{\"column1\":\"08\"}");
    one(CONVERT("integer"), "{\"m\":\"1__0\"}", "{\"column1\":\"1__0\"}");
    one(CONVERT("integer"), "{\"m\":\"99999999999999999999\"}",
        "{\"column1\":99999999999999999999}");
    one(CONVERT("float"), "{\"m\":\"1e3\"}", "{\"column1\":1000.0}");
    one(CONVERT("float"), "{\"m\":\"1.\"}", "{\"column1\":\"1.\"}");
    one(CONVERT("boolean"), "{\"m\":\" TRUE\"}", "{\"column1\":true}");
    one(CONVERT("boolean"), "{\"m\":\"Yes \"}", "{\"column1\":\"yes\"}");
    one(CONVERT("boolean"), "{\"m\":\",x\"}", "{\"column1\":null,\"column2\":\"x\"}");
    one(CONVERT("date_time"), "{\"m\":\"2021-02-03 04:05:06\"}",
        "{\"column1\":\"2021-02-03T04:05:06.000Z\"}");
    one(CONVERT("date_time"), "{\"m\":\"2021-02-03T04:05:06+01:00\"}",
        "{\"column1\":\"2021-02-03T03:05:06.000Z\"}");
    one(CONVERT("date_time"), "{\"m\":\"2021\"}", "{\"column1\":\"2021\"}");
    one(CONVERT("date"), "{\"m\":\"Feb 3 2021\"}", "{\"column1\":\"2021-02-03T00:00:00.000Z\"}");
    one(CONVERT("date"), "{\"m\":\"2021-02-30\"}", "{\"column1\":\"2021-02-30\"}");
}

static void refuses_bad_settings(void **state)
{
    (void)state;
    refused("csv { separator => \"\" }");
    refused("csv { quote_char => \"ab\" }");
    refused("csv { quote_char => \"\" }");
    refused("csv { columns => [\"[a\"] }");
    refused("csv { convert => { \"a\" => \"number\" } }");
}

static void leaves_columns_out(void **state)
{
    (void)state;
    one("csv { source => \"m\" remove_field => \"m\" skip_empty_columns => true }",
        "{\"m\":\"a,,\\\"\\\",d\"}", "{\"column1\":\"a\",\"column4\":\"d\"}");
    one("csv { source => \"m\" remove_field => \"m\" autogenerate_column_names => false columns => "
        "[\"x\"] }",
        "{\"m\":\"a,b\"}", "{\"x\":\"a\"}");
}

static void many_columns_have_names(void **state)
{
    struct filter_fixture f;
    struct arena          a = {0};
    struct buf            text = {0};

    (void)state;
    buf_str(&text, STR("{\"message\":\"0"));
    for (int i = 1; i < 1000; i++)
        buf_printf(&text, ",%d", i);
    buf_str(&text, STR("\"}"));
    assert_true(filter_fixture_open(&f, "csv { }", ECS_DISABLED));
    assert_true(filter_fixture_run(&f, buf_cstr(&text)));
    struct value *v = event_get_key(f.event, key_make(STR("column1000")));
    assert_non_null(v);
    assert_true(str_eq(value_str(*v), STR("999")));
    filter_fixture_close(&f);
    buf_release(&text);
    arena_release(&a);
}

/* Each connection or file has a header of its own. */
static void codec_detects_names(void **state)
{
    static struct codec_fixture f;

    (void)state;
    assert_true(codec_fixture_open(&f, "csv { autodetect_column_names => true }", ECS_V8));
    codec_fixture_read(&f, STR("a,b\r\n1,2\r\n3,4\r\n"));
    assert_int_equal(f.len, 2);
    assert_true(event_get_key(f.events[1], key_make(STR("b"))) != NULL);
    struct value *original =
        map_get(event_get_key(f.events[1], names.event)->as.map, names.original);
    assert_true(str_eq(value_str(*original), STR("3,4")));
    codec_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_row),
        cmocka_unit_test(writes_values),
        cmocka_unit_test(converts),
        cmocka_unit_test(refuses_bad_settings),
        cmocka_unit_test(leaves_columns_out),
        cmocka_unit_test(many_columns_have_names),
        cmocka_unit_test(codec_detects_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
