/*
 * stdout: writes events to the standard output, one write(2) for each batch.
 *
 * When nobody reads any more (EPIPE) or the output cannot be written at all, this is logged once
 * and the process is asked to stop as by SIGTERM, as a Logstash pipeline ends on that error; the
 * events that still are in flight are counted as lost.
 *
 * Source: logstash-output-stdout, lib/logstash/outputs/stdout.rb.
 * Threads: all stdout outputs of the process share descriptor 1, so they share one mutex.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "plugin/intake.h"
#include "plugin/plugin.h"

struct stdout_output {
    char unused; /* the codec, the only option, is a common one */
};

static const struct option stdout_options[] = {
    OPT_END,
};

static pthread_mutex_t stdout_lock = PTHREAD_MUTEX_INITIALIZER;
static bool            stdout_broken; /* under the lock */

/* Waits until descriptor 1 takes more; false when the process is forced to quit. */
static bool wait_writable(const struct stop *stop)
{
    struct pollfd fds[] = {
        {.fd = STDOUT_FILENO, .events = POLLOUT},
        {.fd = stop_fd(stop), .events = POLLIN},
    };

    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        continue;
    return !stop_requested(stop);
}

/* Returns 0, or the error that ends it; ECANCELED when forced to quit. Descriptor 1 may have been
   set to O_NONBLOCK by another process that shares it, so EAGAIN is waited out. */
static int write_all(struct str bytes, const struct stop *stop)
{
    while (bytes.len > 0) {
        ssize_t n = write(STDOUT_FILENO, bytes.data, bytes.len);
        if (n >= 0)
            bytes = str_from(bytes, (size_t)n);
        else if (errno == EAGAIN && !wait_writable(stop))
            return ECANCELED;
        else if (errno != EAGAIN && errno != EINTR)
            return errno;
    }
    return 0;
}

static void give_up(int error)
{
    stdout_broken = true;
    if (error == ECANCELED) return;
    log_error("output.stdout", "standard output cannot be written, stopping",
              LOG_CSTR("error", strerror(error)));
    kill(getpid(), SIGTERM);
}

/* All events as bytes in cx->buf. Returns how many the codec could not write. */
static uint32_t encode_all(struct event *const *ev, uint32_t n, struct output_context *cx)
{
    const struct codec *codec = cx->codec;
    uint32_t            failures = 0;

    buf_clear(cx->buf);
    for (uint32_t i = 0; i < n; i++) {
        size_t before = cx->buf->len;
        if (codec->plugin->codec_ops.encode(codec->self, ev[i], cx->buf)) continue;
        cx->buf->len = before;
        failures++;
    }
    return failures;
}

static enum result stdout_write(const void *self, struct event *const *ev, uint32_t n,
                                struct output_context *cx)
{
    uint32_t failures = encode_all(ev, n, cx);

    (void)self;
    pthread_mutex_lock(&stdout_lock);
    if (!stdout_broken) {
        int error = write_all(buf_view(cx->buf), cx->stop);
        if (error) give_up(error);
    }
    if (stdout_broken) failures = n;
    pthread_mutex_unlock(&stdout_lock);
    *cx->failures += failures;
    return failures ? OUTPUT_FAILED : OUTPUT_DONE;
}

const struct plugin output_stdout = {
    .kind = PLUGIN_OUTPUT,
    .name = "stdout",
    .summary = "Writes events to the standard output.",
    .size = sizeof(struct stdout_output),
    .options = stdout_options,
    .codec = "rubydebug",
    .output = {.write = stdout_write},
};
