/* Ruby's Marshal: what Ruby 3.1 writes of each value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/json.h"
#include "text/marshal.h"

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
    bool        written; /* also what is written of the value */
} vectors[] = {
    {BYTES("\004\0100"), "null", true},
    {BYTES("\004\010T"), "true", true},
    {BYTES("\004\010F"), "false", true},
    {BYTES("\004\010i\000"), "0", true},
    {BYTES("\004\010i\006"), "1", true},
    {BYTES("\004\010i\177"), "122", true},
    {BYTES("\004\010i\001{"), "123", true},
    {BYTES("\004\010i\001\377"), "255", true},
    {BYTES("\004\010i\002\000\001"), "256", true},
    {BYTES("\004\010i\003\000\000\001"), "65536", true},
    {BYTES("\004\010i\372"), "-1", true},
    {BYTES("\004\010i\200"), "-123", true},
    {BYTES("\004\010i\377\204"), "-124", true},
    {BYTES("\004\010i\377\177"), "-129", true},
    {BYTES("\004\010i\377\000"), "-256", true},
    {BYTES("\004\010i\376\377\376"), "-257", true},
    {BYTES("\004\010i\004\377\377\377?"), "1073741823", true},
    {BYTES("\004\010l+\007\000\000\000@"), "1073741824", true},
    {BYTES("\004\010i\374\000\000\000\300"), "-1073741824", true},
    {BYTES("\004\010l-\007\001\000\000@"), "-1073741825", true},
    {BYTES("\004\010l+\010\000\000\000\000\000\001"), "1099511627776", true},
    {BYTES("\004\010l-\011\000\000\000\000\000\000\000@"), "-4611686018427387904", true},
    {BYTES("\004\010l+\011\377\377\377\377\377\377\377\177"), "9223372036854775807", true},
    {BYTES("\004\010l-\011\000\000\000\000\000\000\000\200"), "-9223372036854775808", true},
    {BYTES("\004\010l+\011\000\000\000\000\000\000\000\200"), "9223372036854775808", false},
    {BYTES("\004\010f\0101.5"), "1.5", true},
    {BYTES("\004\010f\0061"), "1.0", true},
    {BYTES("\004\010f\0100.1"), "0.1", true},
    {BYTES("\004\010f\014-2.5e-7"), "-2.5E-7", false},
    {BYTES("\004\010f\010inf"), "\"Infinity\"", true},
    {BYTES("\004\010f\011-inf"), "\"-Infinity\"", true},
    {BYTES("\004\010f\010nan"), "\"NaN\"", true},
    {BYTES("\004\010I\042\012hello\006:\006ET"), "\"hello\"", true},
    {BYTES("\004\010I\042\007\303\251\006:\006ET"), "\"\303\251\"", true},
    {BYTES("\004\010I\042\000\006:\006ET"), "\"\"", true},
    {BYTES("\004\010I\042\011caf\351\006:\015encoding\042\017ISO-8859-1"), "\"caf\303\251\"",
     false},
    {BYTES("\004\010[\006\042\006x"), "[\"x\"]", false},
    {BYTES("\004\010[\010i\006I\042\006a\006:\006ET[\0060"), "[1,\"a\",[null]]", true},
    {BYTES("\004\010[\010I\042\006x\006:\006ET@\006f\0101.5"), "[\"x\",\"x\",1.5]", false},
    {BYTES("\004\010{\007I\042\006a\006:\006ETi\006I\042\006b\006;\000T{\006I\042\006c\006;\000TI"
           "\042\006d\006;\000T"),
     "{\"a\":1,\"b\":{\"c\":\"d\"}}", true},
    {BYTES("\004\010{\007:\006a:\006b;\006;\000"), "{\"a\":\"b\",\"b\":\"a\"}", false},
    {BYTES("\004\010{\006i\006i\007"), "{\"1\":2}", false},
    {BYTES("\004\010}\006I\042\006a\006:\006ETi\006i\012"), "{\"a\":1}", false},
};

static void what_ruby_writes_is_read_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct value v;
        const char  *why = NULL;

        if (!marshal_read(&a, vectors[i].bytes, &v, &why)) fail_msg("%s: %s", vectors[i].json, why);
        buf_clear(&out);
        json_encode(v, &out);
        assert_string_equal(buf_cstr(&out), vectors[i].json);
        if (!vectors[i].written) continue;
        buf_clear(&out);
        marshal_write(v, &out);
        if (!str_eq(buf_view(&out), vectors[i].bytes)) fail_msg("written: %s", vectors[i].json);
    }
}

static void every_beginning_of_a_value_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        for (size_t len = 0; len < vectors[i].bytes.len; len++) {
            struct value v;
            const char  *why = NULL;
            assert_false(marshal_read(&a, (struct str){vectors[i].bytes.data, len}, &v, &why));
            assert_non_null(why);
        }
    }
}

static void what_events_cannot_hold_is_refused(void **state)
{
    static const struct str refused[] = {
        BYTES("\003\000T"),
        BYTES("\004\010TT"),
        BYTES("\004\010@\006"),
        BYTES("\004\010;\000"),
        BYTES("\004\010o:\013Object\000"),
        BYTES("\004\010Iu:\011Time\015 \200\021\200\000\000\000\000\006:\011zone0"),
        BYTES("\004\010[\007[\006i\006@\006"), /* the same array twice */
        BYTES("\004\010[\006@\000"),           /* an array in itself */
        BYTES("\004\010[\001\377i\006"),       /* more items than bytes */
        BYTES("\004\010{\006[\000i\006"),
        BYTES("\004\010l+\012\001\002\003\004\005\006\007\010\011\012"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct value v;
        const char  *why = NULL;
        if (marshal_read(&a, refused[i], &v, &why)) fail_msg("read: %zu", i);
        assert_non_null(why);
    }
}

static void depth_is_limited(void **state)
{
    struct value v;
    const char  *why = NULL;

    (void)state;
    buf_clear(&out);
    buf_str(&out, STR("\4\10"));
    for (int i = 0; i < 100000; i++)
        buf_str(&out, STR("[\6"));
    buf_char(&out, '0');
    assert_false(marshal_read(&a, buf_view(&out), &v, &why));
    assert_string_equal(why, "it is nested too deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ruby_writes_is_read_and_written),
        cmocka_unit_test(every_beginning_of_a_value_is_refused),
        cmocka_unit_test(what_events_cannot_hold_is_refused),
        cmocka_unit_test(depth_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
