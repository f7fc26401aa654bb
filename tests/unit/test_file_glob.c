#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inputs/file.h"

static bool match(const char *pattern, const char *name)
{
    return glob_match(str_of(pattern), str_of(name));
}

/* The examples of Ruby's documentation of File.fnmatch, where they need no flags. */
static void matches_as_ruby(void **state)
{
    (void)state;
    assert_true(match("cat", "cat"));
    assert_false(match("cat", "category"));
    assert_false(match("c?t", "cart"));
    assert_true(match("c?t", "cat"));
    assert_false(match("c??t", "cat"));
    assert_true(match("c*", "cats"));
    assert_true(match("c*t", "cat"));
    assert_true(match("ca[a-z]", "cat"));
    assert_false(match("ca[^t]", "cat"));
    assert_false(match("cat", "CAT"));
    assert_true(match("\\?", "?"));
    assert_true(match("\\a", "a"));
    assert_true(match("[\\?]", "?"));
    assert_false(match("*", ".profile"));
    assert_true(match(".*", ".profile"));
    assert_false(match("?profile", ".profile"));
}

static void survives_odd_patterns(void **state)
{
    (void)state;
    assert_true(match("*", ""));
    assert_true(match("", ""));
    assert_false(match("", "a"));
    assert_true(match("[", "["));
    assert_true(match("[a", "[a"));
    assert_true(match("a\\", "a\\"));
    assert_true(match("[]a]", "]"));
    assert_true(match("*.log", "a.log.log"));
    assert_false(match("*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

/* ---- in a folder ---- */

struct found {
    char     text[1024];
    unsigned skip; /* bytes of the folder's name and the slash */
};

static void note(void *ctx, const char *path)
{
    struct found *f = ctx;
    size_t        len = strlen(f->text);

    snprintf(f->text + len, sizeof(f->text) - len, "%s%s", len ? " " : "", path + f->skip);
}

static char folder[64];

static void in_folder(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", folder, name);
}

static const char *expand(struct found *f, const char *pattern)
{
    char whole[256];

    *f = (struct found){.skip = (unsigned)strlen(folder) + 1};
    in_folder(whole, sizeof(whole), pattern);
    glob_expand(str_of(whole), note, f);
    return f->text;
}

static int make_folder(void **state)
{
    static const char *const dirs[] = {"x", "x/y", "x/y/z", ".hidden"};
    static const char *const files[] = {"b.log",     "a.log",       "c.txt",        "x/d.log",
                                        "x/y/e.log", "x/y/z/f.log", ".hidden/g.log"};
    char                     path[256];

    (void)state;
    strcpy(folder, "/tmp/test_file_glob.XXXXXX");
    if (!mkdtemp(folder)) return -1;
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        in_folder(path, sizeof(path), dirs[i]);
        mkdir(path, 0700);
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        in_folder(path, sizeof(path), files[i]);
        FILE *f = fopen(path, "w");
        if (!f) return -1;
        fclose(f);
    }
    in_folder(path, sizeof(path), "x/loop");
    return symlink(folder, path);
}

static int remove_folder(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static void expands_patterns(void **state)
{
    struct found f;

    (void)state;
    assert_string_equal(expand(&f, "*.log"), "a.log b.log");
    assert_string_equal(expand(&f, "a.log"), "a.log");
    assert_string_equal(expand(&f, "nothing.log"), "");
    assert_string_equal(expand(&f, "{b,a}.{log,txt}"), "b.log a.log");
    assert_string_equal(expand(&f, "{x/{d,q},a}.log"), "x/d.log a.log");
    assert_string_equal(expand(&f, "x/*/*.log"), "x/loop/a.log x/loop/b.log x/y/e.log");
    assert_string_equal(expand(&f, "{a.log"), "");
}

/* Not into hidden directories, and not through symbolic links: x/loop would never end. */
static void enters_directories(void **state)
{
    struct found f;

    (void)state;
    assert_string_equal(expand(&f, "**/*.log"), "a.log b.log x/d.log x/y/e.log x/y/z/f.log");
    assert_string_equal(expand(&f, "**/**/*.log"), "a.log b.log x/d.log x/y/e.log x/y/z/f.log");
    assert_string_equal(expand(&f, "x/**/z/*.log"), "x/y/z/f.log");
    assert_string_equal(expand(&f, "x/**/d.log"), "x/d.log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_as_ruby),
        cmocka_unit_test(survives_odd_patterns),
        cmocka_unit_test(expands_patterns),
        cmocka_unit_test(enters_directories),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
