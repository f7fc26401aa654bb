/* The filter xml beyond the cases: what strangers may try, and the odd corners of the stored form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/filter_fixture.h"
#include "tests/modules.h"

static void expect(const char *options, const char *event, const char *wanted)
{
    struct filter_fixture f;
    char                  text[1024];

    if (module_missing("xml")) skip();
    snprintf(text, sizeof(text), "xml { source => \"m\" %s }", options);
    assert_true(filter_fixture_open(&f, text, ECS_DISABLED));
    assert_true(filter_fixture_run(&f, event));
    assert_true(event_remove(f.event, field_parse(&f.batch, STR("m"), NULL, NULL), NULL));
    if (!filter_fixture_is(&f, wanted)) fail_msg("%s\nnot %s", filter_fixture_json(&f), wanted);
    filter_fixture_close(&f);
}

static void refuse(const char *options)
{
    struct filter_fixture f;
    char                  text[1024];

    if (module_missing("xml")) skip();
    snprintf(text, sizeof(text), "xml { source => \"m\" %s }", options);
    assert_false(filter_fixture_open(&f, text, ECS_DISABLED));
    assert_true(f.diags.errors > 0);
    filter_fixture_close(&f);
}

static void entities_are_not_expanded(void **state)
{
    (void)state;
    expect("target => \"t\"",
           "{\"m\":\"<!DOCTYPE r [<!ENTITY a 'x'><!ENTITY b SYSTEM 'file:///etc/hostname'>]>"
           "<r k='&a;'>&a;&b;&c;</r>\"}",
           "{\"t\":{\"k\":\"&a;\",\"content\":\"&a;&b;&c;\"}}");
    refuse("target => \"t\" parse_options => \"noent\"");
    refuse("target => \"t\" parse_options => \"recover|dtdload\"");
    refuse("target => \"t\" parse_options => \"huge\"");
}

static void depth_is_limited(void **state)
{
    struct filter_fixture f;
    struct buf            deep = {0};

    (void)state;
    if (module_missing("xml")) skip();
    buf_str(&deep, STR("{\"m\":\""));
    for (int i = 0; i < 100000; i++)
        buf_str(&deep, STR("<a>"));
    for (int i = 0; i < 100000; i++)
        buf_str(&deep, STR("</a>"));
    buf_str(&deep, STR("\"}"));
    assert_true(filter_fixture_open(&f, "xml { source => \"m\" target => \"t\" }", ECS_DISABLED));
    assert_true(filter_fixture_run(&f, buf_cstr(&deep)));
    assert_int_equal(f.verdict, FILTER_PASS);
    assert_non_null(map_get(&f.event->data, key_make(STR("tags"))));
    assert_null(map_get(&f.event->data, key_make(STR("t"))));
    filter_fixture_close(&f);
    buf_release(&deep);
}

/* Source: xml-simple, as Logstash calls it. */
static void mixed_content(void **state)
{
    (void)state;
    expect("target => \"t\"", "{\"m\":\"<r>a &amp; b<![CDATA[<c>]]><d>&lt;</d></r>\"}",
           "{\"t\":{\"content\":[\"a &amp; b\",\"<c>\"],\"d\":[\"<\"]}}");
    expect("target => \"t\"", "{\"m\":\"<r>\\n text\\n <d>1</d></r>\"}", "{\"t\":{\"d\":[\"1\"]}}");
    expect("target => \"t\"", "{\"m\":\"<r>x<!-- c -->y</r>\"}", "{\"t\":\"xy\"}");
    expect("target => \"t\"", "{\"m\":\"<r><anon>1</anon><anon>2</anon></r>\"}",
           "{\"t\":[\"1\",\"2\"]}");
    expect("target => \"t\"", "{\"m\":\"<r k='v'><e/></r>\"}",
           "{\"t\":{\"k\":\"v\",\"e\":[null]}}");
}

static void what_is_no_document(void **state)
{
    (void)state;
    expect("target => \"t\"", "{\"m\":5}", "{\"tags\":[\"_xmlparsefailure\"]}");
    expect("target => \"t\"", "{\"m\":[\"<a/>\",\"<b/>\"]}", "{\"tags\":[\"_xmlparsefailure\"]}");
    expect("target => \"t\"", "{\"m\":[\"<a>1</a>\"]}", "{\"t\":\"1\"}");
    expect("target => \"t\"", "{\"m\":\" \\n\"}", "{}");
    expect("target => \"t\"", "{\"m\":\"<p:a>1</p:a>\"}", "{\"tags\":[\"_xmlparsefailure\"]}");
    expect("target => \"t\"",
           "{\"m\":\"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xC3\xA9</a>\"}",
           "{\"t\":\"\xC3\xA9\"}");
}

static void xpath_results(void **state)
{
    (void)state;
    expect("store_xml => false xpath => { \"//n:a\" => \"n\" \"//b\" => \"b\" }",
           "{\"m\":\"<r><b>1</b></r>\"}", "{\"b\":[\"<b>1</b>\"],\"tags\":[\"_xmlparsefailure\"]}");
    expect("store_xml => false xpath => { \"//b/text()\" => \"b\" }",
           "{\"m\":\"<r><b>1</b></r>\",\"b\":\"0\"}", "{\"b\":[\"0\",\"1\"]}");
    expect("store_xml => false xpath => { \"name(/*)\" => \"n\" \"count(//b) > 1\" => \"c\" }",
           "{\"m\":\"<r><b/></r>\"}", "{\"n\":[\"r\"],\"c\":[\"false\"]}");
    expect("store_xml => false remove_namespaces => true xpath => { \"//b/text()\" => \"b\" }",
           "{\"m\":\"<n:r xmlns:n='u'><n:b>1</n:b></n:r>\"}", "{\"b\":[\"1\"]}");
    refuse("store_xml => false xpath => { \"//a[\" => \"b\" }");
    refuse("store_xml => true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entities_are_not_expanded),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(mixed_content),
        cmocka_unit_test(what_is_no_document),
        cmocka_unit_test(xpath_results),
    };

    return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
