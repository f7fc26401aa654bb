/* Config text to tree. What is taken and what it means: reference/logstash.md, B4, and the cases of
   a real Logstash. Messages are checked by tests/run-diag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "grammar/parse.h"

static struct arena arena;
static char        *printed;

static bool variable(void *ctx, struct str name, struct str *out)
{
    (void)ctx;
    if (!str_is(name, "KNOWN")) return false;
    *out = STR("value");
    return true;
}

static const struct parse_options plain = {.variable = variable};
static const struct parse_options escapes = {.support_escapes = true, .variable = variable};

/* Errors in `text`; the tree is printed to `printed`. */
static int parse(const char *text, const struct parse_options *options)
{
    struct source    *source = arena_alloc(&arena, sizeof(*source));
    struct ast_config config = {0};
    struct diags      d = {.quiet = true};
    size_t            size;

    *source = (struct source){"t", str_of(text)};
    if (parse_source(&arena, source, options, &config, &d))
        ast_expand(&arena, &config, options, &d);
    free(printed);
    FILE *f = open_memstream(&printed, &size);
    if (d.errors == 0) ast_print(&config, f);
    fclose(f);
    return d.errors;
}

/* The condition of an if, printed with all its parentheses. */
static const char *condition(const char *text)
{
    char config[400];

    snprintf(config, sizeof(config), "filter { if %s { drop { } } }", text);
    if (parse(config, &plain) != 0) return "refused";
    char *from = strstr(printed, "if ") + 3;
    *strstr(from, " {\n") = '\0';
    return from;
}

/* The value of a setting as printed. */
static const char *value_with(const char *text, const struct parse_options *options)
{
    char config[400];

    snprintf(config, sizeof(config), "filter { x { y => %s } }", text);
    if (parse(config, options) != 0) return "refused";
    char *from = strstr(printed, "=> ") + 3;
    *strstr(from, "\n  }\n}") = '\0';
    return from;
}

static const char *value(const char *text)
{
    return value_with(text, &plain);
}

static void values_of_every_kind(void **state)
{
    (void)state;
    assert_string_equal(value("\"a\""), "\"a\"");
    assert_string_equal(value("'it \"is\"'"), "\"it \\\"is\\\"\"");
    assert_string_equal(value("word_1"), "word_1");
    assert_string_equal(value("-12.50"), "-12.50");
    assert_string_equal(value("010"), "8");
    assert_string_equal(value("-9223372036854775808"), "-9223372036854775808");
    assert_string_equal(value("[]"), "[]");
    assert_string_equal(value("[aa, \"b\", [1], { cc => 2 }]"), "[aa, \"b\", [1], { cc => 2 }]");
    assert_string_equal(value("{ \"a\" => 1 bb => { } 5 => \"x\" }"),
                        "{ \"a\" => 1 bb => { } 5 => \"x\" }");
    assert_string_equal(value("json { }"), "json { }");
    assert_string_equal(value("\"json\" { }"), "json { }");
    assert_string_equal(value("\"日本\""), "\"日本\"");
}

static void values_that_are_refused(void **state)
{
    static const char *const texts[] = {"a",
                                        ".5",
                                        "1.",
                                        "08",
                                        "9223372036854775808",
                                        "a.b",
                                        "$KNOWN",
                                        "[a][b]",
                                        "[, \"a\"]",
                                        "[\"a\",]",
                                        "[\"a\" \"b\"]",
                                        "{ \"a\" => 1, \"b\" => 2 }",
                                        "{ [a] => 1 }",
                                        "{ \"a\" 1 }",
                                        "{ \"a\" => 1 \"a\" => 2 }",
                                        "“x”",
                                        "1_000",
                                        "- 5",
                                        NULL};

    (void)state;
    for (int i = 0; texts[i]; i++)
        if (strcmp(value(texts[i]), "refused") != 0) fail_msg("%s was taken", texts[i]);
    /* Logstash compares keys as they are written. */
    assert_string_not_equal(value("{ \"a\" => 1 'a' => 2 }"), "refused");
}

static void backslashes(void **state)
{
    (void)state;
    assert_string_equal(value("\"a\\nb\""), "\"a\\\\nb\"");
    assert_string_equal(value("\"a\\\"b\""), "\"a\\\\\\\"b\"");
    assert_string_equal(value_with("\"a\\nb\\\"\\q\\\\\"  ", &escapes), "refused");
    assert_string_equal(value_with("\"a\\nb\\\"\\q\\\\ \"", &escapes), "\"a\\nb\\\"\\\\q\\\\ \"");
    assert_string_equal(value_with("'\\''", &escapes), "\"'\"");
    /* A quote behind any number of backslashes does not end the string. */
    assert_string_equal(value("\"a\\\\\""), "refused");
}

static void variables(void **state)
{
    (void)state;
    assert_string_equal(value("\"a${KNOWN}b${OTHER:c d:e}${OTHER:}\""), "\"avaluebc d:e\"");
    assert_string_equal(value("\"$KNOWN ${} ${1x} ${A-X} ${KNOWN\""),
                        "\"$KNOWN ${} ${1x} ${A-X} ${KNOWN\"");
    assert_string_equal(value("\"${OTHER}\""), "refused");
    assert_string_equal(value("{ \"${KNOWN}\" => [\"${KNOWN}\"] }"),
                        "{ \"${KNOWN}\" => [\"value\"] }");
    assert_string_equal(condition("[a] == \"${KNOWN}\""), "[a] == \"value\"");
    assert_string_equal(condition("[a] == \"x${KNOWN}\""), "[a] == \"x${KNOWN}\"");
    assert_string_equal(condition("[a] in [\"${KNOWN}\", \"b\"]"), "[a] in [\"value\", \"b\"]");
}

static void conditions(void **state)
{
    (void)state;
    assert_string_equal(condition("[a][b]==1"), "[a][b] == 1");
    assert_string_equal(condition("[@metadata][x] and [a/b.c] or [$s] "),
                        "(([@metadata][x] and [a/b.c]) or [$s])");
    assert_string_equal(condition("[a] or [b] and [c]"), "([a] or ([b] and [c]))");
    assert_string_equal(condition("[a] and [b] and [c] or [d]"),
                        "((([a] and [b]) and [c]) or [d])");
    assert_string_equal(condition("([a] or [b]) and![c]"), "(([a] or [b]) and !([c]))");
    assert_string_equal(condition("!(\"a\" in [b])"), "!(\"a\" in [b])");
    assert_string_equal(condition("[a] not  in [\"x\"]"), "[a] not in [\"x\"]");
    assert_string_equal(condition("[a] in [ 5 ]"), "[a] in [5]");
    assert_string_equal(condition("[\"a\"] == 1"), "[\"a\"] == 1");
    assert_string_equal(condition("[a] =~ /x\\/y#/"), "[a] =~ /x/y#/");
    assert_string_equal(condition("[a] !~ \"x\""), "[a] !~ \"x\"");
    assert_string_equal(condition("-1.5 <= [a]"), "-1.5 <= [a]");
    assert_string_equal(condition("([a] xor [b]) nand [c]"), "(([a] xor [b]) nand [c])");
    assert_string_equal(condition("[a] # why\n and\r\n[b]"), "([a] and [b])");
}

static void conditions_that_are_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "()",
                                        "[a] ==",
                                        "[a] == foo",
                                        "[a] == true",
                                        "![a] == 1",
                                        "!\"x\"",
                                        "!!([a])",
                                        "[a] == 1)",
                                        "([a]",
                                        "[a] [b]",
                                        "[a] AND [b]",
                                        "[a] && [b]",
                                        "[a] notin [b]",
                                        "[a] in (\"x\")",
                                        "/x/ =~ [a]",
                                        "[a] =~ [b]",
                                        "[a] and not [b]",
                                        "[a] xor [b] and [c]",
                                        "[a] or [b] nand [c]",
                                        "[a] xor [b] xor [c]",
                                        "[a] == \"x\" or \"y\"",
                                        "foo([a])",
                                        "[a] = 1",
                                        "[a] == 12345678901234567890",
                                        NULL};

    (void)state;
    for (int i = 0; texts[i]; i++)
        if (strcmp(condition(texts[i]), "refused") != 0) fail_msg("%s was taken", texts[i]);
}

static void branches(void **state)
{
    (void)state;
    assert_int_equal(parse("filter { if[a]==1{drop{}}else if [b]\n{\n}elseif [c] { } # x\n"
                           "else # y\n{ drop { } } }",
                           &plain),
                     0);
    assert_string_equal(printed, "filter {\n  if [a] == 1 {\n    drop { }\n  }\n"
                                 "  else if [b] {\n  }\n  else if [c] {\n  }\n"
                                 "  else {\n    drop { }\n  }\n}\n");
    assert_int_equal(parse("filter { else { } }", &plain), 1);
    assert_int_equal(parse("filter { if [a] { } else { } else { } }", &plain), 1);
    assert_int_equal(parse("filter { if [a] { } else [b] { } }", &plain), 1);
}

static void sections_and_settings(void **state)
{
    (void)state;
    assert_int_equal(parse("", &plain), 0);
    assert_int_equal(parse(" # nothing", &plain), 0);
    assert_int_equal(parse("\xEF\xBB\xBFoutput { }\r\ninput{a{}b-c{}}filter { }filter { }", &plain),
                     0);
    assert_string_equal(printed, "output {\n}\ninput {\n  a { }\n  b-c { }\n}\nfilter {\n}\n"
                                 "filter {\n}\n");
    assert_int_equal(
        parse("filter {\xC2\xA0mutate { 'id' => x1 input => 'y' if => zz id => [] } }", &plain), 0);
    assert_string_equal(printed, "filter {\n  mutate {\n    id => x1\n    input => \"y\"\n"
                                 "    if => zz\n    id => []\n  }\n}\n");
    assert_int_equal(
        parse("filter { mutate { password => 'x' h1 => { 'api_key' => 'y' } } }", &plain), 0);
    assert_null(strstr(printed, "\"x\""));
    assert_null(strstr(printed, "\"y\""));
}

static void comments_and_blanks(void **state)
{
    (void)state;
    assert_int_equal(parse("input { a { # c\n b => 'x' # d\n cc => { # e\n 'q' => 1 } } }", &plain),
                     0);
    assert_int_equal(parse("input { a { b => 'x'# c\n cc => 1 } }", &plain), 1);
    assert_int_equal(parse("input { a { b => 'x'cc => 1 } }", &plain), 1);
    assert_int_equal(parse("input { a { b => { 'x' => 1\n# c\n 'y' => 2 } } }", &plain), 1);
}

/* One error each, in one run. */
static void goes_on_after_errors(void **state)
{
    (void)state;
    assert_int_equal(parse("input { a { b 1 } c { d = 2 } }\n"
                           "filtr { }\n"
                           "filter { if [a] == { x { } } y { z => } mutate { { } } ok { } ) }\n"
                           "output { if [b] [c] { x { y => ' } } }",
                           &plain),
                     9);
    assert_int_equal(parse("input { stdin { } } }", &plain), 1);
    assert_int_equal(parse("input { stdin { }", &plain), 1);
    assert_int_equal(parse("input { stdin { codec => [ 1", &plain), 1);
    assert_int_equal(parse("input { stdin { \noutput { x { } }", &plain), 1);
    assert_int_equal(parse("input { if ([a] == [1, { x { } } }", &plain), 1);
}

static void bounds(void **state)
{
    struct buf text = {0};

    (void)state;
    buf_str(&text, STR("filter { x { y => "));
    for (int i = 0; i < 100000; i++)
        buf_char(&text, '[');
    assert_int_equal(parse(buf_cstr(&text), &plain), 1);

    buf_clear(&text);
    buf_str(&text, STR("filter { if [a] "));
    for (int i = 0; i < 10000; i++)
        buf_str(&text, STR("or [a] "));
    buf_str(&text, STR("{ x { } } }"));
    assert_int_equal(parse(buf_cstr(&text), &plain), 1);

    buf_clear(&text);
    buf_str(&text, STR("filter { if "));
    for (int i = 0; i < 100000; i++)
        buf_str(&text, STR("!("));
    assert_int_equal(parse(buf_cstr(&text), &plain), 1);

    buf_clear(&text);
    buf_str(&text, STR("filter { x { y => { "));
    for (int i = 0; i < 20000; i++)
        buf_printf(&text, "k%d => %d\n", i, i);
    buf_str(&text, STR("} } }"));
    assert_int_equal(parse(buf_cstr(&text), &plain), 0);
    buf_release(&text);
}

/* ---- files ---- */

static char folder[] = "/tmp/test_parse.XXXXXX";

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(arena_printf(&arena, "%s/%s", folder, name).data, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* The names of the plugins that were found, in order. */
static const char *plugins_of(const char *path, int *errors)
{
    static char       found[100];
    struct ast_config config = {0};
    struct diags      d = {.quiet = true};

    parse_path(&arena, arena_printf(&arena, "%s%s", folder, path), &plain, &config, &d);
    *errors = d.errors;
    found[0] = '\0';
    for (uint32_t i = 0; i < config.len; i++)
        strncat(found, config.sections[i].block.statements[0].plugin->name.data, 2);
    return found;
}

static void files_folders_and_globs(void **state)
{
    int errors;

    (void)state;
    assert_non_null(mkdtemp(folder));
    write_file("b.conf", "filter { bb { } }");
    write_file("a.conf", "filter { aa { } }");
    write_file("c.txt", "filter { cc { } }");
    write_file("a.conf~", "filter { zz { } }");
    write_file(".a.conf", "filter { zz { } }");
    assert_int_equal(mkdir(arena_printf(&arena, "%s/d", folder).data, 0700), 0);
    assert_string_equal(plugins_of("", &errors), "aabbcc");
    assert_int_equal(errors, 0);
    assert_string_equal(plugins_of("/b.conf", &errors), "bb");
    assert_string_equal(plugins_of("/*.conf", &errors), "aabb");
    assert_string_equal(plugins_of("/[bc].*", &errors), "bbcc");
    plugins_of("/d", &errors);
    assert_int_equal(errors, 1);
    plugins_of("/none.conf", &errors);
    assert_int_equal(errors, 1);
    plugins_of("/none*", &errors);
    assert_int_equal(errors, 1);
    /* Each file is parsed by itself. */
    write_file("a.conf", "filter { aa { }");
    assert_string_equal(plugins_of("", &errors), "aabbcc");
    assert_int_equal(errors, 1);
    assert_int_equal(system(arena_printf(&arena, "rm -r %s", folder).data), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_kind),
        cmocka_unit_test(values_that_are_refused),
        cmocka_unit_test(backslashes),
        cmocka_unit_test(variables),
        cmocka_unit_test(conditions),
        cmocka_unit_test(conditions_that_are_refused),
        cmocka_unit_test(branches),
        cmocka_unit_test(sections_and_settings),
        cmocka_unit_test(comments_and_blanks),
        cmocka_unit_test(goes_on_after_errors),
        cmocka_unit_test(bounds),
        cmocka_unit_test(files_folders_and_globs),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free(printed);
    arena_release(&arena);
    return failed;
}
