/* Field references. Which are valid: the cases field-0051 to -0064 (Logstash 8.9.2) and
   FieldReference.java. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/field.h"

static struct arena arena;

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static const struct field *parse(const char *text)
{
    const char         *problem = NULL;
    size_t              at = 99;
    const struct field *f = field_parse(&arena, str_of(text), &problem, &at);

    if (!f) fail_msg("%s %s at %zu", text, problem, at);
    assert_true(str_eq(f->text, str_of(text)));
    assert_null(problem);
    return f;
}

static void has_step(const struct field *f, uint32_t i, const char *name)
{
    assert_true(i < f->depth);
    assert_true(str_eq(key_str(f->steps[i].key), str_of(name)));
    assert_int_equal(f->steps[i].key.hash, hash_name(name, strlen(name)));
}

static void names_alone(void **state)
{
    static const char *const plain[] = {"foo",        "a.b", "a b", "\xe6\x97\xa5",
                                        "@timestamp", "a,b", ""};

    (void)state;
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        const struct field *f = parse(plain[i]);
        assert_int_equal(f->depth, 1);
        assert_false(f->metadata);
        has_step(f, 0, plain[i]);
    }
}

static void paths(void **state)
{
    const struct field *f = parse("[a][b c][0]");

    (void)state;
    assert_int_equal(f->depth, 3);
    has_step(f, 0, "a");
    has_step(f, 1, "b c");
    has_step(f, 2, "0");
    assert_false(f->steps[0].is_index);
    assert_true(f->steps[2].is_index);
    assert_int_equal(f->steps[2].index, 0);
    has_step(parse("[a]"), 0, "a");
    has_step(parse("[a.b]"), 0, "a.b");
}

static void brackets_in_brackets_are_flat(void **state)
{
    const struct field *f = parse("[[a][b]][c]");

    (void)state;
    assert_int_equal(f->depth, 3);
    has_step(f, 0, "a");
    has_step(f, 1, "b");
    has_step(f, 2, "c");
    assert_int_equal(parse("[[a]]")->depth, 1);
}

static void indexes(void **state)
{
    static const struct {
        const char *text;
        bool        is_index;
        int64_t     index;
    } all[] = {{"[l][-1]", true, -1},
               {"[l][12]", true, 12},
               {"[l][007]", true, 7},
               {"[l][+3]", true, 3},
               {"[l][2147483647]", true, 2147483647},
               {"[l][2147483648]", false, 0},
               {"[l][99999999999999999999999]", false, 0},
               {"[l][-]", false, 0},
               {"[l][1x]", false, 0},
               {"[l][1.0]", false, 0},
               {"[l][ 1]", false, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const struct field *f = parse(all[i].text);
        assert_true(f->steps[1].is_index == all[i].is_index);
        if (all[i].is_index) assert_true(f->steps[1].index == all[i].index);
    }
}

static void metadata(void **state)
{
    const struct field *f = parse("[@metadata][x][y]");

    (void)state;
    assert_true(f->metadata);
    assert_int_equal(f->depth, 2);
    has_step(f, 0, "x");
    has_step(f, 1, "y");
    assert_true(parse("@metadata")->metadata);
    assert_int_equal(parse("@metadata")->depth, 0);
    assert_true(parse("[@metadata]")->metadata);
    assert_int_equal(parse("[@metadata]")->depth, 0);
    assert_false(parse("[a][@metadata]")->metadata);
    assert_false(parse("@metadata.x")->metadata);
}

static void invalid(void **state)
{
    static const struct {
        const char *text;
        size_t      at;
    } all[] = {{"[a", 2},    {"a]", 1},     {"[]", 0},   {"[a]b", 3},    {"a[b]", 1},
               {"[a][]", 3}, {"[[a]", 4},   {"[a]]", 3}, {"[a]b[c]", 3}, {"[", 1},
               {"]", 0},     {"[a[b]]", 2}, {"[][a]", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const char *problem = NULL;
        size_t      at = 99;
        assert_null(field_parse(&arena, str_of(all[i].text), &problem, &at));
        assert_non_null(problem);
        assert_int_equal(at, all[i].at);
        assert_null(field_parse(&arena, str_of(all[i].text), NULL, NULL));
    }
}

static void depth_is_limited(void **state)
{
    struct buf text = {0};

    (void)state;
    for (int i = 0; i < FIELD_DEPTH_MAX; i++)
        buf_printf(&text, "[%d]", i);
    assert_int_equal(parse(buf_cstr(&text))->depth, FIELD_DEPTH_MAX);
    for (int i = 0; i < 100; i++)
        buf_printf(&text, "[%d]", i);
    assert_null(field_parse(&arena, buf_view(&text), NULL, NULL));
    buf_release(&text);
}

static void escapes(void **state)
{
    const struct field *f;

    (void)state;
    has_step(parse("[a%5Bb%5d]"), 0, "a%5Bb%5d");
    field_set_escape(FIELD_ESCAPE_PERCENT);
    f = parse("[x%5B0%5D][%5b]");
    has_step(f, 0, "x[0]");
    has_step(f, 1, "[");
    has_step(parse("a%5B"), 0, "a[");
    has_step(parse("[100%][%5][%][%41]"), 0, "100%");
    has_step(parse("[100%][%5][%][%41]"), 3, "%41");
    has_step(parse("&#91;"), 0, "&#91;");
    field_set_escape(FIELD_ESCAPE_AMPERSAND);
    has_step(parse("[a&#91;0&#93;]"), 0, "a[0]");
    has_step(parse("[&#92;&#9&]"), 0, "&#92;&#9&");
    has_step(parse("%5B"), 0, "%5B");
    field_set_escape(FIELD_ESCAPE_NONE);
}

static void names_of_any_form(void **state)
{
    (void)state;
    const struct field *f = field_of_name(&arena, STR("[a][0"));
    assert_int_equal(f->depth, 1);
    has_step(f, 0, "[a][0");
    assert_false(field_of_name(&arena, STR("@metadata"))->metadata);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_alone),
        cmocka_unit_test(paths),
        cmocka_unit_test(brackets_in_brackets_are_flat),
        cmocka_unit_test(indexes),
        cmocka_unit_test(metadata),
        cmocka_unit_test(invalid),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(escapes),
        cmocka_unit_test(names_of_any_form),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
