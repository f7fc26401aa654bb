/* Tables of changing things: base/table, base/versions, base/owned, text/recent. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fatal.h"
#include "base/owned.h"
#include "base/table.h"
#include "base/versions.h"
#include "text/recent.h"

/* ---- table ---- */

struct record {
    struct table_entry entry;
    int                number;
};

static struct str name_of(int i, char name[16])
{
    snprintf(name, 16, "key %d", i);
    return str_of(name);
}

static bool is_odd(void *record, void *ctx)
{
    ++*(int *)ctx;
    return ((struct record *)record)->number % 2;
}

static void table_adds_and_removes(void **state)
{
    enum { MANY = 1000 };
    struct table t = {.size = sizeof(struct record)};
    char         name[16];
    bool         added;
    int          seen = 0;

    (void)state;
    assert_null(table_get(&t, STR("x")));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            struct record *r = table_add(&t, name_of(i, name), &added);
            assert_int_equal(added, round == 0 || i % 2 == 0);
            assert_int_equal(r->number, added ? 0 : i);
            r->number = i;
        }
        assert_int_equal(t.len, MANY);
        seen = 0;
        table_filter(&t, is_odd, &seen);
        assert_int_equal(seen, MANY);
        assert_int_equal(t.len, MANY / 2);
    }
    struct record *r = table_get(&t, name_of(7, name));
    assert_int_equal(r->number, 7);
    assert_true(str_is(table_key(r), "key 7"));
    table_remove(&t, r);
    assert_null(table_get(&t, name_of(7, name)));
    table_release(&t);
    assert_int_equal(t.len, 0);
}

/* ---- versions ---- */

struct thing {
    int a, b; /* always the same */
};

static _Atomic int things;

static struct thing *new_thing(int n)
{
    struct thing *t = xcalloc(1, sizeof(*t));

    *t = (struct thing){n, n};
    things++;
    return t;
}

static void free_thing(void *thing)
{
    struct thing *t = thing;

    t->a = -1;
    things--;
    free(t);
}

enum { VERSIONS = 2000 };

/* Reads until it has seen the last version. */
static void *read_versions(void *ctx)
{
    struct versions      *v = ctx;
    struct version_reader reader = {.number = 0};
    int                   last = 0;

    while (last < VERSIONS) {
        struct thing *t = versions_get(v, &reader);
        if (t->a != t->b || t->a < last) return (void *)"not what was put";
        last = t->a;
    }
    return NULL;
}

static void versions_are_read_while_they_change(void **state)
{
    struct versions       v;
    struct version_reader reader = {.number = 0};
    pthread_t             readers[3];
    void                 *problem;

    (void)state;
    versions_init(&v, free_thing);
    assert_null(versions_get(&v, &reader));
    versions_put(&v, new_thing(1));
    struct thing *first = versions_get(&v, &reader);
    for (int i = 0; i < 3; i++)
        pthread_create(&readers[i], NULL, read_versions, &v);
    for (int i = 2; i <= VERSIONS; i++)
        versions_put(&v, new_thing(i));
    for (int i = 0; i < 3; i++) {
        pthread_join(readers[i], &problem);
        assert_null(problem);
    }
    assert_int_equal(first->a, 1); /* still held */
    first = versions_get(&v, &reader);
    assert_int_equal(first->a, VERSIONS);
    assert_int_equal(things, 1);
    versions_release(&v);
    assert_int_equal(things, 0);
}

static void owned_are_freed(void **state)
{
    struct owned *o = owned_new();

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_non_null(owned_add(o, new_thing(i), free_thing));
    assert_int_equal(things, 3);
    owned_free(o);
    assert_int_equal(things, 0);
    owned_free(NULL);
}

/* ---- recent ---- */

static void recent_forgets_the_oldest(void **state)
{
    struct recent r;
    char          name[16], big[RECENT_KEY_MAX + 1];

    (void)state;
    recent_init(&r, 10);
    for (int i = 0; i < 100; i++) {
        recent_put(&r, name_of(i, name), value_int(i));
        assert_int_equal(recent_get(&r, name_of(i, name))->as.i, i);
        assert_int_equal(recent_get(&r, STR("key 0"))->as.i, 0); /* asked for, so it stays */
    }
    assert_null(recent_get(&r, STR("key 50")));
    assert_true(r.newer->len + r.older->len <= 10);
    memset(big, 'x', sizeof(big));
    recent_put(&r, (struct str){big, sizeof(big)}, value_int(1));
    assert_null(recent_get(&r, (struct str){big, sizeof(big)}));
    recent_release(&r);
}

static void recent_has_a_limit_of_bytes(void **state)
{
    struct recent r;

    (void)state;
    recent_init(&r, 2);
    for (int i = 0; i < 200000; i++) /* the same key, again and again */
        recent_put(&r, STR("a key of some length"), value_string(STR("and its value")));
    assert_true(arena_used(&r.newer->arena) < 2 << 20);
    assert_int_equal(recent_get(&r, STR("a key of some length"))->len, 13);
    recent_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_adds_and_removes),
        cmocka_unit_test(versions_are_read_while_they_change),
        cmocka_unit_test(owned_are_freed),
        cmocka_unit_test(recent_forgets_the_oldest),
        cmocka_unit_test(recent_has_a_limit_of_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
