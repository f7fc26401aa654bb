/* The parts of the filter memcached that ask nobody: expected values are those of Dalli 3.0.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/json.h"
#include "filters/memcached.h"

static struct arena a;
static struct buf   out;

static int teardown(void **state)
{
    (void)state;
    arena_release(&a);
    buf_release(&out);
    return 0;
}

static struct memcached_ring ring_of(const char *servers)
{
    struct memcached_ring ring = {0};
    const char           *problem;

    assert_true(memcached_ring_add(&ring, &a, str_of(servers), &problem));
    memcached_ring_close(&ring, &a);
    return ring;
}

static void keys_go_to_the_servers_of_dalli(void **state)
{
    static const struct {
        const char *key;
        uint32_t    server, without[4]; /* when server 0, 1, 2, 3 is down */
    } keys[] = {
        {"a", 1, {1, 2, 1, 1}},        {"b", 0, {3, 0, 0, 0}},
        {"c", 3, {3, 3, 3, 0}},        {"hello", 3, {3, 3, 3, 2}},
        {"key:1", 1, {1, 0, 1, 1}},    {"key:2", 3, {3, 3, 3, 0}},
        {"key:3", 1, {1, 3, 1, 1}},    {"fruit:banana", 3, {3, 3, 3, 1}},
        {"x", 1, {1, 3, 1, 1}},        {"y", 3, {3, 3, 3, 0}},
        {"10.0.0.1", 0, {3, 0, 0, 0}}, {"user/42", 1, {1, 3, 1, 1}},
    };
    struct memcached_ring ring = ring_of("a.example,b.example:11300,/run/m.sock,c.example:11211:3");

    (void)state;
    assert_int_equal(ring.len, 4);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct str key = str_of(keys[i].key);
        assert_int_equal(memcached_ring_server(&ring, key, 0), keys[i].server);
        for (uint32_t down = 0; down < 4; down++) {
            int      try = 0;
            uint32_t server;
            while ((server = memcached_ring_server(&ring, key, try)) == down)
                try++;
            assert_int_equal(server, keys[i].without[down]);
        }
    }
}

static void servers_are_read(void **state)
{
    static const struct {
        const char *text, *host;
        int         port, weight;
    } servers[] = {
        {"localhost", "localhost", 11211, 1},
        {"example.com:1234", "example.com", 1234, 1},
        {"example.com:1234:5", "example.com", 1234, 5},
        {"::1", "::1", 11211, 1},
        {"2001:db8:85a3::7334", "2001:db8:85a3::7334", 11211, 1},
        {"[::1]", "::1", 11211, 1},
        {"[::1]:11311", "::1", 11311, 1},
        {"/run/m.sock", "/run/m.sock", 11211, 1},
        {"/run/m.sock:3", "/run/m.sock", 11211, 3},
    };
    static const char *const refused[] = {
        ":11211", "a:0", "a:65536", "a:1:0", "a:b", "[]", "[::1", "memcached://u:p@h", "/a:1:2",
    };
    const char *problem = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        struct memcached_ring ring = ring_of(servers[i].text);
        assert_int_equal(ring.len, 1);
        assert_string_equal(ring.servers[0].host, servers[i].host);
        assert_int_equal(ring.servers[0].port, servers[i].port);
        assert_int_equal(ring.servers[0].weight, servers[i].weight);
        assert_int_equal(ring.servers[0].is_socket, servers[i].text[0] == '/');
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct memcached_ring ring = {0};
        problem = NULL;
        if (memcached_ring_add(&ring, &a, str_of(refused[i]), &problem)) fail_msg("%s", refused[i]);
        assert_non_null(problem);
    }
}

static struct str many(char c, size_t n)
{
    char *text = arena_alloc(&a, n);

    memset(text, c, n);
    return (struct str){text, n};
}

static void long_keys_are_shortened(void **state)
{
    struct str key = memcached_key(&a, STR(""), many('k', 251));

    (void)state;
    assert_int_equal(key.len, 249);
    assert_true(str_eq((struct str){key.data, 212}, many('k', 212)));
    assert_true(str_is(str_from(key, 212), ":md5:f0506ef804c48c4c4a9816dcef0b6091"));
    key = memcached_key(&a, STR("ns"), many('k', 248));
    assert_int_equal(key.len, 250);
    assert_true(str_ends(key, STR("k:md5:91e51f8b3d532a6a166cd75a00f4c7ea")));
    assert_int_equal(memcached_key(&a, STR("ns"), many('k', 247)).len, 250);
    assert_true(str_is(memcached_key(&a, STR("ns"), STR("k")), "ns:k"));
}

static void values_come_back(void **state)
{
    struct value v = value_string(many('v', 100000)), got;
    uint32_t     flags;
    const char  *problem = NULL;

    (void)state;
    assert_true(memcached_value_write(v, &out, &flags));
    assert_int_equal(flags, 3);
    assert_true(out.len < 1000);
    assert_true(memcached_value_read(&a, buf_view(&out), flags, &got, &problem));
    assert_true(value_eq(v, got));

    /* What others store. */
    assert_true(memcached_value_read(&a, STR("caf\303\251"), 0, &got, &problem));
    assert_true(str_is(value_str(got), "caf\303\251"));
    assert_false(memcached_value_read(&a, STR("pickle"), 1, &got, &problem));
    assert_false(memcached_value_read(&a, STR("no zlib"), 2, &got, &problem));
    out.len /= 2;
    assert_false(memcached_value_read(&a, buf_view(&out), flags, &got, &problem));
    assert_string_equal(problem, "the value cannot be unpacked");
}

static void values_are_limited(void **state)
{
    struct list *l = list_new(&a, 1);
    uint32_t     flags;
    struct value got;
    const char  *problem = NULL;

    (void)state;
    /* Random enough not to be packed. */
    for (uint64_t i = 0, x = 1; i < 200000; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        list_push(l, &a, value_int((int64_t)x));
    }
    assert_false(memcached_value_write(value_list(l), &out, &flags));
    assert_true(memcached_value_write(value_string(many('v', 17 << 20)), &out, &flags));
    assert_false(memcached_value_read(&a, buf_view(&out), flags, &got, &problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_go_to_the_servers_of_dalli),
        cmocka_unit_test(servers_are_read),
        cmocka_unit_test(long_keys_are_shortened),
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(values_are_limited),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
