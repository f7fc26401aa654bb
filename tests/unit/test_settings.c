/* logstash.yml: nested and flat keys, variables, places of problems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plugin/plugin.h"
#include "settings.h"

static struct arena    arena;
static struct settings settings;
static char           *said;
static char            folder[] = "/tmp/test_settings.XXXXXX", file[100];

static bool read_folder(const char *dir, bool asked_for)
{
    size_t             size;
    struct diags       d = {.out = NULL};
    struct plugin_open cx = {.arena = &arena, .diags = &d};

    free(said);
    d.out = open_memstream(&said, &size);
    settings_init(&settings, &cx);
    settings.path_settings = str_of(dir);
    bool good = settings_read_yaml(&settings, asked_for, &cx);
    fclose(d.out);
    return good;
}

static bool read_yaml(const char *text)
{
    FILE *f = fopen(file, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return read_folder(folder, true);
}

#define SAYS(text) assert_non_null(strstr(said, text))

static void nested_and_flat_keys_are_the_same(void **state)
{
    (void)state;
    assert_true(read_yaml("pipeline:\n  workers: 3\n  batch:\n    size: 9\n"
                          "pipeline.batch.delay: 7\n\"log.level\": debug\n"));
    assert_int_equal(settings.pipeline_workers, 3);
    assert_int_equal(settings.pipeline_batch_size, 9);
    assert_int_equal(settings.pipeline_batch_delay, 7);
    assert_int_equal(settings.log_level, LOG_DEBUG);
    assert_true(read_yaml("{\"pipeline.ecs_compatibility\": \"disabled\"}")); /* JSON is YAML */
    assert_int_equal(settings.pipeline_ecs_compatibility, ECS_DISABLED);
}

static void empty_files_and_nulls_set_nothing(void **state)
{
    (void)state;
    assert_true(read_yaml(""));
    assert_true(read_yaml("# only a comment\n"));
    assert_true(read_yaml("pipeline.workers:\npath.logs: ~\npipeline.id: null\n"));
    assert_string_equal(said, "");
    assert_int_equal(settings.pipeline_workers, 0);
    assert_null(settings.path_logs.data);
    assert_true(str_is(settings.pipeline_id, "main"));
}

static void variables_are_put_in(void **state)
{
    (void)state;
    setenv("LSC_TEST_ID", "from-env", 1);
    unsetenv("LSC_TEST_UNSET");
    assert_true(read_yaml("pipeline.id: ${LSC_TEST_ID}\npipeline.workers: ${LSC_TEST_UNSET:2}\n"));
    assert_true(str_is(settings.pipeline_id, "from-env"));
    assert_int_equal(settings.pipeline_workers, 2);
    assert_false(read_yaml("pipeline.id: ${LSC_TEST_UNSET}\n"));
    SAYS("logstash.yml:1:14: error:");
    SAYS("LSC_TEST_UNSET");
}

static void problems_have_a_place(void **state)
{
    (void)state;
    assert_false(read_yaml("log.level: chatty\npipeline:\n  wrokers: 3\n"));
    SAYS("logstash.yml:1:12: error: \"log.level\" takes one of: fatal, error");
    SAYS("logstash.yml:3:3: error: unknown setting \"pipeline.wrokers\"; did you mean "
         "\"pipeline.workers\"?");
    assert_false(read_yaml("node.name: Zürich\nnöde: 1\n")); /* columns count characters */
    SAYS("logstash.yml:2:1: error: unknown setting");
    assert_false(read_yaml("a: [\n"));
    SAYS("not YAML");
    assert_false(read_yaml("- a\n- b\n"));
    assert_false(read_yaml("pipeline.workers: 99999\n"));
    assert_false(read_yaml("pipeline.workers: [1, 2]\n"));
    assert_false(read_yaml("allow_superuser: maybe\n"));
}

static void keys_for_later_are_taken_with_a_warning(void **state)
{
    (void)state;
    assert_true(read_yaml("queue.type: memory\nqueue.max_bytes: 1024mb\napi.http.port: 9600-9700\n"
                          "dead_letter_queue.enable: false\npath.plugins: []\n"));
    assert_string_equal(said, ""); /* all of these are what happens anyway */
    assert_true(read_yaml("queue.max_bytes: 2gb\nxpack.monitoring.collection.interval: 5s\n"));
    SAYS("warning: \"queue.max_bytes\" has no effect");
    SAYS("warning: \"xpack.monitoring.*\" has no effect");
    assert_false(read_yaml("queue.type: persisted\n"));
    SAYS("error: \"queue.type\": lsc has no persistent queue yet");
    assert_false(read_yaml("dead_letter_queue.enable: true\n"));
}

static void flags_of_the_command_line_are_no_keys(void **state)
{
    (void)state;
    assert_false(read_yaml("version: true\n"));
    assert_false(read_yaml("dump: ast\n"));
}

static void a_missing_file_matters_when_asked_for(void **state)
{
    (void)state;
    assert_true(read_folder("/nonexistent", false));
    assert_string_equal(said, "");
    assert_true(read_folder("/nonexistent", true));
    SAYS("warning: /nonexistent/logstash.yml");
}

/* What the manual and --help are made of. */
static void rows_are_whole(void **state)
{
    (void)state;
    for (const struct setting *row = settings_rows; row->option.name; row++) {
        const struct option *o = &row->option;
        assert_non_null(o->doc);
        assert_true(str_ends(str_of(o->doc), STR(".")));
        assert_ptr_equal(settings_row(str_of(o->name)), row); /* no name twice */
        if (o->type == OPT_BOOL && row->flag && row->argument)
            assert_string_equal(o->name, "api.enabled");
    }
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof(file), "%s/logstash.yml", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(file);
    rmdir(folder);
    free(said);
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_and_flat_keys_are_the_same),
        cmocka_unit_test(empty_files_and_nulls_set_nothing),
        cmocka_unit_test(variables_are_put_in),
        cmocka_unit_test(problems_have_a_place),
        cmocka_unit_test(keys_for_later_are_taken_with_a_warning),
        cmocka_unit_test(flags_of_the_command_line_are_no_keys),
        cmocka_unit_test(a_missing_file_matters_when_asked_for),
        cmocka_unit_test(rows_are_whole),
    };

    return cmocka_run_group_tests_name("settings", tests, setup, teardown);
}
