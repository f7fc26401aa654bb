#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the headers above. */
#include <cmocka.h>

#include "base/buf.h"
#include "pipeline/intake.h"

/* Streams cut bytes into messages the same way however the bytes arrive. */

struct fake {
    struct framing framing;
};

static void fake_framing(const void *self, struct framing *out)
{
    *out = ((const struct fake *)self)->framing;
}

static const struct plugin codec = {
    .kind = PLUGIN_CODEC, .name = "fake", .codec_ops = {.framing = fake_framing}};

static void ended(void *ctx)
{
    (void)ctx;
}

/* The messages that `bytes` give when they come in pieces of `step` bytes, each ended by '|'. */
static void cut(struct framing framing, const char *bytes, size_t step, struct buf *out)
{
    struct fake    fake = {framing};
    struct metrics metrics = {0};
    struct codec   c = {.plugin = &codec, .self = &fake, .metrics = &metrics};
    struct node    node = {.common = {.codec = &c}};
    struct queue  *q = queue_new(4, 2);
    struct intake *to = intake_new(&node, q, 1000, STR("host"), ended, NULL);
    struct stream *s = stream_open(to, false);
    size_t         len = strlen(bytes);
    bool           timed_out;

    for (size_t at = 0; at < len; at += step)
        assert_true(
            stream_feed(s, (struct str){bytes + at, len - at < step ? len - at : step}, NULL));
    stream_flush(s, NULL);
    stream_free(s);
    intake_end(to);
    queue_close(q);
    buf_clear(out);
    for (struct batch *b; (b = queue_take(q, INT64_MAX, &timed_out)); queue_return(q, b))
        for (uint32_t i = 0; i < b->len; i++) {
            buf_str(out, b->items[i].message);
            buf_char(out, '|');
        }
    intake_free(to);
    queue_free(q);
}

static void check(struct framing framing, const char *bytes, const char *expected)
{
    struct buf out = {0};

    for (size_t step = 1; step <= strlen(bytes); step++) {
        cut(framing, bytes, step, &out);
        assert_string_equal(buf_cstr(&out), expected);
    }
    buf_release(&out);
}

static void lines_end_at_newlines(void **state)
{
    (void)state;
    check((struct framing){.delimiter = STR("\n")}, "one\n\ntwo\nthree", "one||two|three|");
}

static void a_carriage_return_goes_with_the_newline(void **state)
{
    (void)state;
    check((struct framing){.delimiter = STR("\n"), .drop_cr = true}, "a\r\nb\n\r\n", "a|b||");
}

static void delimiters_may_be_longer_and_overlap(void **state)
{
    (void)state;
    check((struct framing){.delimiter = STR("--")}, "a--b---c----", "a|b|-c||");
    check((struct framing){.delimiter = STR("aab")}, "xaaabyaab", "xa|y|");
}

/* What comes in one piece may pass whole; what has to be kept is cut at the limit. */
static void a_message_that_never_ends_is_cut(void **state)
{
    struct buf out = {0};

    (void)state;
    cut((struct framing){.delimiter = STR("\n"), .max = 4}, "abcdefghij", 1, &out);
    assert_string_equal(buf_cstr(&out), "abcd|efgh|ij|");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_at_newlines),
        cmocka_unit_test(a_carriage_return_goes_with_the_newline),
        cmocka_unit_test(delimiters_may_be_longer_and_overlap),
        cmocka_unit_test(a_message_that_never_ends_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
