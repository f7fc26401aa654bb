/* Events. Expected: the cases field-0001 to -0105 and jsonio-0075 to -0132 (Logstash 8.9.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/batch.h"
#include "event/json.h"

static struct arena           arena;
static struct buf             out;
static const struct timestamp now = {1709971626, 543000000}; /* 2024-03-09T08:07:06.543Z */

static int prepare(void **state)
{
    (void)state;
    event_names_init();
    return 0;
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    buf_release(&out);
    return 0;
}

static struct value json(const char *text)
{
    struct value v;

    assert_true(json_decode(&arena, arena_copy(&arena, str_of(text)), NULL, &v, NULL));
    return v;
}

/* An event with the data of `text` only. */
static struct event *event(const char *text)
{
    struct event *ev = event_new(&arena);

    ev->data = *json(text).as.map;
    return ev;
}

static const struct field *field(const char *text)
{
    return field_parse(&arena, str_of(text), NULL, NULL);
}

static void event_is(const struct event *ev, const char *text)
{
    buf_clear(&out);
    json_encode_event(ev, &out);
    assert_string_equal(buf_cstr(&out), text);
}

static void metadata_is(const struct event *ev, const char *text)
{
    buf_clear(&out);
    json_encode(*event_get(ev, field("[@metadata]")), &out);
    assert_string_equal(buf_cstr(&out), text);
}

static void from_json(const char *text, const char *expected)
{
    event_is(event_from_map(&arena, json(text).as.map, now), expected);
}

/* ---- making ---- */

static void blank_events(void **state)
{
    (void)state;
    event_is(event_new(&arena), "{}");
    event_is(event_blank(&arena, now),
             "{\"@version\":\"1\",\"@timestamp\":\"2024-03-09T08:07:06.543Z\"}");
}

static void defaults_are_added(void **state)
{
    (void)state;
    from_json("{}", "{\"@timestamp\":\"2024-03-09T08:07:06.543Z\",\"@version\":\"1\"}");
    from_json("{\"@timestamp\":null,\"@version\":null}",
              "{\"@timestamp\":\"2024-03-09T08:07:06.543Z\",\"@version\":null}");
    from_json("{\"@timestamp\":\"2020-01-02T03:04:05.678+02:00\",\"@version\":2,\"a\":1}",
              "{\"@timestamp\":\"2020-01-02T01:04:05.678Z\",\"@version\":2,\"a\":1}");
}

static void bad_timestamps_are_kept(void **state)
{
    (void)state;
    from_json("{\"@timestamp\":\"yesterday\",\"@version\":\"1\"}",
              "{\"@timestamp\":\"2024-03-09T08:07:06.543Z\",\"@version\":\"1\","
              "\"_@timestamp\":\"yesterday\",\"tags\":[\"_timestampparsefailure\"]}");
    from_json("{\"@timestamp\":[],\"@version\":\"1\",\"tags\":[\"x\"]}",
              "{\"@timestamp\":\"2024-03-09T08:07:06.543Z\",\"@version\":\"1\","
              "\"tags\":[\"x\",\"_timestampparsefailure\"],\"_@timestamp\":[]}");
    from_json("{\"@timestamp\":5,\"@version\":\"1\",\"tags\":\"x\"}",
              "{\"@timestamp\":\"2024-03-09T08:07:06.543Z\",\"@version\":\"1\","
              "\"tags\":[\"x\",\"_timestampparsefailure\"],\"_@timestamp\":5}");
}

static void bad_tags_are_kept(void **state)
{
    static const char *const fine[] = {"[]", "\"\"", "\"a\"", "[\"a\",\"b\"]"};
    static const char *const bad[] = {"[\"a\",5]", "true",   "5",   "{\"k\":1}",
                                      "[[\"a\"]]", "[null]", "null"}; /* mutate-0157 */

    (void)state;
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        struct str text = arena_printf(
            &arena, "{\"@timestamp\":\"2024-03-09T08:07:06.543Z\",\"@version\":\"1\",\"tags\":%s}",
            fine[i]);
        from_json(text.data, text.data);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        from_json(
            arena_printf(&arena, "{\"@timestamp\":null,\"@version\":\"1\",\"tags\":%s}", bad[i])
                .data,
            arena_printf(&arena,
                         "{\"@timestamp\":\"2024-03-09T08:07:06.543Z\",\"@version\":\"1\","
                         "\"tags\":[\"_tagsparsefailure\"],\"_tags\":[%s]}",
                         bad[i])
                .data);
}

static void metadata_is_taken_out(void **state)
{
    struct map *m = json("{\"@metadata\":{\"x\":1},\"@version\":\"1\",\"@timestamp\":null}").as.map;
    struct event *ev = event_from_map(&arena, m, now);

    (void)state;
    event_is(ev, "{\"@version\":\"1\",\"@timestamp\":\"2024-03-09T08:07:06.543Z\"}");
    metadata_is(ev, "{\"x\":1}");
    assert_null(event_from_map(&arena, json("{\"@metadata\":\"str\"}").as.map, now));
    assert_null(event_from_map(&arena, json("{\"@metadata\":null}").as.map, now));
    assert_null(event_from_map(&arena, json("{\"@metadata\":[1]}").as.map, now));
}

static void large_events_get_their_defaults(void **state)
{
    struct buf text = {0};

    (void)state;
    for (int i = 0; i < 60; i++)
        buf_printf(&text, "%c\"k%d\":%d", i ? ',' : '{', i, i);
    buf_str(&text, STR(",\"@metadata\":{\"m\":1},\"tags\":5,\"@timestamp\":\"no\"}"));
    struct event *ev = event_from_map(&arena, json(buf_cstr(&text)).as.map, now);
    assert_int_equal(ev->data.len, 60 + 5);
    assert_null(event_get_key(ev, names.metadata));
    assert_non_null(event_get_key(ev, names.version));
    assert_int_equal(event_get_key(ev, names.tags)->as.list->len, 2);
    assert_int_equal(event_get_key(ev, names.timestamp)->kind, VALUE_TIME);
    assert_int_equal(event_get(ev, field("k59"))->as.i, 59);
    buf_release(&text);
}

/* ---- reading ---- */

static void get(void **state)
{
    struct event *ev =
        event("{\"a\":{\"b\":{\"c\":1}},\"a.b\":2,\"l\":[\"p\",{\"q\":3}],\"n\":null}");

    (void)state;
    assert_int_equal(event_get(ev, field("[a][b][c]"))->as.i, 1);
    assert_int_equal(event_get(ev, field("a.b"))->as.i, 2);
    assert_int_equal(event_get(ev, field("[a.b]"))->as.i, 2);
    assert_int_equal(event_get(ev, field("[l][1][q]"))->as.i, 3);
    assert_int_equal(event_get(ev, field("[l][-1][q]"))->as.i, 3);
    assert_int_equal(event_get(ev, field("[l][-2]"))->kind, VALUE_STRING);
    assert_int_equal(event_get(ev, field("n"))->kind, VALUE_NULL);
    assert_null(event_get(ev, field("[l][2]")));
    assert_null(event_get(ev, field("[l][-3]")));
    assert_null(event_get(ev, field("[l][x]")));
    assert_null(event_get(ev, field("[a][x]")));
    assert_null(event_get(ev, field("[a][b][c][d]")));
    assert_null(event_get(ev, field("[n][x]")));
    assert_null(event_get(ev, field("[@metadata][x]")));
    metadata_is(ev, "{}");
}

/* ---- writing ---- */

/* Sets `path` in the event `from` to "v": `to`, or refused when NULL. */
static void sets(const char *from, const char *path, const char *to)
{
    struct event *ev = event(from);

    assert_true(event_set(ev, field(path), value_string(STR("v"))) == (to != NULL));
    event_is(ev, to ? to : from);
}

static void set(void **state)
{
    (void)state;
    sets("{}", "a", "{\"a\":\"v\"}");
    sets("{\"a\":1}", "a", "{\"a\":\"v\"}");
    sets("{}", "[a][b][c]", "{\"a\":{\"b\":{\"c\":\"v\"}}}");
    sets("{\"a\":{}}", "[a][b][c]", "{\"a\":{\"b\":{\"c\":\"v\"}}}");
    sets("{\"a\":{\"b\":{\"d\":1}}}", "[a][b][c]", "{\"a\":{\"b\":{\"d\":1,\"c\":\"v\"}}}");
    sets("{\"a\":null}", "[a][b]", NULL);
    sets("{\"a\":\"str\"}", "[a][b]", NULL);
    sets("{\"a\":5}", "[a][b]", NULL);
    sets("{\"a\":true}", "[a][b]", NULL);
}

static void set_in_lists(void **state)
{
    (void)state;
    sets("{\"a\":[]}", "[a][b]", "{\"a\":[]}");
    sets("{\"l\":[\"p\",\"q\"]}", "[l][0]", "{\"l\":[\"v\",\"q\"]}");
    sets("{\"l\":[\"p\",\"q\"]}", "[l][1]", "{\"l\":[\"p\",\"v\"]}");
    sets("{\"l\":[\"p\",\"q\"]}", "[l][2]", "{\"l\":[\"p\",\"q\",\"v\"]}");
    sets("{\"l\":[\"p\",\"q\"]}", "[l][4]", "{\"l\":[\"p\",\"q\",null,null,\"v\"]}");
    sets("{\"l\":[\"p\",\"q\"]}", "[l][-1]", "{\"l\":[\"p\",\"v\"]}");
    sets("{\"l\":[\"p\",\"q\"]}", "[l][-3]", NULL);
    sets("{\"l\":[\"p\"]}", "[l][1][x]", "{\"l\":[\"p\",{\"x\":\"v\"}]}");
    sets("{\"l\":[\"p\"]}", "[l][0][x]", NULL);
    sets("{\"l\":[\"p\"]}", "[l][y][x]", NULL);
    sets("{}", "[l][0]", "{\"l\":{\"0\":\"v\"}}");
    sets("{\"l\":[]}", "[l][10001]", NULL);
    sets("{\"l\":[]}", "[l][2147483647]", NULL);
}

static void set_guarded_fields(void **state)
{
    struct event *ev = event("{}");

    (void)state;
    sets("{\"@timestamp\":1}", "@timestamp", NULL);
    assert_true(event_set(ev, field("@timestamp"), value_time(now)));
    assert_true(event_set(ev, field("[x][ts]"), value_time(now)));
    event_is(ev, "{\"@timestamp\":\"2024-03-09T08:07:06.543Z\","
                 "\"x\":{\"ts\":\"2024-03-09T08:07:06.543Z\"}}");
    sets("{\"tags\":[\"a\",\"b\"]}", "[tags][0]", NULL);
    sets("{}", "[tags][k]", NULL);
    sets("{}", "tags", "{\"tags\":\"v\"}");
    assert_false(event_set(event("{}"), field("tags"), value_int(5)));
    assert_false(event_set(event("{}"), field("tags"), json("{\"k\":1}")));
    assert_false(event_set(event("{}"), field("tags"), json("[1]")));
    assert_true(event_set(event("{}"), field("tags"), json("[\"a\"]")));
    assert_true(event_set(event("{}"), field("[@metadata][tags]"), value_int(5)));
}

static void set_metadata(void **state)
{
    struct event *ev = event("{}");

    (void)state;
    assert_true(event_set(ev, field("[@metadata][x][y]"), value_int(1)));
    metadata_is(ev, "{\"x\":{\"y\":1}}");
    assert_true(event_set(ev, field("@metadata"), json("{\"z\":2}")));
    metadata_is(ev, "{\"z\":2}");
    assert_false(event_set(ev, field("[@metadata]"), value_int(1)));
    metadata_is(ev, "{\"z\":2}");
    event_is(ev, "{}");
}

static void removes(const char *from, const char *path, const char *to)
{
    struct event *ev = event(from);
    struct value  old = value_int(99);

    assert_true(event_remove(ev, field(path), &old) == (to != NULL));
    event_is(ev, to ? to : from);
    assert_false(event_remove(event("{}"), field(path), NULL));
}

static void removing(void **state)
{
    (void)state;
    removes("{\"a\":1,\"b\":2}", "a", "{\"b\":2}");
    removes("{\"a\":null}", "a", "{}");
    removes("{\"a.b\":1,\"a\":{\"b\":2}}", "[a][b]", "{\"a.b\":1,\"a\":{}}");
    removes("{\"l\":[\"p\",\"q\"]}", "[l][0]", "{\"l\":[\"q\"]}");
    removes("{\"l\":[\"p\",\"q\",\"r\"]}", "[l][-1]", "{\"l\":[\"p\",\"q\"]}");
    removes("{\"l\":[\"p\"]}", "[l][9]", NULL);
    removes("{\"l\":[\"p\"]}", "[l][x]", NULL);
    removes("{\"l\":{\"0\":\"x\"}}", "[l][0]", "{\"l\":{}}");
    removes("{\"l\":\"s\"}", "[l][0]", NULL);
    removes("{\"a\":1}", "b", NULL);
    removes("{\"a\":1}", "[a][b][c]", NULL);
}

static void removed_values_come_back(void **state)
{
    struct event *ev = event("{\"a\":{\"b\":{\"b\":1}}}");
    struct value  old;

    (void)state;
    assert_true(event_remove(ev, field("[a][b]"), &old)); /* rename a child over its parent */
    assert_true(event_set(ev, field("a"), old));
    event_is(ev, "{\"a\":{\"b\":1}}");
    assert_true(event_set(ev, field("[@metadata][x]"), value_int(1)));
    assert_true(event_remove(ev, field("[@metadata]"), &old));
    assert_int_equal(old.as.map->len, 1);
    metadata_is(ev, "{}");
}

/* ---- tags, time, clones ---- */

static void tagged(const char *from, const char *tag, const char *to)
{
    struct event *ev = event(from);

    event_tag(ev, str_of(tag));
    event_is(ev, to);
}

static void tags(void **state)
{
    struct event *ev = event("{\"tags\":[\"t\",\"u\",\"t\"]}");

    (void)state;
    tagged("{}", "t", "{\"tags\":[\"t\"]}");
    tagged("{\"tags\":\"one\"}", "t", "{\"tags\":[\"one\",\"t\"]}");
    tagged("{\"tags\":\"t\"}", "t", "{\"tags\":[\"t\"]}");
    tagged("{\"tags\":[\"t\",\"u\"]}", "t", "{\"tags\":[\"t\",\"u\"]}");
    event_untag(ev, STR("t"));
    event_is(ev, "{\"tags\":[\"u\"]}");
    event_untag(ev, STR("u"));
    event_is(ev, "{\"tags\":[]}");
    event_untag(event("{}"), STR("u"));
    ev = event("{\"tags\":\"one\"}");
    event_untag(ev, STR("two"));
    event_is(ev, "{\"tags\":\"one\"}");
    event_untag(ev, STR("one"));
    event_is(ev, "{\"tags\":[]}");
}

static void timestamps(void **state)
{
    struct event    *ev = event("{\"@timestamp\":\"text\"}");
    struct timestamp t;

    (void)state;
    assert_false(event_timestamp(ev, &t));
    assert_false(event_timestamp(event("{}"), &t));
    event_set_timestamp(ev, now);
    assert_true(event_timestamp(ev, &t));
    assert_int_equal(t.sec, now.sec);
    assert_int_equal(t.nsec, now.nsec);
}

static void clones(void **state)
{
    struct arena  other = {0};
    struct event *ev = event("{\"a\":{\"b\":[1]},\"s\":\"text\"}");

    (void)state;
    assert_true(event_set(ev, field("[@metadata][m]"), value_int(1)));
    struct event *near = event_clone(&arena, ev), *far = event_clone(&other, ev);
    assert_true(event_set(ev, field("[a][b][0]"), value_int(2)));
    assert_true(event_set(ev, field("[@metadata][m]"), value_int(2)));
    event_is(near, "{\"a\":{\"b\":[1]},\"s\":\"text\"}");
    metadata_is(near, "{\"m\":1}");
    event_is(far, "{\"a\":{\"b\":[1]},\"s\":\"text\"}");
    metadata_is(far, "{\"m\":1}");
    assert_ptr_equal(far->arena, &other);
    assert_ptr_equal(event_get(near, field("s"))->as.s, event_get(ev, field("s"))->as.s);
    assert_ptr_not_equal(event_get(far, field("s"))->as.s, event_get(ev, field("s"))->as.s);
    arena_release(&other);
}

static void batches(void **state)
{
    struct batch      b = {0};
    struct event_list l = {0};

    (void)state;
    for (int i = 0; i < 300; i++) {
        batch_push(&b, (struct item){.message = STR("12345")});
        event_list_push(&l, event_new(&b.arena));
    }
    assert_int_equal(b.len, 300);
    assert_int_equal(b.bytes, 1500);
    assert_int_equal(l.len, 300);
    batch_clear(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.bytes, 0);
    assert_int_equal(arena_used(&b.arena), 0);
    batch_release(&b);
    event_list_release(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blank_events),
        cmocka_unit_test(defaults_are_added),
        cmocka_unit_test(bad_timestamps_are_kept),
        cmocka_unit_test(bad_tags_are_kept),
        cmocka_unit_test(metadata_is_taken_out),
        cmocka_unit_test(large_events_get_their_defaults),
        cmocka_unit_test(get),
        cmocka_unit_test(set),
        cmocka_unit_test(set_in_lists),
        cmocka_unit_test(set_guarded_fields),
        cmocka_unit_test(set_metadata),
        cmocka_unit_test(removing),
        cmocka_unit_test(removed_values_come_back),
        cmocka_unit_test(tags),
        cmocka_unit_test(timestamps),
        cmocka_unit_test(clones),
        cmocka_unit_test(batches),
    };
    return cmocka_run_group_tests(tests, prepare, release);
}
