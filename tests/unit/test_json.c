/* JSON texts and values. Expected results: RFC 8259, the cases of area json-fidelity and json-0004
   (Logstash 8.9.2), and for floats Java's Double.toString (JDK 21). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "event/json.h"

static struct arena arena;
static struct buf   out;

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    buf_release(&out);
    return 0;
}

/* A copy without a byte behind it, so that a sanitizer sees what reads too far. */
static struct str exact(struct str s)
{
    char *p = malloc(s.len ? s.len : 1);

    assert_non_null(p);
    memcpy(p, s.data, s.len);
    return (struct str){p, s.len};
}

static struct str decode_encode(struct str text)
{
    struct value      v;
    struct json_error error = {"", 0};

    if (!json_decode(&arena, text, NULL, &v, &error))
        fail_msg("%.*s: %s at %zu", STR_ARG(text), error.message, error.offset);
    buf_clear(&out);
    json_encode(v, &out);
    return buf_view(&out);
}

static void becomes(const char *from, const char *to)
{
    struct str text = exact(str_of(from)), got = decode_encode(text);

    assert_int_equal(got.len, strlen(to));
    assert_memory_equal(got.data, to, got.len);
    free((char *)text.data);
}

static void stays(const char *text)
{
    becomes(text, text);
}

static void refused_bytes(struct str bytes, size_t offset)
{
    struct str        text = exact(bytes);
    struct value      v;
    struct json_error error = {NULL, 0};

    if (json_decode(&arena, text, NULL, &v, &error)) fail_msg("accepted: %.*s", STR_ARG(text));
    assert_non_null(error.message);
    assert_int_equal(error.offset, offset);
    free((char *)text.data);
}

static void refused(const char *text, size_t offset)
{
    refused_bytes(str_of(text), offset);
}

static void documents(void **state)
{
    (void)state;
    stays("{}");
    stays("[]");
    stays("\"\"");
    stays("0");
    stays("null");
    stays("true");
    stays("false");
    stays("{\"a\":[],\"b\":{},\"c\":[[]],\"d\":[{}],\"e\":\"\"}");
    stays("[1,[2,[3,[4]]],{\"a\":{\"b\":{\"c\":null}}}]");
    stays("{\"\":1}");
    stays("{\"[a][b]\":1,\"a.b\":2,\"m n\":3}");
    becomes(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : true } \t\r\n", "{\"a\":[1,2],\"b\":true}");
    becomes("[ ]", "[]");
    becomes("{ }", "{}");
}

static void broken_documents(void **state)
{
    (void)state;
    refused("", 0);
    refused("   ", 3);
    refused("{", 1);
    refused("[", 1);
    refused("{\"a\"", 4);
    refused("{\"a\":", 5);
    refused("{\"a\":1", 6);
    refused("{\"a\":1,", 7);
    refused("[1,2", 4);
    refused("{\"a\":1,}", 7);
    refused("[1,]", 3);
    refused("[,1]", 1);
    refused("[1,,2]", 3);
    refused("[1 2]", 3);
    refused("{,\"a\":1}", 1);
    refused("{a:1}", 1);
    refused("{'a':1}", 1);
    refused("{\"a\" 1}", 5);
    refused("{\"a\":}", 5);
    refused("{1:2}", 1);
    refused("[1}", 2);
    refused("{\"a\":1]", 6);
    refused("]", 0);
    refused("{\"a\":1 /* c */}", 7);
    refused("{\"a\":1}x", 7);
    refused("{\"a\":1}{\"a\":2}", 7);
    refused("tru", 0);
    refused("{\"a\":tru}", 5);
    refused("nul", 0);
    refused("True", 0);
    refused("truex", 4);
    refused("\xef\xbb\xbf{}", 0);
    refused("not json", 0);
}

static void only_the_first_document(void **state)
{
    struct value v;
    size_t       used;

    (void)state;
    assert_true(json_decode_prefix(&arena, STR(" {\"a\":1}{\"a\":2}"), NULL, &v, &used, NULL));
    assert_int_equal(used, 8);
    assert_true(json_decode_prefix(&arena, STR("{\"a\":1},"), NULL, &v, &used, NULL));
    assert_int_equal(used, 7);
    assert_true(json_decode_prefix(&arena, STR("12 34"), NULL, &v, &used, NULL));
    assert_int_equal(used, 2);
    assert_int_equal(v.as.i, 12);
}

static void integers(void **state)
{
    (void)state;
    stays("[0,1,-1,9,10,99,100,999,1000,9999,10000,99999,123456789,-5000]");
    stays("[9223372036854775807,-9223372036854775808]");
    stays("[9223372036854775808,-9223372036854775809,12345678901234567890]");
    stays("123456789012345678901234567890123456789012345678901234567890");
    becomes("-0", "0");
    refused("01", 0);
    refused("-01", 0);
    refused("00", 0);
    refused("+1", 0);
    refused("-", 0);
    refused("--1", 0);
    refused("0x1F", 1);
    refused("1a", 1);
    refused("{\"a\":-}", 5);
}

/* What arithmetic may give, not what is read. mutate-0033 */
static void no_numbers(void **state)
{
    (void)state;
    buf_clear(&out);
    json_encode(value_float(HUGE_VAL), &out);
    json_encode(value_float(-HUGE_VAL), &out);
    json_encode(value_float(NAN), &out);
    assert_string_equal(buf_cstr(&out), "\"Infinity\"\"-Infinity\"\"NaN\"");
    buf_clear(&out);
    json_encode_float(NAN, &out);
    assert_string_equal(buf_cstr(&out), "NaN");
}

static void kinds_of_numbers(void **state)
{
    struct value v;

    (void)state;
    assert_true(json_decode(&arena, STR("9223372036854775807"), NULL, &v, NULL));
    assert_int_equal(v.kind, VALUE_INT);
    assert_true(json_decode(&arena, STR("9223372036854775808"), NULL, &v, NULL));
    assert_int_equal(v.kind, VALUE_NUMBER);
    assert_true(json_decode(&arena, STR("-9223372036854775808"), NULL, &v, NULL));
    assert_int_equal(v.kind, VALUE_INT);
    assert_true(v.as.i == INT64_MIN);
    assert_true(json_decode(&arena, STR("1.0"), NULL, &v, NULL));
    assert_int_equal(v.kind, VALUE_FLOAT);
    assert_true(json_decode(&arena, STR("1e2"), NULL, &v, NULL));
    assert_int_equal(v.kind, VALUE_FLOAT);
}

static void floats(void **state)
{
    (void)state;
    stays("[1.0,1.5,-1.0,100.0,9999999.0,0.001,0.1,-0.5,123.456,0.0,-0.0]");
    becomes("1.50", "1.5");
    becomes("1.10", "1.1");
    becomes("1e3", "1000.0");
    becomes("1E+3", "1000.0");
    becomes("1e7", "1.0E7");
    becomes("12345678.9", "1.23456789E7");
    becomes("1e15", "1.0E15");
    becomes("1e20", "1.0E20");
    becomes("1e21", "1.0E21");
    becomes("1e22", "1.0E22");
    becomes("1e23", "1.0E23");
    becomes("2e23", "2.0E23");
    becomes("0.0001", "1.0E-4");
    becomes("0.00012345", "1.2345E-4");
    becomes("1E-7", "1.0E-7");
    becomes("100000000000000000000.5", "1.0E20");
    becomes("0.1234567890123456789", "0.12345678901234568");
    becomes("123456789.12345679", "1.2345678912345679E8");
    becomes("0.30000000000000004", "0.30000000000000004");
    becomes("3e100", "3.0E100");
    becomes("1.7976931348623157e308", "1.7976931348623157E308");
    becomes("2.2250738585072014e-308", "2.2250738585072014E-308");
    becomes("4.9e-324", "4.9E-324");
    becomes("1e-400", "0.0");
    stays("1e400"); /* json-0004: stays a number */
    stays("-1.5E+400");
    stays("1e99999999999999999999");
    becomes("0e99999999999999999999", "0.0");
    refused("5.", 0);
    refused(".5", 0);
    refused("1.e1", 0);
    refused("1e", 0);
    refused("1e+", 0);
    refused("{\"a\":NaN}", 5);
    refused("{\"a\":Infinity}", 5);
    refused("{\"a\":-Infinity}", 5);
}

/* A power of two has its lower neighbour nearer than its upper one. */
static void floats_at_powers_of_two(void **state)
{
    (void)state;
    becomes("5.9604644775390625e-8", "5.960464477539063E-8");
    becomes("9007199254740992.0", "9.007199254740992E15");
    becomes("9007199254740993.0", "9.007199254740992E15");
    becomes("7.120236347223045e-307", "7.120236347223045E-307");
}

static void floats_read_back(void **state)
{
    uint64_t bits = 88172645463325252u; /* xorshift64 */

    (void)state;
    for (int i = 0; i < 20000; i++) {
        double f;
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        if (i % 2)
            memcpy(&f, &bits, sizeof(f));
        else
            f = (double)(bits >> 20) / 1e6;
        if (!(f - f == 0)) continue; /* not finite */
        buf_clear(&out);
        json_encode_float(f, &out);
        assert_true(strtod(buf_cstr(&out), NULL) == f);
        struct value v;
        assert_true(json_decode(&arena, buf_view(&out), NULL, &v, NULL));
        assert_true(v.as.f == f);
        arena_reset(&arena);
    }
}

static void strings(void **state)
{
    (void)state;
    stays("\"</script>&'<>\"");
    stays("\"caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80\"");
    becomes("\"\\b\\f\\n\\r\\t\\\"\\\\\\/\"", "\"\\b\\f\\n\\r\\t\\\"\\\\/\"");
    becomes("\"\\u0000\\u0001\\u001f\\u007f\\u0080\\u2028\\u2029\\ufeff\"",
            "\"\\u0000\\u0001\\u001F\x7f\xc2\x80\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\"");
    becomes("\"\\ud83d\\ude00\\uD83D\\uDE00\"", "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"");
    becomes("\"\\u00e9\\u65e5A\"", "\"\xc3\xa9\xe6\x97\xa5"
                                   "A\"");
    becomes("{\"\\u0061\":1}", "{\"a\":1}");
}

/* As Logstash's cases jsonio-0022 and -0024 have it, nothing stays of a string that begins with
   one. Elsewhere it becomes U+FFFD, where Logstash drops the rest: docs/differences.md. */
static void lone_surrogates(void **state)
{
    (void)state;
    becomes("\"\\ud83d\"", "\"\"");
    becomes("\"\\ud83dx\\ude00\"", "\"\"");
    becomes("\"ab\\ud83dcd\"", "\"ab\xef\xbf\xbd"
                               "cd\"");
    becomes("\"x\\ud83d\\ud83d\\ude00\"", "\"x\xef\xbf\xbd\xf0\x9f\x98\x80\"");
    becomes("\"x\\ude00\\n\"", "\"x\xef\xbf\xbd\\n\"");
    becomes("\"\\ufffdx\"", "\"\xef\xbf\xbdx\"");
}

static void broken_strings(void **state)
{
    (void)state;
    refused("\"abc", 4);
    refused("\"abc\\", 5);
    refused("\"abc\\\"", 6);
    refused("\"x\ty\"", 2);
    refused("\"x\ny\"", 2);
    refused("\"\\n\ty\"", 3);
    refused("\"\\x41\"", 2);
    refused("\"\\u12\"", 3);
    refused("\"\\u12g4\"", 3);
    refused("\"\\u", 3);
    refused("\"\\U0041\"", 2);
    refused_bytes(STR("\"a\0b\""), 2);
    refused("\"\xff\"", 1);
    refused("\"\xc3\"", 1);
    refused("\"\xc0\x80\"", 1);
    refused("\"\xed\xa0\x80\"", 1);
    refused("\"\xf4\x90\x80\x80\"", 1);
    refused("\"\\n\xff\"", 1);
    refused("\"\\ud83d\xff\"", 1);
    refused("{\"\xff\":1}", 2);
    refused("\"0123456789abcdef\xff\"", 1);
}

/* Every length and place of a special byte, across the blocks in which strings are scanned. */
static void strings_of_all_lengths(void **state)
{
    static const struct {
        char        byte;
        const char *escaped;
    } specials[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {0x1F, "\\u001F"}};

    (void)state;
    for (size_t len = 0; len <= 70; len++) {
        for (size_t at = 0; at <= len; at++) {
            char       raw[80];
            struct buf want = {0};
            memset(raw, 'x', len);
            if (at < len) raw[at] = specials[at % 4].byte;
            buf_char(&want, '"');
            buf_put(&want, raw, at);
            if (at < len) {
                buf_str(&want, str_of(specials[at % 4].escaped));
                buf_put(&want, raw + at + 1, len - at - 1);
            }
            buf_char(&want, '"');

            struct str from = exact((struct str){raw, len});
            buf_clear(&out);
            json_encode_string(from, &out);
            assert_true(str_eq(buf_view(&out), buf_view(&want)));
            free((char *)from.data);

            struct value v;
            struct str   text = exact(buf_view(&want));
            assert_true(json_decode(&arena, text, NULL, &v, NULL));
            assert_true(str_eq(value_str(v), (struct str){raw, len}));
            free((char *)text.data);
            buf_release(&want);
            arena_reset(&arena);
        }
    }
}

static void long_strings(void **state)
{
    size_t len = 300000;
    char  *raw = malloc(len);

    (void)state;
    assert_non_null(raw);
    for (size_t i = 0; i < len; i++)
        raw[i] = "ab\n\"c\x01"[i % 6];
    buf_clear(&out);
    json_encode_string((struct str){raw, len}, &out);
    struct value v;
    assert_true(json_decode(&arena, buf_view(&out), NULL, &v, NULL));
    assert_true(str_eq(value_str(v), (struct str){raw, len}));
    free(raw);
}

static void clean_strings_are_views(void **state)
{
    struct str   text = STR("{\"name\":\"value\"}");
    struct value v;

    (void)state;
    assert_true(json_decode(&arena, text, NULL, &v, NULL));
    assert_ptr_equal(v.as.map->members[0].key.name, text.data + 2);
    assert_ptr_equal(v.as.map->members[0].value.as.s, text.data + 9);
}

static void the_last_of_equal_names_counts(void **state)
{
    (void)state;
    becomes("{\"a\":1,\"a\":2}", "{\"a\":2}");
    becomes("{\"a\":{\"b\":1},\"a\":{\"c\":2}}", "{\"a\":{\"c\":2}}");
    becomes("{\"a\":1,\"a\":2,\"a\":3,\"b\":4}", "{\"a\":3,\"b\":4}");
    becomes("{\"a\":1,\"\\u0061\":2}", "{\"a\":2}");
    becomes("{\"a\":1,\"b\":{\"a\":2,\"b\":3}}", "{\"a\":1,\"b\":{\"a\":2,\"b\":3}}");
}

/* 100,000 members, each name twice: the index keeps it linear. */
static void large_maps(void **state)
{
    struct buf   text = {0};
    struct value v;

    (void)state;
    for (int i = 0; i < 200000; i++)
        buf_printf(&text, "%c\"k%d\":%d", i ? ',' : '{', i % 100000, i);
    buf_char(&text, '}');
    assert_true(json_decode(&arena, buf_view(&text), NULL, &v, NULL));
    assert_int_equal(v.as.map->len, 100000);
    for (int i = 0; i < 100000; i += 997) {
        struct str    name = arena_printf(&arena, "k%d", i);
        struct value *member = map_get(v.as.map, key_make(name));
        assert_non_null(member);
        assert_int_equal(member->as.i, i + 100000);
    }
    buf_release(&text);
}

static struct str nested(size_t depth)
{
    char *p = arena_alloc(&arena, 2 * depth);

    memset(p, '[', depth);
    memset(p + depth, ']', depth);
    return (struct str){p, 2 * depth};
}

static void depth_is_limited(void **state)
{
    struct json_limits ten = {.depth = 10};
    struct json_error  error;
    struct value       v;

    (void)state;
    assert_true(json_decode(&arena, nested(512), NULL, &v, &error));
    assert_false(json_decode(&arena, nested(513), NULL, &v, &error));
    assert_int_equal(error.offset, 512);
    assert_true(json_decode(&arena, nested(10), &ten, &v, &error));
    assert_false(json_decode(&arena, nested(11), &ten, &v, &error));
    assert_false(json_decode(&arena, nested(1000000), NULL, &v, &error));
}

static void many_values_at_once(void **state)
{
    struct buf   text = {0};
    struct value v;

    (void)state;
    for (int i = 0; i < 5000; i++)
        buf_printf(&text, "%c%d", i ? ',' : '[', i);
    buf_char(&text, ']');
    assert_true(json_decode(&arena, buf_view(&text), NULL, &v, NULL));
    assert_int_equal(v.as.list->len, 5000);
    assert_int_equal(v.as.list->items[4999].as.i, 4999);
    buf_clear(&out);
    json_encode(v, &out);
    assert_true(str_eq(buf_view(&out), buf_view(&text)));
    buf_release(&text);
}

/* Lengths have 32 bits; nothing is read before they are known to fit. */
static void huge_documents(void **state)
{
    struct json_error error;
    struct value      v;

    (void)state;
    if (sizeof(size_t) < 8) return;
    assert_false(json_decode(&arena, (struct str){"1", UINT32_MAX}, NULL, &v, &error));
    assert_string_equal(error.message, "too large");
}

static void times(void **state)
{
    (void)state;
    buf_clear(&out);
    json_encode(value_time((struct timestamp){1709971626, 543000000}), &out);
    assert_string_equal(buf_cstr(&out), "\"2024-03-09T08:07:06.543Z\"");
}

static void integers_alone(void **state)
{
    (void)state;
    buf_clear(&out);
    json_encode_int(INT64_MIN, &out);
    buf_char(&out, ' ');
    json_encode_int(0, &out);
    buf_char(&out, ' ');
    json_encode_int(INT64_MAX, &out);
    assert_string_equal(buf_cstr(&out), "-9223372036854775808 0 9223372036854775807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),
        cmocka_unit_test(broken_documents),
        cmocka_unit_test(only_the_first_document),
        cmocka_unit_test(integers),
        cmocka_unit_test(kinds_of_numbers),
        cmocka_unit_test(no_numbers),
        cmocka_unit_test(floats),
        cmocka_unit_test(floats_at_powers_of_two),
        cmocka_unit_test(floats_read_back),
        cmocka_unit_test(strings),
        cmocka_unit_test(lone_surrogates),
        cmocka_unit_test(broken_strings),
        cmocka_unit_test(strings_of_all_lengths),
        cmocka_unit_test(long_strings),
        cmocka_unit_test(clean_strings_are_views),
        cmocka_unit_test(the_last_of_equal_names_counts),
        cmocka_unit_test(large_maps),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(many_values_at_once),
        cmocka_unit_test(huge_documents),
        cmocka_unit_test(times),
        cmocka_unit_test(integers_alone),
    };

    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, release);
}
