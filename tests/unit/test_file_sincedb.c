#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "inputs/file.h"

static const double two_weeks = 14 * 86400.0;

/* The example in Logstash's source, with the path as it is really written. */
static void reads_a_line_of_logstash(void **state)
{
    struct sincedb_record r;
    struct str            path;

    (void)state;
    assert_true(sincedb_parse(STR("2977152 1 4 94 1519319662.852678 /path/to/file"), &r, &path));
    assert_int_equal(r.id.inode, 2977152);
    assert_int_equal(r.id.major, 1);
    assert_int_equal(r.id.minor, 4);
    assert_int_equal(r.position, 94);
    assert_true(r.last_active > 1519319662.8 && r.last_active < 1519319662.9);
    assert_true(str_is(path, "/path/to/file"));
}

static void reads_old_and_odd_lines(void **state)
{
    struct sincedb_record r;
    struct str            path;

    (void)state;
    assert_true(sincedb_parse(STR("2977152 1 4 94"), &r, &path)); /* version 1: four columns */
    assert_int_equal(r.position, 94);
    assert_int_equal(path.len, 0);
    assert_true(sincedb_parse(STR("1 2 3 4 5.0 /a path/with blanks "), &r, &path));
    assert_true(str_is(path, "/a path/with blanks "));
    assert_true(sincedb_parse(STR("18446744073709551615 2 3 9223372036854775807 5"), &r, &path));
    assert_true(r.id.inode == UINT64_MAX);
}

static void refuses_nonsense(void **state)
{
    static const char *const lines[] = {"",
                                        "1",
                                        "1 2 3",
                                        "a 2 3 4",
                                        "1 2 3 -4",
                                        "1 2 3 4 x",
                                        "1 2 3 4 nan /p",
                                        "18446744073709551616 2 3 4",
                                        "1 4294967296 3 4",
                                        "1 2 3 9223372036854775808"};
    struct sincedb_record    r;
    struct str               path;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_false(sincedb_parse(str_of(lines[i]), &r, &path));
}

static void prints_six_columns(void **state)
{
    char                  path[] = "/var/log/a b.log";
    struct sincedb_record r = {{12, 8, 1}, 345, 1600000000.5, path, NULL, NULL};
    struct buf            out = {0};

    (void)state;
    sincedb_print(&r, &out);
    assert_true(str_is(buf_view(&out), "12 8 1 345 1600000000.500000 /var/log/a b.log\n"));
    buf_release(&out);
}

/* ---- the file ---- */

static char folder[64], file[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_file_sincedb.XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof(file), "%s/sdb", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

static void comes_back_as_it_was_saved(void **state)
{
    struct sincedb db = {.path = file, .clean_after_s = two_weeks}, again = db;

    (void)state;
    for (uint64_t i = 1; i <= 1000; i++) {
        struct sincedb_record *r = sincedb_add(&db, (struct file_id){i, 8, 1});
        char                   path[32];
        snprintf(path, sizeof(path), "/logs/%d", (int)i);
        sincedb_set_path(r, path);
        sincedb_advance(&db, r, (int64_t)i * 10);
    }
    sincedb_remove(&db, sincedb_find(&db, (struct file_id){500, 8, 1}));
    assert_true(sincedb_save(&db));
    assert_false(db.changed);
    assert_true(sincedb_load(&again));
    assert_int_equal(again.len, 999);
    assert_null(sincedb_find(&again, (struct file_id){500, 8, 1}));
    assert_null(sincedb_find(&again, (struct file_id){1, 8, 2}));
    struct sincedb_record *r = sincedb_find(&again, (struct file_id){999, 8, 1});
    assert_int_equal(r->position, 9990);
    assert_string_equal(r->path, "/logs/999");
    sincedb_release(&db);
    sincedb_release(&again);
}

static void forgets_what_is_old(void **state)
{
    struct sincedb db = {.path = file, .clean_after_s = two_weeks};
    double         now = (double)clock_now().sec;

    (void)state;
    sincedb_add(&db, (struct file_id){1, 8, 1})->last_active = now - two_weeks - 60;
    sincedb_add(&db, (struct file_id){2, 8, 1})->last_active = now - two_weeks + 60;
    assert_true(sincedb_save(&db));
    assert_int_equal(db.len, 1);
    assert_non_null(sincedb_find(&db, (struct file_id){2, 8, 1}));
    sincedb_release(&db);
}

static void a_device_keeps_nothing(void **state)
{
    struct sincedb db = {.path = "/dev/null", .clean_after_s = two_weeks};
    struct stat    st;

    (void)state;
    sincedb_add(&db, (struct file_id){1, 8, 1});
    assert_true(sincedb_load(&db));
    assert_true(sincedb_save(&db));
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    sincedb_release(&db);
}

static void says_when_it_cannot_save(void **state)
{
    struct sincedb db = {.path = "/nowhere/at/all", .clean_after_s = two_weeks};

    (void)state;
    sincedb_add(&db, (struct file_id){1, 8, 1});
    assert_false(sincedb_save(&db));
    assert_true(db.changed);
    sincedb_release(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_line_of_logstash),   cmocka_unit_test(reads_old_and_odd_lines),
        cmocka_unit_test(refuses_nonsense),           cmocka_unit_test(prints_six_columns),
        cmocka_unit_test(comes_back_as_it_was_saved), cmocka_unit_test(forgets_what_is_old),
        cmocka_unit_test(a_device_keeps_nothing),     cmocka_unit_test(says_when_it_cannot_save),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
