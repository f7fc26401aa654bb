/* Diagnostics as the user sees them, and "did you mean". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/diag.h"

static char *said;

/* What is printed for an error at `offset`. */
static const char *print(const char *text, uint32_t offset, uint32_t len)
{
    struct source source = {"a.conf", str_of(text)};
    struct diags  d = {0};
    size_t        size;

    free(said);
    d.out = open_memstream(&said, &size);
    diag(&d, DIAG_ERROR, (struct loc){&source, offset, len}, "wrong %s", "thing");
    fclose(d.out);
    assert_int_equal(d.errors, 1);
    return said;
}

static void shows_place_line_and_caret(void **state)
{
    (void)state;
    assert_string_equal(print("one\n  two => 3\n", 6, 3), "a.conf:2:3: error: wrong thing\n"
                                                          "    2 |   two => 3\n"
                                                          "      |   ^~~\n");
}

static void counts_characters_and_keeps_tabs(void **state)
{
    (void)state;
    assert_string_equal(print("\té日 x", 7, 1), "a.conf:1:5: error: wrong thing\n"
                                                "    1 | \té日 x\n"
                                                "      | \t   ^\n");
}

static void leaves_out_line_ends_and_controls(void **state)
{
    (void)state;
    assert_string_equal(print("a \033[2J\r\nb", 0, 40), "a.conf:1:1: error: wrong thing\n"
                                                        "    1 | a ?[2J\n"
                                                        "      | ^~~~~~\n");
    assert_string_equal(print("ab", 2, 0), "a.conf:1:3: error: wrong thing\n"
                                           "    1 | ab\n"
                                           "      |   ^\n");
    assert_non_null(strstr(print("", 9, 9), "a.conf:1:1: "));
}

static void cuts_long_lines_around_the_caret(void **state)
{
    char text[1001] = {0};

    (void)state;
    memset(text, 'x', 1000);
    text[500] = 'Y';
    print(text, 500, 1);
    char *shown = strstr(said, " | …x"), *caret = strchr(said, '^');
    assert_non_null(shown);
    assert_non_null(strstr(shown, "x…\n"));
    assert_true(strlen(said) < 400);
    /* Caret and Y in the same column: the two marks before them take 3 bytes and 1. */
    char *line = strchr(said, '\n') + 1, *below = strchr(line, '\n') + 1;
    assert_int_equal(strchr(line, 'Y') - line - 2, caret - below);
}

/* The line that is shown for an error at its begin. */
static void shows_line(const char *text, const char *shown)
{
    print(text, 0, 1);
    const char *line = strstr(said, " | ");
    assert_non_null(line);
    size_t len = strcspn(line + 3, "\n");
    assert_int_equal(len, strlen(shown));
    assert_memory_equal(line + 3, shown, len);
}

static void shows_no_secrets(void **state)
{
    (void)state;
    shows_line("url => \"ws://me:p@ss@h:1/x\" b => 1", "url => \"ws://*******@h:1/x\" b => 1");
    shows_line("url => 'ws://me:p/s?s@h'", "url => 'ws://********@h'");
    shows_line("url => ['ws://h:80/@a', 'ws://a:b@c']", "url => ['ws://h:80/@a', 'ws://***@c']");
    shows_line("url => \"ws://u'x:p@h\" a => \"b@c\"", "url => \"ws://*****@h\" a => \"b@c\"");
    shows_line("url => 'ws://[::1]/a@b'", "url => 'ws://[::1]/a@b'");
    shows_line("password => \"a\\\"é b\" user => u", "password => \"******\" user => u");
    shows_line("password=>abc}", "password=>***}");
    shows_line("bearer_token => \"open", "bearer_token => \"****");
    shows_line("h => { \"X-Api-Key\" => 'k 1' \"b\" => 'c' }",
               "h => { \"X-Api-Key\" => '***' \"b\" => 'c' }");
    shows_line("proxy => { user => \"u\" password => \"p\" }",
               "proxy => { user => \"u\" password => \"*\" }");
    shows_line("secrets => [\"a\", 'b'] c => \"d\"", "secrets => [\"*\", '*'] c => \"d\"");
    shows_line("oauth2_token_url => \"https://t/\"", "oauth2_token_url => \"https://t/\"");
    shows_line("source_key => \"a\"", "source_key => \"a\"");
    shows_line("ssl_key => \"-----BEGIN PRIVATE KEY-----\\nMIIE\"",
               "ssl_key => \"-----BEGIN ***********************");
}

static void without_place(void **state)
{
    struct diags d = {0};
    size_t       size;

    (void)state;
    free(said);
    d.out = open_memstream(&said, &size);
    diag(&d, DIAG_WARNING, (struct loc){0}, "old");
    fclose(d.out);
    assert_string_equal(said, "warning: old\n");
    assert_int_equal(d.warnings, 1);
    assert_int_equal(d.errors, 0);
}

static void stops_after_the_limit(void **state)
{
    struct diags d = {0};
    size_t       size;

    (void)state;
    free(said);
    d.out = open_memstream(&said, &size);
    for (int i = 0; i < DIAG_LIMIT + 2; i++)
        diag(&d, DIAG_ERROR, (struct loc){0}, "number %d", i);
    diag_end(&d);
    fclose(d.out);
    assert_int_equal(d.errors, DIAG_LIMIT + 2);
    assert_non_null(strstr(said, "number 19\n2 more errors\n"));
    assert_null(strstr(said, "number 20"));
}

static const char *name_at(const void *ctx, int i)
{
    return ((const char *const *)ctx)[i];
}

static void finds_the_nearest_name(void **state)
{
    static const char *const names[] = {"fields",  "length_bytes", "id",
                                        "add_tag", "add_field",    NULL};

    (void)state;
    assert_string_equal(nearest(STR("feilds"), name_at, names), "fields");
    assert_string_equal(nearest(STR("lenght_bytes"), name_at, names), "length_bytes");
    assert_string_equal(nearest(STR("Add_Tag"), name_at, names), "add_tag");
    assert_string_equal(nearest(STR("add_feild"), name_at, names), "add_field");
    assert_null(nearest(STR("percentage"), name_at, names));
    assert_null(nearest(STR("xy"), name_at, names));
    assert_null(nearest(STR(""), name_at, names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_place_line_and_caret),
        cmocka_unit_test(counts_characters_and_keeps_tabs),
        cmocka_unit_test(leaves_out_line_ends_and_controls),
        cmocka_unit_test(cuts_long_lines_around_the_caret),
        cmocka_unit_test(shows_no_secrets),
        cmocka_unit_test(without_place),
        cmocka_unit_test(stops_after_the_limit),
        cmocka_unit_test(finds_the_nearest_name),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free(said);
    return failed;
}
