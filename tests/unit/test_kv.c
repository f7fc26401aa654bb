/* key=value text: what the documentation of logstash-filter-kv says and the cases show; that the
   scanner and the regular expression agree is fuzz_kv's business. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/filter_fixture.h"
#include "text/char_class.h"
#include "text/kv.h"

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

static void refuses_bad_settings(void **state)
{
    (void)state;
    refused("kv { value_split => \"\" }");
    refused("kv { field_split => \"\" }");
    refused("kv { field_split_pattern => \"\" }");
    refused("kv { field_split_pattern => \"(\" }");
    refused("kv { trim_key => \"[\" }");
    refused("kv { whitespace => \"lax\" }");
    refused("kv { transform_key => \"title\" }");
}

static void keeps_or_drops_what_comes_twice(void **state)
{
    (void)state;
    one("kv { remove_field => \"m\" source => \"m\" }", "{\"m\":\"a=1 a=2 a=1\"}",
        "{\"a\":[\"1\",\"2\",\"1\"]}");
    one("kv { remove_field => \"m\" source => \"m\" allow_duplicate_values => false }",
        "{\"m\":\"a=12 a=2 a=12\"}", "{\"a\":[\"12\",\"2\"]}");
}

static void reads_lists(void **state)
{
    (void)state;
    one("kv { remove_field => \"m\" source => \"m\" }", "{\"m\":[\"a=1\",\"a=2 b=3\"]}",
        "{\"a\":[\"1\",\"2\"],\"b\":\"3\"}");
}

static void empties_count_when_allowed(void **state)
{
    (void)state;
    one("kv { remove_field => \"m\" source => \"m\" field_split => \"&\" allow_empty_values => "
        "true }",
        "{\"m\":\"a=&b=&c=\"}", "{\"a\":\"\",\"b\":\"\",\"c\":\"\"}");
    one("kv { remove_field => \"m\" source => \"m\" whitespace => strict allow_empty_values => "
        "true }",
        "{\"m\":\"a= b=1\"}", "{\"a\":\"\",\"b\":\"1\"}");
}

static void edits_beyond_ascii(void **state)
{
    (void)state;
    one("kv { remove_field => \"m\" source => \"m\" trim_value => \"«»\" transform_key => "
        "\"capitalize\" }",
        "{\"m\":\"élan=«à»\"}", "{\"Élan\":\"à\"}");
    one("kv { remove_field => \"m\" source => \"m\" remove_char_value => \"a-c\" trim_key => \"-\" "
        "}",
        "{\"m\":\"--k-=xabcy\"}", "{\"k\":\"xy\"}");
}

/* A value may hold a value that holds a value …: 64 levels are looked into. */
static void recursion_ends(void **state)
{
    struct filter_fixture f;
    struct arena          a = {0};
    struct str            text = STR("{\"m\":\"k");

    (void)state;
    for (int i = 0; i < 1000; i++)
        text = arena_printf(&a, "%.*s=k", STR_ARG(text));
    text = arena_printf(&a, "%.*s\"}", STR_ARG(text));
    assert_true(filter_fixture_open(&f, "kv { source => \"m\" recursive => true }", ECS_DISABLED));
    assert_true(filter_fixture_run(&f, arena_cstr(&a, text)));
    int           depth = 0;
    struct value *v = event_get_key(f.event, key_make(STR("k")));
    for (; v && v->kind == VALUE_MAP; depth++)
        v = map_get(v->as.map, key_make(STR("k")));
    assert_int_equal(depth, 64);
    filter_fixture_close(&f);
    arena_release(&a);
}

static void time_limit_tags(void **state)
{
    struct filter_fixture f;

    (void)state;
    assert_true(filter_fixture_open(
        &f,
        "kv { source => \"m\" value_split_pattern => \"(x+x+)+[yz]\" tag_on_timeout => \"slow\" }",
        ECS_DISABLED));
    assert_true(filter_fixture_run(
        &f,
        "{\"m\":\"axxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}"));
    assert_true(strstr(filter_fixture_json(&f), "\"tags\":[\"slow\"]") != NULL);
    assert_int_equal(f.failures, 1);
    filter_fixture_close(&f);
}

static void scans_without_a_regex_where_it_can(void **state)
{
    struct arena       a = {0};
    struct regex_error error;
    struct kv_syntax   s;
    struct kv_rules    rules = {.field_split = STR(" "), .value_split = STR("="), .lenient = true};

    (void)state;
    assert_true(kv_compile(&s, &a, &rules, &error));
    assert_true(kv_is_plain(&s, STR("a=1")));
    assert_false(kv_is_plain(&s, STR("a=\"\\\"\"")));
    kv_release(&s);
    static const char *const not_plain[] = {"^a", "é", "\\w", "[:space:]", "a&&b"};
    for (size_t i = 0; i < sizeof(not_plain) / sizeof(not_plain[0]); i++) {
        rules.field_split = str_of(not_plain[i]);
        if (!kv_compile(&s, &a, &rules, &error)) fail_msg("%s: %s", not_plain[i], error.message);
        if (s.plain) fail_msg("%s", not_plain[i]);
        kv_release(&s);
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_settings),
        cmocka_unit_test(keeps_or_drops_what_comes_twice),
        cmocka_unit_test(reads_lists),
        cmocka_unit_test(empties_count_when_allowed),
        cmocka_unit_test(edits_beyond_ascii),
        cmocka_unit_test(recursion_ends),
        cmocka_unit_test(time_limit_tags),
        cmocka_unit_test(scans_without_a_regex_where_it_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
