#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/json.h"
#include "event/template.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    event_names_init();
    return 0;
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct event *event_of(const char *json)
{
    struct value v;

    if (!json_decode(&arena, str_of(json), NULL, &v, NULL)) fail_msg("%s", json);
    return event_from_map(&arena, v.as.map, (struct timestamp){0, 0});
}

static const struct template *parse(const char *text)
{
    const char            *problem;
    size_t                 at;
    bool                   fatal;
    const struct template *t = template_parse(&arena, str_of(text), &problem, &at, &fatal);

    if (fatal) fail_msg("%s: %s", text, problem);
    return t;
}

static void expect(const char *json, const char *text, const char *want)
{
    struct event          *ev = event_of(json);
    const struct template *t = parse(text);
    struct buf             out = {0};

    template_render(t, ev, &out);
    assert_string_equal(buf_cstr(&out), want);
    if (!str_is(template_str(t, ev), want)) fail_msg("template_str of %s", text);
    buf_release(&out);
}

#define AT "{\"@timestamp\":\"2024-03-09T08:07:06.543Z\","

/* Expected texts: conformance cases sprintf-0001 … sprintf-0107. */
static void renders_fields(void **state)
{
    (void)state;
    expect(AT "\"a\":\"str\"}", "<%{a}>", "<str>");
    expect(AT "\"a\":\"\"}", "<%{a}>", "<>");
    expect(AT "\"a\":1.0}", "<%{a}>", "<1.0>");
    expect(AT "\"a\":false}", "<%{a}>", "<false>");
    expect(AT "\"a\":null}", "<%{a}>", "<%{a}>");
    expect(AT "\"b\":1}", "<%{a}>", "<%{a}>");
    expect(AT "\"a\":{\"k\":{\"l\":[1,null]}}}", "<%{a}>", "<{\"k\":{\"l\":[1,null]}}>");
    expect(AT "\"a\":[{\"k\":1},\"s\"]}", "<%{a}>", "<{k=1},s>");
    expect(AT "\"a\":{\"b\":{\"c\":1}},\"a.b\":\"dot\"}",
           "%{[a][b]}|%{[a][b][c]}|%{[a][x]}|%{a.b}|%{[a.b]}|%{[a][0]}",
           "{\"c\":1}|1|%{[a][x]}|dot|dot|%{[a][0]}");
    expect(AT "\"l\":[\"p\",\"q\",\"r\"]}", "%{[l][0]}|%{[l][-1]}|%{[l][7]}|%{[l][x]}|%{[l]}",
           "p|r|%{[l][7]}|%{[l][x]}|p,q,r");
    expect(AT "\"a\":1}", "<%{@timestamp}>", "<2024-03-09T08:07:06.543Z>");
}

static void takes_odd_text_as_it_is(void **state)
{
    (void)state;
    expect(AT "\"a\":1,\" a \":2}", "%{}|%{ }|%{ a }|%{a }", "1709971626|%{ }|2|%{a }");
    expect(AT "\"a\":1}", "x%{a", "x%{a");
    expect(AT "\"a\":1}", "%{a}}|{%{a}}|{a}|$%{a}|%a|%%{a}|%", "1}|{1}|{a}|$1|%a|%1|%");
    expect(AT "\"a\":\"b\",\"b\":\"c\"}", "%{%{a}}", "%{%{a}}");
    expect(AT "\"a\":1}", "%{a}%{a}%{b}", "11%{b}");
    expect(AT "\"a\":1}", "%{\"a\"}", "%{\"a\"}");
    expect(AT "\"a\":1}", "100%", "100%");
    expect(AT "\"a\":1}", "", "");
}

static void renders_times(void **state)
{
    (void)state;
    expect(AT "\"a\":1}", "%{+YYYY.MM.dd}", "2024.03.09");
    expect(AT "\"a\":1}", "<%{+%s}><%{+}><%{+s}>", "<1709971626><1709971626><6>");
    expect(AT "\"a\":1}", "<%{{yyyy-MM-dd}}>", "<2024-03-09>");
    expect(AT "\"a\":1}", "<%{{yyyy}}}>", "<2024}>");
    expect("{\"@timestamp\":\"1969-12-31T23:59:59.500Z\"}", "<%{+%s}>", "<-1>");
    clock_fix((struct timestamp){1709971626, 123000000});
    expect(AT "\"a\":1}", "<%{{TIME_NOW}}>", "<2024-03-09T08:07:06.123Z>");
}

static void without_a_timestamp_dates_are_empty(void **state)
{
    struct event *ev = event_new(&arena);
    struct buf    out = {0};

    (void)state;
    template_render(parse("a%{+YYYY}b%{{yyyy}}c%{+%s}d"), ev, &out);
    assert_string_equal(buf_cstr(&out), "abcd");
    buf_release(&out);
}

static void says_what_is_wrong_and_where(void **state)
{
    const char *problem;
    size_t      at;
    bool        fatal;

    (void)state;
    template_parse(&arena, STR("ab%{+yyyy.b}"), &problem, &at, &fatal);
    assert_non_null(problem);
    assert_true(fatal);
    assert_int_equal(at, 5);
    template_parse(&arena, STR("ab%{{j}}"), &problem, &at, &fatal);
    assert_true(fatal);
    template_parse(&arena, STR("ab%{[a}"), &problem, &at, &fatal);
    assert_non_null(problem);
    assert_false(fatal);
    template_parse(&arena, STR("ab%{a}"), &problem, &at, &fatal);
    assert_null(problem);
    assert_false(fatal);
}

static void knows_its_parts(void **state)
{
    struct str text;

    (void)state;
    assert_true(template_constant(parse("a%b"), &text));
    assert_true(str_is(text, "a%b"));
    assert_false(template_constant(parse("a%{b}"), &text));
    assert_true(str_is(template_source(parse("a%{b}")), "a%{b}"));
    assert_true(str_is(template_field(parse("%{[a][b]}"))->text, "[a][b]"));
    assert_null(template_field(parse("x%{b}")));
    assert_null(template_field(parse("x")));
    assert_true(str_is(template_static_prefix(parse("/var/%{b}/c")), "/var/"));
    assert_true(str_is(template_static_prefix(parse("%{b}/c")), ""));
    assert_true(str_is(template_static_prefix(parse("/var/log")), "/var/log"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(renders_fields, release),
        cmocka_unit_test_teardown(takes_odd_text_as_it_is, release),
        cmocka_unit_test_teardown(renders_times, release),
        cmocka_unit_test_teardown(without_a_timestamp_dates_are_empty, release),
        cmocka_unit_test_teardown(says_what_is_wrong_and_where, release),
        cmocka_unit_test_teardown(knows_its_parts, release),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
