/* URLs taken apart. Expected parts: RFC 3986 (3.2, 6.2.3), RFC 6455 section 3, RFC 7617. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/url.h"

#define assert_str(got, expected) assert_string_equal((got).data, expected)

static struct arena arena;

static struct url parsed(const char *text)
{
    struct url  u;
    const char *problem = NULL;

    if (!url_parse(&arena, str_of(text), &u, &problem)) fail_msg("%s %s", text, problem);
    return u;
}

static void is_refused(const char *text, const char *because)
{
    struct url  u;
    const char *problem = NULL;

    if (url_parse(&arena, str_of(text), &u, &problem)) fail_msg("%s was taken", text);
    if (!strstr(problem, because)) fail_msg("%s: %s", text, problem);
}

static void schemes_have_ports(void **state)
{
    (void)state;
    assert_int_equal(parsed("ws://h").port, 80);
    assert_int_equal(parsed("wss://h").port, 443);
    assert_int_equal(parsed("HTTP://h").port, 80);
    assert_int_equal(parsed("https://h/").port, 443);
    assert_int_equal(parsed("socks5h://h").port, 1080);
    assert_int_equal(parsed("ws://h:65535").port, 65535);
    assert_int_equal(parsed("ws://h:/").port, 80);
    assert_true(parsed("wss://h").tls);
    assert_true(parsed("https://h").tls);
    assert_false(parsed("ws://h").tls);
}

static void targets(void **state)
{
    (void)state;
    assert_str(parsed("ws://h").target, "/");
    assert_str(parsed("ws://h/").target, "/");
    assert_str(parsed("ws://h?a=b").target, "/?a=b");
    assert_str(parsed("ws://h/a/b?c=%20d&e=/?").target, "/a/b?c=%20d&e=/?");
    assert_str(parsed("ws://h/user@x:y").target, "/user@x:y");
}

static void hosts(void **state)
{
    (void)state;
    assert_str(parsed("ws://a-b.example.org:1/").host, "a-b.example.org");
    assert_str(parsed("ws://192.0.2.1:1").host, "192.0.2.1");
    assert_str(parsed("ws://[2001:db8::1]").host, "2001:db8::1");
    assert_str(parsed("ws://[::1]:8080/x").host, "::1");
    assert_int_equal(parsed("ws://[::1]:8080/x").port, 8080);
    assert_true(parsed("ws://[::1]").is_ipv6);
}

static void userinfo(void **state)
{
    struct url u = parsed("ws://us%40er:p%3Aw:x@h:1/");

    (void)state;
    assert_true(u.has_userinfo);
    assert_str(u.user, "us@er");
    assert_str(u.password, "p:w:x");
    assert_str(u.host, "h");
    assert_str(parsed("ws://u@h").user, "u");
    assert_int_equal(parsed("ws://u@h").password.len, 0);
    assert_str(parsed("ws://a@b:c@h").user, "a@b");
    assert_false(parsed("ws://h/@").has_userinfo);
}

static void secrets_are_masked(void **state)
{
    struct buf out = {0};

    (void)state;
    assert_str(parsed("ws://u:p@h:1/x?y").masked, "ws://***:***@h:1/x?y");
    assert_str(parsed("ws://u:a@b@h").masked, "ws://***:***@h");
    assert_str(parsed("ws://u'\"x:p@h").masked, "ws://***:***@h");
    assert_str(parsed("ws://h/?to=ws://u:p@h").masked, "ws://h/?to=ws://***:***@h");
    assert_str(parsed("ws://h/u:p@x").masked, "ws://h/u:p@x");
    url_mask(STR("not a url: u:p@h"), &out);
    assert_string_equal(buf_cstr(&out), "***:***@h");
    buf_release(&out);
}

static void what_is_no_url(void **state)
{
    (void)state;
    is_refused("", "begin with");
    is_refused("h", "begin with");
    is_refused("ftp://h", "begin with");
    is_refused("://h", "begin with");
    is_refused("ws://", "no host");
    is_refused("ws://:80", "no host");
    is_refused("ws://u@", "no host");
    is_refused("ws://h:0", "port");
    is_refused("ws://h:65536", "port");
    is_refused("ws://h:1x", "port");
    is_refused("ws://h:-1", "port");
    is_refused("ws://::1/", "host");
    is_refused("ws://[::1", "IPv6");
    is_refused("ws://[::g]", "IPv6");
    is_refused("ws://[::1]x", "IPv6");
    is_refused("ws://h/#x", "fragment");
    is_refused("ws://h/ x", "blank");
    is_refused("ws://h/\r\nX: y", "blank");
    is_refused("ws://h\xc3\xa4", "ASCII");
    is_refused("ws://a%b@h", "percent");
    is_refused("ws://h<", "host");
}

static void authorities(void **state)
{
    const char *const cases[][2] = {{"ws://h/x", "h"},       {"ws://h:80", "h"},
                                    {"wss://h:80", "h:80"},  {"ws://[::1]:81", "[::1]:81"},
                                    {"ws://u:p@h:1", "h:1"}, {"https://h:443", "h"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = {0};
        struct url u = parsed(cases[i][0]);
        url_authority(&u, &out);
        assert_string_equal(buf_cstr(&out), cases[i][1]);
        buf_release(&out);
    }
}

static void origins(void **state)
{
    struct url a = parsed("ws://h/a"), b = parsed("http://H:80/b"), c = parsed("wss://h/a"),
               d = parsed("ws://h:81/a"), e = parsed("ws://x/a");

    (void)state;
    assert_true(url_same_origin(&a, &b));
    assert_false(url_same_origin(&a, &c));
    assert_false(url_same_origin(&a, &d));
    assert_false(url_same_origin(&a, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemes_have_ports),
        cmocka_unit_test(targets),
        cmocka_unit_test(hosts),
        cmocka_unit_test(userinfo),
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(what_is_no_url),
        cmocka_unit_test(authorities),
        cmocka_unit_test(origins),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_release(&arena);
    return failed;
}
