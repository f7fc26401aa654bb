/* MessagePack: vectors of the specification (github.com/msgpack/msgpack, spec.md), each format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/json.h"
#include "text/msgpack.h"

static struct arena a;
static struct buf   out;

static int teardown(void **state)
{
    (void)state;
    arena_release(&a);
    buf_release(&out);
    return 0;
}

/* The bytes of a literal that may hold zeros. */
#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct {
    struct str  bytes;
    const char *json;
    bool        written; /* the shortest form, so what is written of the value */
} vectors[] = {
    {BYTES("\xC0"), "null", true},
    {BYTES("\xC2"), "false", true},
    {BYTES("\xC3"), "true", true},
    {BYTES("\x00"), "0", true},
    {BYTES("\x7F"), "127", true},
    {BYTES("\xFF"), "-1", true},
    {BYTES("\xE0"), "-32", true},
    {BYTES("\xCC\x80"), "128", true},
    {BYTES("\xCD\x01\x00"), "256", true},
    {BYTES("\xCE\x00\x01\x00\x00"), "65536", true},
    {BYTES("\xCF\x00\x00\x00\x01\x00\x00\x00\x00"), "4294967296", true},
    {BYTES("\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "18446744073709551615", true},
    {BYTES("\xD0\xDF"), "-33", true},
    {BYTES("\xD1\xFF\x7F"), "-129", true},
    {BYTES("\xD2\xFF\xFF\x7F\xFF"), "-32769", true},
    {BYTES("\xD3\x80\x00\x00\x00\x00\x00\x00\x00"), "-9223372036854775808", true},
    {BYTES("\xCA\x3F\xC0\x00\x00"), "1.5", false},
    {BYTES("\xCB\x3F\xF8\x00\x00\x00\x00\x00\x00"), "1.5", true},
    {BYTES("\xA0"), "\"\"", true},
    {BYTES("\xA3"
           "abc"),
     "\"abc\"", true},
    {BYTES("\xD9\x01"
           "a"),
     "\"a\"", false},
    {BYTES("\xDA\x00\x01"
           "a"),
     "\"a\"", false},
    {BYTES("\xDB\x00\x00\x00\x01"
           "a"),
     "\"a\"", false},
    {BYTES("\xA2"
           "a\xFF"),
     "\"a\xEF\xBF\xBD\"", false},
    {BYTES("\xC4\x02"
           "a\xFF"),
     "\"a\xC3\xBF\"", false},
    {BYTES("\xC5\x00\x01"
           "a"),
     "\"a\"", false},
    {BYTES("\xC6\x00\x00\x00\x01"
           "a"),
     "\"a\"", false},
    {BYTES("\x90"), "[]", true},
    {BYTES("\x92\x01\x91\xC0"), "[1,[null]]", true},
    {BYTES("\xDC\x00\x01\x01"), "[1]", false},
    {BYTES("\xDD\x00\x00\x00\x01\x01"), "[1]", false},
    {BYTES("\x81\xA1"
           "a\x01"),
     "{\"a\":1}", true},
    {BYTES("\xDE\x00\x01\xA1"
           "a\x01"),
     "{\"a\":1}", false},
    {BYTES("\xDF\x00\x00\x00\x01\xA1"
           "a\x01"),
     "{\"a\":1}", false},
    {BYTES("\x83\x01\x02\xC3\x03\xC0\x04"), "{\"1\":2,\"true\":3,\"\":4}", false},
    {BYTES("\xD6\xFF\x00\x00\x00\x01"), "\"1970-01-01T00:00:01.000Z\"", false},
    {BYTES("\xD7\xFF\x00\x00\x00\x04\x00\x00\x00\x01"), "\"1970-01-01T00:00:01.000000001Z\"",
     false},
    {BYTES("\xC7\x0C\xFF\x00\x00\x00\x05\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
     "\"1969-12-31T23:59:59.000000005Z\"", false},
    {BYTES("\xD7\x00\x00\x00\x00\x02\x00\x00\x00\x03"), "\"1970-01-01T00:00:02.000000003Z\"",
     false},
};
enum { VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

static void each_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct value        v;
        size_t              used;
        struct msgpack_scan scan = {0};
        assert_int_equal(msgpack_read(&a, vectors[i].bytes, &v, &used, NULL), MSGPACK_DONE);
        assert_int_equal(used, vectors[i].bytes.len);
        assert_int_equal(msgpack_scan(&scan, vectors[i].bytes), MSGPACK_DONE);
        assert_int_equal(scan.at, used);
        buf_clear(&out);
        json_encode(v, &out);
        assert_string_equal(buf_cstr(&out), vectors[i].json);
        if (!vectors[i].written) continue;
        buf_clear(&out);
        msgpack_write(v, &out);
        assert_true(str_eq(buf_view(&out), vectors[i].bytes));
    }
}

/* What ends too early is told from what is broken, wherever it ends. */
static void cut_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct msgpack_scan growing = {0};
        for (size_t len = 0; len < vectors[i].bytes.len; len++) {
            struct value v;
            size_t       used;
            struct str   cut = {vectors[i].bytes.data, len};
            assert_int_equal(msgpack_read(&a, cut, &v, &used, NULL), MSGPACK_SHORT);
            assert_int_equal(msgpack_scan(&growing, cut), MSGPACK_SHORT);
        }
        assert_int_equal(msgpack_scan(&growing, vectors[i].bytes), MSGPACK_DONE);
    }
}

static void broken(void **state)
{
    static const struct str texts[] = {
        BYTES("\xC1"),
        BYTES("\x92\x01\xC1"),
        BYTES("\xD4\x05\x00"),
        BYTES("\x81\x90\x01"),
        BYTES("\xD7\x00\x00\x00\x00\x02\xFF\xFF\xFF\xFF"),
    };
    struct value v;
    size_t       used;
    const char  *why;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(msgpack_read(&a, texts[i], &v, &used, &why), MSGPACK_BROKEN);
        assert_true(*why != '\0');
    }
    char deep[1000];
    memset(deep, '\x91', sizeof(deep));
    assert_int_equal(msgpack_read(&a, (struct str){deep, sizeof(deep)}, &v, &used, &why),
                     MSGPACK_BROKEN);
    assert_string_equal(why, "nested too deeply");
}

/* Lengths of a text, list or map in each width. */
static void long_ones(void **state)
{
    static char text[70000];

    (void)state;
    memset(text, 'x', sizeof(text));
    const struct {
        size_t        len;
        unsigned char first;
    } strings[] = {{31, 0xBF}, {32, 0xD9}, {256, 0xDA}, {70000, 0xDB}};
    for (size_t i = 0; i < 4; i++) {
        struct value v;
        size_t       used;
        buf_clear(&out);
        msgpack_write_string((struct str){text, strings[i].len}, &out);
        assert_int_equal((unsigned char)out.data[0], strings[i].first);
        assert_int_equal(msgpack_read(&a, buf_view(&out), &v, &used, NULL), MSGPACK_DONE);
        assert_int_equal(v.len, strings[i].len);
    }
    const uint32_t lens[] = {15, 16, 65536};
    for (size_t i = 0; i < 3; i++) {
        struct list *l = list_new(&a, lens[i]);
        struct value v;
        size_t       used;
        for (uint32_t n = 0; n < lens[i]; n++)
            list_push(l, &a, value_int(1));
        buf_clear(&out);
        msgpack_write(value_list(l), &out);
        assert_int_equal(msgpack_read(&a, buf_view(&out), &v, &used, NULL), MSGPACK_DONE);
        assert_int_equal(v.as.list->len, lens[i]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {TEST(each_format), TEST(cut_short), TEST(broken),
                                       TEST(long_ones)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
