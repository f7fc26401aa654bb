/* Parts of the monitoring API that read what others wrote: ports, Authorization (RFC 7617), log
   levels, the password policy (Logstash's defaults). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/auth.h"
#include "api/listen.h"
#include "api/logging.h"
#include "plugin/plugin.h"

static void ports_and_ranges(void **state)
{
    static const char *const bad[] = {"",          "-",     "0",     "65536",
                                      "9700-9600", "9600-", "-9600", "9600-9700-1",
                                      " 9600",     "+9600", "96o0",  "999999"};
    struct port_range        r;

    (void)state;
    assert_true(listen_range(STR("9600"), &r) && r.first == 9600 && r.last == 9600);
    assert_true(listen_range(STR("9600-9700"), &r) && r.first == 9600 && r.last == 9700);
    assert_true(listen_range(STR("65535"), &r) && r.first == 65535);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(listen_range(str_of(bad[i]), &r));
}

static void basic_authentication(void **state)
{
    struct settings          s = {.api_auth_type = API_AUTH_BASIC,
                                  .api_auth_basic_username = STR("Aladdin"),
                                  .api_auth_basic_password = {STR("open sesame")}};
    static const char *const bad[] = {
        "",
        "Basic",
        "Basic ",
        "Basic QWxhZGRpbg==",                 /* Aladdin, without a colon */
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",   /* not padded */
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZTE=", /* …1 */
        "Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ==", /* aladdin */
        "Basic ====",
        "Basic !!!!",
        "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    };

    (void)state;
    /* The example of RFC 7617 section 2; the scheme's case does not matter. */
    assert_true(auth_passes(&s, STR("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")));
    assert_true(auth_passes(&s, STR("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(auth_passes(&s, str_of(bad[i])));

    static char long_one[4096] = "Basic ";
    memset(long_one + 6, 'A', sizeof(long_one) - 7);
    assert_false(auth_passes(&s, str_of(long_one)));
    s.api_auth_type = API_AUTH_NONE;
    assert_true(auth_passes(&s, STR("")));
}

static void log_levels(void **state)
{
    char problem[200];

    (void)state;
    log_set_level(NULL, LOG_INFO);
    assert_true(logging_set(STR("{\"logger.output\":\"debug\",\"logger.\":\"WARN\"}"), problem,
                            sizeof(problem)));
    assert_true(log_enabled("output.file", LOG_DEBUG));
    assert_false(log_enabled("agent", LOG_INFO));
    json_t *now = logging_report();
    assert_string_equal(json_string_value(json_object_get(now, "output")), "DEBUG");
    assert_string_equal(json_string_value(json_object_get(now, "")), "WARN");
    json_decref(now);

    /* Nothing is done of what is wrong in a part. */
    assert_false(logging_set(STR("{\"logger.x\":\"TRACE\",\"logger.y\":\"loud\"}"), problem,
                             sizeof(problem)));
    assert_string_equal(problem, "invalid level[loud] for logger[y]");
    assert_false(log_enabled("x", LOG_TRACE));
    assert_false(logging_set(STR("{\"level\":\"INFO\"}"), problem, sizeof(problem)));
    assert_string_equal(problem, "unrecognized option [level]");
    assert_false(logging_set(STR("[]"), problem, sizeof(problem)));
    assert_false(logging_set(STR("{"), problem, sizeof(problem)));
    assert_false(logging_set(STR("{\"logger.x\":1}"), problem, sizeof(problem)));

    log_reset_levels(LOG_INFO);
    assert_true(log_enabled("agent", LOG_INFO));
    assert_false(log_enabled("output.file", LOG_DEBUG));
}

/* Every name is untrusted, and a level is kept for ever: there is an end to them. */
static void log_levels_have_a_limit(void **state)
{
    char body[64], problem[200];
    int  taken = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int len = snprintf(body, sizeof(body), "{\"logger.n%d\":\"DEBUG\"}", i);
        taken += logging_set((struct str){body, (size_t)len}, problem, sizeof(problem));
    }
    assert_true(taken > 10 && taken < 100);
    assert_string_equal(problem, "too many loggers have levels of their own");
}

static bool accepted(const char *password, int mode, const char **said)
{
    static char       *text;
    size_t             size;
    struct arena       arena = {0};
    struct diags       d = {.out = NULL};
    struct plugin_open cx = {.arena = &arena, .diags = &d};
    struct settings    s;

    free(text);
    d.out = open_memstream(&text, &size);
    settings_init(&s, &cx);
    s.api_auth_type = API_AUTH_BASIC;
    s.api_auth_basic_username = STR("u");
    s.api_auth_basic_password.secret = str_of(password);
    s.api_password_mode = mode;
    bool good = settings_check_api(&s, &cx);
    fclose(d.out);
    arena_release(&arena);
    *said = text;
    return good;
}

static void password_policy(void **state)
{
    const char *said;

    (void)state;
    assert_true(accepted("Passw0rd", POLICY_ERROR, &said));
    assert_string_equal(said, "");
    assert_false(accepted("Pass0rd", POLICY_ERROR, &said)); /* 7 characters */
    assert_false(accepted("passw0rd", POLICY_ERROR, &said));
    assert_false(accepted("PASSW0RD", POLICY_ERROR, &said));
    assert_false(accepted("Password", POLICY_ERROR, &said));
    assert_non_null(strstr(said, "digit"));
    assert_null(strstr(said, "Password")); /* never told */
    assert_true(accepted("Password", POLICY_WARN, &said));
    assert_non_null(strstr(said, "warning"));
    assert_false(accepted("", POLICY_WARN, &said));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_and_ranges), cmocka_unit_test(basic_authentication),
        cmocka_unit_test(log_levels),       cmocka_unit_test(log_levels_have_a_limit),
        cmocka_unit_test(password_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
