/*
 * The threads that used most of the CPU, from /proc/self/task. There are no stack traces: gdb and
 * perf have them.
 *
 * Source: Logstash's hot_threads_reporter.rb; proc(5).
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/proc.h"
#include "api/reply.h"
#include "event/time.h"

enum { THREADS_MAX = 4096 };

struct thread {
    int     id;
    char    name[32];
    char    state;
    int64_t cpu_ticks;
};

struct threads {
    struct thread *at;
    int            len;
};

/* The `n`-th field of a text, from 0. */
static const char *field(const char *text, int n)
{
    while (n-- > 0 && text)
        if ((text = strchr(text, ' '))) text++;
    return text;
}

/* "ID (NAME) STATE …": the name may hold anything, so its end is the last parenthesis. utime and
   stime are the 12th and 13th field behind it. */
static bool read_thread(int id, struct thread *t)
{
    char       path[64];
    struct buf text = {0};

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", id);
    const char *open = proc_read(path, &text) ? strchr(text.data, '(') : NULL;
    const char *close = open ? strrchr(text.data, ')') : NULL;
    const char *user = close ? field(close, 12) : NULL, *system = user ? field(user, 1) : NULL;
    if (system) {
        t->id = id;
        t->state = close[2];
        t->cpu_ticks = strtoll(user, NULL, 10) + strtoll(system, NULL, 10);
        snprintf(t->name, sizeof(t->name), "%.*s", (int)(close - open - 1), open + 1);
    }
    buf_release(&text);
    return system != NULL;
}

static int busier(const void *a, const void *b)
{
    const struct thread *x = a, *y = b;

    if (x->cpu_ticks != y->cpu_ticks) return x->cpu_ticks < y->cpu_ticks ? 1 : -1;
    return x->id - y->id;
}

/* The busiest first; to be freed. */
static struct threads read_threads(const struct threads_asked *asked)
{
    DIR           *dir = opendir("/proc/self/task");
    struct threads all = {.at = calloc(THREADS_MAX, sizeof(struct thread))};

    for (const struct dirent *e; dir && all.at && all.len < THREADS_MAX && (e = readdir(dir));) {
        struct thread *t = &all.at[all.len];
        int            id = (int)strtol(e->d_name, NULL, 10);
        if (id <= 0 || !read_thread(id, t)) continue;
        if (asked->ignore_idle && t->cpu_ticks == 0 && t->state == 'S') continue;
        all.len++;
    }
    if (dir) closedir(dir);
    if (all.len) qsort(all.at, (size_t)all.len, sizeof(*all.at), busier);
    if (all.len > asked->threads) all.len = asked->threads;
    return all;
}

static const char *state_name(char state)
{
    switch (state) {
    case 'R':
        return "runnable";
    case 'S':
        return "waiting";
    case 'D':
        return "blocked";
    default:
        return "terminated";
    }
}

/* Of the time since the start, to two digits. */
static double percent(const struct state *s, const struct thread *t)
{
    double seconds = (double)t->cpu_ticks / (double)sysconf(_SC_CLK_TCK);
    double uptime = (double)(clock_monotonic_ns() - s->start_ns) * 1e-9;

    return uptime > 0 ? (double)(int64_t)(seconds / uptime * 10000) / 100 : 0;
}

json_t *report_threads(struct state *s, const struct threads_asked *asked)
{
    struct threads all = read_threads(asked);
    json_t        *list = json_array();

    for (int i = 0; i < all.len; i++) {
        const struct thread *t = &all.at[i];
        json_array_append_new(list, json_pack("{s:o, s:i, s:f, s:s, s:[]}", "name",
                                              reply_str(str_of(t->name)), "thread_id", t->id,
                                              "percent_of_cpu_time", percent(s, t), "state",
                                              state_name(t->state), "traces"));
    }
    json_t *out = json_pack("{s:o, s:i, s:o}", "time", reply_time(clock_now()), "busiest_threads",
                            all.len, "threads", list);
    free(all.at);
    return out;
}

static void rule(struct buf *out, char c)
{
    for (int i = 0; i < 80; i++)
        buf_char(out, c);
    buf_char(out, '\n');
}

void report_threads_text(struct state *s, const struct threads_asked *asked, struct buf *out)
{
    struct threads all = read_threads(asked);
    char           time[40];

    buf_printf(out, "::: {%.*s}\nHot threads at %.*s, busiestThreads=%d:\n",
               STR_ARG(s->settings->node_name), (int)time_print(clock_now(), time), time, all.len);
    rule(out, '=');
    for (int i = 0; i < all.len; i++) {
        const struct thread *t = &all.at[i];
        buf_printf(out, "%.2f %% of cpu usage, state: %s, thread name: '%s', thread id: %d\n",
                   percent(s, t), state_name(t->state), t->name, t->id);
        rule(out, '-');
    }
    free(all.at);
}
