/* The codec cef. Expected values: conformance cases codec-in-cef and codec-out-cef (Logstash
   8.9.2); the field mapping of logstash-codec-cef's documentation; the CEF standard's escapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/codec_fixture.h"

static struct codec_fixture f;

static int teardown(void **state)
{
    (void)state;
    codec_fixture_close(&f);
    return 0;
}

static void opens(const char *text, enum ecs ecs)
{
    assert_true(codec_fixture_open(&f, text, ecs));
}

#define READ(text) codec_fixture_read(&f, STR(text))
#define EVENT(i, json) assert_true(codec_fixture_event_is(&f, i, json))
#define WRITES(json, text) assert_string_equal(codec_fixture_write(&f, json), text)
#define HEAD "CEF:0|Acme|Fire|1.0|100|dropped|5|"
#define HEAD_FIELDS                                                                                \
    "\"cefVersion\":\"0\",\"deviceVendor\":\"Acme\",\"deviceProduct\":\"Fire\","                   \
    "\"deviceVersion\":\"1.0\",\"deviceEventClassId\":\"100\",\"name\":\"dropped\","               \
    "\"severity\":\"5\""
#define HEAD_ECS                                                                                   \
    "\"cef\":{\"version\":\"0\",\"name\":\"dropped\"},\"observer\":{\"vendor\":\"Acme\","          \
    "\"product\":\"Fire\",\"version\":\"1.0\"},"

static void extensions(void **state)
{
    (void)state;
    opens("cef", ECS_DISABLED);
    READ(HEAD "src=10.0.0.1 spt=1232 msg=hello world");
    EVENT(0, "{" HEAD_FIELDS ",\"sourceAddress\":\"10.0.0.1\",\"sourcePort\":\"1232\","
             "\"message\":\"hello world\"}");
    READ(HEAD
         "cs1=a b  c cs1Label=l ad.some-thing=1 k[0]=x empty= msg=a\\=b\\\\c\\nd http://u?q=1");
    EVENT(1, "{" HEAD_FIELDS ",\"deviceCustomString1\":\"a b  c\",\"deviceCustomString1Label\":"
             "\"l\",\"ad.some-thing\":\"1\",\"k\":{\"0\":\"x\"},\"empty\":\"\",\"message\":"
             "\"a=b\\\\c\\nd http://u?q=1\"}");
    READ("\"" HEAD "\"");
    assert_int_equal(f.failures, 0);
}

static void headers(void **state)
{
    (void)state;
    opens("cef", ECS_DISABLED);
    READ("Mar  9 08:07:06 gw " HEAD);
    EVENT(0, "{" HEAD_FIELDS ",\"syslog\":\"Mar  9 08:07:06 gw\"}");
    READ("CEF:0|A\\|b\\\\|\\x||||5|");
    EVENT(1,
          "{\"cefVersion\":\"0\",\"deviceVendor\":\"A|b\\\\\",\"deviceProduct\":\"\\\\x\","
          "\"deviceVersion\":\"\",\"deviceEventClassId\":\"\",\"name\":\"\",\"severity\":\"5\"}");
}

static void failures(void **state)
{
    static const char *const texts[] = {
        "", "not cef", "CEF:0|a|b|c|d|e|6", HEAD "no key", HEAD "a=1\nb", HEAD "a.=1"};

    (void)state;
    opens("cef", ECS_DISABLED);
    for (uint32_t i = 0; i < 6; i++) {
        codec_fixture_read(&f, str_of(texts[i]));
        assert_int_equal(f.len, i + 1);
        assert_true(str_is(value_str(*event_get_key(f.events[i], names.message)), texts[i]));
        assert_non_null(event_get_key(f.events[i], names.tags));
    }
    READ("CEF:0|\xFF");
    EVENT(6, "{\"message\":\"CEF:0|\\ufffd\",\"tags\":[\"_cefparsefailure\"]}");
    assert_int_equal(f.failures, 7);
}

static void in_ecs(void **state)
{
    (void)state;
    opens("cef { raw_data_field => '[event][original]' }", ECS_V8);
    READ(HEAD "src=10.0.0.1 dvchost=fw rt=1610000000123 cn1=5 cn1Label=five dntdom=n "
              "destinationDnsDomain=d");
    EVENT(0, "{\"cef\":{\"version\":\"0\",\"name\":\"dropped\",\"device_custom_number_1\":{"
             "\"value\":\"5\",\"label\":\"five\"}},\"observer\":{\"vendor\":\"Acme\","
             "\"product\":\"Fire\",\"version\":\"1.0\",\"hostname\":\"fw\"},\"event\":{"
             "\"original\":\"" HEAD "src=10.0.0.1 dvchost=fw rt=1610000000123 cn1=5 cn1Label=five "
             "dntdom=n destinationDnsDomain=d\",\"code\":\"100\",\"severity\":\"5\"},\"source\":{"
             "\"ip\":\"10.0.0.1\"},\"destination\":{\"registered_domain\":\"d\"},"
             "\"@timestamp\":\"2021-01-07T06:13:20.123Z\"}");
}

static void about_the_host(void **state)
{
    (void)state;
    opens("cef { device => host ecs_compatibility => v1 }", ECS_DISABLED);
    READ(HEAD "dvchost=h dvc=10.1.1.1 deviceExternalId=7");
    EVENT(0, "{" HEAD_ECS "\"event\":{\"code\":\"100\",\"severity\":\"5\"},\"host\":{"
             "\"name\":\"h\",\"ip\":\"10.1.1.1\",\"id\":\"7\"}}");
}

/* The clock of the tests stands at 2024-03-09T08:07:06.543Z. */
static void times(void **state)
{
    static const char *const cases[][2] = {
        {"1610000000123.5", "2021-01-07T06:13:20.123500Z"},
        {"Mar 09 2023 08:07:06", "2023-03-09T07:07:06.000Z"},
        {"Jul 09 2023 08:07:06.123456", "2023-07-09T06:07:06.123456Z"},
        {"Jul 09 2023 08:07:06.123 UTC", "2023-07-09T08:07:06.123Z"},
        {"Jul 09 2023 08:07:06 PDT", "2023-07-09T15:07:06.000Z"},
        {"Jul 09 2023 08:07:06 -03:00", "2023-07-09T11:07:06.000Z"},
        {"Mar 10 10:00:00", "2024-03-10T09:00:00.000Z"},
        {"Mar 12 10:00:00", "2023-03-12T09:00:00.000Z"},
        {"Dec 31 23:59:59.999", "2023-12-31T22:59:59.999Z"},
    };

    (void)state;
    opens("cef { default_timezone => 'Europe/Berlin' locale => en_GB }", ECS_V8);
    for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        codec_fixture_read(&f, arena_printf(&f.batch, HEAD "end=%s", cases[i][0]));
        EVENT(i, arena_printf(&f.batch,
                              "{" HEAD_ECS "\"event\":{\"code\":\"100\",\"severity\":"
                              "\"5\",\"end\":\"%s\"}}",
                              cases[i][1])
                     .data);
    }
}

static void times_elsewhere(void **state)
{
    (void)state;
    opens("cef { locale => 'de-DE' }", ECS_V8);
    READ(HEAD "start=Okt. 09 2023 08:07:06 dtz=America/New_York");
    EVENT(0, "{" HEAD_ECS "\"event\":{\"code\":\"100\",\"severity\":\"5\",\"timezone\":"
             "\"America/New_York\",\"start\":\"2023-10-09T12:07:06.000Z\"}}");
    READ(HEAD "start=yesterday");
    assert_int_equal(f.failures, 1);
}

static void delimiters(void **state)
{
    (void)state;
    opens("cef { delimiter => '|#\\r\\n' }", ECS_DISABLED);
    READ(HEAD "a=1|#\r\n" HEAD "b=2|#\r\n");
    assert_int_equal(f.len, 2);
    EVENT(1, "{" HEAD_FIELDS ",\"b\":\"2\"}");
    WRITES("{}", "CEF:0|Elasticsearch|Logstash|1.0|Logstash|Logstash|6||#\r\n");
}

static void written(void **state)
{
    (void)state;
    opens("cef { vendor => 'V|x' product => 'P' version => '2' signature => 's' name => 'n\\x' "
          "severity => '%{sev}' fields => ['a', src, '[deep][er]', 't', sourceAddress] }",
          ECS_DISABLED);
    WRITES("{\"a\":\"x=y\\nz\",\"src\":\"1.2.3.4\",\"sev\":\"7\"}",
           "CEF:0|V\\|x|P|2|s|n\\\\x|7|a=x\\=y\\nz src=1.2.3.4");
    WRITES("{\"a\":[1],\"sev\":\"99\"}", "CEF:0|V\\|x|P|2|s|n\\\\x|6|a=[1]");
    WRITES("{\"a\":null,\"sev\":\" 10.0 \",\"deep\":{\"er\":1.5},\"sourceAddress\":\"s\\r\\nt\"}",
           "CEF:0|V\\|x|P|2|s|n\\\\x|10|deeper=1.5 sourceAddress=s\\nt");
    WRITES("{\"sev\":\"7.5\"}", "CEF:0|V\\|x|P|2|s|n\\\\x|6|");
}

static void written_with_keys(void **state)
{
    (void)state;
    opens("cef { fields => [sourceAddress, message, foo] reverse_mapping => true vendor => '' }",
          ECS_DISABLED);
    WRITES("{\"sourceAddress\":\"1.2.3.4\",\"message\":\"hi\",\"foo\":true}",
           "CEF:0|Elasticsearch|Logstash|1.0|Logstash|Logstash|6|src=1.2.3.4 msg=hi foo=true");
}

static void written_from_ecs(void **state)
{
    (void)state;
    opens("cef { fields => ['[source][ip]', '@timestamp', '[source][registered_domain]'] }",
          ECS_V8);
    WRITES("{\"source\":{\"ip\":\"1.2.3.4\",\"registered_domain\":\"d\"}}",
           "CEF:0|Elasticsearch|Logstash|1.0|Logstash|Logstash|6|sourceAddress=1.2.3.4 "
           "deviceReceiptTime=2024-03-09T08:07:06.543Z sourceDnsDomain=d");
}

static void refused(void **state)
{
    static const char *const configs[] = {"cef { locale => klingon }", "cef { sev => '1' }",
                                          "cef { default_timezone => 'Mars/Base' }",
                                          "cef { fields => ['[a'] }"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_false(codec_fixture_open(&f, configs[i], ECS_V8));
        if (i < 3) codec_fixture_close(&f);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(extensions),       TEST(headers),
        TEST(failures),         TEST(in_ecs),
        TEST(about_the_host),   TEST(times),
        TEST(times_elsewhere),  TEST(delimiters),
        TEST(written),          TEST(written_with_keys),
        TEST(written_from_ecs), TEST(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
