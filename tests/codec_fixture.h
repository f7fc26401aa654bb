#ifndef LSC_TESTS_CODEC_FIXTURE_H
#define LSC_TESTS_CODEC_FIXTURE_H

#include "base/utf8.h"
#include "event/json.h"
#include "grammar/parse.h"
#include "plugin/common.h"

/*
 * A codec by itself: opened from its config text, fed by hand, its events kept. Time is fixed at
 * 2024-03-09T08:07:06.543Z.
 */
struct codec_fixture {
    struct decode decode; /* first: the events find their fixture by it */
    struct arena  config, batch, scratch;
    struct source source;
    struct diags  diags;
    struct buf    buf, out;
    struct codec *codec;
    void         *stream;
    uint64_t      failures;
    struct event *events[64];
    uint32_t      len;
};

static inline void codec_fixture_keep(struct decode *to, struct event *ev)
{
    struct codec_fixture *f = (struct codec_fixture *)to;

    if (f->len < sizeof(f->events) / sizeof(f->events[0])) f->events[f->len] = ev;
    f->len++;
}

/* `text`: as behind `codec =>`. False when it is refused; then f->diags counts errors. */
static inline bool codec_fixture_open(struct codec_fixture *f, const char *text, enum ecs ecs)
{
    struct parse_options options = {.support_escapes = false};
    struct ast_config    config = {.len = 0};

    *f = (struct codec_fixture){.diags = {.quiet = true}};
    f->source = (struct source){
        .name = "test", .text = arena_printf(&f->config, "input { x { codec => %s } }", text)};
    if (!parse_source(&f->config, &f->source, &options, &config, &f->diags)) return false;

    const struct ast_plugin *input = config.sections[0].block.statements[0].plugin;
    struct plugin_open       cx = {.arena = &f->config,
                                   .diags = &f->diags,
                                   .ast = input,
                                   .id = STR("x"),
                                   .ecs = ecs,
                                   .workers = 1,
                                   .batch_size = 125};
    event_names_init();
    f->codec = codec_open(&input->settings[0].value, NULL, &cx);
    if (!f->codec) return false;
    f->decode = (struct decode){.arena = &f->batch,
                                .scratch = &f->scratch,
                                .buf = &f->buf,
                                .now = {1709971626, 543000000},
                                .failures = &f->failures,
                                .emit = codec_fixture_keep};
    if (f->codec->plugin->codec_ops.stream_size)
        f->stream = arena_zalloc(&f->config, f->codec->plugin->codec_ops.stream_size);
    return true;
}

static inline void codec_fixture_close(struct codec_fixture *f)
{
    if (f->codec) {
        if (f->stream && f->codec->plugin->codec_ops.stream_close)
            f->codec->plugin->codec_ops.stream_close(f->codec->self, f->stream);
        codec_close(f->codec);
    }
    arena_release(&f->config);
    arena_release(&f->batch);
    arena_release(&f->scratch);
    buf_release(&f->buf);
    buf_release(&f->out);
}

/* A message through decode() or feed(); f->events gets what comes out, behind what is there. */
static inline void codec_fixture_read(struct codec_fixture *f, struct str bytes)
{
    const struct codec_ops *ops = &f->codec->plugin->codec_ops;
    struct str              copy = arena_copy(&f->batch, bytes);

    if (ops->feed)
        ops->feed(f->codec->self, f->stream, copy, &f->decode);
    else
        ops->decode(f->codec->self, copy, &f->decode);
    arena_reset(&f->scratch);
}

static inline void codec_fixture_flush(struct codec_fixture *f, bool final)
{
    f->codec->plugin->codec_ops.flush(f->codec->self, f->stream, &f->decode, final);
}

/* The event made of the JSON object `json`, as the codec writes it. */
static inline const char *codec_fixture_write(struct codec_fixture *f, const char *json)
{
    struct value v;

    buf_clear(&f->out);
    if (!json_decode(&f->batch, str_of(json), NULL, &v, NULL)) return "bad JSON in the test";
    struct event *ev = event_from_map(&f->batch, v.as.map, f->decode.now);
    if (!f->codec->plugin->codec_ops.encode(f->codec->self, ev, &f->out)) return "refused";
    return buf_cstr(&f->out);
}

/* Whether event `i` holds what the JSON object says, in any order; @version and @timestamp left
   out unless they are in it. */
static inline bool codec_fixture_event_is(struct codec_fixture *f, uint32_t i, const char *json)
{
    struct value want;

    if (i >= f->len || !json_decode(&f->batch, str_of(json), NULL, &want, NULL)) return false;
    struct value got = value_clone(&f->batch, value_map(&f->events[i]->data));
    if (!map_get(want.as.map, names.timestamp)) map_remove(got.as.map, names.timestamp);
    if (!map_get(want.as.map, names.version)) map_remove(got.as.map, names.version);
    buf_clear(&f->out); /* as JSON, in which times are strings */
    json_encode(got, &f->out);
    if (!json_decode(&f->batch, arena_copy(&f->batch, buf_view(&f->out)), NULL, &got, NULL))
        return false;
    return value_eq(got, want);
}

#endif
