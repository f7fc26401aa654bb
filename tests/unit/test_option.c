/* Option rows: what plugins get of the settings of a config. Expected results: conformance cases
   check-0043 to check-0236 and lang-0240 to lang-0289 (Logstash 8.9.2), and mixin.rb. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "grammar/parse.h"
#include "plugin/plugin.h"

static const char *const colors[] = {"red", "green", NULL};

struct sample {
    bool                    flag;
    int64_t                 count, size;
    double                  ratio;
    struct duration         every;
    struct str              name, link;
    int                     color, ecs;
    struct password         secret;
    struct fields           fields;
    struct strings          words;
    struct templates        texts;
    struct pairs            map;
    struct regex           *pattern;
    const struct field     *field;
    const struct ast_value *any;
};

static const struct option rows[] = {
    OPT(struct sample, OPT_BOOL, flag, .preset = "true", .doc = "A."),
    OPT(struct sample, OPT_INT, count, .preset = "3", .min = 1, .max = 10, .doc = "A."),
    OPT(struct sample, OPT_BYTES, size, .preset = "1 KiB", .doc = "A."),
    OPT(struct sample, OPT_FLOAT, ratio, .doc = "A."),
    OPT(struct sample, OPT_SECONDS, every, .preset = "1.5", .doc = "A."),
    OPT(struct sample, OPT_STRING, name, .doc = "A."),
    OPT(struct sample, OPT_URI, link, .doc = "A."),
    OPT(struct sample, OPT_ENUM, color, .choices = colors, .preset = "green", .doc = "A."),
    OPT(struct sample, OPT_ECS, ecs, .doc = "A."),
    OPT(struct sample, OPT_PASSWORD, secret, .doc = "A."),
    OPT(struct sample, OPT_FIELD, field, .doc = "A."),
    OPT(struct sample, OPT_FIELDS, fields, .doc = "A."),
    OPT(struct sample, OPT_STRINGS, words, .preset = "[\"a\", \"b\"]", .doc = "A."),
    OPT(struct sample, OPT_TEMPLATES, texts, .doc = "A."),
    OPT(struct sample, OPT_PAIRS, map, .doc = "A."),
    OPT(struct sample, OPT_REGEX, pattern, .doc = "A."),
    OPT(struct sample, OPT_AST, any, .doc = "A."),
    OPT_REFUSED("old", .obsolete = "use new.", .doc = "A."),
    OPT_REFUSED("later", .not_built = "soon.", .doc = "A."),
    OPT_REFUSED("idle", .no_effect = "there is no JVM.", .doc = "A."),
    OPT_END,
};

static struct arena  arena;
static struct sample sample;
static char         *said;
static int           warnings;

static bool bind(const char *settings)
{
    size_t               size;
    struct diags         d = {.out = NULL};
    struct parse_options how = {.support_escapes = false};
    struct plugin_open   cx = {.arena = &arena, .diags = &d, .ecs = ECS_V8};
    struct ast_config    config = {0};
    struct source       *source = arena_zalloc(&arena, sizeof(*source));

    options_release(rows, &sample);
    free(said);
    d.out = open_memstream(&said, &size);
    *source = (struct source){"t", arena_printf(&arena, "filter { x { %s } }", settings)};
    assert_true(parse_source(&arena, source, &how, &config, &d));
    memset(&sample, 0, sizeof(sample));
    bool good =
        options_bind(rows, &sample, NULL, NULL, config.sections[0].block.statements[0].plugin, &cx);
    fclose(d.out);
    warnings = d.warnings;
    assert_int_equal(good, d.errors == 0);
    return good;
}

#define SAYS(text) assert_non_null(strstr(said, text))
#define IS(member, text) assert_true(str_is(sample.member, text))

static void presets_stand(void **state)
{
    (void)state;
    assert_true(bind(""));
    assert_true(sample.flag);
    assert_int_equal(sample.count, 3);
    assert_int_equal(sample.size, 1024);
    assert_int_equal(sample.every.ns, 1500000000);
    assert_int_equal(sample.color, 1);
    assert_int_equal(sample.ecs, ECS_V8);
    assert_int_equal(sample.words.len, 2);
    assert_null(sample.name.data);
    assert_null(sample.field);
}

static void booleans(void **state)
{
    (void)state;
    assert_true(bind("flag => false") && !sample.flag);
    assert_true(bind("flag => \"false\"") && !sample.flag);
    assert_true(bind("flag => [\"false\"]") && !sample.flag);
    assert_false(bind("flag => \"yes\""));
    SAYS("\"flag\" takes true or false, not \"yes\"");
    assert_false(bind("flag => [true, false]"));
}

static void numbers(void **state)
{
    (void)state;
    assert_true(bind("count => 5") && sample.count == 5);
    assert_true(bind("count => \"5\"") && sample.count == 5);
    assert_true(bind("count => [5]") && sample.count == 5);
    assert_true(bind("count => 010") && sample.count == 8); /* lang-0240 */
    assert_false(bind("count => \"05\""));
    assert_false(bind("count => \"5 \""));
    assert_false(bind("count => \"abc\""));
    assert_true(bind("count => 5.9") && sample.count == 5 && warnings == 1); /* lang-0260 */
    assert_false(bind("count => [1, 2]"));
    assert_false(bind("count => 11"));
    SAYS("\"count\" takes a whole number from 1 to 10, not 11");
    assert_true(bind("ratio => 5.5") && sample.ratio == 5.5);
    assert_true(bind("ratio => \"-0.25\"") && sample.ratio == -0.25);
    assert_false(bind("ratio => \"1e3\""));
}

static void sizes_and_times(void **state)
{
    (void)state;
    assert_true(bind("size => 10") && sample.size == 10);
    assert_true(bind("size => \"10 mb\"") && sample.size == 10000000);
    assert_true(bind("size => \"10MiB\"") && sample.size == 10 << 20);
    assert_true(bind("size => \"1.5 kb\"") && sample.size == 1500);
    assert_false(bind("size => \"10 parsecs\""));
    assert_false(bind("size => -1"));
    assert_true(bind("every => 5") && sample.every.ns == 5000000000);
    assert_true(bind("every => \"100 ms\"") && sample.every.ns == 100000000);
    assert_true(bind("every => \"2 minutes\"") && sample.every.ns == 120000000000);
    assert_true(bind("every => \"1 day\"") && sample.every.ns == 86400000000000);
    assert_false(bind("every => \"1 fortnight\""));
}

static void strings(void **state)
{
    (void)state;
    assert_true(bind("name => a_word"));
    IS(name, "a_word");
    assert_true(bind("name => 5"));
    IS(name, "5");
    assert_true(bind("name => [\"a\"]"));
    IS(name, "a");
    assert_true(bind("name => { \"a\" => \"b\" }")); /* check-0161 */
    assert_int_equal(warnings, 1);
    assert_false(bind("name => [\"a\", \"b\"]"));
    SAYS("\"name\" takes a string, not [\"a\", \"b\"]");
    assert_true(bind("link => \"http://u:p@h/x\""));
    assert_false(bind("link => \"no scheme\""));
    assert_true(bind("secret => \"s\""));
    assert_false(bind("secret => [\"hidden\", \"b\"]"));
    assert_null(strstr(said, "not [")); /* the message does not repeat it */
}

static void choices(void **state)
{
    (void)state;
    assert_true(bind("color => \"red\"") && sample.color == 0);
    assert_false(bind("color => \"Red\""));
    SAYS("did you mean \"red\"?");
    assert_false(bind("color => [\"red\", \"green\"]"));
    assert_true(bind("ecs => disabled") && sample.ecs == ECS_DISABLED);
}

static void lists(void **state)
{
    (void)state;
    assert_true(bind("words => \"x\"") && sample.words.len == 1);
    assert_true(bind("words => [5, 1.50, -2]") && sample.words.len == 3);
    assert_true(str_is(sample.words.at[1], "1.5")); /* lang-0278 */
    assert_true(bind("words => [[\"aa\", \"bb\"], \"c\"]") && warnings == 1);
    assert_true(str_is(sample.words.at[0], "[\"aa\", \"bb\"]")); /* lang-0279 */
    assert_true(bind("words => [ ]") && sample.words.len == 0);
    assert_true(bind("words => { \"a\" => \"b\" }")); /* check-0179 */
    assert_int_equal(warnings, 1);
    assert_true(bind("fields => [\"a\", \"[b][c]\"]") && sample.fields.len == 2);
    assert_int_equal(sample.fields.at[1]->depth, 2);
    assert_false(bind("fields => [\"a\", \"[b\"]"));
    SAYS("t:1:33: error: \"fields\" takes a field reference:");
    assert_true(bind("texts => \"%{a}\"") && sample.texts.len == 1);
    assert_true(bind("field => \"\"") && sample.field); /* check-0204 */
}

static void hashes(void **state)
{
    (void)state;
    assert_true(bind("map => { \"a\" => 1 b2 => [\"x\", \"y\"] }") && sample.map.len == 2);
    assert_true(str_is(sample.map.at[0].key, "b2"));
    assert_int_equal(sample.map.at[0].value->kind, AST_LIST);
    /* In the order of java.util.HashMap: mutate-0129, dissect-0049. */
    assert_true(bind("map => { \"a\" => \"1\" \"[x][y]\" => \"2\" \"message\" => 3 \"b\" => 4 }"));
    assert_true(str_is(sample.map.at[0].key, "[x][y]") && str_is(sample.map.at[1].key, "a"));
    assert_true(str_is(sample.map.at[2].key, "b") && str_is(sample.map.at[3].key, "message"));
    assert_true(bind("map => [\"z\", \"1\", \"b\", \"2\"]") && str_is(sample.map.at[0].key, "z"));
    assert_true(bind("map => [\"a\", \"1\", \"b\", \"2\"]") && sample.map.len == 2);
    assert_true(bind("map => [\"a\", \"1\", \"a\", \"2\"]") && sample.map.len == 1);
    assert_int_equal(sample.map.at[0].value->len, 2);
    assert_false(bind("map => \"x\""));
    assert_false(bind("map => [\"a\", \"b\", \"c\"]"));
    SAYS("odd number");
}

static void repeats_are_merged(void **state)
{
    (void)state;
    assert_true(bind("words => \"a\" words => \"b\"") && sample.words.len == 2);
    assert_true(bind("words => [\"a\"] words => [\"a\", \"c\"]") && sample.words.len == 3);
    assert_true(bind("words => \"a\" words => [\"b\", \"c\"]") && sample.words.len == 2);
    assert_true(str_is(sample.words.at[1], "[\"b\", \"c\"]")); /* lang-0255 */
    assert_true(bind("name => \"a\" name => \"a\""));          /* equal ones count once */
    assert_false(bind("name => \"a\" name => \"b\""));
    assert_true(bind("map => { \"a\" => \"1\" } map => { \"a\" => \"2\" \"b\" => \"3\" }"));
    assert_int_equal(sample.map.len, 2); /* lang-0247 */
    assert_int_equal(sample.map.at[0].value->len, 2);
    assert_true(bind("map => { \"a\" => \"1\" } map => { \"a\" => \"1\" }"));
    assert_int_equal(sample.map.at[0].value->kind, AST_STRING); /* lang-0248 */
    assert_true(bind("map => { \"a\" => [\"1\"] } map => { \"a\" => [\"2\", \"3\"] }"));
    assert_int_equal(sample.map.at[0].value->len, 3); /* lang-0249 */
}

static void patterns(void **state)
{
    (void)state;
    assert_true(bind("pattern => \"^a+$\""));
    assert_true(regex_test(sample.pattern, STR("aaa")));
    assert_false(bind("pattern => \"(\""));
    SAYS("t:1:");
}

static void refusals_and_warnings(void **state)
{
    (void)state;
    assert_false(bind("old => 1"));
    SAYS("the setting \"old\" is gone: use new.");
    assert_false(bind("later => 1"));
    SAYS("\"later\" yet: soon.");
    assert_true(bind("idle => 1 idle => 2"));
    assert_int_equal(warnings, 1);
    assert_false(bind("cuont => 1 flag => 2 color => \"blue\""));
    SAYS("t:1:14: error: unknown setting \"cuont\"; did you mean \"count\"?");
    SAYS("\"flag\" takes");
    SAYS("\"color\" takes one of: red, green, not \"blue\""); /* all in one run */
}

static void required_settings(void **state)
{
    static const struct option needy[] = {
        OPT(struct sample, OPT_STRING, name, .required = true, .doc = "A."), OPT_END};
    struct diags       d = {.quiet = true};
    struct plugin_open cx = {.arena = &arena, .diags = &d};
    struct ast_plugin  bare = {.name = STR("x")};

    (void)state;
    assert_false(options_bind(needy, &sample, NULL, NULL, &bare, &cx));
    assert_int_equal(d.errors, 1);
}

static int teardown(void **state)
{
    (void)state;
    options_release(rows, &sample);
    free(said);
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_stand),
        cmocka_unit_test(booleans),
        cmocka_unit_test(numbers),
        cmocka_unit_test(sizes_and_times),
        cmocka_unit_test(strings),
        cmocka_unit_test(choices),
        cmocka_unit_test(lists),
        cmocka_unit_test(hashes),
        cmocka_unit_test(repeats_are_merged),
        cmocka_unit_test(patterns),
        cmocka_unit_test(refusals_and_warnings),
        cmocka_unit_test(required_settings),
    };

    return cmocka_run_group_tests_name("option", tests, NULL, teardown);
}
