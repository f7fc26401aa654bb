#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outputs/file.h"

static void check(const char *path, const char *expected)
{
    struct buf out = {0};
    bool       ok = store_normalize(str_of(path), &out);

    if (expected)
        assert_true(ok && str_is(buf_view(&out), expected));
    else
        assert_false(ok);
    buf_release(&out);
}

/* As Ruby's File.expand_path of an absolute path. */
static void takes_dots_out(void **state)
{
    (void)state;
    check("/a/b", "/a/b");
    check("/a//b/./c/", "/a/b/c");
    check("/a/../b", "/b");
    check("/../../b", "/b");
    check("/a/b/../../../c", "/c");
    check("/a/...", "/a/...");
}

static void refuses_what_is_no_path(void **state)
{
    char       deep[400];
    struct buf out = {0};

    (void)state;
    check("/", NULL);
    check("/a/..", NULL);
    for (size_t i = 0; i < sizeof(deep); i++)
        deep[i] = i % 2 ? 'a' : '/';
    assert_false(store_normalize((struct str){deep, sizeof(deep)}, &out));
    assert_false(store_normalize((struct str){"/a\0b", 4}, &out));
    buf_release(&out);
}

static void knows_what_is_inside(void **state)
{
    struct file_store s = {.root = STR("/var/log")};

    (void)state;
    assert_true(store_inside(&s, STR("/var/log/a")));
    assert_false(store_inside(&s, STR("/var/log")));
    assert_false(store_inside(&s, STR("/var/logs/a")));
    assert_false(store_inside(&s, STR("/var/a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_dots_out),
        cmocka_unit_test(refuses_what_is_no_path),
        cmocka_unit_test(knows_what_is_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
