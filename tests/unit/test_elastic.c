/* Where an Elasticsearch is, what it is and what it says: net/elastic.h and the filter's reply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filters/elasticsearch.h"
#include "tests/filter_fixture.h"
#include "tests/modules.h"

static struct arena a;

static int teardown(void **state)
{
    (void)state;
    arena_release(&a);
    return 0;
}

static void hosts_are_read(void **state)
{
    static const struct {
        const char *text;
        bool        tls;
        const char *base, *user;
    } hosts[] = {
        {"localhost", false, "http://localhost:9200", NULL},
        {"localhost", true, "https://localhost:9200", NULL},
        {"es:1234", false, "http://es:1234", NULL},
        {"es:1234/path/", true, "https://es:1234/path", NULL},
        {"es/path", true, "https://es:9200/path", NULL},
        {"[::1]:9201", false, "http://[::1]:9201", NULL},
        {"[::1]", true, "https://[::1]:9200", NULL},
        {"//localhost:9200", false, "http://localhost:9200", NULL},
        {"http://es", true, "http://es:9200", NULL},
        {"http://es:80", true, "http://es:80", NULL},
        {"https://es", false, "https://es:443", NULL},
        {"https://es:443/", false, "https://es:443", NULL},
        {"https://u:p%40@es:9243/a/b", false, "https://es:9243/a/b", "u"},
        {"http://u:8@es", false, "http://es:9200", "u"},
    };
    static const char *const refused[] = {"",        "es:0",         "es:x", "ftp://es",
                                          "ws://es", "http://es/?a", "a b"};
    struct elastic_node      node;
    const char              *problem;

    (void)state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        assert_true(elastic_node_read(&a, str_of(hosts[i].text), hosts[i].tls, &node, &problem));
        assert_string_equal(arena_cstr(&a, node.base), hosts[i].base);
        assert_int_equal(node.user.data != NULL, hosts[i].user != NULL);
        if (hosts[i].user) assert_true(str_is(node.user, hosts[i].user));
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        problem = NULL;
        assert_false(elastic_node_read(&a, str_of(refused[i]), false, &node, &problem));
        assert_non_null(problem);
    }
}

/* The first is Elastic's own example: logstash-filter-elasticsearch, elasticsearch_spec.rb. */
static void cloud_ids_are_read(void **state)
{
    static const char *const ids[][2] = {
        {"sample:dXMtY2VudHJhbDEuZ2NwLmNsb3VkLmVzLmlvJGFjMzFlYmI5MDI0MTc3MzE1NzA0M2MzNGZkMjZmZDQ2Oj"
         "kyNDMkYTRjMDYyMzBlNDhjOGZjZTdiZTg4YTA3NGEzYmIzZTA6OTI0NA==",
         "https://ac31ebb90241773157043c34fd26fd46.us-central1.gcp.cloud.es.io:9243"},
        {"x:ZXhhbXBsZS5vcmckZXMka2liYW5h", "https://es.example.org:443"},   /* …$es$kibana */
        {"ZXhhbXBsZS5vcmckZXM", "https://es.example.org:443"},              /* no padding */
        {"a:b:ZXhhbXBsZS5vcmc6NDQ0JGVzJA==", "https://es.example.org:444"}, /* …:444$es$ */
    };
    static const char *const refused[] = {"",
                                          "x:",
                                          "x:*",
                                          "x:ZXhhbXBsZS5vcmc=" /* no $ */,
                                          "x:ZXhhbXBsZS5vcmckdW5kZWZpbmVk" /* $undefined */,
                                          "invalid:dXMtY2VudHJhbDEuZ2NwLmNsb3VkLmVzLmlv"};
    struct elastic_node      node;
    const char              *problem;

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_true(elastic_cloud_read(&a, str_of(ids[i][0]), &node, &problem));
        assert_string_equal(arena_cstr(&a, node.base), ids[i][1]);
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        assert_false(elastic_cloud_read(&a, str_of(refused[i]), &node, &problem));
}

static void why_it_refused(void **state)
{
    static const char *const replies[][2] = {
        {"{\"error\":{\"type\":\"t\",\"reason\":\"r\"},\"status\":400}", "[400] t: r"},
        {"{\"error\":\"IndexMissingException[[x] missing]\",\"status\":404}",
         "[400] IndexMissingException[[x] missing]"},
        {"{\"error\":{\"root_cause\":[]}}", "[400]"},
        {"<html>", "[400]"},
        {"", "[400]"},
    };
    struct http_answer answer = {.status = 400};
    struct buf         out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        buf_clear(&answer.body);
        buf_str(&answer.body, str_of(replies[i][0]));
        buf_clear(&out);
        elastic_explain(&answer, &a, &out);
        assert_string_equal(buf_cstr(&out), replies[i][1]);
    }
    http_answer_release(&answer);
    buf_release(&out);
}

static void turns_pass_over_the_dead(void **state)
{
    struct elastic_node     nodes[3] = {{.base = {0}}};
    struct elastic_settings e = {.nodes_len = 3, .nodes = nodes};
    struct elastic_turns    t;

    (void)state;
    elastic_turns_init(&t, &e);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(elastic_turns_next(&t, &e), i % 3);
    elastic_turns_failed(&t, 1);
    assert_int_equal(elastic_turns_next(&t, &e), 0);
    assert_int_equal(elastic_turns_next(&t, &e), 2);
    assert_int_equal(elastic_turns_next(&t, &e), 0);
    elastic_turns_failed(&t, 0);
    elastic_turns_failed(&t, 2);
    /* All are dead: each gets its turn again. */
    uint32_t seen = 0;
    for (int i = 0; i < 3; i++)
        seen |= 1u << elastic_turns_next(&t, &e);
    assert_int_equal(seen, 7);
    elastic_turns_release(&t);
}

/* What the reply gives an event without fields. */
static void expect(const char *options, const char *reply, enum elastic_verdict wanted,
                   const char *event)
{
    struct filter_fixture f;
    struct value          v;
    const char           *problem = NULL;
    char                  text[1024];

    modules_of_build_tree();
    snprintf(text, sizeof(text), "elasticsearch { query => \"*\" %s }", options);
    if (!filter_fixture_open(&f, text, ECS_DISABLED)) skip(); /* without libcurl */
    f.event = event_blank(&f.batch, f.cx.now);
    assert_true(json_decode(&f.batch, arena_copy(&f.batch, str_of(reply)), NULL, &v, NULL));
    assert_int_equal(elastic_reply_copy(f.node->self, v, f.event, &problem), wanted);
    assert_true(wanted != ELASTIC_FAILED || problem);
    if (!filter_fixture_is(&f, event)) fail_msg("%s: %s", reply, filter_fixture_json(&f));
    filter_fixture_close(&f);
}

static void replies_are_copied(void **state)
{
    const char *a_to_b = "fields => { \"a\" => \"b\" }";
    const char *nested =
        "fields => [[\"[a][x]\", \"b\"]] docinfo_fields => { \"_id\" => \"[i][d]\" }";

    (void)state;
    expect(a_to_b,
           "{\"_shards\":{},\"hits\":{\"total\":1,\"hits\":[{\"_source\":{\"a\":{\"x\":1}}}]}}",
           ELASTIC_FOUND, "{\"b\":{\"x\":1}}");
    expect(
        nested,
        "{\"_shards\":{},\"hits\":{\"total\":1,\"hits\":[{\"_id\":\"q\",\"_source\":{\"a\":{\"x\":1"
        "}}}]}}",
        ELASTIC_FOUND, "{\"b\":1,\"i\":{\"d\":\"q\"}}");
    expect(nested, "{\"_shards\":{},\"hits\":{\"hits\":[{\"_source\":{\"a\":[1]}}]}}",
           ELASTIC_FOUND, "{\"b\":null,\"i\":{\"d\":null}}");
    expect(a_to_b, "{\"_shards\":{},\"hits\":{\"total\":null,\"hits\":null}}", ELASTIC_NOTHING,
           "{}");
    expect(a_to_b, "{\"_shards\":{},\"hits\":{\"total\":0,\"hits\":[]},\"aggregations\":{}}",
           ELASTIC_NOTHING, "{}");
    expect("aggregation_fields => { \"n\" => \"[x][y]\" }",
           "{\"_shards\":{},\"hits\":{\"total\":0},\"aggregations\":{\"n\":{\"value\":2.5}}}",
           ELASTIC_FOUND, "{\"x\":{\"y\":{\"value\":2.5}}}");
    expect("target => \"[t][u]\" fields => { \"a\" => \"[b][c]\" }",
           "{\"_shards\":{},\"hits\":{\"hits\":[{\"_source\":{\"a\":1}},{\"_source\":{}}]}}",
           ELASTIC_FOUND, "{\"t\":{\"u\":{\"b\":{\"c\":[1,null]}}}}");
}

static void replies_that_are_none_fail(void **state)
{
    static const char *const replies[] = {
        "null",
        "[]",
        "{}",
        "{\"_shards\":1,\"hits\":{}}",
        "{\"_shards\":{},\"hits\":[]}",
        "{\"_shards\":{\"failures\":[]},\"hits\":{}}",
        "{\"_shards\":{},\"hits\":{\"hits\":[1]}}",
        "{\"_shards\":{},\"hits\":{\"hits\":[{\"_source\":7}]}}",
        "{\"_shards\":{},\"hits\":{\"hits\":[{\"_id\":\"x\"}]}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
        expect("fields => { \"a\" => \"b\" }", replies[i], ELASTIC_FAILED, "{}");
    /* A path through a number. */
    expect("fields => { \"[a][b]\" => \"b\" }",
           "{\"_shards\":{},\"hits\":{\"hits\":[{\"_source\":{\"a\":7}}]}}", ELASTIC_FAILED, "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_are_read),     cmocka_unit_test(cloud_ids_are_read),
        cmocka_unit_test(why_it_refused),     cmocka_unit_test(turns_pass_over_the_dead),
        cmocka_unit_test(replies_are_copied), cmocka_unit_test(replies_that_are_none_fail),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
