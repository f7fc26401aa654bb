/* Charsets to UTF-8. Expected texts: conformance cases dec-0014 to dec-0045 (Logstash 8.9.2) and
   Ruby's String#encode and String#inspect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/charset.h"
#include "text/ruby_inspect.h"

static int name_of(const char *name)
{
    for (int i = 0; charset_names[i]; i++)
        if (strcmp(charset_names[i], name) == 0) return i;
    fail_msg("no charset %s", name);
    return -1;
}

static void converts_bytes(const char *charset, struct str from, struct str to)
{
    struct arena          a = {0};
    struct buf            scratch = {0};
    const char           *problem = NULL;
    const struct charset *c = charset_open(&a, name_of(charset), &problem);

    assert_non_null(c);
    for (int again = 0; again < 2; again++) { /* the second time by a warm descriptor */
        struct str got = charset_convert(c, arena_copy(&a, from), &a, &scratch);
        assert_int_equal(got.len, to.len);
        assert_memory_equal(got.data, to.data, to.len);
    }
    buf_release(&scratch);
    arena_release(&a);
}

#define CONVERTS(charset, from, to) converts_bytes(charset, STR(from), STR(to))

static void utf8_stays(void **state)
{
    (void)state;
    CONVERTS("UTF-8", "", "");
    CONVERTS("UTF-8", "caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80");
    CONVERTS("UTF-8",
             "\xef\xbb\xbf"
             "bom",
             "\xef\xbb\xbf"
             "bom");
    CONVERTS("UTF-8", "nul\0in", "nul\0in");
    CONVERTS("locale", "\xc3\xa9", "\xc3\xa9");
}

static void valid_utf8_is_not_copied(void **state)
{
    struct arena          a = {0};
    struct buf            scratch = {0};
    const char           *problem = NULL;
    const struct charset *c = charset_open(&a, name_of("UTF-8"), &problem);
    struct str            text = STR("\xc3\xa9");

    (void)state;
    assert_ptr_equal(charset_convert(c, text, &a, &scratch).data, text.data);
    buf_release(&scratch);
    arena_release(&a);
}

static void bad_utf8_is_inspected(void **state)
{
    (void)state;
    CONVERTS("UTF-8", "caf\xe9 \xff\xc3( ok", "caf\\xE9 \\xFF\\xC3( ok");
    CONVERTS("UTF-8", "\xed\xa0\x80 \xf5\x80\x80\x80 \xc0\xaf \xe2\x82",
             "\\xED\\xA0\\x80 \\xF5\\x80\\x80\\x80 \\xC0\\xAF \\xE2\\x82");
    CONVERTS("UTF-8", "\xff \"q\" \\ \n #{x} \xc3\xa9", "\\xFF \\\"q\\\" \\\\ \\n \\#{x} \xc3\xa9");
}

static void single_bytes(void **state)
{
    (void)state;
    CONVERTS("ISO-8859-1", "caf\xe9", "caf\xc3\xa9");
    CONVERTS("CP1252", "\x80 \x93q\x94", "\xe2\x82\xac \xe2\x80\x9cq\xe2\x80\x9d");
    CONVERTS("Windows-1252", "\x81", "\xef\xbf\xbd");
    CONVERTS("IBM437", "\x82", "\xc3\xa9");
    CONVERTS("ISO-8859-15", "\xa4", "\xe2\x82\xac");
    CONVERTS("KOI8-R", "\xcd\xc9\xd2", "\xd0\xbc\xd0\xb8\xd1\x80");
    CONVERTS("CP878", "\xcd", "\xd0\xbc");
    CONVERTS("macRoman", "\x8e", "\xc3\xa9");
}

static void ascii_replaces_high_bytes(void **state)
{
    (void)state;
    CONVERTS("ASCII-8BIT", "caf\xe9", "caf\xef\xbf\xbd");
    CONVERTS("US-ASCII", "caf\xe9 \xc3\xa9", "caf\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd");
    CONVERTS("BINARY", "\x7f\x80", "\x7f\xef\xbf\xbd");
}

static void several_bytes(void **state)
{
    (void)state;
    CONVERTS("Shift_JIS", "\x93\xfa\x96{", "\xe6\x97\xa5\xe6\x9c\xac");
    CONVERTS("Shift_JIS", "{\"a\":\"\\\\~\"}", "{\"a\":\"\\\\~\"}");
    CONVERTS("EUC-JP", "\xc6\xfc\xcb\xdc", "\xe6\x97\xa5\xe6\x9c\xac");
    CONVERTS("GBK", "\xd6\xd0\xce\xc4", "\xe4\xb8\xad\xe6\x96\x87");
    CONVERTS("Big5", "\xa4\xa4", "\xe4\xb8\xad");
    CONVERTS("EUC-KR", "\xc7\xd1", "\xed\x95\x9c");
    CONVERTS("GB18030", "\x81\x30\x89\x38", "\xc3\x9f");
    CONVERTS("ISO-2022-JP", "\x1b$BF|K\\\x1b(B.", "\xe6\x97\xa5\xe6\x9c\xac.");
    CONVERTS("EUC-JP", "a\xc6", "a\xef\xbf\xbd");
}

static void wide(void **state)
{
    (void)state;
    CONVERTS("UTF-16LE", "a\0\xe9\0", "a\xc3\xa9");
    CONVERTS("UTF-16BE", "\0a\xd8\x3d\xde\x00", "a\xf0\x9f\x98\x80");
    CONVERTS("UTF-16LE", "\0c\0d\0", "\xe6\x8c\x80\xe6\x90\x80\xef\xbf\xbd");
    CONVERTS("UTF-16",
             "\xff\xfe"
             "a\0",
             "a");
    CONVERTS("UTF-16", "\xfe\xff\0a", "a");
    CONVERTS("UTF-16", "\0a", "a");
    CONVERTS("UTF-32LE", "a\0\0\0", "a");
    CONVERTS("UTF-32", "\0\0\0a", "a");
    CONVERTS("UTF-16LE",
             "\x3d\xd8"
             "a\0",
             "\xef\xbf\xbd"
             "a");
}

static void unknown_to_iconv_is_refused(void **state)
{
    struct arena a = {0};
    const char  *problem = NULL;

    (void)state;
    assert_null(charset_open(&a, name_of("Emacs-Mule"), &problem));
    assert_non_null(problem);
    arena_release(&a);
}

static void every_name_opens_or_says_why(void **state)
{
    struct arena a = {0};
    int          opened = 0;

    (void)state;
    for (int i = 0; charset_names[i]; i++) {
        const char *problem = NULL;
        if (charset_open(&a, i, &problem))
            opened++;
        else
            assert_non_null(problem);
    }
    assert_true(opened >= 140);
    arena_release(&a);
}

static void inspects(struct str from, struct str to)
{
    struct buf out = {0};

    ruby_inspect(&out, from);
    assert_int_equal(out.len, to.len);
    assert_memory_equal(out.data, to.data, to.len);
    buf_release(&out);
}

/* Case enc-0026, and Ruby's documentation of String#inspect. */
static void inspected(void **state)
{
    (void)state;
    inspects(STR("q\"uote \\back \n \t \x01 \x1b \x7f \xc3\xa9 #{x} #$y #z #"),
             STR("q\\\"uote \\\\back \\n \\t \\u0001 \\e \\u007F \xc3\xa9 \\#{x} \\#$y #z #"));
    inspects(STR("\r\f\v\b\a#@a"), STR("\\r\\f\\v\\b\\a\\#@a"));
    inspects(STR("\xc2\x85 \xe2\x80\xa8 \xef\xbb\xbf"), STR("\\u0085 \\u2028 \xef\xbb\xbf"));
    inspects(STR("\xf3\xa0\x82\x80\0"), STR("\\u{E0080}\\u0000"));
}

static void floats(void **state)
{
    static const struct {
        double      f;
        const char *text;
    } table[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {1e7, "10000000.0"},
        {1e15, "1000000000000000.0"},
        {1e19, "10000000000000000000.0"},
        {1.25e20, "1.25e+20"},
        {0.0001, "0.0001"},
        {0.00001, "1.0e-05"},
        {1e-10, "1.0e-10"},
        {123456.789, "123456.789"},
        {1e100, "1.0e+100"},
        {9007199254740993.0, "9007199254740992.0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct buf out = {0};
        ruby_inspect_float(&out, table[i].f);
        assert_string_equal(buf_cstr(&out), table[i].text);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_stays),
        cmocka_unit_test(valid_utf8_is_not_copied),
        cmocka_unit_test(bad_utf8_is_inspected),
        cmocka_unit_test(single_bytes),
        cmocka_unit_test(ascii_replaces_high_bytes),
        cmocka_unit_test(several_bytes),
        cmocka_unit_test(wide),
        cmocka_unit_test(unknown_to_iconv_is_refused),
        cmocka_unit_test(every_name_opens_or_says_why),
        cmocka_unit_test(inspected),
        cmocka_unit_test(floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
