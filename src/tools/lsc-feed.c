/*
 * lsc-feed: a WebSocket server that sends made-up log events, for examples, tests and benchmarks.
 *
 * Each client gets the same events from the first on as JSON text, at a rate or as fast as it
 * reads, and after --count of them a close frame. With --file the messages are the lines of a file.
 * The frames are made once, at the start, and sent many at a time, so that this server is never
 * what limits a benchmark.
 */
#include <getopt.h>
#include <inttypes.h>
#include <libwebsockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fatal.h"
#include "net/ws_frame.h"

enum {
    EVENTS = 10000,         /* different ones; then they come again */
    BLOCK_MAX = 256 * 1024, /* bytes written at a time */
    TICK_US = 20000,        /* between the writes of a limited rate */
};

struct feed {
    int64_t             port, rate, count, size, seed;
    const char         *file;   /* NULL: made-up events */
    struct buf          frames; /* of all events, one behind the other */
    size_t             *start;  /* of each event's frame, and the end of the last */
    size_t              len;    /* number of events */
    struct lws_context *context;
};

struct client {
    int64_t sent;     /* events */
    int64_t since_us; /* when it came */
};

static struct feed           feed = {.port = 9870, .seed = 1};
static volatile sig_atomic_t stopped;

/* ---- events ---- */

/* xorshift64*: the same numbers everywhere for the same seed. */
static uint32_t any_below(uint32_t n)
{
    static uint64_t state;

    if (state == 0) state = (uint64_t)feed.seed * 0x9E3779B97F4A7C15u + 1;
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (uint32_t)((state * 0x2545F4914F6CDD1Du) >> 33) % n;
}

static const char *any_of(const char *const *list, uint32_t len)
{
    return list[any_below(len)];
}
#define ANY(list) any_of(list, sizeof(list) / sizeof((list)[0]))

static void describe(struct buf *out, const char *level)
{
    static const char *const debug[] = {"cache miss", "connection taken from pool",
                                        "query planned"};
    static const char *const info[] = {"order placed", "user logged in", "page rendered",
                                       "payment accepted"};
    static const char *const bad[] = {"payment refused: card expired", "upstream timed out",
                                      "stock is negative \\u2014 corrected"};

    buf_str(out, str_of(strcmp(level, "debug") == 0  ? ANY(debug)
                        : strcmp(level, "info") == 0 ? ANY(info)
                                                     : ANY(bad)));
}

static void make_event(struct buf *out, int64_t n)
{
    static const char *const levels[] = {"debug", "debug", "debug", "info", "info",
                                         "info",  "info",  "info",  "warn", "error"};
    static const char *const hosts[] = {"web-01", "web-02", "web-03", "db-01"};
    static const char *const users[] = {"ada", "grace", "linus", "margaret", "dennis"};
    static const char *const paths[] = {"/", "/cart", "/checkout", "/api/v1/orders", "/login"};
    const char              *level = ANY(levels);
    int64_t                  ms = n * 37;

    buf_clear(out);
    buf_printf(out,
               "{\"time\":\"2026-03-01T%02d:%02d:%02d.%03dZ\",\"seq\":%" PRId64
               ",\"level\":\"%s\",\"host\":\"%s\",\"user\":\"%s\",\"path\":\"%s\",\"status\":%d,"
               "\"duration_ms\":%u.%u,\"message\":\"",
               (int)(ms / 3600000 % 24), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60),
               (int)(ms % 1000), n, level, ANY(hosts), ANY(users), ANY(paths),
               strcmp(level, "error") == 0 ? 502 : 200, any_below(400), any_below(10));
    describe(out, level);
    while ((int64_t)out->len + 2 < feed.size)
        buf_char(out, "lorem ipsum dolor sit amet "[out->len % 27]);
    buf_str(out, STR("\"}"));
}

static void add_frame(struct str text)
{
    size_t before = feed.frames.len;

    ws_frame_write(&feed.frames, WS_TEXT, true, false, NULL, text);
    if ((feed.len & (feed.len + 1)) == 0) /* full: 2, 4, 8 … */
        feed.start = xrealloc(feed.start, 2 * (feed.len + 1) * sizeof(*feed.start));
    feed.start[feed.len++] = before;
    feed.start[feed.len] = feed.frames.len;
}

static void make_events(void)
{
    struct buf event = {0};

    for (int64_t i = 0; i < EVENTS; i++) {
        make_event(&event, i);
        add_frame(buf_view(&event));
    }
    buf_release(&event);
}

/* False: it cannot be read, or is empty. */
static bool read_lines(const char *path)
{
    FILE   *f = fopen(path, "r");
    char   *line = NULL;
    size_t  cap = 0;
    ssize_t n;

    if (!f) {
        perror(path);
        return false;
    }
    while ((n = getline(&line, &cap, f)) > 0)
        add_frame((struct str){line, (size_t)n - (line[n - 1] == '\n')});
    fclose(f);
    free(line);
    return feed.len > 0;
}

/* ---- clients ---- */

/* How many events a client may have by now. */
static int64_t allowed(const struct client *c)
{
    int64_t n = INT64_MAX;

    if (feed.rate > 0) n = ((int64_t)lws_now_usecs() - c->since_us + TICK_US) * feed.rate / 1000000;
    return feed.count > 0 && n > feed.count ? feed.count : n;
}

/* Sends a block of frames. False: the connection is to be closed. */
static bool send_some(struct lws *wsi, struct client *c)
{
    int64_t due = allowed(c) - c->sent;
    size_t  from = (size_t)c->sent % feed.len, to = from;

    if (feed.count > 0 && c->sent >= feed.count) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, (unsigned char *)"the end", 7);
        return false;
    }
    while (to < feed.len && (int64_t)(to - from) < due &&
           (to == from || feed.start[to + 1] - feed.start[from] <= BLOCK_MAX))
        to++;
    if (to == from) return true;
    /* The frames are made: as "HTTP" libwebsockets adds nothing to them. */
    if (lws_write(wsi, (unsigned char *)feed.frames.data + feed.start[from],
                  feed.start[to] - feed.start[from], LWS_WRITE_HTTP) < 0)
        return false;
    c->sent += (int64_t)(to - from);
    if (feed.rate == 0) lws_callback_on_writable(wsi);
    return true;
}

static int serve(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                 size_t len)
{
    struct client *c = user;

    (void)in, (void)len;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        *c = (struct client){.since_us = (int64_t)lws_now_usecs()};
        lws_callback_on_writable(wsi);
        if (feed.rate > 0) lws_set_timer_usecs(wsi, TICK_US);
        return 0;
    case LWS_CALLBACK_TIMER:
        lws_callback_on_writable(wsi);
        lws_set_timer_usecs(wsi, TICK_US);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return send_some(wsi, c) ? 0 : -1;
    default:
        return 0;
    }
}

/* ---- the program ---- */

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
    lws_cancel_service(feed.context); /* NOLINT: writes to a pipe, no more */
}

static int usage(FILE *out)
{
    fputs("usage: lsc-feed [OPTION]...\n"
          "Serves made-up log events as WebSocket messages on 127.0.0.1.\n\n"
          "  --port N   port to listen on (9870); 0 takes a free one; it is printed\n"
          "  --rate N   events per second and client (0: as fast as the client reads)\n"
          "  --count N  events per client, then the connection is closed (0: no end)\n"
          "  --size N   bytes that an event has at least (0: as it comes, about 200)\n"
          "  --seed N   other events (1)\n"
          "  --file F   the lines of this file instead\n",
          out);
    return out == stderr;
}

static bool read_options(int argc, char **argv)
{
    static const struct option_row {
        const char *name;
        int64_t    *value, max;
    } rows[] = {{"port", &feed.port, 65535},
                {"rate", &feed.rate, 100000000},
                {"count", &feed.count, INT64_MAX},
                {"size", &feed.size, 16384},
                {"seed", &feed.seed, INT32_MAX}};
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    struct option options[ROWS + 2] = {[ROWS] = {"file", required_argument, NULL, 0}};
    int           i;

    for (int k = 0; k < ROWS; k++)
        options[k] = (struct option){rows[k].name, required_argument, NULL, 0};
    while ((i = -1, getopt_long(argc, argv, "", options, &i)) == 0) {
        char *end;
        if (i == ROWS) {
            feed.file = optarg;
            continue;
        }
        *rows[i].value = strtoll(optarg, &end, 10);
        if (*end || end == optarg || *rows[i].value < 0 || *rows[i].value > rows[i].max)
            return false;
    }
    return i == -1 && optind == argc;
}

int main(int argc, char **argv)
{
    static const struct lws_protocols protocols[] = {
        {.name = "feed", .callback = serve, .per_session_data_size = sizeof(struct client)},
        {.name = NULL},
    };
    struct lws_context_creation_info info = {
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .iface = "127.0.0.1",
        .protocols = protocols,
        .vhost_name = "feed",
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_IPV6,
    };

    if (argc == 2 && strcmp(argv[1], "--help") == 0) return usage(stdout);
    if (!read_options(argc, argv)) return usage(stderr);
    if (!feed.file)
        make_events();
    else if (!read_lines(feed.file))
        return 1;
    lws_set_log_level(LLL_ERR, NULL);
    feed.context = lws_create_context(&info);
    info.port = (int)feed.port;
    struct lws_vhost *vhost = feed.context ? lws_create_vhost(feed.context, &info) : NULL;
    if (!vhost) return 1;
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    printf("listening on ws://127.0.0.1:%d/\n", lws_get_vhost_listen_port(vhost));
    fflush(stdout);
    while (!stopped && lws_service(feed.context, 0) >= 0)
        ;
    lws_context_destroy(feed.context);
    buf_release(&feed.frames);
    free(feed.start);
    return 0;
}
