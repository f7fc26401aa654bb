/* Named patterns in regular expressions. Source of the rules: jls-grok, lib/grok-pure.rb. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "text/grok_expand.h"

struct fixture {
    struct arena              arena;
    struct grok_patterns      patterns;
    struct grok_captures_list captures;
    struct grok_error         error;
    struct buf                out;
};

static int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){.captures.len = 0};
    grok_patterns_init(&f.patterns, &f.arena);
    grok_patterns_parse(&f.patterns, STR("# a comment\n"
                                         "  # another\n"
                                         "WORD \\b\\w+\\b\n"
                                         "\n"
                                         "NONAME\n"
                                         "  INT   [+-]?\\d+  \r\n"
                                         "PAIR %{WORD:key}=%{INT}\n"
                                         "SELF a%{SELF}\n"
                                         "LAST last"));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    buf_release(&f->out);
    arena_release(&f->arena);
    return 0;
}

static void expands(struct fixture *f, enum grok_captures which, struct str pattern, const char *to)
{
    buf_clear(&f->out);
    f->captures.len = 0;
    assert_true(grok_expand(&f->patterns, pattern, which, &f->captures, &f->out, &f->error));
    assert_string_equal(buf_cstr(&f->out), to);
}

static void files(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(f->patterns.regexes.len, 5);
    expands(f, GROK_CAPTURE_NONE, STR("%{INT}"), "(?:[+-]?\\d+  )");
    expands(f, GROK_CAPTURE_NONE, STR("%{LAST}"), "(?:last)");
}

static void later_definitions_win(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(grok_patterns_parse(&f->patterns, STR("WORD one\nWORD two")), 2);
    expands(f, GROK_CAPTURE_NONE, STR("%{WORD}"), "(?:two)");
}

static void nested(void **state)
{
    struct fixture *f = *state;

    expands(f, GROK_CAPTURE_NONE, STR("^%{PAIR};$"), "^(?:(?:\\b\\w+\\b)=(?:[+-]?\\d+  ));$");
    assert_int_equal(f->captures.len, 0);
}

static void captures(void **state)
{
    struct fixture *f = *state;

    expands(f, GROK_CAPTURE_NAMED, STR("%{PAIR:[a][b]:int}"),
            "(?<PAIR:[a][b]:int>(?<WORD:key>\\b\\w+\\b)=(?:[+-]?\\d+  ))");
    assert_int_equal(f->captures.len, 2);
    assert_true(str_is(f->captures.at[0].name, "PAIR"));
    assert_true(str_is(f->captures.at[0].field, "[a][b]"));
    assert_true(str_is(f->captures.at[0].type, "int"));
    assert_true(str_is(f->captures.at[1].group, "WORD:key"));
    assert_true(str_is(f->captures.at[1].field, "key"));
    assert_true(str_is(f->captures.at[1].type, ""));
    expands(f, GROK_CAPTURE_ALL, STR("%{LAST}"), "(?<LAST>last)");
}

static void definitions_in_place(void **state)
{
    struct fixture *f = *state;

    expands(f, GROK_CAPTURE_NONE, STR("%{HEX=[0-9a-f]{2}\\}} %{HEX}"),
            "(?:[0-9a-f]{2}\\}) (?:[0-9a-f]{2}\\})");
}

static void no_references(void **state)
{
    struct fixture *f = *state;

    expands(f, GROK_CAPTURE_NONE, STR(""), "");
    expands(f, GROK_CAPTURE_NONE, STR("a%b{2}"), "a%b{2}");
    expands(f, GROK_CAPTURE_NONE, STR("%{}"), "%{}");
    expands(f, GROK_CAPTURE_NONE, STR("%{WORD"), "%{WORD");
}

static void refuses(struct fixture *f, struct str pattern, const char *message)
{
    assert_false(grok_expand(&f->patterns, pattern, GROK_CAPTURE_NONE, NULL, &f->out, &f->error));
    assert_string_equal(f->error.message, message);
}

static void errors(void **state)
{
    struct fixture *f = *state;

    refuses(f, STR("ab %{NOSUCHPATTERN:x} c"), "pattern %{NOSUCHPATTERN} is not defined");
    assert_int_equal(f->error.offset, 3);
    assert_int_equal(f->error.len, 18);
    refuses(f, STR("%{WROD}"), "pattern %{WROD} is not defined; did you mean %{WORD}?");
    refuses(f, STR("%{SELF}"), "pattern %{SELF} refers to itself");
}

/* 2^40 characters without the limit. */
static void growth_is_limited(void **state)
{
    struct fixture *f = *state;

    grok_patterns_add(&f->patterns, STR("P0"), STR("x"));
    for (int i = 1; i <= 40; i++) {
        char name[16], text[32];
        snprintf(name, sizeof(name), "P%d", i);
        snprintf(text, sizeof(text), "%%{P%d}%%{P%d}", i - 1, i - 1);
        grok_patterns_add(&f->patterns, str_of(name), str_of(text));
    }
    assert_false(
        grok_expand(&f->patterns, STR("%{P40}"), GROK_CAPTURE_NONE, NULL, &f->out, &f->error));
    assert_true(f->out.len < 2 * GROK_LENGTH_MAX);
}

static void missing_file(void **state)
{
    struct fixture *f = *state;

    assert_false(grok_patterns_load(&f->patterns, "/nonexistent/patterns"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(files),    TEST(later_definitions_win), TEST(nested),
        TEST(captures), TEST(definitions_in_place),  TEST(no_references),
        TEST(errors),   TEST(growth_is_limited),     TEST(missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
