/* Values, lists and maps. Texts: the cases sprintf-0001 to -0007 (Logstash 8.9.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "event/json.h"

static struct arena arena;

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct key name(int i)
{
    return key_make(arena_printf(&arena, "name%d", i));
}

static struct value json(const char *text)
{
    struct value v;

    assert_true(json_decode(&arena, arena_copy(&arena, str_of(text)), NULL, &v, NULL));
    return v;
}

static void map_of(struct map *m, int len)
{
    for (int i = 0; i < len; i++)
        *map_add(m, &arena, name(i)) = value_int(i);
}

static void empty_map(void **state)
{
    struct map m = {0};

    (void)state;
    assert_null(map_get(&m, name(1)));
    assert_false(map_remove(&m, name(1)));
    map_clear(&m);
    assert_int_equal(map_add(&m, &arena, name(1))->kind, VALUE_NULL);
    assert_int_equal(m.len, 1);
}

static void adding_twice_gives_the_same_member(void **state)
{
    struct map *m = map_new(&arena, 2);

    (void)state;
    *map_add(m, &arena, name(1)) = value_int(5);
    assert_int_equal(map_add(m, &arena, name(1))->as.i, 5);
    assert_int_equal(m->len, 1);
}

/* Below, at and above the size from which there is an index. */
static void members_are_found(void **state)
{
    (void)state;
    for (int len = 1; len < 200; len += len < 40 ? 1 : 37) {
        struct map m = {0};
        map_of(&m, len);
        assert_int_equal(m.len, len);
        for (int i = 0; i < len; i++) {
            assert_int_equal(map_get(&m, name(i))->as.i, i);
            assert_true(str_eq(key_str(m.members[i].key), key_str(name(i))));
        }
        assert_null(map_get(&m, name(len)));
    }
}

static void removing_keeps_the_order_and_the_rest(void **state)
{
    (void)state;
    for (int len = 1; len < 120; len += 7) {
        for (int step = 1; step < 5; step++) {
            struct map m = {0};
            int        left = len;
            map_of(&m, len);
            for (int i = 0; i < len; i += step, left--)
                assert_true(map_remove(&m, name(i)));
            assert_int_equal(m.len, left);
            for (int i = 0; i < len; i++) {
                struct value *v = map_get(&m, name(i));
                assert_true((v == NULL) == (i % step == 0));
                if (v) assert_int_equal(v->as.i, i);
            }
            for (uint32_t i = 1; i < m.len; i++)
                assert_true(m.members[i - 1].value.as.i < m.members[i].value.as.i);
            map_of(&m, len);
            assert_int_equal(m.len, len);
            for (int i = 0; i < len; i++)
                assert_non_null(map_get(&m, name(i)));
        }
    }
}

/* 100,000 members, taken out from the front: not quadratic, and all others are still found. */
static void huge_maps_are_emptied(void **state)
{
    struct map m = {0};
    int        len = 100000;

    (void)state;
    map_of(&m, len);
    for (int i = 0; i < len; i++) {
        assert_true(map_remove(&m, name(i)));
        if (i % 1000) continue;
        assert_null(map_get(&m, name(i)));
        for (int j = i + 1; j < len; j += 997)
            assert_int_equal(map_get(&m, name(j))->as.i, j);
    }
    assert_int_equal(m.len, 0);
}

static void cleared_maps_can_be_filled_again(void **state)
{
    struct map m = {0};

    (void)state;
    map_of(&m, 50);
    map_clear(&m);
    assert_int_equal(m.len, 0);
    assert_null(map_get(&m, name(3)));
    map_of(&m, 30);
    assert_int_equal(map_get(&m, name(29))->as.i, 29);
}

/* Keys that agree in the quick hash: same length, same first and last eight bytes. */
static void colliding_names(void **state)
{
    struct map m = {0};

    (void)state;
    for (int i = 0; i < 3000; i++)
        *map_add(&m, &arena, key_make(arena_printf(&arena, "aaaaaaaa%06dzzzzzzzz", i))) =
            value_int(i);
    assert_int_equal(m.len, 3000);
    assert_int_equal(map_get(&m, key_make(STR("aaaaaaaa001234zzzzzzzz")))->as.i, 1234);
    assert_null(map_get(&m, key_make(STR("aaaaaaaa003000zzzzzzzz"))));
}

/* Names of one letter repeated, whose first and last bytes agree whatever their length, and names
   that differ in few bits: the index spreads them all. */
static void similar_names(void **state)
{
    enum { NAMES = 4096, BUCKETS = 8192, CROWD = 12 };
    static uint8_t crowds[BUCKETS];
    int            most = 0;

    (void)state;
    for (int i = 0; i < NAMES; i++) {
        char text[16];
        int  len = i < 26 * 14 ? 1 + i / 26 : 8;
        memset(text, 'a' + i % 26, sizeof(text));
        if (len == 8) snprintf(text, sizeof(text), "id%06d", i);
        uint8_t *crowd = &crowds[hash_name_keyed(text, (size_t)len) % BUCKETS];
        if (++*crowd > most) most = *crowd;
    }
    assert_in_range(most, 1, CROWD);
}

static void lists(void **state)
{
    struct list *l = list_new(&arena, 0);

    (void)state;
    for (int i = 0; i < 20; i++)
        list_push(l, &arena, value_int(i));
    list_insert(l, &arena, 0, value_int(-1));
    list_insert(l, &arena, 21, value_int(20));
    assert_int_equal(l->len, 22);
    for (int i = 0; i < 22; i++)
        assert_int_equal(l->items[i].as.i, i - 1);
    list_remove(l, 0);
    list_remove(l, 20);
    list_remove(l, 5);
    assert_int_equal(l->len, 19);
    assert_int_equal(l->items[4].as.i, 4);
    assert_int_equal(l->items[5].as.i, 6);
    assert_int_equal(l->items[18].as.i, 19);
}

static void copies_share_nothing(void **state)
{
    struct arena  other = {0};
    struct buf    out = {0};
    struct value  from = json("{\"a\":[1,{\"b\":\"text\"}],\"n\":12345678901234567890,\"f\":1.5}");
    struct value  to = value_copy(&other, from);
    struct member first = to.as.map->members[0];

    (void)state;
    assert_ptr_not_equal(first.key.name, from.as.map->members[0].key.name);
    first.value.as.list->items[0] = value_int(2);
    arena_reset(&arena);
    memset(arena_alloc(&arena, 1000), 'x', 1000);
    json_encode(to, &out);
    assert_string_equal(buf_cstr(&out),
                        "{\"a\":[2,{\"b\":\"text\"}],\"n\":12345678901234567890,\"f\":1.5}");
    buf_release(&out);
    arena_release(&other);
}

static void clones_share_text_only(void **state)
{
    struct value from = json("{\"a\":[1],\"s\":\"text\"}"), to = value_clone(&arena, from);

    (void)state;
    assert_true(value_eq(from, to));
    to.as.map->members[0].value.as.list->items[0] = value_int(2);
    assert_false(value_eq(from, to));
    assert_ptr_equal(from.as.map->members[1].value.as.s, to.as.map->members[1].value.as.s);
}

static void large_maps_are_cloned_with_their_index(void **state)
{
    struct map m = {0};

    (void)state;
    map_of(&m, 100);
    struct value twin = value_clone(&arena, value_map(&m));
    map_clear(&m);
    assert_int_equal(map_get(twin.as.map, name(99))->as.i, 99);
    assert_null(map_get(twin.as.map, name(100)));
    *map_add(twin.as.map, &arena, name(100)) = value_int(100);
    assert_int_equal(map_get(twin.as.map, name(100))->as.i, 100);
}

static bool equal(const char *a, const char *b)
{
    bool one = value_eq(json(a), json(b));

    assert_true(value_eq(json(b), json(a)) == one);
    return one;
}

static void equality(void **state)
{
    (void)state;
    assert_true(equal("null", "null"));
    assert_true(equal("1", "1.0"));
    assert_true(equal("12345678901234567890", "12345678901234567890"));
    assert_true(equal("[1,{\"a\":2,\"b\":3}]", "[1.0,{\"b\":3,\"a\":2}]"));
    assert_true(equal("18446744073709551616", "18446744073709551616.0"));
    assert_false(equal("1", "\"1\""));
    assert_false(equal("1", "true"));
    assert_false(equal("0", "null"));
    assert_false(equal("1", "1.5"));
    assert_false(equal("9223372036854775807", "9223372036854775808.0"));
    assert_false(equal("9007199254740993", "9007199254740992.0"));
    assert_false(equal("18446744073709551617", "18446744073709551616.0"));
    assert_false(equal("12345678901234567890", "1e400"));
    assert_false(equal("12345678901234567890", "\"12345678901234567890\""));
    assert_false(equal("[1]", "[1,2]"));
    assert_false(equal("{\"a\":1}", "{\"a\":1,\"b\":1}"));
    assert_false(equal("{\"a\":1}", "{\"b\":1}"));
    assert_false(equal("\"a\"", "\"b\""));
    assert_true(
        value_eq(value_time((struct timestamp){1, 2}), value_time((struct timestamp){1, 2})));
    assert_false(
        value_eq(value_time((struct timestamp){1, 2}), value_time((struct timestamp){1, 3})));
}

static void prints(const char *from, const char *text)
{
    struct buf out = {0};

    value_text(json(from), &out);
    assert_string_equal(buf_cstr(&out), text);
    buf_release(&out);
}

static void text(void **state)
{
    (void)state;
    prints("\"str\"", "str");
    prints("\"\"", "");
    prints("5", "5");
    prints("-9223372036854775808", "-9223372036854775808");
    prints("12345678901234567890", "12345678901234567890");
    prints("1.0", "1.0");
    prints("1e20", "1.0E20");
    prints("true", "true");
    prints("false", "false");
    prints("null", "");
    prints("\"tab\\tnl\\n\\\"q\\\"\"", "tab\tnl\n\"q\"");
    prints("[]", "");
    prints("[\"p\",\"q\",\"r\"]", "p,q,r");
    prints("[1,2.5,true,null,\"x\"]", "1,2.5,true,,x");
    prints("[[1,2],[3,[4]]]", "1,2,3,4");
    prints("{\"k\":{\"l\":[1,null]}}", "{\"k\":{\"l\":[1,null]}}");
    prints("{}", "{}");
    prints("[{\"k\":\"v\"}]", "{k=v}");
    prints("[{\"k\":1},\"s\"]", "{k=1},s");
}

static void kind_names(void **state)
{
    (void)state;
    for (enum value_kind kind = VALUE_NULL; kind <= VALUE_MAP; kind++)
        assert_true(strlen(value_kind_name(kind)) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_map),
        cmocka_unit_test(adding_twice_gives_the_same_member),
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(removing_keeps_the_order_and_the_rest),
        cmocka_unit_test(huge_maps_are_emptied),
        cmocka_unit_test(cleared_maps_can_be_filled_again),
        cmocka_unit_test(colliding_names),
        cmocka_unit_test(similar_names),
        cmocka_unit_test(lists),
        cmocka_unit_test(copies_share_nothing),
        cmocka_unit_test(clones_share_text_only),
        cmocka_unit_test(large_maps_are_cloned_with_their_index),
        cmocka_unit_test(equality),
        cmocka_unit_test(text),
        cmocka_unit_test(kind_names),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
