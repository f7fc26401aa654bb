/* The filter grok, and what `lsc grok` finds out about a pattern. Expected events: conformance
   cases grok-0148 to grok-0199 (Logstash 8.9.2), where there is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/filter_checks.h"
#include "text/grok_library.h"
#include "text/grok_stop.h"
#include "text/regex_literal.h"

/* ---- the filter ---- */

static void converts(void **state)
{
    (void)state;
    one("grok { match => { msg => '(?:%{NUMBER:a:int}|%{WORD:b:int})' } }", "{\"msg\":\"x\"}",
        "{\"msg\":\"x\",\"b\":0}");
    one("grok { match => { msg => '(?<n:int>\\d+) %{NUMBER:k:int}' } }", "{\"msg\":\"12 13\"}",
        "{\"msg\":\"12 13\",\"int\":\"12\",\"k\":13}");
    one("grok { match => { msg => '^(?:%{INT:a:int}|-%{INT:a:int})-$' } }", "{\"msg\":\"--5-\"}",
        "{\"msg\":\"--5-\",\"a\":\"-5\"}"); /* the first of a name only */
}

static void sets_captures(void **state)
{
    (void)state;
    one("grok { match => { msg => '%{INT:a} %{INT:a} %{INT:a}' } }", "{\"msg\":\"1 2 3\"}",
        "{\"msg\":\"1 2 3\",\"a\":[\"1\",\"2\",\"3\"]}");
    one("grok { match => { msg => '%{WORD:w} %{GREEDYDATA:msg}' } }", "{\"msg\":\"a b c\"}",
        "{\"msg\":[\"a b c\",\"b c\"],\"w\":\"a\"}");
    one("grok { match => { msg => '%{WORD:w} %{GREEDYDATA:msg}' } overwrite => msg }",
        "{\"msg\":\"a b c\"}", "{\"msg\":\"b c\",\"w\":\"a\"}");
    one("grok { match => { msg => '%{WORD:a} %{WORD:msg}' } target => '[p][q]' }",
        "{\"msg\":\"x y\"}", "{\"msg\":\"x y\",\"p\":{\"q\":{\"a\":\"x\",\"msg\":\"y\"}}}");
    one("grok { match => { msg => '^%{DATA:a},%{DATA:b},%{WORD:c}?$' } }", "{\"msg\":\"x,,\"}",
        "{\"msg\":\"x,,\",\"a\":\"x\"}");
    one("grok { match => { msg => '^(?:%{INT:i:int}|-),%{DATA:d:float}$' } "
        "keep_empty_captures => true }",
        "{\"msg\":\"-,\"}", "{\"msg\":\"-,\",\"i\":null,\"d\":0.0}");
}

/* The library's own names are nobody's fields. */
static void keeps_names_of_patterns(void **state)
{
    (void)state;
    one("grok { match => { msg => '^%{IP}$' } named_captures_only => false }",
        "{\"msg\":\"::ffff:1.2.3.4\"}",
        "{\"msg\":\"::ffff:1.2.3.4\",\"IP\":\"::ffff:1.2.3.4\",\"IPV6\":\"::ffff:1.2.3.4\"}");
}

static void tries_in_order(void **state)
{
    const char *both =
        "grok { match => { msg => ['%{INT:a}', '%{WORD:b}'] } break_on_match => false }";

    (void)state;
    one("grok { match => { msg => ['%{INT:a}', '%{WORD:b}'] } }", "{\"msg\":\"5\"}",
        "{\"msg\":\"5\",\"a\":\"5\"}");
    one(both, "{\"msg\":\"5 x\"}", "{\"msg\":\"5 x\",\"a\":\"5\",\"b\":\"5\"}");
    one(both, "{\"msg\":\"-\"}", "{\"msg\":\"-\",\"tags\":[\"_grokparsefailure\"]}");
    one("grok { match => { nope => '^$' } }", "{\"msg\":\"5\"}", "{\"msg\":\"5\"}");
}

/* More than PCRE2 takes at once; the groups that are shared are no fields. */
static void takes_long_patterns(void **state)
{
    enum { FIELDS = 40 };
    struct buf config = {0}, in = {0}, out = {0};

    (void)state;
    buf_printf(&config, "grok { match => { msg => '^");
    buf_printf(&in, "{\"msg\":\"");
    for (int i = 0; i < FIELDS; i++) {
        buf_printf(&config, "%%{IPORHOST:f%d} ", i);
        buf_printf(&in, "2001:db8::%d ", i);
    }
    buf_printf(&config, "' } remove_field => msg }");
    buf_printf(&in, "\"}");
    for (int i = 0; i < FIELDS; i++)
        buf_printf(&out, "%s\"f%d\":\"2001:db8::%d\"", i ? "," : "{", i, i);
    buf_char(&out, '}');
    one(buf_cstr(&config), buf_cstr(&in), buf_cstr(&out));
    buf_release(&config);
    buf_release(&in);
    buf_release(&out);
}

static void refuses(void **state)
{
    (void)state;
    refused("grok { match => { msg => '%{NOSUCH:a}' } }");
    refused("grok { match => { msg => '(' } }");
    refused("grok { match => { msg => 'a' } timeout_scope => match }");
}

/* A tenth of the time more or less, and what a machine under load adds. */
static void gives_up_in_time(void **state)
{
    struct filter_fixture f;

    (void)state;
    assert_true(filter_fixture_open(
        &f, "grok { match => { msg => '^(a+)+$' } timeout_millis => 200 tag_on_timeout => late }",
        ECS_DISABLED));
    int64_t start = clock_monotonic_ns();
    gives(&f, "{\"msg\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaax\"}",
          "{\"msg\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaax\","
          "\"tags\":[\"late\"]}");
    assert_true(clock_monotonic_ns() - start > 100 * 1000 * 1000);
    filter_fixture_close(&f);
}

/* ---- the library ---- */

/* Each pattern of both sets, by itself, must compile. */
static void compiles_all_patterns(void **state)
{
    (void)state;
    for (int ecs = 0; ecs < 2; ecs++) {
        struct arena                a = {0};
        struct str                  problem;
        struct grok_patterns        own;
        const struct grok_patterns *library = grok_library(ecs, &problem);
        assert_non_null(library);
        assert_true(library->regexes.len > 300);
        grok_patterns_init(&own, &a);
        own.base = library;
        for (uint32_t i = 0; i < library->regexes.len; i++) {
            struct buf         out = {0};
            struct grok_error  unknown;
            struct regex_error wrong;
            const char        *name = library->regexes.members[i].key.name;
            struct str         text = arena_printf(&a, "%%{%s}", name);
            if (!grok_expand(&own, text, GROK_CAPTURE_NONE, NULL, &out, &unknown))
                fail_msg("%s: %s", name, unknown.message);
            struct regex *r = regex_compile(&a, buf_view(&out), REGEX_DOTALL, &wrong);
            if (!r) fail_msg("%s: %s", name, wrong.message);
            regex_free(r);
            buf_release(&out);
        }
        arena_release(&a);
    }
}

/* ---- where a match stops ---- */

static void cuts_pieces(void **state)
{
    static const struct {
        const char *pattern;
        size_t      len;
    } cases[] = {
        {"", 0},
        {"ab", 1},
        {"a*b", 2},
        {"a{2,3}?b", 7},
        {"a{x", 1},
        {"é+x", 3},
        {"%{WORD:a}+x", 10},
        {"%x", 1},
        {"\\[x", 2},
        {"\\p{L}x", 5},
        {"\\x41x", 4},
        {"[]a[^b]]x", 8},
        {"[^\\]]x", 5},
        {"(a(b)\\)[)])?x", 12},
        {"(a", 2},
        {"[a", 2},
        {"\\", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (grok_piece(str_of(cases[i].pattern)) != cases[i].len)
            fail_msg("\"%s\" gave %zu", cases[i].pattern, grok_piece(str_of(cases[i].pattern)));
}

static void stops(const char *pattern, const char *subject, size_t end, const char *piece)
{
    struct arena         a = {0};
    struct grok_patterns p;
    struct regex_cache  *cache = regex_cache_new();

    grok_patterns_init(&p, &a);
    grok_patterns_parse(&p, STR("WORD \\w+\nPAIR %{WORD}=%{WORD}\nAB a|(?:x)b"));
    struct grok_stop stop = grok_find_stop(&p, str_of(pattern), str_of(subject), cache);
    if (stop.end != end || !str_is(stop.piece, piece))
        fail_msg("\"%s\" on \"%s\": %zu, \"%.*s\"", pattern, subject, stop.end,
                 STR_ARG(stop.piece));
    regex_cache_free(cache);
    arena_release(&a);
}

static void finds_stops(void **state)
{
    (void)state;
    stops("%{WORD:a} %{PAIR:b}", "k a=b", 0, "");
    stops("^%{WORD:a} %{PAIR:b}", "k a-b", 3, "=");
    stops("^%{PAIR:b}$", "a=b c", 3, "$");
    stops("^k (?:a|%{WORD:x}!)$", "k bc", 4, "!");
    stops("^z", "k", 0, "z");
    stops("^k%{AB}c", "kxa", 2, "b");
    stops("^k(?=z)", "kx", 1, "(?=z)");
    stops("a+b|c", "aad", 2, "b");
}

static void finds_needles(void **state)
{
    static const char *const texts[] = {"", "]", "] ", "] \"", "x] \"y", "]] ]] \"", "x] 'y] "};
    static const bool        has[] = {false, false, false, true, true, true, false};
    struct needle            n = needle_make(STR("] \"")), none = needle_make(STR(""));

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(needle_in(&n, str_of(texts[i])), has[i]);
        assert_true(needle_in(&none, str_of(texts[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converts),
        cmocka_unit_test(sets_captures),
        cmocka_unit_test(keeps_names_of_patterns),
        cmocka_unit_test(tries_in_order),
        cmocka_unit_test(refuses),
        cmocka_unit_test(takes_long_patterns),
        cmocka_unit_test(gives_up_in_time),
        cmocka_unit_test(compiles_all_patterns),
        cmocka_unit_test(cuts_pieces),
        cmocka_unit_test(finds_stops),
        cmocka_unit_test(finds_needles),
    };

    return cmocka_run_group_tests_name("grok", tests, NULL, NULL);
}
