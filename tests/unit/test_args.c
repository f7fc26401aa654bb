/* The command line: flags of Logstash's runner.rb, and which of flag and file wins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "args.h"

static struct arena    arena;
static struct settings settings;
static char           *said; /* by the last parse */
static char            folder[] = "/tmp/test_args.XXXXXX";

/* Parses the words of `line`, which none may hold a blank. */
static bool parse(const char *line)
{
    static char  words[1000], program[] = "lsc";
    char        *argv[40] = {program};
    int          argc = 1;
    size_t       size;
    struct diags d = {.out = NULL};

    free(said);
    d.out = open_memstream(&said, &size);
    snprintf(words, sizeof(words), "%s", line);
    for (char *at = words, *w; (w = strsep(&at, " ")) != NULL;)
        if (*w) argv[argc++] = w;
    argv[argc] = NULL;
    bool good = args_parse(argc, argv, &arena, &settings, &d);
    fclose(d.out);
    return good;
}

static void write_yaml(const char *text)
{
    char name[100];

    snprintf(name, sizeof(name), "%s/logstash.yml", folder);
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

#define SAYS(text) assert_non_null(strstr(said, text))

static void defaults_are_logstash_s(void **state)
{
    (void)state;
    write_yaml("");
    assert_true(parse("-f x.conf"));
    assert_string_equal(said, "");
    assert_int_equal(settings.pipeline_batch_size, 125);
    assert_int_equal(settings.pipeline_batch_delay, 50);
    assert_int_equal(settings.config_reload_interval.ns, 3000000000);
    assert_int_equal(settings.pipeline_ecs_compatibility, ECS_V8);
    assert_int_equal(settings.log_level, LOG_INFO);
    assert_true(settings.pipeline_workers >= 1);
    assert_true(str_is(settings.pipeline_id, "main"));
    assert_true(settings.node_name.len > 0);
    assert_true(settings.path_data.len > 0);
    assert_false(settings.config_test_and_exit);
}

static void flags_come_in_every_form(void **state)
{
    (void)state;
    assert_true(parse("-tr -w4 -b=7 -f a -f b") == false); /* -b takes "=7", which is no number */
    assert_true(parse("-tr -w4 -b 7 -f a -f b --pipeline.id=two --api.enabled false"));
    assert_true(settings.config_test_and_exit && settings.config_reload_automatic);
    assert_int_equal(settings.pipeline_workers, 4);
    assert_int_equal(settings.pipeline_batch_size, 7);
    assert_true(str_is(settings.path_config, "b")); /* the last one counts */
    assert_true(str_is(settings.pipeline_id, "two"));
    assert_false(settings.api_enabled);
}

static void any_key_is_set_by_S(void **state)
{
    (void)state;
    assert_true(parse("-f x -S config.support_escapes=true -Spipeline.batch.size=9"));
    assert_true(settings.config_support_escapes);
    assert_int_equal(settings.pipeline_batch_size, 9);
    assert_false(parse("-f x -S pipeline.wrokers=1"));
    SAYS("unknown setting \"pipeline.wrokers\"; did you mean \"pipeline.workers\"?");
    assert_false(parse("-f x -S nonsense"));
}

static void problems_are_all_told_at_their_place(void **state)
{
    (void)state;
    assert_false(parse("-w many --pipeline.bach.size 3 stray -f"));
    SAYS("command line:1:8: error: \"pipeline.workers\" takes a whole number");
    SAYS("did you mean \"--pipeline.batch.size\"?");
    SAYS("\"stray\" is no flag");
    SAYS("\"-f\" needs a value");
    assert_false(parse("-Z"));
    assert_false(parse("--help=yes"));
    SAYS("takes no value");
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    assert_false(parse("-e x -f y"));
    SAYS("exclude each other");
    assert_false(parse("-e x -r"));
    assert_false(parse(""));
    SAYS("no config");
    assert_false(parse("-f x --pipeline.ordered true -w 2"));
    assert_true(parse("-f x --pipeline.ordered true -w 1"));
}

static void nothing_is_ignored_in_silence(void **state)
{
    (void)state;
    assert_false(parse("-f x -S queue.type=persisted"));
    assert_true(parse("-f x -S queue.type=memory"));
    assert_string_equal(said, "");
    assert_false(parse("-f x -i irb"));
    assert_true(parse("-f x --plugin-classloaders -p /tmp --enable-local-plugin-development"));
    SAYS("warning: \"plugin-classloaders\" has no effect");
    SAYS("warning: \"path.plugins\" has no effect");
    SAYS("warning: \"enable-local-plugin-development\" has no effect");
    assert_true(parse("-f x --debug"));
    SAYS("deprecated");
    assert_int_equal(settings.log_level, LOG_DEBUG);
}

static void flags_win_over_the_file(void **state)
{
    (void)state;
    write_yaml("pipeline.workers: 3\npipeline.batch.size: 50\n");
    assert_true(parse("-f x -w 2"));
    assert_int_equal(settings.pipeline_workers, 2);
    assert_int_equal(settings.pipeline_batch_size, 50);
}

static void commands_need_no_config(void **state)
{
    (void)state;
    assert_true(parse("-V") && settings.version);
    assert_true(parse("--help") && settings.help);
    assert_true(parse("--docs d") && str_is(settings.docs, "d"));
    assert_true(parse("--plugin-help") && settings.plugin_help);
    assert_int_equal(settings.plugin_help_name.len, 0);
    assert_true(parse("--plugin-help filter/truncate"));
    assert_true(str_is(settings.plugin_help_name, "filter/truncate"));
    assert_true(parse("-f x --dump ast") && settings.dump == DUMP_AST);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) && setenv("LS_SETTINGS_DIR", folder, 1) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    char name[100];

    (void)state;
    snprintf(name, sizeof(name), "%s/logstash.yml", folder);
    unlink(name);
    rmdir(folder);
    free(said);
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_logstash_s),
        cmocka_unit_test(flags_come_in_every_form),
        cmocka_unit_test(any_key_is_set_by_S),
        cmocka_unit_test(problems_are_all_told_at_their_place),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(nothing_is_ignored_in_silence),
        cmocka_unit_test(flags_win_over_the_file),
        cmocka_unit_test(commands_need_no_config),
    };

    return cmocka_run_group_tests_name("args", tests, setup, teardown);
}
