/* Filters that look things up, where the conformance cases do not reach. Expected: the
   documentation of each filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "tests/unit/filter_checks.h"

/* ---- translate ---- */

static void translate_reads_its_file_again(void **state)
{
    struct filter_fixture f;
    char                  folder[] = "/tmp/lsc-translate-XXXXXX", path[64], config[300];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/d.csv", folder);
    for (int replace = 0; replace < 2; replace++) {
        write_file(path, "a,one\nb,two\n");
        snprintf(config, sizeof(config),
                 "translate { source => \"s\" target => \"t\" dictionary_path => \"%s\" "
                 "refresh_interval => 0.000000001 refresh_behaviour => \"%s\" }",
                 path, replace ? "replace" : "merge");
        assert_true(filter_fixture_open(&f, config, ECS_V8));
        gives(&f, "{\"s\":\"a\"}", "{\"s\":\"a\",\"t\":\"one\"}");
        write_file(path, "a,three\nc,four\n");
        gives(&f, "{\"s\":\"a\"}", "{\"s\":\"a\",\"t\":\"three\"}");
        gives(&f, "{\"s\":\"c\"}", "{\"s\":\"c\",\"t\":\"four\"}");
        gives(&f, "{\"s\":\"b\"}", replace ? "{\"s\":\"b\"}" : "{\"s\":\"b\",\"t\":\"two\"}");
        write_file(path, "\"broken");
        gives(&f, "{\"s\":\"a\"}", "{\"s\":\"a\",\"t\":\"three\"}");
        unlink(path);
        gives(&f, "{\"s\":\"a\"}", "{\"s\":\"a\",\"t\":\"three\"}");
        filter_fixture_close(&f);
    }
    rmdir(folder);
}

static void translate_refuses(void **state)
{
    (void)state;
    refused("translate { dictionary => { \"a\" => \"b\" } }");
    refused("translate { source => \"a\" field => \"b\" }");
    refused("translate { source => \"a\" target => \"t\" destination => \"d\" }");
    refused("translate { source => \"a\" regex => true dictionary => { \"(\" => \"b\" } }");
    refused("translate { source => \"a\" dictionary_path => \"/etc/passwd\" }");
}

static void translate_takes_old_names(void **state)
{
    struct filter_fixture f;

    (void)state;
    one("translate { field => \"a\" destination => \"b\" dictionary => { \"1\" => \"x\" } }",
        "{\"a\":1}", "{\"a\":1,\"b\":\"x\"}");
    assert_true(filter_fixture_open(
        &f, "translate { source => \"a\" dictionary => { \"1\" => \"x\" } }", ECS_V8));
    gives(&f, "{\"a\":\"1\"}", "{\"a\":\"x\"}"); /* in place by default with ECS */
    filter_fixture_close(&f);
}

/* ---- geoip ---- */

static void copy_database(const char *name, const char *to)
{
    const char *src = getenv("srcdir");
    char        path[4096];
    size_t      len;

    snprintf(path, sizeof(path), "%s/tests/golden/filter-geoip/%s", src ? src : ".", name);
    char *bytes = file_read(path, 1 << 20, &len);
    assert_non_null(bytes);
    FILE *file = fopen(to, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
    free(bytes);
}

static void geoip_opens_its_file_again(void **state)
{
    struct filter_fixture f;
    char                  path[] = "/tmp/lsc-geoip-XXXXXX", config[300];
    int                   fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    copy_database("country.mmdb", path);
    snprintf(config, sizeof(config),
             "geoip { source => \"i\" database => \"%s\" refresh_interval => 0.000000001 }", path);
    assert_true(filter_fixture_open(&f, config, ECS_DISABLED));
    gives(&f, "{\"i\":\"192.0.2.1\"}",
          "{\"i\":\"192.0.2.1\",\"geoip\":{\"ip\":\"192.0.2.1\",\"country_code2\":\"FR\","
          "\"country_name\":\"France\",\"continent_name\":\"Europe\"}}");
    copy_database("domain.mmdb", path);
    gives(&f, "{\"i\":\"192.0.2.1\"}",
          "{\"i\":\"192.0.2.1\",\"geoip\":{\"domain\":\"example.org\"}}");
    write_file(path, "broken");
    gives(&f, "{\"i\":\"192.0.2.1\"}",
          "{\"i\":\"192.0.2.1\",\"geoip\":{\"domain\":\"example.org\"}}");
    unlink(path);
    gives(&f, "{\"i\":\"192.0.2.1\"}",
          "{\"i\":\"192.0.2.1\",\"geoip\":{\"domain\":\"example.org\"}}");
    filter_fixture_close(&f);
}

static void geoip_refuses(void **state)
{
    struct filter_fixture f;
    char                  path[] = "/tmp/lsc-geoip-XXXXXX", config[300];
    int                   fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    refused("geoip { source => \"i\" }");
    refused("geoip { source => \"i\" database => \"/etc/passwd\" }");
    copy_database("country.mmdb", path);
    snprintf(config, sizeof(config),
             "geoip { source => \"i\" database => \"%s\" fields => [\"town\"] }", path);
    refused(config);
    snprintf(config, sizeof(config), "geoip { source => \"client_ip\" database => \"%s\" }", path);
    assert_false(filter_fixture_open(&f, config, ECS_V8)); /* no target */
    filter_fixture_close(&f);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(translate_reads_its_file_again),
        cmocka_unit_test(translate_refuses),
        cmocka_unit_test(translate_takes_old_names),
        cmocka_unit_test(geoip_opens_its_file_again),
        cmocka_unit_test(geoip_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
