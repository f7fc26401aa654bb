/* Hashes. Expected: RFC 1321, RFC 2202, RFC 4231, FIPS 180-4, RFC 4648 section 10, smhasher's
   MurmurHash3 (by python's mmh3) and the conformance cases of fingerprint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/digest.h"
#include "text/ip.h"
#include "text/murmur3.h"
#include "text/uuid.h"

static const struct str no_key = {NULL, 0};

static void digests(const char *name, struct str key, const char *data, const char *expected)
{
    struct arena   a = {0};
    unsigned char  out[DIGEST_MAX];
    struct digest *d = digest_new(name, key);

    assert_non_null(d);
    void *context = digest_context_new(d);
    for (int i = 0; i < 3; i++) { /* a context is used again */
        size_t     len = digest_run(d, context, str_of(data), out);
        struct str hex = text_of_hex(&a, out, len);
        assert_string_equal(arena_cstr(&a, hex), expected);
        digest_run(d, context, STR("something else"), out);
    }
    digest_context_free(context);
    digest_free(d);
    arena_release(&a);
}

static void hashes(void **state)
{
    static const char what[] = "what do ya want for nothing?";

    (void)state;
    digests("MD5", no_key, "abc", "900150983cd24fb0d6963f7d28e17f72");
    digests("SHA1", no_key, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    digests("SHA256", no_key, "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digests("MD5", STR("Jefe"), what, "750c783e6ab0b503eaa86e310a5db738");
    digests("SHA1", STR("Jefe"), what, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    digests("SHA256", STR("Jefe"), what,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    digests("MD5", STR(""), "", "74e6f7298a9c2d168935f58c001bad88");
    assert_null(digest_new("SHA0", no_key));
}

static void murmurs(void **state)
{
    uint64_t words[2];

    (void)state;
    assert_int_equal(murmur3_32(STR(""), 0), 0);
    assert_int_equal(murmur3_32(STR("hello"), 0), 613153351);
    assert_int_equal(murmur3_32(STR("123.52.122.33"), 0), 1541804874);
    assert_int_equal(murmur3_32_of(value_int(123), STR("123")), 823512154);
    murmur3_128(STR("hello"), 0, words);
    assert_true(words[0] == 0xCBD8A7B341BD9B02u && words[1] == 0x5B1E906A48AE1D19u);
    murmur3_128(STR("The quick brown fox jumps over the lazy dog"), 0, words);
    assert_true(words[0] == 0xE34BBC7BBC071B6Cu && words[1] == 0x7A433CA9C49A9347u);
}

static void base64(const char *plain, const char *coded)
{
    struct arena a = {0};
    struct str   back, text;

    text = text_of_base64(&a, (const unsigned char *)plain, strlen(plain));
    assert_string_equal(arena_cstr(&a, text), coded);
    assert_true(base64_read(&a, text, &back));
    assert_string_equal(arena_cstr(&a, back), plain);
    arena_release(&a);
}

static void codes_base64(void **state)
{
    static const char *const bad[] = {
        "A", "AA", "AAA", "A===", "AB==", "AAB=", "AA=A", "A A=", "AAAA=", "====", "Zm9v\n", NULL};
    struct arena a = {0};
    struct str   out;

    (void)state;
    base64("", ""), base64("f", "Zg=="), base64("fo", "Zm8="), base64("foo", "Zm9v");
    base64("foob", "Zm9vYg=="), base64("fooba", "Zm9vYmE="), base64("foobar", "Zm9vYmFy");
    for (int i = 0; bad[i]; i++)
        assert_false(base64_read(&a, str_of(bad[i]), &out));
    arena_release(&a);
}

static void masks(const char *text, int64_t prefix, const char *expected)
{
    struct arena a = {0};
    struct ip    ip;

    assert_true(ip_parse(str_of(text), &ip));
    assert_int_equal(ip_mask(&ip, prefix), expected != NULL);
    if (expected) assert_string_equal(arena_cstr(&a, ip_text(&a, &ip)), expected);
    arena_release(&a);
}

static void masks_addresses(void **state)
{
    (void)state;
    masks("10.20.130.40", 0, "0.0.0.0");
    masks("10.20.130.40", 17, "10.20.128.0");
    masks("10.20.130.41", 32, "10.20.130.41");
    masks("10.20.130.41", 33, NULL);
    masks("10.20.130.41", -1, NULL);
    masks("2001:db8:ffff:ffff:ffff::1", 0, "::");
    masks("2001:db8:ffff:ffff:ffff::1", 36, "2001:db8:f000::");
    masks("2001:db8:ffff:ffff:ffff::1", 64, "2001:db8:ffff:ffff::");
    masks("2001:db8:ffff:ffff:ffff::1", 68, "2001:db8:ffff:ffff:f000::");
    masks("2001:db8:ffff:ffff:ffff::1", 128, "2001:db8:ffff:ffff:ffff::1");
    masks("2001:db8::1", 129, NULL);
}

static void makes_uuids(void **state)
{
    unsigned char bytes[UUID_BYTES];
    struct arena  a = {0};

    (void)state;
    memset(bytes, 0xFF, sizeof(bytes));
    assert_string_equal(arena_cstr(&a, uuid_text(&a, bytes)),
                        "ffffffff-ffff-4fff-bfff-ffffffffffff");
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes),       cmocka_unit_test(murmurs),
        cmocka_unit_test(codes_base64), cmocka_unit_test(masks_addresses),
        cmocka_unit_test(makes_uuids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
