/*
 * What filters do when they are flushed, which is every five seconds: elapsed, throttle, metrics.
 * Flushed by hand, so nobody waits. Expected: the plugins' documentation, and elapsed.rb,
 * throttle.rb, metrics.rb, where each flush counts as five seconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "event/json.h"
#include "grammar/parse.h"
#include "program/program.h"

/* A pipeline with the given filters, without threads. Its events go to a file. */
struct bench {
    struct arena            arena;
    struct source           source;
    struct diags            diags;
    struct pipeline_plan    plan;
    struct pipeline_metrics metrics;
    struct runner          *runner;
    struct batch            batch;
    char                    path[32];
    size_t                  seen; /* bytes of the file that have been looked at */
};

static struct bench bench;

static void begin(const char *filters)
{
    struct parse_options options = {.support_escapes = false};
    struct ast_config    config = {0};
    struct bench        *b = &bench;

    *b = (struct bench){.path = "/tmp/test_flush.XXXXXX"};
    close(mkstemp(b->path));
    b->source = (struct source){
        "test", arena_printf(&b->arena,
                             "input { stdin { ecs_compatibility => disabled codec => json } } "
                             "filter { %s mutate { remove_field => ['@version', '@timestamp'] } } "
                             "output { file { path => '%s' codec => json_lines } }",
                             filters, b->path)};
    assert_true(parse_source(&b->arena, &b->source, &options, &config, &b->diags));
    struct plugin_open cx = {.arena = &b->arena,
                             .diags = &b->diags,
                             .host = STR("testhost"),
                             .ecs = ECS_DISABLED,
                             .workers = 1,
                             .batch_size = 125};
    event_names_init();
    assert_true(program_check(&config, &cx, &b->plan));
    b->runner = runner_new(&b->plan, &b->metrics, NULL);
}

static void end(void)
{
    struct bench *b = &bench;

    runner_free(b->runner);
    plan_close(&b->plan);
    batch_release(&b->batch);
    arena_release(&b->arena);
    unlink(b->path);
}

/* An event that comes at 06:07:SS. */
static void comes(int second, const char *json)
{
    struct bench *b = &bench;

    b->batch.time = (struct timestamp){1709618820 + second, 0};
    batch_push(&b->batch, (struct item){.message = arena_copy(&b->batch.arena, str_of(json)),
                                        .input = b->plan.inputs[0]});
    runner_batch(b->runner, &b->batch);
    batch_clear(&b->batch);
}

/* Five seconds go by. */
static void flush(void)
{
    runner_flush(bench.runner, false);
}

/* What has come out since the last time, "" when nothing has. */
static const char *out(void)
{
    struct bench *b = &bench;
    size_t        len;
    char         *text = file_read(b->path, 1 << 20, &len);

    assert_non_null(text);
    const char *news = arena_cstr(&b->arena, (struct str){text + b->seen, len - b->seen});
    b->seen = len;
    free(text);
    return news;
}

static void gives(const char *json)
{
    struct value want = value_null(), got = value_null();
    const char  *text = out();

    if (*json)
        assert_true(json_decode(&bench.arena, str_of(json), NULL, &want, NULL));
    else
        assert_string_equal(text, "");
    if (*json && !json_decode(&bench.arena, str_of(text), NULL, &got, NULL))
        fail_msg("not one event: %s", text);
    if (*json && !value_eq(want, got)) fail_msg("came out: %s", text);
}

/* ---- elapsed ---- */

#define ELAPSED "elapsed { start_tag => 'b' end_tag => 'e' unique_id_field => 'job' timeout => 10 "

static void elapsed_says_what_never_ended(void **state)
{
    (void)state;
    begin(ELAPSED "add_field => { 'lost' => '%{job}' } }"
                  "if 'elapsed_expired_error' in [tags] { mutate { add_tag => 'behind' } }");
    comes(8, "{\"job\":17,\"tags\":[\"b\"]}");
    out();
    flush();
    gives("");
    flush(); /* ten seconds old */
    gives("{\"tags\":[\"elapsed\",\"elapsed_expired_error\",\"behind\"],\"elapsed_time\":10,"
          "\"job\":17,\"elapsed_timestamp_start\":\"2024-03-05T06:07:08.000Z\","
          "\"host\":\"testhost\",\"lost\":\"17\"}");
    flush();
    gives("");
    comes(30, "{\"job\":17,\"tags\":[\"e\"]}"); /* too late */
    gives("{\"job\":17,\"tags\":[\"e\",\"elapsed_end_without_start\"],\"lost\":\"17\"}");
    end();
}

static void elapsed_forgets_what_ended(void **state)
{
    (void)state;
    begin(ELAPSED "}");
    comes(8, "{\"job\":1,\"tags\":[\"b\"]}");
    flush();
    comes(10, "{\"job\":1,\"tags\":[\"e\"]}");
    out();
    flush();
    flush();
    gives("");
    end();
}

/* The first start counts, and so does its age; or the last one. */
static void elapsed_counts_from_the_start_that_is_kept(void **state)
{
    (void)state;
    for (int last = 0; last < 2; last++) {
        begin(last ? ELAPSED "keep_start_event => last }" : ELAPSED "}");
        comes(0, "{\"job\":1,\"tags\":[\"b\"]}");
        flush();
        comes(5, "{\"job\":1,\"tags\":[\"b\"]}");
        out();
        flush();
        if (last) {
            gives("");
            flush();
        }
        gives(last ? "{\"tags\":[\"elapsed\",\"elapsed_expired_error\"],\"elapsed_time\":10,"
                     "\"job\":1,\"elapsed_timestamp_start\":\"2024-03-05T06:07:05.000Z\","
                     "\"host\":\"testhost\"}"
                   : "{\"tags\":[\"elapsed\",\"elapsed_expired_error\"],\"elapsed_time\":10,"
                     "\"job\":1,\"elapsed_timestamp_start\":\"2024-03-05T06:07:00.000Z\","
                     "\"host\":\"testhost\"}");
        end();
    }
}

/* The end of the pipeline is not the end of their time. */
static void elapsed_is_silent_at_the_end(void **state)
{
    (void)state;
    begin(ELAPSED "}");
    comes(8, "{\"job\":1,\"tags\":[\"b\"]}");
    flush();
    out();
    runner_flush(bench.runner, true);
    gives("");
    end();
}

/* ---- throttle ---- */

/* The first event of each period of a minute passes. */
#define THROTTLE "throttle { key => '%{k}' after_count => 1 period => 60 add_tag => 't' "

static void throttle_forgets_keys_that_are_long_past(void **state)
{
    (void)state;
    begin(THROTTLE "max_age => 120 }");
    comes(0, "{\"k\":\"a\"}");
    comes(1, "{\"k\":\"a\"}");
    comes(0, "{\"k\":\"b\"}");
    comes(100, "{\"k\":\"b\"}"); /* a is not yet 120 s behind */
    flush();
    out();
    comes(2, "{\"k\":\"a\"}");
    gives("{\"k\":\"a\",\"tags\":[\"t\"]}");
    comes(200, "{\"k\":\"b\"}");
    flush();
    out();
    comes(3, "{\"k\":\"a\"}"); /* counted from one again, though it is late */
    gives("{\"k\":\"a\"}");
    end();
}

/* Ten keys with one counter each are more than five: after the flush counters are kept for 114 s
   only, a twentieth less, which the next flush goes by. */
static void throttle_keeps_fewer_counters_when_there_are_too_many(void **state)
{
    (void)state;
    for (int limit = 5; limit < 50; limit += 40) {
        begin(limit == 5 ? THROTTLE "max_age => 120 max_counters => 5 }"
                         : THROTTLE "max_age => 120 max_counters => 45 }");
        for (int i = 0; i < 9; i++)
            comes(0, arena_cstr(&bench.arena, arena_printf(&bench.arena, "{\"k\":\"%d\"}", i)));
        comes(117, "{\"k\":\"b\"}");
        flush();
        flush();
        out();
        comes(1, "{\"k\":\"0\"}");
        gives(limit == 5 ? "{\"k\":\"0\"}" : "{\"k\":\"0\",\"tags\":[\"t\"]}");
        end();
    }
}

/* With less than 80 % of the counters they are kept for 120 s again. */
static void throttle_keeps_counters_longer_again(void **state)
{
    (void)state;
    begin(THROTTLE "max_age => 120 max_counters => 9 }");
    for (int i = 0; i < 9; i++)
        comes(0, arena_cstr(&bench.arena, arena_printf(&bench.arena, "{\"k\":\"%d\"}", i)));
    comes(117, "{\"k\":\"b\"}");
    flush(); /* ten counters: 114 s from now on */
    flush(); /* one is left: 120 s */
    comes(0, "{\"k\":\"c\"}");
    flush();
    out();
    comes(1, "{\"k\":\"c\"}");
    gives("{\"k\":\"c\",\"tags\":[\"t\"]}");
    end();
}

static void throttle_emits_nothing(void **state)
{
    (void)state;
    begin(THROTTLE "}");
    comes(0, "{\"k\":\"a\"}");
    out();
    flush();
    runner_flush(bench.runner, true);
    gives("");
    end();
}

/* ---- metrics ---- */

static void metrics_come_when_their_interval_is_over(void **state)
{
    (void)state;
    begin("metrics { meter => 'n' rates => [] flush_interval => 10 clear_interval => 20 }");
    flush();
    flush();
    gives(""); /* nothing to tell */
    comes(0, "{}");
    comes(1, "{}");
    out();
    flush();
    gives("{\"message\":\"testhost\",\"n\":{\"count\":2}}"); /* 15 s since the last one */
    flush();
    gives("");
    comes(2, "{}");
    out();
    flush();
    gives("{\"message\":\"testhost\",\"n\":{\"count\":3}}"); /* and then they are cleared */
    comes(3, "{}");
    out();
    flush();
    flush();
    gives("{\"message\":\"testhost\",\"n\":{\"count\":1}}");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elapsed_says_what_never_ended),
        cmocka_unit_test(elapsed_forgets_what_ended),
        cmocka_unit_test(elapsed_counts_from_the_start_that_is_kept),
        cmocka_unit_test(elapsed_is_silent_at_the_end),
        cmocka_unit_test(throttle_forgets_keys_that_are_long_past),
        cmocka_unit_test(throttle_keeps_fewer_counters_when_there_are_too_many),
        cmocka_unit_test(throttle_keeps_counters_longer_again),
        cmocka_unit_test(throttle_emits_nothing),
        cmocka_unit_test(metrics_come_when_their_interval_is_over),
    };
    log_set_level(NULL, LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
