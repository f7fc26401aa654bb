/*
 * Lines through the multiline codec: no byte is lost or made up. The first byte chooses the
 * options, the others are fed in pieces that end at 0xFF.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tests/codec_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const configs[] = {
    "multiline { pattern => '^\\s' what => previous max_lines => 9 }",
    "multiline { pattern => '^\\s' what => next max_bytes => 90 }",
    "multiline { pattern => '^\\S' what => previous negate => true ecs_compatibility => v8 }",
    "multiline { pattern => '\\\\$' what => next multiline_tag => '' }",
};

/* The text of all events, a newline behind each. */
static struct buf joined;

static void collect(struct decode *to, struct event *ev)
{
    const struct value *message = event_get_key(ev, names.message);

    (void)to;
    if (!message || message->kind != VALUE_STRING) abort();
    buf_str(&joined, value_str(*message));
    buf_char(&joined, '\n');
}

static struct codec_fixture *opened(uint8_t choice)
{
    static struct codec_fixture all[4];
    struct codec_fixture       *f = &all[choice % 4];

    if (f->codec) return f;
    if (!codec_fixture_open(f, configs[choice % 4], ECS_DISABLED)) abort();
    f->decode.emit = collect;
    return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buf expected;

    if (size == 0) return 0;
    struct codec_fixture *f = opened(data[0]);
    buf_clear(&joined);
    buf_clear(&expected);
    for (size_t at = 1; at < size;) {
        const uint8_t *end = memchr(data + at, 0xFF, size - at);
        size_t         len = end ? (size_t)(end - data) - at : size - at;
        struct str     piece = {(const char *)data + at, len};
        at += len + 1;
        if (!utf8_valid(piece)) continue;
        codec_fixture_read(f, piece);
        /* A newline at the end of a piece is one with that end. */
        buf_str(&expected, piece);
        if (!str_ends(piece, STR("\n"))) buf_char(&expected, '\n');
    }
    codec_fixture_flush(f, true);
    if (!str_eq(buf_view(&joined), buf_view(&expected))) abort();
    arena_reset(&f->batch);
    return 0;
}
