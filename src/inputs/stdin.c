/*
 * stdin: reads events from the standard input, one a line. A line is worked on as soon as it
 * arrives; the end of the standard input ends the input.
 *
 * Source: logstash-input-stdin, lib/logstash/inputs/stdin.rb.
 * Threads: one, which alone reads descriptor 0.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/log.h"
#include "plugin/common.h"
#include "plugin/intake.h"
#include "plugin/plugin.h"

enum { READ_SIZE = 256 * 1024, WAIT_LONGEST_MS = 60000 };

struct stdin_input {
    int                 ecs_compatibility;
    struct origin       origin; /* here because batches refer to it until all have ended */
    struct origin_field fields[2];
};

static const struct option stdin_options[] = {
    OPT(struct stdin_input, OPT_ECS, ecs_compatibility,
        .doc = "Field names. With disabled the name of this host goes to [host]; with v1 and v8 it "
               "goes to [host][hostname], and the text as read to [event][original]. An event that "
               "has these fields keeps its own. The default is pipeline.ecs_compatibility."),
    OPT_END,
};

static bool stdin_open(void *self, struct plugin_open *cx)
{
    struct stdin_input *in = self;
    bool                ecs = in->ecs_compatibility != ECS_DISABLED;
    struct str          host = ecs ? STR("[host][hostname]") : STR("host");

    in->fields[0].field = field_parse(cx->arena, host, NULL, NULL);
    in->fields[1].field = field_parse(cx->arena, STR("[event][original]"), NULL, NULL);
    in->fields[1].is_message = true;
    in->origin = (struct origin){
        .len = ecs ? 2 : 1,
        .decorated_first = true,
        .fields = in->fields,
    };
    return true;
}

/* Milliseconds until the codec wants to be woken, for poll(2). */
static int wait_ms(const struct stream *s)
{
    int64_t deadline = stream_deadline(s);
    if (deadline == INT64_MAX) return -1;

    int64_t ms = (deadline - clock_monotonic_ns()) / 1000000 + 1;
    if (ms <= 0) return 0;
    return ms < WAIT_LONGEST_MS ? (int)ms : WAIT_LONGEST_MS;
}

enum readiness { READ_NOTHING, READ_READY, READ_STOP };

static enum readiness wait_readable(const struct stop *stop, int timeout_ms)
{
    struct pollfd fds[] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = stop_fd(stop), .events = POLLIN},
    };
    int n = poll(fds, 2, timeout_ms);

    if (stop_requested(stop)) return READ_STOP;
    return n > 0 && fds[0].revents ? READ_READY : READ_NOTHING;
}

/* Reads what is there. False at the end, or when the pipeline takes nothing more. */
static bool read_some(struct stream *s, const struct origin *origin, char *buffer)
{
    ssize_t n = read(STDIN_FILENO, buffer, READ_SIZE);

    if (n > 0) return stream_feed(s, (struct str){buffer, (size_t)n}, origin);
    if (n == 0) return false;
    if (errno == EINTR || errno == EAGAIN) return true;
    log_error("input.stdin", "standard input cannot be read", LOG_CSTR("error", strerror(errno)));
    return false;
}

/* Reads until the end of standard input or the stop. Only when nothing more can be read at once,
   what is gathered goes on its way: so a slow source has no delay, and a fast one full batches. */
static void read_all(struct stream *s, struct intake *to, const struct origin *origin, char *buffer,
                     const struct stop *stop)
{
    for (;;) {
        enum readiness ready = wait_readable(stop, 0);
        if (ready == READ_NOTHING) {
            intake_flush(to);
            ready = wait_readable(stop, wait_ms(s));
        }
        if (ready == READ_STOP) return;
        if (ready == READ_READY && !read_some(s, origin, buffer)) return;
        if (wait_ms(s) == 0) stream_tick(s, origin);
    }
}

/* On a terminal. To standard error, so that it never gets among the events. */
static void greet(void)
{
    static const char greeting[] = "The stdin plugin is now waiting for input:\n";

    if (isatty(STDIN_FILENO) && write(STDERR_FILENO, greeting, sizeof(greeting) - 1) < 0) errno = 0;
}

/* What stands between the messages: part of the text as read. */
static struct str delimiter_of(const struct intake *to)
{
    const struct codec     *codec = intake_node(to)->common.codec;
    const struct codec_ops *ops = &codec->plugin->codec_ops;
    struct framing          framing = {.delimiter = STR("")};

    if (ops->framing) ops->framing(codec->self, &framing);
    return framing.delimiter;
}

static bool stdin_run(void *self, struct intake *to, struct stop *stop)
{
    struct stdin_input *in = self;
    struct stream      *s = stream_open(to, false);
    char               *buffer = xmalloc(READ_SIZE);

    in->fields[0].value = value_string(intake_host(to));
    in->fields[1].value = value_string(delimiter_of(to));
    greet();
    read_all(s, to, &in->origin, buffer, stop);
    stream_end(s, &in->origin);
    stream_free(s);
    free(buffer);
    return true;
}

const struct plugin input_stdin = {
    .kind = PLUGIN_INPUT,
    .name = "stdin",
    .summary = "Reads events from the standard input, one a line.",
    .size = sizeof(struct stdin_input),
    .options = stdin_options,
    .open = stdin_open,
    .codec = "line",
    .input = {.run = stdin_run, .not_reloadable = true},
};
