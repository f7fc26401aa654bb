/* UTF-8, and the keyed hash. Expected values: RFC 3629, Unicode's UnicodeData.txt and
   SpecialCasing.txt, and the reference vectors of SipHash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/utf8.h"

static void valid_text(void **state)
{
    (void)state;
    assert_true(utf8_valid(STR("")));
    assert_true(utf8_valid(STR("plain ascii, longer than a word")));
    assert_true(utf8_valid(STR("nul \0 in it")));
    assert_true(utf8_valid(STR("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")));
    assert_true(utf8_valid(STR("\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")));
}

static void valid_start(struct str s, size_t len)
{
    assert_int_equal(utf8_valid_prefix(s), len);
    assert_true(utf8_valid(s) == (len == s.len));
}

static void invalid_text(void **state)
{
    (void)state;
    valid_start(STR("abc\xff"), 3);
    valid_start(STR("01234567abc\x80xyz"), 11);
    valid_start(STR("\xc0\x80"), 0);             /* overlong */
    valid_start(STR("\xc1\xbf"), 0);             /* overlong */
    valid_start(STR("\xe0\x9f\xbf"), 0);         /* overlong */
    valid_start(STR("\xf0\x8f\xbf\xbf"), 0);     /* overlong */
    valid_start(STR("\xed\xa0\x80"), 0);         /* surrogate */
    valid_start(STR("\xed\xbf\xbf"), 0);         /* surrogate */
    valid_start(STR("\xf4\x90\x80\x80"), 0);     /* beyond U+10FFFF */
    valid_start(STR("\xf5\x80\x80\x80"), 0);     /* beyond U+10FFFF */
    valid_start(STR("\xf8\x88\x80\x80\x80"), 0); /* five bytes */
    valid_start(STR("x\xc3"), 1);
    valid_start(STR("x\xe6\x97"), 1);
    valid_start(STR("x\xf0\x9f\x98"), 1);
    valid_start(STR("\xc3\xa9\xc3("), 2);
    valid_start(STR("\xe6\x97(x"), 0);
    valid_start(STR("\xf0\x9f(xx"), 0);
}

static void all_characters_come_back(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char     bytes[4];
        uint32_t back;
        if (c >= 0xD800 && c <= 0xDFFF) continue;
        struct str s = {bytes, utf8_put(bytes, c)};
        assert_int_equal(utf8_get(s, &back), s.len);
        assert_int_equal(back, c);
        assert_true(utf8_valid(s));
    }
}

/* Every string of one to three bytes, against the starts of every character. */
static void characters_that_have_begun(void **state)
{
    static bool starts[3][1 << 24];

    (void)state;
    for (uint32_t c = 0x80; c <= 0x10FFFF; c++) {
        char     bytes[4];
        uint32_t start = 0;
        if (c >= 0xD800 && c <= 0xDFFF) continue;
        size_t len = utf8_put(bytes, c);
        for (size_t i = 0; i + 1 < len; i++) {
            start = start << 8 | (uint8_t)bytes[i];
            starts[i][start] = true;
        }
    }
    assert_true(utf8_begun(STR("")));
    assert_false(utf8_begun(STR("\xf0\x9f\x98\x80")));
    for (uint32_t len = 1; len <= 3; len++)
        for (uint32_t s = 0; s < 1U << 8 * len; s++) {
            char bytes[3];
            for (uint32_t i = 0; i < len; i++)
                bytes[i] = (char)(s >> 8 * (len - 1 - i));
            if (utf8_begun((struct str){bytes, len}) != starts[len - 1][s]) fail_msg("%x", s);
        }
}

static void counting_and_cutting(void **state)
{
    struct str s = STR("a\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80z");

    (void)state;
    assert_int_equal(utf8_count(s), 5);
    assert_int_equal(utf8_count(STR("")), 0);
    assert_int_equal(utf8_floor(s, 100), s.len);
    assert_int_equal(utf8_floor(s, 10), 10);
    assert_int_equal(utf8_floor(s, 9), 6);
    assert_int_equal(utf8_floor(s, 7), 6);
    assert_int_equal(utf8_floor(s, 5), 3);
    assert_int_equal(utf8_floor(s, 2), 1);
    assert_int_equal(utf8_floor(s, 0), 0);
}

static void changes(void (*change)(struct buf *, struct str), const char *from, const char *to)
{
    struct buf out = {0};

    change(&out, str_of(from));
    assert_string_equal(buf_cstr(&out), to);
    buf_release(&out);
}

static void upper_case(void **state)
{
    (void)state;
    changes(utf8_upper, "", "");
    changes(utf8_upper, "abc XYZ 09_{", "ABC XYZ 09_{");
    changes(utf8_upper, "caf\u00e9 \u00fc\u00ff", "CAF\u00c9 \u00dc\u0178");
    changes(utf8_upper, "stra\u00dfe \ufb01x", "STRASSE FIX");
    changes(utf8_upper, "\u03b1\u03b2\u03c3\u03c2 \u0434\u044f",
            "\u0391\u0392\u03a3\u03a3 \u0414\u042f");
    changes(utf8_upper, "\u0131i\u01c6\u1fb3", "II\u01c4\u0391\u0399");
    changes(utf8_upper, "\u65e5\u672c \U0001F600 \U00010428", "\u65e5\u672c \U0001F600 \U00010400");
}

static void lower_case(void **state)
{
    (void)state;
    changes(utf8_lower, "", "");
    changes(utf8_lower, "ABC xyz 09_[", "abc xyz 09_[");
    changes(utf8_lower, "CAF\u00c9 \u1e9e", "caf\u00e9 \u00df");
    changes(utf8_lower, "\u0130X", "i\u0307x");
    changes(utf8_lower, "\u0414\u042f\u00d7\u00de", "\u0434\u044f\u00d7\u00fe");
    changes(utf8_lower, "\u65e5 \U00010400", "\u65e5 \U00010428");
}

/* A sigma at the end of a word is another letter; SpecialCasing.txt, Final_Sigma. */
static void final_sigma(void **state)
{
    (void)state;
    changes(utf8_lower, "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2");
    changes(utf8_lower, "\u039f\u03a3 A", "\u03bf\u03c2 a");
    changes(utf8_lower, "\u03a3\u039f\u03a3", "\u03c3\u03bf\u03c2");
    changes(utf8_lower, "\u03a3", "\u03c3");
    changes(utf8_lower, "A\u03a3.", "a\u03c2.");
    changes(utf8_lower, "A\u03a3'B", "a\u03c3'b");
}

static void reference_vectors_of_siphash(void **state)
{
    static const uint64_t expected[] = {0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d,
                                        0x8bf80ab8e7ddf7fb};
    char                  data[8] = {0, 1, 2, 3, 4, 5, 6, 7};

    (void)state;
    for (size_t len = 0; len < 4; len++)
        assert_true(hash_siphash13(0x0706050403020100, 0x0f0e0d0c0b0a0908, data, len) ==
                    expected[len]);
}

static void keyed_hash_depends_on_all_bytes(void **state)
{
    char data[40] = {0};

    (void)state;
    uint64_t whole = hash_keyed(data, sizeof(data));
    assert_true(whole == hash_keyed(data, sizeof(data)));
    assert_true(whole != hash_keyed(data, sizeof(data) - 1));
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = 1;
        assert_true(whole != hash_keyed(data, sizeof(data)));
        data[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_text),
        cmocka_unit_test(invalid_text),
        cmocka_unit_test(all_characters_come_back),
        cmocka_unit_test(characters_that_have_begun),
        cmocka_unit_test(counting_and_cutting),
        cmocka_unit_test(upper_case),
        cmocka_unit_test(lower_case),
        cmocka_unit_test(final_sigma),
        cmocka_unit_test(reference_vectors_of_siphash),
        cmocka_unit_test(keyed_hash_depends_on_all_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
