/* Conditions. Expected truth: cases conditional and language of a real Logstash 8.9.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/log.h"
#include "event/json.h"
#include "grammar/parse.h"
#include "program/cond.h"

static struct arena arena;

/* NULL when it is refused. */
static const struct cond *compile(const char *text)
{
    struct source       *source = arena_alloc(&arena, sizeof(*source));
    struct parse_options options = {.support_escapes = false};
    struct ast_config    config = {0};
    struct diags         d = {.quiet = true};
    struct plugin_open   cx = {.arena = &arena, .diags = &d};

    *source = (struct source){"t", arena_printf(&arena, "filter { if %s { } }", text)};
    if (!parse_source(&arena, source, &options, &config, &d)) return NULL;
    return cond_compile(config.sections[0].block.statements[0].arms[0].condition, &cx);
}

static bool holds(const char *text, const char *json)
{
    const struct cond *c = compile(text);
    struct value       v;

    if (!c) fail_msg("%s was refused", text);
    if (!json_decode(&arena, str_of(json), NULL, &v, NULL)) fail_msg("%s is not JSON", json);
    struct event *ev = event_from_map(&arena, v.as.map, (struct timestamp){.sec = 1});
    bool          result = cond_eval(c, ev);
    cond_free(c);
    return result;
}

struct row {
    const char *condition, *event;
    bool        expected;
};

static void check(const struct row *rows)
{
    for (; rows->condition; rows++)
        if (holds(rows->condition, rows->event) != rows->expected)
            fail_msg("%s of %s is not %d", rows->condition, rows->event, rows->expected);
}

static void truth(void **state)
{
    static const struct row rows[] = {
        {"[a]", "{}", false},
        {"[a]", "{\"a\":null}", false},
        {"[a]", "{\"a\":0}", true},
        {"[a]", "{\"a\":\"\"}", false},
        {"[a]", "{\"a\":false}", false},
        {"[a]", "{\"a\":\"false\"}", false},
        {"[a]", "{\"a\":[]}", true},
        {"[a]", "{\"a\":{}}", true},
        {"[n][m]", "{\"n\":5}", false},
        {"[@metadata]", "{}", true},
        {"\"x\"", "{}", true},
        {"0", "{}", true},
        {"!([a])", "{}", true},
        {0},
    };

    (void)state;
    check(rows);
}

static void equality(void **state)
{
    static const struct row rows[] = {
        {"[a] == 1", "{\"a\":1}", true},
        {"[a] == 1", "{\"a\":1.0}", false},
        {"[a] == 1", "{\"a\":\"1\"}", false},
        {"[a] != 1", "{}", true},
        {"[a] == \"1\"", "{\"a\":\"1\"}", true},
        {"[a] == [b]", "{\"a\":1,\"b\":1.0}", false},
        {"[a] == [b]", "{\"a\":[1],\"b\":[1]}", true},
        {"[a] == [b]", "{\"a\":[1],\"b\":[1.0]}", false},
        {"[a] == [b]", "{\"a\":{\"k\":1},\"b\":{\"k\":1}}", true},
        {"[a] == [b]", "{\"a\":null}", true},
        {"[a] == [b]", "{}", true},
        {"[a] == [\"x\", \"y\"]", "{\"a\":\"x\"}", true},
        {"[a] == [\"x\", \"y\"]", "{\"a\":[\"x\",\"y\"]}", false},
        {"[@timestamp] == [b]", "{\"b\":\"1970-01-01T00:00:01.000Z\"}", false},
        {"[a][-2] == \"z\"", "{\"a\":[\"z\",\"a\"]}", true},
        {"1 == 1.0", "{}", false},
        {0},
    };

    (void)state;
    check(rows);
}

static void membership(void **state)
{
    static const struct row rows[] = {
        {"[a] in [\"200\", \"x\"]", "{\"a\":200}", true},
        {"[a] in [\"abc\", \"1\", 1]", "{\"a\":1.0}", false},
        {"[a] in [\"x\", 1.5]", "{\"a\":1.5}", true},
        {"[a] in [1, 2]", "{\"a\":2.0}", false},
        {"[a] in [\"x\", \"y\"]", "{\"a\":[\"x\"]}", false},
        {"[a] in [\"x\"]", "{\"a\":\"x\"}", true},
        {"[a] in [\"x\"]", "{\"a\":\"axb\"}", false},
        {"[a] not in [\"x\"]", "{}", true},
        {"[a] in []", "{\"a\":\"\"}", false},
        {"[a] in [[bb], \"lit\"]", "{\"a\":\"bb\"}", false},
        {"\"x\" in [a]", "{\"a\":\"axb\"}", true},
        {"\"x\" in [a]", "{\"a\":[\"axb\"]}", false},
        {"\"x\" in [a]", "{\"a\":[\"x\"]}", true},
        {"1 in [a]", "{\"a\":1}", false},
        {"1 in [a]", "{\"a\":[1,2]}", true},
        {"[a] in [b]", "{\"a\":\"x\",\"b\":\"axb\"}", true},
        {"[a] in [b]", "{\"a\":1,\"b\":[\"1\"]}", false},
        {"[a] in [b]", "{\"a\":5,\"b\":5}", true},
        {"[a] in [b]", "{\"a\":null,\"b\":[null]}", true},
        {"[a] in [b]", "{\"a\":[\"x\"],\"b\":[[\"x\"]]}", false},
        {"[a] in [b]", "{\"a\":\"k\",\"b\":{\"k\":1}}", false},
        {"[a] in [b]", "{}", false},
        {0},
    };

    (void)state;
    check(rows);
}

static void regexes(void **state)
{
    static const struct row rows[] = {
        {"[a] =~ /^ab+c$/", "{\"a\":\"zzz\\nabbc\"}", true},
        {"[a] =~ \"b.$\"", "{\"a\":\"abc\"}", true},
        {"[a] =~ /1/", "{\"a\":1}", false},
        {"[a] =~ /^$/", "{}", false},
        {"[a] !~ /x/", "{}", true},
        {"[a] =~ /x/", "{\"a\":[\"x\"]}", false},
        {"[a] =~ /a\\/b/", "{\"a\":\"a/b\"}", true},
        {"\"literal\" =~ /lit/", "{}", true},
        {0},
    };

    (void)state;
    check(rows);
    assert_null(compile("[a] =~ /a(/"));
    assert_null(compile("[a] =~ \"[\""));
}

static void order(void **state)
{
    static const struct row rows[] = {
        {"[a] > 0", "{\"a\":12345678901234567890}", true},
        {"[a] >= 5", "{\"a\":4.999}", false},
        {"[a] <= -1", "{\"a\":-1.0}", true},
        {"[a] < \"m\"", "{\"a\":\"A\"}", true},
        {"[a] > \"9\"", "{\"a\":\"10\"}", false},
        {"[a] < \"b\"", "{\"a\":\"é\"}", false},
        {"9007199254740993 > [a]", "{\"a\":9007199254740992.0}", true},
        {0},
    };

    (void)state;
    check(rows);
}

/* A comparison that cannot be made makes the whole condition false, and is counted. */
static void failures(void **state)
{
    static const char *const events[] = {"{}",           "{\"a\":\"6\"}", "{\"a\":[6]}",
                                         "{\"a\":null}", "{\"a\":true}",  NULL};
    uint64_t                 before = cond_failures();

    (void)state;
    for (int i = 0; events[i]; i++) {
        assert_false(holds("[a] > 5", events[i]));
        assert_false(holds("!([a] > 5)", events[i]));
        assert_false(holds("[a] > 5 or [@version]", events[i]));
    }
    assert_int_equal(cond_failures() - before, 15);
    assert_false(holds("[a] and [a] > 5", "{}"));
    assert_true(holds("![a] or [a] > 5", "{}"));
    assert_false(holds("[@timestamp] > \"1960\"", "{}"));
    assert_int_equal(cond_failures() - before, 16);
}

static bool bit(int n, int i)
{
    return n >> i & 1;
}

/* and binds before or: Logstash reads `a and b and c or d` as `a and (b and c or d)`. */
static void precedence(void **state)
{
    (void)state;
    for (int n = 0; n < 16; n++) {
        bool  a = bit(n, 0), b = bit(n, 1), c = bit(n, 2), d = bit(n, 3);
        char *ev = arena_alloc(&arena, 100);
        snprintf(ev, 100, "{\"a\":%s,\"b\":%s,\"c\":%s,\"d\":%s}", a ? "1" : "false",
                 b ? "1" : "false", c ? "1" : "false", d ? "1" : "false");
        assert_int_equal(holds("[a] and [b] and [c] or [d]", ev), (a && b && c) || d);
        assert_int_equal(holds("[a] or [b] and [c] or [d]", ev), a || (b && c) || d);
        assert_int_equal(holds("([a] or [b]) and ![c]", ev), (a || b) && !c);
        assert_int_equal(holds("[a] xor ([b] nand [c])", ev), a != !(b && c));
    }
}

static void refused(void **state)
{
    (void)state;
    assert_null(compile("[a] < [\"x\", \"y\"]"));
    assert_null(compile("[\"x\", \"y\"] == [a]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truth),      cmocka_unit_test(equality), cmocka_unit_test(membership),
        cmocka_unit_test(regexes),    cmocka_unit_test(order),    cmocka_unit_test(failures),
        cmocka_unit_test(precedence), cmocka_unit_test(refused),
    };

    event_names_init();
    log_set_level(NULL, LOG_FATAL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_release(&arena);
    return failed;
}
