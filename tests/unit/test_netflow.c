/* The codec netflow. Messages are put together by the formats of RFC 3954 and RFC 7011 (the
   examples of RFC 7011, appendix A, byte for byte); names of fields are Logstash's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/codec_fixture.h"

static struct codec_fixture f;

static int teardown(void **state)
{
    (void)state;
    codec_fixture_close(&f);
    return 0;
}

static void opens(const char *text)
{
    assert_true(codec_fixture_open(&f, text, ECS_DISABLED));
}

/* Bytes written as hexadecimal digits, with blanks anywhere. */
static struct str hex(const char *text)
{
    struct buf b = {0};
    unsigned   byte;
    int        n;

    for (; sscanf(text, " %2x%n", &byte, &n) == 1; text += n)
        buf_char(&b, (char)byte);
    struct str s = arena_copy(&f.batch, buf_view(&b));
    buf_release(&b);
    return s;
}

#define READ(text) codec_fixture_read(&f, hex(text))
#define EVENT(i, json) assert_true(codec_fixture_event_is(&f, i, json))

/* ---- version 5 ---- */

#define V5_HEADER "0005 0001 00001388 558665b4 1dcd6500 00000007 01 02 4003 "
#define V5_RECORD                                                                                  \
    "0a000001 0a000002 0a0000fe 0001 0002 00000005 00000190 00000bb8 00000fa0 0050 d431 00 1b "    \
    "06 10 fde8 fde9 18 10 0000 "

/* Uptime 5 s at 2015-06-21T07:20:20.5Z; the flow lasted from 3 s to 4 s. */
static void version_5(void **state)
{
    (void)state;
    opens("netflow");
    READ(V5_HEADER V5_RECORD);
    EVENT(0, "{\"@timestamp\":\"2015-06-21T07:20:20.500Z\",\"netflow\":{\"version\":5,"
             "\"flow_seq_num\":7,\"engine_type\":1,\"engine_id\":2,\"sampling_algorithm\":1,"
             "\"sampling_interval\":3,\"flow_records\":1,\"ipv4_src_addr\":\"10.0.0.1\","
             "\"ipv4_dst_addr\":\"10.0.0.2\",\"ipv4_next_hop\":\"10.0.0.254\",\"input_snmp\":1,"
             "\"output_snmp\":2,\"in_pkts\":5,\"in_bytes\":400,"
             "\"first_switched\":\"2015-06-21T07:20:18.500Z\","
             "\"last_switched\":\"2015-06-21T07:20:19.500Z\",\"l4_src_port\":80,"
             "\"l4_dst_port\":54321,\"tcp_flags\":27,\"protocol\":6,\"src_tos\":16,"
             "\"src_as\":65000,\"dst_as\":65001,\"src_mask\":24,\"dst_mask\":16}}");
    assert_int_equal(f.failures, 0);
}

static void broken_messages(void **state)
{
    static const char *const texts[] = {
        "",
        "05",
        "0005",
        "0007 0000",
        V5_HEADER,
        "0005 0000 00001388 558665b4 1dcd6500 00000007 "
        "01 02 4003",
        "0009 0001",
        "000a 0010 00000000 00000000 000000",
        "000a 0011 00000000 "
        "00000000 00000000",
        "0009 0001 00000000 00000000 00000000 00000000 0100 0002",
        "0009 0001 00000000 00000000 00000000 00000000 0100 0008 00000000", /* no template */
        "0009 0001 00000000 00000000 00000000 00000000 0000 000c 0100 0002 0001 0004",
        "0009 0001 00000000 00000000 00000000 00000000 0000 000c 0100 0001 0001 0000",
    };

    (void)state;
    opens("netflow");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        READ(texts[i]);
        assert_int_equal(f.failures, i + 1);
    }
    assert_int_equal(f.len, 0);
}

/* ---- version 9 ---- */

#define V9_HEADER(sequence) "0009 0001 00001388 558665b4 0000000" sequence " 00000001 "
/* Addresses, bytes in 8 bytes, times, a MAC address, a name, a field to skip. */
#define V9_TEMPLATE                                                                                \
    "0000 002c 0100 0009 0008 0004 001b 0010 0001 0008 0016 0004 0038 0006 0052 0008 002b 0002 "   \
    "005f 0004 0059 0001 "
#define V9_DATA                                                                                    \
    "0100 003c c0a80001 20010db8 00000000 00000000 00000001 ffffffff ffffffff 00000bb8 "           \
    "001122aabbcc 657468300000 0000 ffff 03000035 44 000000 "
#define V9_FLOW                                                                                    \
    "\"@timestamp\":\"2015-06-21T07:20:20.000Z\",\"netflow\":{\"version\":9,\"flowset_id\":256,"   \
    "\"ipv4_src_addr\":\"192.168.0.1\",\"ipv6_src_addr\":\"2001:db8::1\","                         \
    "\"in_bytes\":18446744073709551615,\"first_switched\":\"2015-06-21T07:20:18.000Z\","           \
    "\"in_src_mac\":\"00:11:22:aa:bb:cc\",\"if_name\":\"eth0\",\"application_id\":\"3:53\","       \
    "\"forwarding_status\":{\"status\":1,\"reason\":4},\"flow_seq_num\":"

static void version_9(void **state)
{
    (void)state;
    opens("netflow");
    READ(V9_HEADER("1") V9_TEMPLATE V9_DATA);
    EVENT(0, "{" V9_FLOW "1}}");
    READ(V9_HEADER("2") V9_DATA);
    EVENT(1, "{" V9_FLOW "2}}");
    assert_int_equal(f.failures, 0);
    assert_int_equal(f.len, 2);
    /* another exporter's template of that number is another one */
    READ("0009 0001 00001388 558665b4 00000001 00000002 " V9_DATA);
    assert_int_equal(f.failures, 1);
}

/* RFC 3954, section 6.1: scopes first. */
static void version_9_options(void **state)
{
    (void)state;
    opens("netflow");
    READ(V9_HEADER("1") "0001 0018 0101 0004 0008 0002 0004 0022 0002 0023 0001 0000 "
                        "0101 000c 00000003 03e8 02 00 ");
    EVENT(0, "{\"netflow\":{\"version\":9,\"flow_seq_num\":1,\"flowset_id\":257,"
             "\"scope_interface\":3,\"sampling_interval\":1000,\"sampling_algorithm\":2}}");
    assert_int_equal(f.len, 1);
}

/* ---- IPFIX ---- */

#define IPFIX(length) "000a " length " 558665b4 00000000 00000001 "

/* RFC 7011, A.2.1, A.3, A.4.2, A.5: the template 256 with its three records. */
static void ipfix_of_the_rfc(void **state)
{
    (void)state;
    opens("netflow { include_flowset_id => true }");
    READ(IPFIX("0070") "0002 001c 0100 0005 0008 0004 000c 0004 000f 0004 0002 0004 0001 0004 "
                       "0100 0044 c000020c c00002fe c0000201 00001391 00518c81 "
                       "c000021b c0000217 c0000202 000002ec 0005ef46 "
                       "c0000238 c0000241 c0000203 00000005 00001986 0000 0000 "
                       "00 00 00 00");
    assert_int_equal(f.len, 3);
    EVENT(0, "{\"@timestamp\":\"2015-06-21T07:20:20.000Z\",\"netflow\":{\"version\":10,"
             "\"flowset_id\":256,\"sourceIPv4Address\":\"192.0.2.12\",\"destinationIPv4Address\":"
             "\"192.0.2.254\",\"ipNextHopIPv4Address\":\"192.0.2.1\",\"packetDeltaCount\":5009,"
             "\"octetDeltaCount\":5344385}}");
    EVENT(2, "{\"netflow\":{\"version\":10,\"flowset_id\":256,\"sourceIPv4Address\":"
             "\"192.0.2.56\",\"destinationIPv4Address\":\"192.0.2.65\",\"ipNextHopIPv4Address\":"
             "\"192.0.2.3\",\"packetDeltaCount\":5,\"octetDeltaCount\":6534}}");
}

/* Variable lengths in both forms, times, enterprises: reversed, unknown. */
static void ipfix_values(void **state)
{
    (void)state;
    opens("netflow { target => '[flow][x]' }");
    READ(IPFIX("008f") "0002 002c 0101 0007 0052 ffff 0096 0004 0098 0008 009a 0008 8001 0004 "
                       "00007279 8007 0002 00001234 0137 0008 "
                       "0101 0053 04 65746830 558665b4 0000014e1525cd78 d930e434 80000000 "
                       "00000009 ffff 3fe0000000000000 "
                       "ff 00ff 657468 00000000 00000000 00000000 00000000 00000000 00000000 "
                       "00000000 00000000 0000");
    assert_int_equal(f.failures, 1); /* the second record is cut short */
    EVENT(0, "{\"flow\":{\"x\":{\"version\":10,\"interfaceName\":\"eth0\",\"flowStartSeconds\":"
             "\"2015-06-21T07:20:20.000Z\",\"flowStartMilliseconds\":\"2015-06-21T08:04:35.832Z\","
             "\"flowStartMicroseconds\":\"2015-06-21T07:20:20.500Z\",\"reverseOctetDeltaCount\":9,"
             "\"samplingProbability\":0.5}}}");
}

/* Barracuda, Procera, NetScaler: with a sign, of single precision, as digits. */
static void ipfix_of_vendors(void **state)
{
    (void)state;
    opens("netflow");
    READ(IPFIX("0058") "0002 0030 0101 0005 8001 0004 000029d0 800b 0004 00003c25 "
                       "8026 0004 00003c25 808e ffff 0000173f 80c0 0004 0000173f "
                       "0101 0018 00000007 fffffffe 3f000000 03 612e62 deadbeef ");
    assert_int_equal(f.failures, 0);
    EVENT(0, "{\"netflow\":{\"version\":10,\"Timestamp\":7,\"proceraInternalRtt\":-2,"
             "\"proceraQoeIncomingInternal\":0.5,\"netscalerHttpReqHost\":\"a.b\","
             "\"netscalerConnectionChainID\":\"deadbeef\"}}");
}

static void ipfix_withdrawal(void **state)
{
    (void)state;
    opens("netflow");
    READ(IPFIX("001c") "0002 000c 0100 0001 0004 0001 ");
    READ(IPFIX("0018") "0100 0008 06 11 01 02 ");
    assert_int_equal(f.len, 4);
    READ(IPFIX("0018") "0002 0008 0100 0000 ");
    READ(IPFIX("0018") "0100 0008 06 11 01 02 ");
    assert_int_equal(f.len, 4);
    assert_int_equal(f.failures, 1);
}

/* ---- settings ---- */

static void only_some_versions(void **state)
{
    (void)state;
    opens("netflow { versions => [9, 10] }");
    READ(V5_HEADER V5_RECORD);
    assert_int_equal(f.len, 0);
    assert_int_equal(f.failures, 1);
    codec_fixture_close(&f);
    assert_false(codec_fixture_open(&f, "netflow { versions => [7] }", ECS_DISABLED));
}

static char folder[] = "/tmp/test_netflow.XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[sizeof(folder) + 64];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *to = fopen(in_folder(name), "w");

    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

static void templates_kept(void **state)
{
    char config[128];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(config, sizeof(config), "netflow { cache_save_path => '%s' }", folder);
    opens(config);
    READ(V9_HEADER("1") V9_TEMPLATE);
    READ(IPFIX("001c") "0002 000c 0100 0001 0004 0001 ");
    codec_fixture_close(&f);
    opens(config);
    READ(V9_HEADER("2") V9_DATA);
    EVENT(0, "{" V9_FLOW "2}}");
    READ(IPFIX("0018") "0100 0008 06 11 01 02 ");
    EVENT(4, "{\"netflow\":{\"version\":10,\"protocolIdentifier\":2}}");
    codec_fixture_close(&f);
    write_file("netflow_templates.cache", "{\"1|256\": [[\"uint32\", \"in_bytes\"]]}");
    opens(config);
    READ(V9_HEADER("2") V9_DATA);
    assert_int_equal(f.failures, 1);
}

static void definitions(void **state)
{
    char config[256];

    (void)state;
    write_file("v9.yaml", "---\n8:\n- :uint32\n- :address\n27:\n- :skip\n1:\n- 4\n- :octets\n");
    write_file("ipfix.yaml", "---\n4660:\n  7:\n  - :string\n  - :own\n0:\n  4:\n  - :octetarray\n"
                             "  - :proto\n");
    snprintf(config, sizeof(config),
             "netflow { netflow_definitions => '%s/v9.yaml' ipfix_definitions => '%s/ipfix.yaml' }",
             folder, folder);
    opens(config);
    READ(V9_HEADER("1") "0000 0014 0100 0003 0008 0004 001b 0002 0001 0002 0100 000c 00000102 ffff "
                        "0304 ");
    EVENT(0, "{\"netflow\":{\"version\":9,\"flow_seq_num\":1,\"flowset_id\":256,\"address\":258,"
             "\"octets\":772}}");
    READ(IPFIX("002c") "0002 0014 0100 0002 8007 0003 00001234 0004 0002 0100 0008 686900 12 ");
    READ(IPFIX("0019") "0100 0009 686900 12ab ");
    EVENT(1, "{\"netflow\":{\"version\":10,\"own\":\"hi\",\"proto\":\"12ab\"}}");
    codec_fixture_close(&f);
    write_file("v9.yaml", "8: [:nonsense, :x]\n");
    assert_false(codec_fixture_open(&f, config, ECS_DISABLED));
    unlink(in_folder("v9.yaml"));
    unlink(in_folder("ipfix.yaml"));
    unlink(in_folder("netflow_templates.cache"));
    unlink(in_folder("ipfix_templates.cache"));
    rmdir(folder);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(version_5),         TEST(broken_messages),  TEST(version_9),
        TEST(version_9_options), TEST(ipfix_of_the_rfc), TEST(ipfix_values),
        TEST(ipfix_of_vendors),  TEST(ipfix_withdrawal), TEST(only_some_versions),
        TEST(templates_kept),    TEST(definitions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
