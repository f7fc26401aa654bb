#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* Standard output is a file during a test, so that what is logged can be read. */
static char folder[] = "/tmp/lsc-test-log-XXXXXX";
static char captured[8192];
static int  console = -1;

static const char *read_file(const char *name)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_RDONLY);
    if (fd < 0) return "";
    ssize_t n = read(fd, captured, sizeof(captured) - 1);
    close(fd);
    captured[n > 0 ? n : 0] = '\0';
    return captured;
}

static int setup(void **state)
{
    char path[4096];

    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    snprintf(path, sizeof(path), "%s/console", folder);
    console = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    clock_fix((struct timestamp){1787220000, 5000000}); /* 2026-08-20T10:00:00.005Z */
    log_set_level(NULL, LOG_INFO);
    log_context(STR(""), STR(""));
    return console < 0;
}

static int teardown(void **state)
{
    (void)state;
    log_close();
    close(console);
    return 0;
}

static void set_up(enum log_format format, const char *dir)
{
    char error[200];

    assert_true(log_setup(format, console, str_of(dir), error, sizeof(error)));
}

static void plain_lines_look_like_logstashs(void **state)
{
    (void)state;
    set_up(LOG_PLAIN, "");
    log_context(STR("main"), STR("out1"));
    log_info("output.file", "opened", LOG_CSTR("path", "/tmp/a b"), LOG_INT("mode", 420),
             LOG_BOOL("new", true), LOG_FLOAT("share", 0.5));
    log_context(STR(""), STR(""));
    log_error("agent", "failed");
    assert_string_equal(
        read_file("console"),
        "[2026-08-20T10:00:00,005][INFO ][output.file              ][main][out1] opened "
        "{:path=>\"/tmp/a b\", :mode=>420, :new=>true, :share=>0.5}\n"
        "[2026-08-20T10:00:00,005][ERROR][agent                    ] failed\n");
}

static void values_cannot_start_lines_or_steer_terminals(void **state)
{
    (void)state;
    set_up(LOG_PLAIN, "");
    log_info("x", "got", LOG_CSTR("v", "a\nb\x1b[31m\"\\\x7f\xff\xC3\xA9\t"));
    assert_string_equal(read_file("console"),
                        "[2026-08-20T10:00:00,005][INFO ][x                        ] got "
                        "{:v=>\"a\\nb\\u001b[31m\\\"\\\\\\u007f\xEF\xBF\xBD\xC3\xA9\\t\"}\n");
}

static void json_lines_are_json(void **state)
{
    json_error_t error;

    (void)state;
    set_up(LOG_JSON, "");
    log_context(STR("main"), STR(""));
    log_warn("x", "hello", LOG_CSTR("message", "a\n\"\x01"), LOG_INT("n", -5));
    json_t *line = json_loads(read_file("console"), 0, &error);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "WARN");
    assert_string_equal(json_string_value(json_object_get(line, "loggerName")), "x");
    assert_int_equal(json_integer_value(json_object_get(line, "timeMillis")), 1787220000005);
    assert_string_equal(json_string_value(json_object_get(line, "pipeline.id")), "main");
    assert_null(json_object_get(line, "plugin.id"));
    json_t *event = json_object_get(line, "logEvent");
    assert_string_equal(json_string_value(json_object_get(event, "message")), "hello");
    assert_string_equal(json_string_value(json_object_get(event, "message_1")), "a\n\"\x01");
    assert_int_equal(json_integer_value(json_object_get(event, "n")), -5);
    json_decref(line);
}

static void levels_go_by_component(void **state)
{
    enum log_level level;

    (void)state;
    assert_true(log_level_parse(STR("debug"), &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_false(log_level_parse(STR("loud"), &level));
    log_set_level(NULL, LOG_WARN);
    log_set_level("output", LOG_TRACE);
    log_set_level("output.file", LOG_ERROR);
    assert_false(log_enabled("input.tcp", LOG_INFO));
    assert_true(log_enabled("output", LOG_TRACE));
    assert_true(log_enabled("output.tcp", LOG_TRACE));
    assert_false(log_enabled("outputs", LOG_TRACE));
    assert_false(log_enabled("output.file", LOG_WARN));
    assert_true(log_enabled("output.file.path", LOG_ERROR));
    log_set_level("output", LOG_WARN);
    log_set_level("output.file", LOG_WARN);
    assert_false(log_enabled("output.tcp", LOG_INFO));
}

static void files_are_private_and_rolled_each_day(void **state)
{
    char        path[4096];
    struct stat st;

    (void)state;
    set_up(LOG_PLAIN, folder);
    log_info("x", "first day");
    snprintf(path, sizeof(path), "%s/lsc-plain.log", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    clock_fix((struct timestamp){1787220000 + 86400, 0});
    log_info("x", "second day");
    assert_non_null(strstr(read_file("lsc-plain.log"), "second day"));
    assert_null(strstr(read_file("lsc-plain.log"), "first day"));
    assert_non_null(strstr(read_file("lsc-plain-2026-08-20-1.log"), "first day"));
    assert_non_null(strstr(read_file("console"), "first day"));
}

static void a_folder_that_cannot_be_used_is_told(void **state)
{
    char error[200] = "";

    (void)state;
    assert_false(log_setup(LOG_PLAIN, console, STR("/dev/null/x"), error, sizeof(error)));
    assert_non_null(strstr(error, "/dev/null/x/lsc-plain.log"));
}

static void a_limit_lets_one_pass_and_counts_the_rest(void **state)
{
    struct log_limit limit = {0};
    uint64_t         missed = 99;

    (void)state;
    assert_true(log_limit_pass(&limit, &missed));
    assert_int_equal(missed, 0);
    assert_false(log_limit_pass(&limit, &missed));
    assert_false(log_limit_pass(&limit, &missed));
    limit.next_ns = 0; /* ten seconds later */
    assert_true(log_limit_pass(&limit, &missed));
    assert_int_equal(missed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_lines_look_like_logstashs, setup, teardown),
        cmocka_unit_test_setup_teardown(values_cannot_start_lines_or_steer_terminals, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(json_lines_are_json, setup, teardown),
        cmocka_unit_test_setup_teardown(levels_go_by_component, setup, teardown),
        cmocka_unit_test_setup_teardown(files_are_private_and_rolled_each_day, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_used_is_told, setup, teardown),
        cmocka_unit_test(a_limit_lets_one_pass_and_counts_the_rest),
    };
    char command[4200];

    if (!mkdtemp(folder)) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command) != 0 || failed;
}
