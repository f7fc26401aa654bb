/* Dictionaries and the files they come from. Expected: YAML 1.1 as Ruby's Psych reads it, RFC 4180,
   RFC 8259. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/json.h"
#include "text/dictionary.h"
#include "text/yaml.h"

/* ---- the table ---- */

static void holds_a_million(void **state)
{
    enum { MANY = 1000 * 1000 };
    struct dictionary *d = dictionary_new();

    (void)state;
    for (int i = 0; i < MANY; i++) {
        struct str key = arena_printf(&d->arena, "/var/log/%d/messages", i);
        assert_true(dictionary_put(d, key, value_int(i)));
    }
    assert_int_equal(d->len, MANY);
    for (int i = 0; i < MANY; i += 997) {
        struct str key = arena_printf(&d->arena, "/var/log/%d/messages", i);
        assert_int_equal(dictionary_get(d, key)->as.i, i);
        assert_int_equal(dictionary_find(d, key), i);
    }
    assert_null(dictionary_get(d, STR("/var/log/1000000/messages")));
    assert_null(dictionary_get(d, STR("")));
    dictionary_free(d);
}

static void merges(void **state)
{
    struct dictionary *a = dictionary_new(), *b = dictionary_new();

    (void)state;
    dictionary_put(a, STR("x"), value_int(1));
    dictionary_put(a, STR("y"), value_int(2));
    dictionary_put(b, STR("x"), value_int(0));
    assert_true(dictionary_merge(b, a));
    dictionary_free(a);
    assert_int_equal(b->len, 2);
    assert_int_equal(dictionary_get(b, STR("x"))->as.i, 1);
    assert_int_equal(dictionary_get(b, STR("y"))->as.i, 2);
    dictionary_free(b);
}

/* ---- files ---- */

/* The dictionary as JSON, or the error. */
static void reads(enum dictionary_format format, const char *text, const char *expected)
{
    struct dictionary      *d = dictionary_new();
    struct dictionary_error error;
    struct buf              got = {0};
    uint32_t                passed_over = 0;
    struct str              copy = arena_copy(&d->arena, str_of(text));

    if (!dictionary_parse(d, copy, format, &passed_over, &error)) {
        buf_str(&got, str_of(error.text));
    } else {
        for (uint32_t i = 0; i < d->len; i++) {
            buf_str(&got, key_str(d->entries[i].key));
            buf_char(&got, '=');
            json_encode(d->entries[i].value, &got);
            buf_char(&got, ';');
        }
        if (passed_over) buf_printf(&got, "-%u", passed_over);
    }
    assert_string_equal(buf_cstr(&got), expected);
    buf_release(&got);
    dictionary_free(d);
}

static void reads_csv(void **state)
{
    (void)state;
    reads(DICTIONARY_CSV, "", "");
    reads(DICTIONARY_CSV, "a,b\nc,d", "a=\"b\";c=\"d\";");
    reads(DICTIONARY_CSV,
          "\xEF\xBB\xBF"
          "a,b\r\n\r\nc,d,e\r\n",
          "a=\"b\";c=\"d\";");
    reads(DICTIONARY_CSV, "\"a,\"\"1\"\"\",\"x\ny\"\nb,\"\"\nc,\nd\n,e\n",
          "a,\"1\"=\"x\\ny\";b=\"\";c=null;d=null;");
    reads(DICTIONARY_CSV, "a,1\na,2\n", "a=\"2\";");
    reads(DICTIONARY_CSV, "a,b\nc,\"d", "line 2: a quote has no end");
    reads(DICTIONARY_CSV, "\"a\"b,c", "line 1: text behind a closing quote");
    reads(DICTIONARY_CSV, "a,b\"c", "line 1: a quote inside a field");
    reads(DICTIONARY_CSV, "a,\xFF", "not UTF-8, at byte 2");
}

static void reads_json(void **state)
{
    (void)state;
    reads(DICTIONARY_JSON, "{\"a\":2,\"c\":{\"d\":[1]}}", "a=2;c={\"d\":[1]};");
    reads(DICTIONARY_JSON, "[1]", "not a JSON object");
}

static void reads_yaml(void **state)
{
    (void)state;
    reads(DICTIONARY_YAML, "", "");
    reads(DICTIONARY_YAML, "---\n", "");
    reads(DICTIONARY_YAML, "a: b\n'1': \"2\"\n1: c\nyes: d\n~: e\n2024-01-31: f\n'2024-01-31': g\n",
          "a=\"b\";1=\"2\";2024-01-31=\"g\";-4");
    reads(DICTIONARY_YAML, "a: {b: [1, 2.5, yes, ~, x]}\n", "a={\"b\":[1,2.5,true,null,\"x\"]};");
    reads(DICTIONARY_YAML, "a: &x 5\nb: *x\n", "a=5;b=5;");
    reads(DICTIONARY_YAML, "a: |\n  one\n  two\nb: !!str 5\n", "a=\"one\\ntwo\\n\";b=\"5\";");
    reads(DICTIONARY_YAML, "a: &x [1]\nb: *x\n",
          "line 2: an alias may not stand for a list or map");
    reads(DICTIONARY_YAML, "- a\n", "line 1: not a map");
    reads(DICTIONARY_YAML, "a: [b\n", "line 2: did not find expected ',' or ']'");
}

/* ---- scalars: Psych's scalar_scanner.rb ---- */

static void scalar(const char *text, const char *json)
{
    struct arena a = {0};
    struct buf   got = {0};

    json_encode(yaml_scalar(&a, arena_copy(&a, str_of(text))), &got);
    assert_string_equal(buf_cstr(&got), json);
    buf_release(&got);
    arena_release(&a);
}

static void reads_scalars(void **state)
{
    static const char *const same[] = {"text",        "1e3", "1.5e3",    "08",    "-", ".",
                                       "10.0.0.1",    "0x",  "0xg",      "1.2.3", "+", "yesterday",
                                       "2001:db8::1", "0b2", "5 apples", NULL};

    (void)state;
    for (int i = 0; same[i]; i++) {
        char quoted[40];
        snprintf(quoted, sizeof(quoted), "\"%s\"", same[i]);
        scalar(same[i], quoted);
    }
    scalar("", "null"), scalar("~", "null"), scalar("Null", "null");
    scalar("on", "true"), scalar("TRUE", "true"), scalar("Off", "false");
    scalar("0", "0"), scalar("-17", "-17"), scalar("1_000", "1000"), scalar("1,000", "1000");
    scalar("017", "15"), scalar("0x1F", "31"), scalar("-0b101", "-5"), scalar("+5", "5");
    scalar("123456789012345678901234567890", "123456789012345678901234567890");
    scalar("1.5", "1.5"), scalar("1.", "1.0"), scalar(".5", "0.5"), scalar("1.5e+3", "1500.0");
    scalar(".inf", "\"Infinity\""), scalar("-.INF", "\"-Infinity\""), scalar(".nan", "\"NaN\"");
    scalar("2024-01-02 03:04:05", "\"2024-01-02T03:04:05.000Z\"");
    scalar("2024-01-02T03:04:05+02:00", "\"2024-01-02T01:04:05.000Z\"");
    scalar("2024-01-02 03:04:05.5 -01:00", "\"2024-01-02T04:04:05.500Z\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_a_million), cmocka_unit_test(merges),
        cmocka_unit_test(reads_csv),       cmocka_unit_test(reads_json),
        cmocka_unit_test(reads_yaml),      cmocka_unit_test(reads_scalars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
