#ifndef LSC_TESTS_FILTER_CHECKS_H
#define LSC_TESTS_FILTER_CHECKS_H

#include <stdio.h>

#include "tests/filter_fixture.h"

/* For unit tests of filters; include cmocka.h first. Events are JSON objects. */

static inline void gives(struct filter_fixture *f, const char *in, const char *out)
{
    assert_true(filter_fixture_run(f, in));
    if (!filter_fixture_is(f, out)) fail_msg("%s gave %s, not %s", in, filter_fixture_json(f), out);
}

static inline void one(const char *config, const char *in, const char *out)
{
    struct filter_fixture f;

    if (!filter_fixture_open(&f, config, ECS_DISABLED)) fail_msg("refused: %s", config);
    gives(&f, in, out);
    filter_fixture_close(&f);
}

static inline void refused(const char *config)
{
    struct filter_fixture f;

    if (filter_fixture_open(&f, config, ECS_DISABLED)) fail_msg("accepted: %s", config);
    assert_int_equal(f.diags.errors, 1);
    filter_fixture_close(&f);
}

static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

#endif
