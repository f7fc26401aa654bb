/* The filter ruby beyond the cases: values both ways, and what code may get wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/filter_fixture.h"
#include "tests/modules.h"

static void open_code(struct filter_fixture *f, const char *code)
{
    char text[2048];

    if (module_missing("ruby")) skip();
    snprintf(text, sizeof(text), "ruby { code => '%s' }", code);
    assert_true(filter_fixture_open(f, text, ECS_DISABLED));
}

/* The event {"m": …} after the code. */
static void expect(const char *code, const char *event, const char *wanted)
{
    struct filter_fixture f;

    open_code(&f, code);
    assert_true(filter_fixture_run(&f, event));
    if (!filter_fixture_is(&f, wanted)) fail_msg("%s\nnot %s", filter_fixture_json(&f), wanted);
    filter_fixture_close(&f);
}

static void values_go_both_ways(void **state)
{
    static const char event[] = "{\"m\":[null,true,-1,1.5,\"\xC3\xA9\",12345678901234567890,"
                                "{\"k\":[{}]},-9223372036854775808,9223372036854775807]}";

    (void)state;
    expect("event.set(\"m\", event.get(\"m\"))", event, event);
    expect("event.set(\"m\", event.to_hash[\"m\"])", event, event);
    expect("event.set(\"m\", event.get(\"m\").map(&:class).join(\",\"))", event,
           "{\"m\":\"NilClass,TrueClass,Integer,Float,String,Integer,Hash,Integer,Integer\"}");
    expect("event.set(\"m\", [2**63, -2**63, 2**63 - 1, 10**20])", "{\"m\":1}",
           "{\"m\":[9223372036854775808,-9223372036854775808,9223372036854775807,"
           "100000000000000000000]}");
    expect("event.set(\"m\", [BigDecimal(\"1.5\"), BigDecimal(\"0.1\"), :sym, {1 => nil}])",
           "{\"m\":1}", "{\"m\":[1.5,0.1,\"sym\",{\"1\":null}]}");
}

/* Source: JRuby's RubyString.toString. */
static void texts_are_utf8(void **state)
{
    (void)state;
    expect("event.set(\"m\", \"a\\xffb\")", "{\"m\":1}",
           "{\"m\":\"a\xEF\xBF\xBD"
           "b\"}");
    expect("event.set(\"m\", [0xe9, 0x61].pack(\"C*\"))", "{\"m\":1}",
           "{\"m\":\"\xC3\xA9"
           "a\"}");
    expect("event.set(\"m\", \"\\u00e9\".encode(\"ISO-8859-1\"))", "{\"m\":1}",
           "{\"m\":\"\xC3\xA9\"}");
    expect("event.set(\"m\", \"\\u20ac\".encode(\"UTF-16LE\"))", "{\"m\":1}",
           "{\"m\":\"\xE2\x82\xAC\"}");
    expect("event.set(\"m\", event.get(\"m\").encoding.to_s)", "{\"m\":\"x\"}",
           "{\"m\":\"UTF-8\"}");
}

static void what_an_event_cannot_hold(void **state)
{
    static const char tagged[] = "{\"m\":1,\"tags\":[\"_rubyexception\"]}";

    (void)state;
    expect("event.set(\"m\", 1..2)", "{\"m\":1}", tagged);
    expect("event.set(\"m\", Object.new)", "{\"m\":1}", tagged);
    expect("a = []; a << a; event.set(\"m\", a)", "{\"m\":1}", tagged);
    expect("event.set(\"@timestamp\", \"2020\")", "{\"m\":1}", tagged);
    expect("event.set(\"[m][x]\", 1)", "{\"m\":1}", tagged);
    expect("event[\"m\"] = 2", "{\"m\":1}", tagged);
    expect("new_event_block.call(1)", "{\"m\":1}", tagged);
    expect("def deep; deep; end; deep", "{\"m\":1}", tagged);
    expect("exit", "{\"m\":1}", tagged);
    expect("throw :x", "{\"m\":1}", tagged);
    expect("raise Exception, \"x\"", "{\"m\":1}", tagged);
}

static void code_may_return_early(void **state)
{
    (void)state;
    expect("next if event.get(\"m\") == 1; event.set(\"m\", 2)", "{\"m\":1}", "{\"m\":1}");
    expect("return if event.get(\"m\") == 1; event.set(\"m\", 2)", "{\"m\":1}", "{\"m\":1}");
}

/* Code that runs first, its event, and what code reads of it with the next event. */
static void kept(const char *code, const char *expected)
{
    struct filter_fixture f;

    open_code(&f, code);
    assert_true(filter_fixture_run(&f, "{\"m\":1}"));
    assert_true(filter_fixture_run(&f, "{\"m\":2}"));
    if (!filter_fixture_is(&f, expected)) fail_msg("%s: %s", code, filter_fixture_json(&f));
    filter_fixture_close(&f);
}

/* As in Logstash, where an event is an object like others. */
static void events_may_be_kept(void **state)
{
    static const char good[] = "{\"m\":2,\"old\":1}";

    (void)state;
    kept("event.set(\"old\", @kept.get(\"m\")) if @kept; @kept = event", good);
    kept("(@all ||= []) << event; event.set(\"old\", @all[0].get(\"m\")) if @all.size > 1", good);
    kept("@copy ||= event.clone; event.set(\"old\", @copy.get(\"m\")) if event.get(\"m\") == 2",
         good);
    kept("event.set(\"old\", @ask.call) if @ask; @ask = lambda { event.get(\"m\") }", good);
    kept("event.set(\"old\", @ask.call) if @ask; @ask = proc { event.get(\"m\") }", good);
    kept("def keep(e); @kept = e; end; event.set(\"old\", @kept.get(\"m\")) if @kept; keep(event)",
         good);
    kept("event.set(\"old\", @kept.get(\"m\")) if @kept; event.tap { |e| @kept = e }", good);
    kept(
        "if @kept; @kept.set(\"m\", 7); event.set(\"old\", @kept.get(\"m\")); end; @kept ||= event",
        "{\"m\":2,\"old\":7}");
}

/* What the code does not show. */
static void an_event_that_left_unseen_cannot_be_used(void **state)
{
    (void)state;
    kept(
        "event.set(\"old\", @kept.get(\"m\")) if @kept; @kept = binding.local_variable_get(:event)",
        "{\"m\":2,\"tags\":[\"_rubyexception\"]}");
}

static void cancelled_events_are_dropped(void **state)
{
    struct filter_fixture f;

    (void)state;
    open_code(&f, "event.cancel; event.uncancel if event.get(\"m\") == 2");
    assert_true(filter_fixture_run(&f, "{\"m\":1}"));
    assert_int_equal(f.verdict, FILTER_DROP);
    assert_true(filter_fixture_run(&f, "{\"m\":2}"));
    assert_int_equal(f.verdict, FILTER_MATCH);
    filter_fixture_close(&f);
}

/* What code of real configs calls: reference/usage. */
static void libraries_are_there(void **state)
{
    (void)state;
    expect(
        "require \"logstash/event\"; require \"date\"; require \"base64\"; require \"ipaddr\"; "
        "event.set(\"m\", [DateTime.parse(\"2020-01-02\").year, Base64.strict_encode64(\"a\"), "
        "IPAddr.new(\"10.0.0.0/8\").include?(\"10.1.2.3\"), Digest::MD5.hexdigest(\"\"), "
        "URI.parse(\"http://u@h:1/p?q\").host, {\"a\" => 1}.to_json, "
        "Time.parse(\"2020-01-02T03:04:05Z\").to_i, Set.new([1, 1]).size])",
        "{\"m\":1}",
        "{\"m\":[2020,\"YQ==\",true,\"d41d8cd98f00b204e9800998ecf8427e\",\"h\",\"{\\\"a\\\":1}\","
        "1577934245,1]}");
    expect("require \"csv\"; event.set(\"m\", event.get(\"m\").parse_csv)",
           "{\"m\":\"a,\\\"b c\\\"\"}", "{\"m\":[\"a\",\"b c\"]}");
}

static void timestamps(void **state)
{
    (void)state;
    expect(
        "a = LogStash::Timestamp.at(1); b = LogStash::Timestamp.new(\"1970-01-01T00:00:03Z\"); "
        "event.set(\"m\", [a < b, b - a, (a + 2).to_i, a == LogStash::Timestamp.at(1), "
        "LogStash::Timestamp.coerce(Time.at(5)).to_i, LogStash::Timestamp.coerce(7).inspect, "
        "b.year, a.time.utc?, a.to_json, b.usec, [b, a].min.to_i])",
        "{\"m\":1}",
        "{\"m\":[true,2.0,3,true,5,\"nil\",1970,true,\"\\\"1970-01-01T00:00:01.000Z\\\"\",0,1]}");
    expect("begin; LogStash::Timestamp.new(\"x\"); rescue LogStash::TimestampParserError; "
           "event.set(\"m\", 2); end",
           "{\"m\":1}", "{\"m\":2}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_go_both_ways),
        cmocka_unit_test(texts_are_utf8),
        cmocka_unit_test(what_an_event_cannot_hold),
        cmocka_unit_test(code_may_return_early),
        cmocka_unit_test(events_may_be_kept),
        cmocka_unit_test(an_event_that_left_unseen_cannot_be_used),
        cmocka_unit_test(cancelled_events_are_dropped),
        cmocka_unit_test(libraries_are_there),
        cmocka_unit_test(timestamps),
    };

    return cmocka_run_group_tests_name("ruby", tests, NULL, NULL);
}
