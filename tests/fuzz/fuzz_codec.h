#ifndef LSC_TESTS_FUZZ_CODEC_H
#define LSC_TESTS_FUZZ_CODEC_H

#include <stdint.h>
#include <stdlib.h>

#include "tests/codec_fixture.h"

/*
 * Bytes of a stranger through a codec. Whatever they are, events come out that are JSON and UTF-8
 * when they are written, and that the codec itself can write.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_CONFIGS_MAX = 8 };

static const struct codec_ops *fuzz_ops;
static const void             *fuzz_self;

static void fuzz_event(struct decode *to, struct event *ev)
{
    struct codec_fixture *f = (struct codec_fixture *)to;
    struct value          again;

    buf_clear(&f->out);
    json_encode_event(ev, &f->out);
    if (!utf8_valid(buf_view(&f->out))) abort();
    if (!json_decode(&f->batch, buf_view(&f->out), NULL, &again, NULL)) abort();
    buf_clear(&f->out);
    if (fuzz_ops->encode) fuzz_ops->encode(fuzz_self, ev, &f->out);
}

/* The first byte chooses the config; the others are a message. */
static inline int fuzz_codec(const char *const *configs, size_t n, const uint8_t *data, size_t size)
{
    static struct codec_fixture all[FUZZ_CONFIGS_MAX];

    if (size == 0) return 0;
    size_t                which = data[0] % n;
    struct codec_fixture *f = &all[which];
    enum ecs              ecs = strstr(configs[which], "v8") ? ECS_V8 : ECS_DISABLED;
    if (!f->codec && !codec_fixture_open(f, configs[which], ecs)) abort();
    f->decode.emit = fuzz_event;
    fuzz_ops = &f->codec->plugin->codec_ops;
    fuzz_self = f->codec->self;
    codec_fixture_read(f, (struct str){(const char *)data + 1, size - 1});
    if (fuzz_ops->flush) codec_fixture_flush(f, true);
    arena_reset(&f->batch);
    return 0;
}

#endif
