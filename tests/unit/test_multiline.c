/* The multiline codec, fed line by line. Expected events: conformance cases dec-0046 to dec-0065
   (Logstash 8.9.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/codec_fixture.h"

static struct codec_fixture f;

static void opens(const char *text, enum ecs ecs)
{
    assert_true(codec_fixture_open(&f, text, ecs));
}

static int teardown(void **state)
{
    (void)state;
    codec_fixture_close(&f);
    return 0;
}

/* Each line is a message of its own. */
static void feed(const char *lines)
{
    for (struct str rest = str_of(lines); rest.len > 0;) {
        size_t end = (size_t)str_find(rest, STR("\n"));
        codec_fixture_read(&f, (struct str){rest.data, end});
        rest = str_from(rest, end + 1);
    }
}

#define EVENT(i, json) assert_true(codec_fixture_event_is(&f, i, json))

#define LINES "2024 one\n  at a\n  at b\n2024 two\n2024 three\n  at c\n"

static void previous(void **state)
{
    (void)state;
    opens("multiline { pattern => '^\\s' what => previous }", ECS_DISABLED);
    feed(LINES);
    assert_int_equal(f.len, 2);
    EVENT(0, "{\"tags\":[\"multiline\"],\"message\":\"2024 one\\n  at a\\n  at b\"}");
    EVENT(1, "{\"message\":\"2024 two\",\"@version\":\"1\","
             "\"@timestamp\":\"2024-03-09T08:07:06.543Z\"}");
    codec_fixture_flush(&f, true);
    assert_int_equal(f.len, 3);
    EVENT(2, "{\"tags\":[\"multiline\"],\"message\":\"2024 three\\n  at c\"}");
    codec_fixture_flush(&f, true);
    assert_int_equal(f.len, 3);
}

static void negated_next(void **state)
{
    (void)state;
    opens("multiline { pattern => '^2024' negate => true what => next }", ECS_DISABLED);
    feed(LINES);
    assert_int_equal(f.len, 3);
    EVENT(0, "{\"message\":\"2024 one\"}");
    EVENT(1, "{\"tags\":[\"multiline\"],\"message\":\"  at a\\n  at b\\n2024 two\"}");
    EVENT(2, "{\"message\":\"2024 three\"}");
}

static void backslash_continues(void **state)
{
    (void)state;
    opens("multiline { pattern => '\\\\$' what => next }", ECS_DISABLED);
    feed("a \\\nb \\\nc\nd\n");
    assert_int_equal(f.len, 2);
    EVENT(0, "{\"tags\":[\"multiline\"],\"message\":\"a \\\\\\nb \\\\\\nc\"}");
    EVENT(1, "{\"message\":\"d\"}");
}

static void tags(void **state)
{
    (void)state;
    opens("multiline { pattern => '^\\s' what => previous multiline_tag => joined }", ECS_DISABLED);
    feed("a\n b\nc\n");
    EVENT(0, "{\"tags\":[\"joined\"],\"message\":\"a\\n b\"}");
}

static void no_tag(void **state)
{
    (void)state;
    opens("multiline { pattern => '^\\s' what => previous multiline_tag => '' }", ECS_DISABLED);
    feed("a\n b\nc\n");
    EVENT(0, "{\"message\":\"a\\n b\"}");
}

static void max_lines(void **state)
{
    (void)state;
    opens("multiline { pattern => '^\\s' what => previous max_lines => 2 }", ECS_DISABLED);
    feed("h\n 1\n 2\n 3\n 4\nn\n");
    assert_int_equal(f.len, 2);
    EVENT(0, "{\"tags\":[\"multiline\",\"multiline_codec_max_lines_reached\"],"
             "\"message\":\"h\\n 1\\n 2\"}");
    EVENT(1, "{\"tags\":[\"multiline\"],\"message\":\" 3\\n 4\"}");
}

static void max_bytes(void **state)
{
    (void)state;
    opens("multiline { pattern => '^\\s' what => previous max_bytes => 6 }", ECS_DISABLED);
    feed("head\n 11\n 22\n 33\nn\n");
    assert_int_equal(f.len, 2);
    EVENT(0, "{\"tags\":[\"multiline\",\"multiline_codec_max_bytes_reached\"],"
             "\"message\":\"head\\n 11\"}");
    EVENT(1, "{\"tags\":[\"multiline\",\"multiline_codec_max_bytes_reached\"],"
             "\"message\":\" 22\\n 33\"}");
}

static void empty_lines_are_kept(void **state)
{
    (void)state;
    opens("multiline { pattern => '^$' what => previous }", ECS_DISABLED);
    feed("a\n\nb\n\n\nc\n");
    assert_int_equal(f.len, 2);
    EVENT(0, "{\"tags\":[\"multiline\"],\"message\":\"a\\n\"}");
    EVENT(1, "{\"tags\":[\"multiline\"],\"message\":\"b\\n\\n\"}");
}

static void a_message_of_several_lines(void **state)
{
    (void)state;
    opens("multiline { pattern => '^\\s' what => previous }", ECS_DISABLED);
    codec_fixture_read(&f, STR("a\n b\nc\n"));
    codec_fixture_read(&f, STR(" d"));
    codec_fixture_flush(&f, true);
    assert_int_equal(f.len, 2);
    EVENT(0, "{\"tags\":[\"multiline\"],\"message\":\"a\\n b\"}");
    EVENT(1, "{\"tags\":[\"multiline\"],\"message\":\"c\\n d\"}");
}

static void original(void **state)
{
    (void)state;
    opens("multiline { pattern => '^\\s' what => previous }", ECS_V8);
    feed("e1\n at x\ne2\n");
    EVENT(0, "{\"event\":{\"original\":\"e1\\n at x\"},\"tags\":[\"multiline\"],"
             "\"message\":\"e1\\n at x\"}");
}

static void charset(void **state)
{
    (void)state;
    opens("multiline { pattern => 'é$' what => next charset => 'ISO-8859-1' }", ECS_DISABLED);
    feed("caf\xe9\nbar\n");
    EVENT(0, "{\"tags\":[\"multiline\"],\"message\":\"café\\nbar\"}");
}

static void deadline(void **state)
{
    const struct codec_ops *ops;
    int64_t                 before = clock_monotonic_ns();

    (void)state;
    opens("multiline { pattern => '^\\s' what => previous auto_flush_interval => 2.5 }",
          ECS_DISABLED);
    ops = &f.codec->plugin->codec_ops;
    assert_true(ops->deadline(f.codec->self, f.stream) == INT64_MAX);
    feed("a\n");
    int64_t due = ops->deadline(f.codec->self, f.stream);
    assert_true(due >= before + 2500000000);
    assert_true(due <= clock_monotonic_ns() + 2500000000);
    codec_fixture_flush(&f, false);
    assert_int_equal(f.len, 1);
    assert_true(ops->deadline(f.codec->self, f.stream) == INT64_MAX);
}

static void no_deadline(void **state)
{
    (void)state;
    opens("multiline { pattern => '^\\s' what => previous }", ECS_DISABLED);
    feed("a\n");
    assert_true(f.codec->plugin->codec_ops.deadline(f.codec->self, f.stream) == INT64_MAX);
}

static void patterns_from_a_folder(void **state)
{
    char folder[] = "/tmp/lsc-test-XXXXXX", path[64], text[160];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/mine", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("YEAR \\d{4}\nSTART ^%{YEAR} \n", file);
    fclose(file);
    snprintf(text, sizeof(text),
             "multiline { pattern => '%%{START}' negate => true what => previous "
             "patterns_dir => ['%s'] }",
             folder);
    opens(text, ECS_DISABLED);
    unlink(path);
    rmdir(folder);
    feed("2024 a\nb\n2025 c\n");
    EVENT(0, "{\"tags\":[\"multiline\"],\"message\":\"2024 a\\nb\"}");
}

static void refused(void **state)
{
    static const char *const texts[] = {
        "multiline { pattern => '%{NOSUCH} ' what => previous }",
        "multiline { pattern => '(' what => previous }",
        "multiline { pattern => 'x' what => both }",
        "multiline { pattern => 'x' }",
        "multiline { what => next }",
        "multiline { pattern => 'x' what => next max_bytes => '10 parsecs' }",
        "multiline { pattern => 'x' what => next charset => 'NOSUCH' }",
        "multiline { pattern => 'x' what => next charset => 'Emacs-Mule' }",
        "multiline { pattern => 'x' what => next auto_flush_interval => -1 }",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(codec_fixture_open(&f, texts[i], ECS_DISABLED));
        assert_int_equal(f.diags.errors, 1);
        codec_fixture_close(&f);
    }
    f = (struct codec_fixture){.len = 0};
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(previous),
        TEST(negated_next),
        TEST(backslash_continues),
        TEST(tags),
        TEST(no_tag),
        TEST(max_lines),
        TEST(max_bytes),
        TEST(empty_lines_are_kept),
        TEST(a_message_of_several_lines),
        TEST(original),
        TEST(charset),
        TEST(deadline),
        TEST(no_deadline),
        TEST(patterns_from_a_folder),
        TEST(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
