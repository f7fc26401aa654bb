#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table.h"
#include "text/regex.h"

enum { GROUPS_MAX = 40 };

static struct arena arena;

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct regex *compile(const char *pattern, unsigned flags)
{
    struct regex_error e;
    struct regex      *r = regex_compile(&arena, str_of(pattern), flags, &e);

    if (!r) fail_msg("%s: %s at %zu", pattern, e.message, e.offset);
    return r;
}

/* "0-3;-;1-2;", as the table has it. */
static void put_spans(struct buf *out, const struct regex *r, struct str subject)
{
    struct span spans[GROUPS_MAX];
    int         found = regex_find(r, subject, 0, spans, GROUPS_MAX);

    if (found != REGEX_MATCH) buf_str(out, STR("NO"));
    for (uint32_t i = 0; found == REGEX_MATCH && i <= regex_groups(r); i++) {
        if (spans[i].start == SIZE_MAX)
            buf_str(out, STR("-;"));
        else
            buf_printf(out, "%zu-%zu;", spans[i].start, spans[i].end);
    }
    assert_int_equal(regex_test(r, subject), found == REGEX_MATCH);
}

static struct str with_newlines(struct str s)
{
    struct str mark = STR("\xE2\x90\xA4");
    struct buf out = {0};

    for (ptrdiff_t at; (at = str_find(s, mark)) >= 0; s = str_from(s, (size_t)at + mark.len)) {
        buf_put(&out, s.data, (size_t)at);
        buf_char(&out, '\n');
    }
    buf_str(&out, s);
    s = arena_copy(&arena, buf_view(&out));
    buf_release(&out);
    return s;
}

static void check_row(struct str *column, int len)
{
    struct regex_error e;
    struct buf         got = {0};
    struct str         pattern = with_newlines(column[0]);
    unsigned           flags = str_is(column[2], "m") ? REGEX_DOTALL : 0;
    struct regex      *r = regex_compile(&arena, pattern, flags, &e);

    assert_int_equal(len, 4);
    if (r)
        put_spans(&got, r, with_newlines(column[1]));
    else
        buf_str(&got, STR("ERR"));
    if (!str_eq(buf_view(&got), column[3]))
        fail_msg("%.*s on %.*s: got %.*s, want %.*s %s", STR_ARG(column[0]), STR_ARG(column[1]),
                 STR_ARG(buf_view(&got)), STR_ARG(column[3]), r ? "" : e.message);
    buf_release(&got);
    regex_free(r);
}

static void finds_what_joni_finds(void **state)
{
    (void)state;
    assert_in_range(table_read("regex-joni.tsv", check_row), 700, 10000);
}

static void says_what_is_wrong_and_where(void **state)
{
    static const struct {
        const char *pattern;
        size_t      offset;
        const char *message;
    } wrong[] = {
        {"ab(?~c)", 2, "the absent operator (?~...) is not supported"},
        {"a|*", 2, "nothing stands before * to be repeated"},
        {"ab)", 2, "this ) closes nothing"},
        {"a(b", 1, "this ( is not closed"},
        {"a[b", 1, "the bracket is not closed"},
        {"a[b\\]", 1, "the bracket is not closed"},
        {"[z-a]", 2, "the range in brackets ends before it begins"},
        {"[[:foo:]]", 1, "there is no POSIX bracket [:foo:]"},
        {"x\\k<y>", 1, "there is no group called y"},
        {"x\\2(a)", 1, "there is no such group to refer to"},
        {"(?<n>a)\\1", 7, "with named groups, refer to them as \\k<name>, not by number"},
        {"a\\", 1, "a backslash at the end"},
        {"a{70000}", 1, "more than 65535 repetitions"},
        {"a\\xE9", 1, "these bytes are no UTF-8 character"},
        {"(?<>a)", 0, "the group has an empty name"},
        {"(?P<n>a)", 0, "(?P begins no group that is known here"},
        {"ab(?<=x+)c", 2, "lookbehind assertion is not fixed length"},
        {"ab\\p{Nope}c", 2, "unknown property after \\P or \\p"},
        {"a\xff", 1, "the pattern is not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct regex_error e;
        assert_null(regex_compile(&arena, str_of(wrong[i].pattern), 0, &e));
        assert_string_equal(e.message, wrong[i].message);
        assert_int_equal(e.offset, wrong[i].offset);
    }
}

static void names_groups_as_written(void **state)
{
    struct regex *r = compile("(?<[a][b]>x)(y)(?<@ts>z)|(?<[a][b]>w)", 0);
    struct span   spans[4];

    (void)state;
    assert_int_equal(regex_groups(r), 3);
    assert_int_equal(regex_group(r, STR("[a][b]")), 1);
    assert_int_equal(regex_group(r, STR("@ts")), 2);
    assert_int_equal(regex_group(r, STR("nope")), -1);
    assert_true(str_is(regex_group_name(r, 3), "[a][b]"));
    assert_true(str_is(regex_group_name(r, 0), ""));
    assert_int_equal(regex_find(r, STR("w"), 0, spans, 4), REGEX_MATCH);
    assert_int_equal(spans[1].start, SIZE_MAX);
    assert_int_equal(spans[3].start, 0);
    regex_free(r);
}

static void looks_from_where_it_is_told(void **state)
{
    struct regex *r = compile("(?<=a)b", 0);
    struct span   span;

    (void)state;
    assert_int_equal(regex_find(r, STR("abab"), 1, &span, 1), REGEX_MATCH);
    assert_int_equal(span.start, 1);
    assert_int_equal(regex_find(r, STR("abab"), 2, &span, 1), REGEX_MATCH);
    assert_int_equal(span.start, 3);
    assert_int_equal(regex_find(r, STR("abab"), 4, &span, 1), REGEX_NO_MATCH);
    assert_int_equal(regex_find(r, STR("abab"), 5, &span, 1), REGEX_NO_MATCH);
    regex_free(r);
}

/* Expected values: the mutate/gsub cases, and Ruby's documentation of String#gsub. */
static void replaces_as_ruby(void **state)
{
    static const struct {
        const char *pattern, *subject, *replacement, *result;
        int         count;
    } rows[] = {
        {"\\s+", "  a   b\t\tc  ", " ", " a b c ", 4},
        {"b", "abc", "[\\`|\\']", "a[a|c]c", 1},
        {"", "abc", "-", "-a-b-c-", 4},
        {"", "\xC3\xA9x", "-", "-\xC3\xA9-x-", 3},
        {"^", "one\ntwo\n", "> ", "> one\n> two\n", 2},
        {"(?m).+", "ab\ncd", "*", "*", 1},
        {"\\Z", "end\n", "!", "end!\n!", 2},
        {"\\b\xC3\xA9",
         "\xC3\xA9t\xC3\xA9 r\xC3\xA9"
         "el",
         "E",
         "Et\xC3\xA9 r\xC3\xA9"
         "el",
         1},
        {"(.)\\1", "aabbcd", "2", "22cd", 2},
        {"[aeiou]", "hello", "*", "h*ll*", 2},
        {"([aeiou])", "hello", "<\\1>", "h<e>ll<o>", 2},
        {"(?<foo>[aeiou])", "hello", "{\\k<foo>}", "h{e}ll{o}", 2},
        {"(?<foo>l)", "hello", "\\1", "heo", 2},
        {"l", "hello", "\\0\\&", "hellllo", 2},
        {"l+", "hello", "\\\\\\x\\9\\", "he\\\\x\\o", 1},
        {"a*", "aab", "-", "--b-", 3},
        {"x", "hello", "y", "hello", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct regex *r = compile(rows[i].pattern, 0);
        struct buf    out = {0};
        int           n = regex_gsub(r, str_of(rows[i].subject), str_of(rows[i].replacement), &out);
        assert_string_equal(buf_cstr(&out), rows[i].result);
        assert_int_equal(n, rows[i].count);
        buf_release(&out);
        regex_free(r);
    }
}

static void stops_at_a_limit(void **state)
{
    struct regex *r = compile("^(a+)+$", 0);
    struct str    subject = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    struct span   span;
    struct buf    out = {0};

    (void)state;
    buf_str(&out, STR("kept"));
    assert_int_equal(regex_find(r, subject, 0, &span, 1), REGEX_LIMIT);
    assert_false(regex_test(r, subject));
    assert_int_equal(regex_gsub(r, subject, STR(""), &out), -1);
    assert_string_equal(buf_cstr(&out), "kept");
    buf_release(&out);
    regex_free(r);
}

static void flags_change_the_dialect(void **state)
{
    struct regex *r = compile("A.B", REGEX_DOTALL | REGEX_CASELESS);

    (void)state;
    assert_true(regex_test(r, STR("a\nb")));
    regex_free(r);
    r = compile("^\\Qa.b\\E(x)(?<n>y)$", REGEX_JAVA);
    assert_true(regex_test(r, STR("a.bxy")));
    assert_false(regex_test(r, STR("a.bxy\nz"))); /* no lines without (?m) */
    assert_int_equal(regex_group(r, STR("n")), 2);
    regex_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(finds_what_joni_finds, release),
        cmocka_unit_test_teardown(says_what_is_wrong_and_where, release),
        cmocka_unit_test_teardown(names_groups_as_written, release),
        cmocka_unit_test_teardown(looks_from_where_it_is_told, release),
        cmocka_unit_test_teardown(replaces_as_ruby, release),
        cmocka_unit_test_teardown(stops_at_a_limit, release),
        cmocka_unit_test_teardown(flags_change_the_dialect, release),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
