/* User agents. Expected: uap-core's own tests, where its package is installed, and the conformance
   cases of useragent; the words that regexes need by thought. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"
#include "text/regex_needs.h"
#include "text/regex_set.h"
#include "text/uap.h"
#include "text/yaml.h"

#include <stdlib.h>

#define FOLDER "/usr/share/uap-core/"

/* ---- what regexes need ---- */

/* Sets with ";" between them, words with "|". */
static void need(const char *pattern, unsigned flags, const char *expected)
{
    struct arena       a = {0};
    struct regex_needs needs;
    struct buf         got = {0};

    regex_needs(&a, str_of(pattern), flags, &needs);
    for (uint32_t i = 0; i < needs.len; i++) {
        if (i) buf_char(&got, ';');
        for (uint32_t j = 0; j < needs.sets[i].len; j++) {
            if (j) buf_char(&got, '|');
            buf_str(&got, needs.sets[i].at[j]);
        }
    }
    assert_string_equal(buf_cstr(&got), expected);
    buf_release(&got);
    arena_release(&a);
}

static void finds_needs(void **state)
{
    (void)state;
    need("Foo", 0, "foo");
    need("(MyApp)/(\\d+)\\.(\\d+)", 0, "myapp/");
    need("ab|cd|ef", 0, "ab|cd|ef");
    need("x(ab|cd)y", 0, "xaby|xcdy");
    need("ab(?:cd)?ef", 0, "abcdef|abef");
    need("ab[xy]cd", 0, "abxcd|abycd");
    need("ab[^x]cd", 0, "ab;cd");
    need("ab.*cd+ef", 0, "ab;ef");
    need("(?:Foo){2,3}bar", 0, "foo;bar");
    need("(?:foo)*bar", 0, "bar");
    need("(?:foo){0,2}", 0, "");
    need("foo{2}?bar", 0, "fo;bar"); /* Ruby: (o{2})? */
    need("foo{2}?bar", REGEX_JAVA, "fo;bar");
    need("ab(?=cd)ef(?!gh)", 0, "abef");
    need("(?<name>ab)\\k<name>", 0, "");
    need("(?i)abc", 0, "");
    need("abc|.", 0, "");
    need("abc|(def|)", 0, "");
    need("a\\.b\\/c\\bd", 0, "a.b/cd");
    need("\\x41bcd", 0, "");
    need("like", REGEX_CASELESS, "li"); /* U+212A is a k, too */
    need("like", REGEX_CASELESS | REGEX_JAVA, "like");
    need("[]a]bc", 0, "]bc|abc");
    need("ab{x}c{,2}de", 0, "ab{x};de");
    need("\xC3\x89t\xC3\xA9", 0, "\xC3\x89t\xC3\xA9");
}

static void set_finds_the_first(void **state)
{
    struct regex_set  *s = regex_set_new();
    struct regex_error error;
    struct arena       scratch = {0};
    struct span        spans[2];

    (void)state;
    assert_int_equal(regex_set_add(s, STR("foo(\\d)"), 0, &error), 0);
    assert_int_equal(regex_set_add(s, STR("FOO"), REGEX_CASELESS, &error), 1);
    assert_int_equal(regex_set_add(s, STR("^.$"), 0, &error), 2);
    assert_int_equal(regex_set_add(s, STR("("), 0, &error), -1);
    regex_set_ready(s);
    static const struct {
        const char *text;
        int         first;
    } expected[] = {{"a foo5", 0}, {"a Foo5", 1}, {"fo", -1}, {"", -1}, {"x", 2}, {"foo", 1}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct str        text = str_of(expected[i].text);
        struct regex_hits hits = regex_set_look(s, text, &scratch);
        assert_int_equal(regex_set_find(s, text, hits, 0, 3, spans, 2), expected[i].first);
    }
    arena_release(&scratch);
    regex_set_free(s);
}

/* ---- uap-core's own tests ---- */

static struct value read_yaml(struct arena *a, const char *path)
{
    struct yaml_problem problem;
    struct value        v = value_null();
    size_t              len;
    char               *text = file_read(path, 64 << 20, &len);

    if (!text) return v;
    if (!yaml_read(a, (struct str){text, len}, &v, &problem)) fail_msg("%s", problem.message);
    free(text);
    return v;
}

static struct str text_of(struct arena *a, const struct map *m, const char *name)
{
    const struct value *v = map_get(m, key_make(str_of(name)));
    struct buf          b = {0};

    if (!v || v->kind == VALUE_NULL) return STR("");
    value_text(*v, &b);
    struct str s = arena_copy(a, buf_view(&b));
    buf_release(&b);
    return s;
}

struct uap_test {
    const char   *file;
    const char   *names[5];
    enum uap_part first;
};

static int check(const struct uap *u, struct arena *a, const struct uap_test *t)
{
    struct value v = read_yaml(a, t->file);
    struct str   parts[UAP_PARTS];
    int          tried = 0;

    if (v.kind != VALUE_MAP) return 0;
    const struct list *cases = map_get(v.as.map, key_make(STR("test_cases")))->as.list;
    for (uint32_t i = 0; i < cases->len; i++, tried++) {
        const struct map *m = cases->items[i].as.map;
        struct str        agent = text_of(a, m, "user_agent_string");
        uap_look(u, agent, a, parts);
        for (uint32_t j = 0; j < 5 && t->names[j]; j++) {
            struct str want = text_of(a, m, t->names[j]), got = parts[t->first + j];
            if (!str_eq(want, got))
                fail_msg("%.*s: %s is \"%.*s\", not \"%.*s\"", STR_ARG(agent), t->names[j],
                         STR_ARG(got), STR_ARG(want));
        }
    }
    return tried;
}

static void passes_the_tests_of_uap_core(void **state)
{
    static const struct uap_test tests[] = {
        {FOLDER "tests/test_ua.yaml", {"family", "major", "minor", "patch"}, UAP_NAME},
        {FOLDER "tests/test_os.yaml", {"family", "major", "minor", "patch", "patch_minor"}, UAP_OS},
        {FOLDER "tests/test_device.yaml", {"family"}, UAP_DEVICE},
    };
    struct arena a = {0};
    char         error[200];
    size_t       len;
    char        *text = file_read(FOLDER "regexes.yaml", 64 << 20, &len);

    (void)state;
    if (!text) skip(); /* the package uap-core is not installed */
    struct uap *u = uap_read((struct str){text, len}, error, sizeof(error));
    free(text);
    if (!u) fail_msg("%s", error);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        print_message("%d of %s\n", check(u, &a, &tests[i]), tests[i].file);
    uap_free(u);
    arena_release(&a);
}

static void refuses(void **state)
{
    static const struct {
        const char *yaml, *error;
    } bad[] = {
        {"[1]", "not a map"},
        {"a: b", "it has no user_agent_parsers, os_parsers or device_parsers"},
        {"os_parsers: [{a: b}]", "an entry of os_parsers has no regex"},
        {"os_parsers: [x", "line 2: did not find expected ',' or ']'"},
    };
    char error[200];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(uap_read(str_of(bad[i].yaml), error, sizeof(error)));
        assert_string_equal(error, bad[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_needs),
        cmocka_unit_test(set_finds_the_first),
        cmocka_unit_test(passes_the_tests_of_uap_core),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
