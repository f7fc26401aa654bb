/* Addresses and networks. Expected: RFC 4291 section 2.2, Ruby's ipaddr.rb, and the conformance
   cases small-cidr-0002, small-cidr-0005, small-cidr-0008. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/ip.h"

static void is_v4(const char *text, uint32_t expected)
{
    struct ip ip;

    assert_true(ip_parse(str_of(text), &ip));
    assert_false(ip.v6);
    assert_int_equal(ip.high, 0);
    assert_int_equal(ip.low, expected);
}

static void is_v6(const char *text, uint64_t high, uint64_t low)
{
    struct ip ip;

    assert_true(ip_parse(str_of(text), &ip));
    assert_true(ip.v6);
    assert_int_equal(ip.high, high);
    assert_int_equal(ip.low, low);
}

static void reads_addresses(void **state)
{
    (void)state;
    is_v4("0.0.0.0", 0);
    is_v4("10.1.2.3", 0x0A010203);
    is_v4("255.255.255.255", 0xFFFFFFFF);
    is_v6("::", 0, 0);
    is_v6("::1", 0, 1);
    is_v6("1::", (uint64_t)1 << 48, 0);
    is_v6("2001:DB8:0:0:8:800:200c:417A", 0x20010DB800000000, 0x00080800200C417A);
    is_v6("2001:db8::8:800:200C:417a", 0x20010DB800000000, 0x00080800200C417A);
    is_v6("1:2:3:4:5:6:7::", 0x0001000200030004, 0x0005000600070000);
    is_v6("::13.1.68.3", 0, 0x0D014403);
    is_v6("[fe80::1]", 0xFE80000000000000, 1);
    is_v4("::ffff:10.1.2.3", 0x0A010203);
    is_v4("::FFFF:0a01:203", 0x0A010203);
}

static void refuses_what_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        "nonsense",
        "10.1",
        "10.1.2.3.4",
        "256.1.1.1",
        " 10.1.2.3",
        "10.1.2.3 ",
        "010.1.2.3",
        "10..2.3",
        "10.1.2.",
        "1.2.3.0x4",
        "10.1.2.1000",
        ":",
        ":::",
        "1:",
        ":1",
        "1::2::3",
        "12345::",
        "::g",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "1:2:3:4:5:6:7",
        "::1.2.3",
        "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "[::1",
        "::1]",
        "fe80::1%eth0",
    };
    struct ip ip;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (ip_parse(str_of(bad[i]), &ip)) fail_msg("taken for an address: %s", bad[i]);
}

static bool lies_in(const char *address, const char *network)
{
    struct ip         ip;
    struct ip_network n;

    assert_true(ip_parse(str_of(address), &ip));
    assert_true(ip_network_parse(str_of(network), &n));
    return ip_network_contains(&n, &ip);
}

static void networks_contain(void **state)
{
    (void)state;
    assert_true(lies_in("10.1.2.3", "10.0.0.0/8"));
    assert_false(lies_in("11.0.0.1", "10.0.0.0/8"));
    assert_true(lies_in("10.9.9.9", "10.1.2.3/8"));
    assert_true(lies_in("10.9.9.9", "10.0.0.0/255.0.0.0"));
    assert_true(lies_in("1.2.3.4", "0.0.0.0/0"));
    assert_false(lies_in("::1", "0.0.0.0/0"));
    assert_false(lies_in("1.2.3.4", "::/0"));
    assert_true(lies_in("fe80::1", "fe80::/10"));
    assert_true(lies_in("febf:ffff::1", "fe80::/10"));
    assert_false(lies_in("fec0::", "fe80::/10"));
    assert_true(lies_in("2001:db8::ff", "2001:db8::/120"));
    assert_false(lies_in("2001:db8::100", "2001:db8::/120"));
    assert_true(lies_in("8.8.8.8", "8.8.8.8"));
    assert_false(lies_in("8.8.8.9", "8.8.8.8/32"));
    assert_true(lies_in("::ffff:10.1.1.1", "10.0.0.0/8"));
    assert_true(lies_in("10.1.1.1", "::ffff:10.0.0.0/104"));
}

static void refuses_what_is_no_network(void **state)
{
    static const char *const bad[] = {
        "10.0.0.0/33",     "::/129",       "10.0.0.0/",   "/8",
        "10.0.0.0/a",      "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.0/255.0.255.0",
        "10.0.0.0/ffff::", "10/8",         "10.0.0.0/08"};
    struct ip_network n;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (ip_network_parse(str_of(bad[i]), &n)) fail_msg("taken for a network: %s", bad[i]);
}

static bool set_has(const struct ip_set *set, const char *address)
{
    struct ip ip;

    assert_true(ip_parse(str_of(address), &ip));
    return ip_set_contains(set, &ip);
}

static void sets_join_what_overlaps(void **state)
{
    static const char *const texts[] = {"192.168.0.0/16", "10.0.0.0/8", "10.1.0.0/16",
                                        "fe80::/10",      "8.8.8.8",    "192.168.7.0/24"};
    struct ip_network        networks[6];

    (void)state;
    for (size_t i = 0; i < 6; i++)
        assert_true(ip_network_parse(str_of(texts[i]), &networks[i]));
    struct ip_set set = ip_set_of(networks, 6);
    assert_int_equal(set.len, 4);
    assert_true(set_has(&set, "10.255.0.1"));
    assert_true(set_has(&set, "10.1.0.1"));
    assert_true(set_has(&set, "192.168.200.1"));
    assert_true(set_has(&set, "8.8.8.8"));
    assert_true(set_has(&set, "fe80::5"));
    assert_false(set_has(&set, "8.8.8.7"));
    assert_false(set_has(&set, "8.8.8.9"));
    assert_false(set_has(&set, "192.169.0.0"));
    assert_false(set_has(&set, "::1"));
    assert_false(set_has(&set, "ffff::"));
}

static void an_empty_set_has_nothing(void **state)
{
    struct ip_set set = ip_set_of(NULL, 0);

    (void)state;
    assert_false(set_has(&set, "10.0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_addresses),         cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(networks_contain),        cmocka_unit_test(refuses_what_is_no_network),
        cmocka_unit_test(sets_join_what_overlaps), cmocka_unit_test(an_empty_set_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
