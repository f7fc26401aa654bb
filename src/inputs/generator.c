/*
 * generator: makes events from given lines, to try out and to measure pipelines.
 *
 * Source: logstash-input-generator, lib/logstash/inputs/generator.rb.
 * Threads: one. `threads` copies of the input run in it by turns, which gives the same events.
 */
#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "plugin/intake.h"
#include "plugin/plugin.h"

enum { LINE_MAX_BYTES = 1024 * 1024 };

struct generator {
    int64_t             count;
    int                 ecs_compatibility;
    struct strings      lines;
    struct str          message;
    int64_t             threads;
    const struct field *host_field, *sequence_field;
};

static const struct option generator_options[] = {
    OPT(struct generator, OPT_INT, count, .preset = "0",
        .doc =
            "How many times all the lines are sent. With 0, the default, the input goes on until "
            "it is stopped."),
    OPT(struct generator, OPT_ECS, ecs_compatibility,
        .doc = "Field names. With disabled the name of this host goes to [host] and the number of "
               "the round, from 0, to [sequence]; with v1 and v8 to [host][name] and "
               "[event][sequence]. The default is pipeline.ecs_compatibility."),
    OPT(struct generator, OPT_STRINGS, lines,
        .doc =
            "The lines to send, one event each, in this order. When given, message is not used."),
    OPT(struct generator, OPT_STRING, message, .preset = "Hello world!",
        .doc = "The text of each event. With stdin one line is read from the standard input at the "
               "start, and that line, with its line end, is the text. The default is "
               "\"Hello world!\"."),
    OPT(struct generator, OPT_INT, threads, .preset = "1", .min = 1, .max = 1024,
        .doc = "How many copies of this input there are: each line of each round is sent that many "
               "times. The default is 1. All copies run in one thread."),
    OPT_END,
};

static bool generator_open(void *self, struct plugin_open *cx)
{
    struct generator *g = self;
    bool              ecs = g->ecs_compatibility != ECS_DISABLED;

    g->host_field = field_parse(cx->arena, ecs ? STR("[host][name]") : STR("host"), NULL, NULL);
    g->sequence_field =
        field_parse(cx->arena, ecs ? STR("[event][sequence]") : STR("sequence"), NULL, NULL);
    return true;
}

/* What is added to the events of one round; without a sequence for what a codec held back. */
static const struct origin *make_origin(const struct generator *g, struct intake *to,
                                        int64_t sequence)
{
    struct origin *o = intake_origin(to, sequence < 0 ? 1 : 2);

    o->decorated_first = true;
    o->insists = true; /* as in Logstash, whose codec takes the error for its own */
    o->fields[0] = (struct origin_field){
        .field = g->host_field,
        .value = value_string(intake_host(to)),
    };
    if (sequence < 0) return o;
    o->fields[1] = (struct origin_field){
        .field = g->sequence_field,
        .value = value_int(sequence),
        .always = true,
    };
    return o;
}

/* Reads up to a line end, which is kept, byte by byte: what follows is not ours. */
static bool read_line(struct buf *line)
{
    char    c = 0;
    ssize_t n = 0;

    while (c != '\n' && line->len < LINE_MAX_BYTES) {
        n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        buf_char(line, c);
    }
    return line->len > 0;
}

/* Sends every line once per copy. False: the pipeline takes nothing more. */
static bool send_round(const struct generator *g, struct strings lines, int64_t sequence,
                       struct stream *s, struct intake *to)
{
    const struct origin *origin = make_origin(g, to, sequence);
    uint64_t             generation = intake_generation(to);

    for (uint32_t i = 0; i < lines.len; i++) {
        for (int64_t copy = 0; copy < g->threads; copy++) {
            if (intake_generation(to) != generation) {
                origin = make_origin(g, to, sequence);
                generation = intake_generation(to);
            }
            if (!stream_feed(s, lines.at[i], origin)) return false;
        }
    }
    return true;
}

static bool generator_run(void *self, struct intake *to, struct stop *stop)
{
    const struct generator *g = self;
    struct strings          lines = g->lines;
    struct str              message = g->message;
    struct buf              line = {0};

    if (lines.len == 0 && str_is(message, "stdin")) {
        if (!read_line(&line)) {
            log_error("input.generator", "standard input ended before a line was read");
            return true;
        }
        message = buf_view(&line);
    }
    if (lines.len == 0) lines = (struct strings){.len = 1, .at = &message};

    struct stream *s = stream_open(to, true);
    for (int64_t i = 0; (g->count <= 0 || i < g->count) && !stop_requested(stop); i++)
        if (!send_round(g, lines, i, s, to)) break;
    stream_flush(s, make_origin(g, to, -1));
    stream_free(s);
    buf_release(&line);
    return true;
}

const struct plugin input_generator = {
    .kind = PLUGIN_INPUT,
    .name = "generator",
    .summary = "Makes events from given lines.",
    .size = sizeof(struct generator),
    .options = generator_options,
    .open = generator_open,
    .codec = "plain",
    .input = {.run = generator_run, .whole_messages = true},
};
