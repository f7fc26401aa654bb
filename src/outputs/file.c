/*
 * file: writes events to files, whose paths may depend on the event.
 *
 * The events of a batch are gathered by path and written with one write(2) a file. What the disk
 * does not take (full, an I/O error, no permission) is tried again until it does: the pipeline
 * waits, and nothing is lost unless the process is forced to quit.
 *
 * Source: logstash-output-file, lib/logstash/outputs/file.rb. Unlike there, symbolic links below
 * the fixed part of a path are not followed, and a file that was renamed is opened anew.
 * Threads: any number of workers encode; the open files are behind `shared->lock`.
 */
#include "outputs/file.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/hash.h"
#include "base/log.h"
#include "plugin/intake.h"

enum { WRITE_APPEND, WRITE_OVERWRITE };

static const char *const write_behaviors[] = {"append", "overwrite", NULL};
static const int64_t     retry_ns = INT64_C(200000000);

struct shared {
    pthread_mutex_t   lock;
    struct file_store store;
    struct buf        path; /* normalized, of the group being written */
    int64_t           flushed_ns;
};

struct file_output {
    bool                    create_if_deleted;
    const struct ast_value *dir_mode, *file_mode;
    struct str              filename_failure;
    struct duration         flush_interval;
    bool                    gzip;
    struct str              path;
    struct duration         stale_cleanup_interval;
    int                     write_behavior;

    const struct template *path_template;
    bool                   constant;
    struct str             failure_path; /* normalized */
    struct str             fixed_path;   /* normalized; of a constant path */
    struct shared         *shared;
};

static const struct option file_options[] = {
    OPT(struct file_output, OPT_BOOL, create_if_deleted, .preset = "true",
        .doc = "A file that is not there is created. With false, events for a file that does not "
               "exist go to filename_failure. The default is true."),
    OPT(struct file_output, OPT_AST, dir_mode,
        .doc = "Permissions of directories that are created, such as 0750, whatever the umask is. "
               "With -1, the default, the umask counts."),
    OPT(struct file_output, OPT_AST, file_mode,
        .doc = "Permissions of files that are created, such as 0640, whatever the umask is. With "
               "-1, the default, the umask counts."),
    OPT(struct file_output, OPT_STRING, filename_failure, .preset = "_filepath_failures",
        .doc = "The file, in the fixed part of the path, for events whose path would lie outside "
               "of it or cannot be a path. The default is _filepath_failures."),
    OPT(struct file_output, OPT_SECONDS, flush_interval, .preset = "2",
        .doc = "With gzip, the seconds after which compressed data goes to the file; with 0 after "
               "each batch. Without gzip each batch is written at once. The default is 2."),
    OPT(struct file_output, OPT_BOOL, gzip, .preset = "false",
        .doc = "Compresses the files with gzip. The default is false."),
    OPT_REFUSED("message_format", .obsolete = "codec => line { format => \"…\" }",
                .doc = "The format of a line. Removed in Logstash."),
    OPT(struct file_output, OPT_STRING, path, .required = true,
        .doc = "The path of the file, in which %{field} and %{+date} stand for values of the "
               "event. Its first directory must be fixed. Symbolic links below the fixed part are "
               "not followed. At most 1000 files are open at once."),
    OPT(struct file_output, OPT_SECONDS, stale_cleanup_interval, .preset = "10",
        .doc = "Seconds after which a file that is not written any more is closed. The default is "
               "10."),
    OPT(struct file_output, OPT_ENUM, write_behavior, .preset = "append",
        .choices = write_behaviors,
        .doc = "With append, the default, events go to the end of the file; with overwrite each "
               "event replaces its whole content."),
    OPT_END,
};

/* ---- options ---- */

/* The number of a mode: octal when it begins with 0, as in Ruby. -1 when it is none. */
static int mode_number(struct str text)
{
    int base = text.len > 1 && *text.data == '0' ? 8 : 10, n = 0;

    for (size_t i = 0; i < text.len; i++) {
        int digit = text.data[i] - '0';
        if (digit < 0 || digit >= base) return -1;
        n = n * base + digit;
        if (n > 07777) return -1;
    }
    return text.len ? n : -1;
}

static bool parse_mode(const struct ast_value *v, const char *name, int *mode,
                       struct plugin_open *cx)
{
    struct str text = v ? ast_text(v) : STR("-1");

    *mode = -1;
    if (str_is(text, "-1")) return true;
    *mode = mode_number(text);
    if (*mode < 0)
        return plugin_error(cx, name, "\"%s\" takes permissions such as 0640, or -1", name);
    if (*text.data != '0')
        plugin_warning(cx, name, "%d is not octal: it means 0%o; did you mean 0%d?", *mode,
                       (unsigned)*mode, *mode);
    return true;
}

/* The path made absolute: below the working directory, or below HOME after "~/". */
static struct str absolute(struct str path, struct arena *a)
{
    char        cwd[STORE_PATH_MAX];
    const char *home = getenv("HOME");

    if (path.len > 0 && *path.data == '/') return path;
    if (home && str_starts(path, STR("~/")))
        return arena_printf(a, "%s/%.*s", home, STR_ARG(str_from(path, 2)));
    if (!getcwd(cwd, sizeof(cwd))) return path;
    return arena_printf(a, "%s/%.*s", cwd, STR_ARG(path));
}

/* `text` without "..", in the arena; data NULL when it cannot be a path. */
static struct str normalized(struct str text, struct arena *a)
{
    struct buf out = {0};
    struct str result = {0};

    if (store_normalize(text, &out)) result = arena_copy(a, buf_view(&out));
    buf_release(&out);
    return result;
}

/* What stands before the last slash. */
static struct str directory(struct str path)
{
    size_t len = path.len;

    while (len > 0 && path.data[len - 1] != '/')
        len--;
    return (struct str){path.data, len ? len - 1 : 0};
}

static bool open_path_template(struct file_output *o, struct str *root, struct plugin_open *cx)
{
    const char *problem = NULL;
    size_t      at = 0;
    bool        fatal = false;
    struct str  whole = {0}, text = absolute(o->path, cx->arena);

    o->path_template = template_parse(cx->arena, text, &problem, &at, &fatal);
    if (problem && fatal) return plugin_error(cx, "path", "%s", problem);
    if (problem) plugin_warning(cx, "path", "%s", problem);
    o->constant = template_constant(o->path_template, &whole);
    if (o->constant) {
        o->fixed_path = normalized(whole, cx->arena);
        if (!o->fixed_path.data) return plugin_error(cx, "path", "this cannot be a path");
        *root = directory(o->fixed_path);
        return true;
    }
    *root = normalized(directory(template_static_prefix(o->path_template)), cx->arena);
    if (!root->data)
        return plugin_error(cx, "path", "the starting part of the path must not be dynamic");
    return true;
}

static bool file_open(void *self, struct plugin_open *cx)
{
    struct file_output *o = self;
    struct str          root = {0};
    int                 file_mode = -1, dir_mode = -1;
    bool                ok = parse_mode(o->file_mode, "file_mode", &file_mode, cx);

    ok = parse_mode(o->dir_mode, "dir_mode", &dir_mode, cx) && ok;
    if (!open_path_template(o, &root, cx) || !ok) return false;
    o->failure_path = normalized(
        arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(root), STR_ARG(o->filename_failure)),
        cx->arena);
    if (!o->failure_path.data)
        return plugin_error(cx, "filename_failure", "this cannot be the name of a file");

    o->shared = xcalloc(1, sizeof(*o->shared));
    pthread_mutex_init(&o->shared->lock, NULL);
    o->shared->store = (struct file_store){
        .root = root,
        .below_root = !o->constant,
        .gzip = o->gzip,
        .overwrite = o->write_behavior == WRITE_OVERWRITE,
        .create = o->create_if_deleted,
        .file_mode = file_mode,
        .dir_mode = dir_mode,
    };
    return true;
}

static void file_close(void *self)
{
    struct file_output *o = self;

    store_close(&o->shared->store);
    buf_release(&o->shared->path);
    pthread_mutex_destroy(&o->shared->lock);
    free(o->shared);
}

/* ---- writing ---- */

/* The path is at fault, not the disk: another path has to do. */
static bool is_about_path(int error)
{
    return error == ELOOP || error == ENAMETOOLONG || error == ENOTDIR || error == EISDIR ||
           error == EINVAL;
}

static void warn_path(const struct file_output *o, struct str path, const char *why)
{
    static struct log_limit limit;
    uint64_t                missed;

    if (log_limit_pass(&limit, &missed))
        log_warn("output.file", "path of an event cannot be used, writing to the failure file",
                 LOG_STR("path", path), LOG_CSTR("reason", why),
                 LOG_STR("filename", o->failure_path), LOG_INT("not_shown", (int64_t)missed));
}

/* Waits before another try. False: the process is forced to quit, and `bytes` are lost. */
static bool wait_for_disk(struct str path, int error, size_t bytes, const struct stop *stop)
{
    static struct log_limit limit;
    uint64_t                missed;

    if (log_limit_pass(&limit, &missed))
        log_warn("output.file", "file cannot be written, trying again", LOG_STR("path", path),
                 LOG_CSTR("error", strerror(error)), LOG_INT("not_shown", (int64_t)missed));
    if (!stop_sleep(stop, retry_ns)) return true;
    log_error("output.file", "forced to quit, events are lost", LOG_STR("path", path),
              LOG_CSTR("error", strerror(error)), LOG_INT("bytes", (int64_t)bytes));
    return false;
}

/* Writes all bytes to a normalized path, however long it takes; to the failure file when the path
   is at fault. The lock is held. False: forced to quit. */
static bool write_out(const struct file_output *o, struct str path, struct str bytes,
                      const struct stop *stop)
{
    struct file_store *store = &o->shared->store;
    size_t             written = 0;
    int                error;

    if (!store->create && !str_eq(path, o->failure_path) && !store_exists(store, path))
        path = o->failure_path;
    while ((error = store_write(store, path, bytes, &written)) != 0) {
        if (!store->overwrite) bytes = str_from(bytes, written);
        if (is_about_path(error) && !o->constant && !str_eq(path, o->failure_path)) {
            warn_path(o, path, strerror(error));
            path = o->failure_path;
        } else if (!wait_for_disk(path, error, bytes.len, stop)) {
            return false;
        }
    }
    return true;
}

/* Appends the event to cx->buf; with overwrite only the last event of a file matters. */
static void encode(const struct file_output *o, struct event *ev, struct output_context *cx)
{
    const struct codec *codec = cx->codec;
    size_t              before = cx->buf->len;

    if (!codec->plugin->codec_ops.encode(codec->self, ev, cx->buf)) {
        cx->buf->len = before;
        ++*cx->failures;
    } else if (o->write_behavior == WRITE_OVERWRITE && before > 0) {
        memmove(cx->buf->data, cx->buf->data + before, cx->buf->len - before);
        cx->buf->len -= before;
    }
}

static bool write_constant(const struct file_output *o, struct event *const *ev, uint32_t n,
                           struct output_context *cx)
{
    buf_clear(cx->buf);
    for (uint32_t i = 0; i < n; i++)
        encode(o, ev[i], cx);
    if (cx->buf->len == 0) return true;
    pthread_mutex_lock(&o->shared->lock);
    bool done = write_out(o, o->fixed_path, buf_view(cx->buf), cx->stop);
    pthread_mutex_unlock(&o->shared->lock);
    return done;
}

/* The events of a batch that go to the same path. */
struct group {
    struct str path; /* as rendered */
    uint32_t   first, last;
    uint32_t   next_in_bucket; /* index + 1 */
};

struct grouping {
    struct group *groups;
    uint32_t      len, mask;
    uint32_t     *buckets; /* index + 1 of a group */
    uint32_t     *next;    /* event to the next event of its group, + 1 */
};

static struct group *find_group(struct grouping *g, struct str path, uint32_t **bucket)
{
    *bucket = &g->buckets[hash_keyed(path.data, path.len) & g->mask];
    for (uint32_t i = **bucket; i; i = g->groups[i - 1].next_in_bucket)
        if (str_eq(g->groups[i - 1].path, path)) return &g->groups[i - 1];
    return NULL;
}

static void put_in_group(struct grouping *g, struct str path, uint32_t event, struct arena *a)
{
    uint32_t     *bucket;
    struct group *found = find_group(g, path, &bucket);

    if (found) {
        g->next[found->last] = event + 1;
        found->last = event;
        return;
    }
    g->groups[g->len] = (struct group){
        .path = arena_copy(a, path),
        .first = event,
        .last = event,
        .next_in_bucket = *bucket,
    };
    *bucket = ++g->len;
}

static struct grouping group_by_path(const struct file_output *o, struct event *const *ev,
                                     uint32_t n, struct output_context *cx)
{
    struct arena   *a = cx->scratch;
    struct grouping g = {.mask = 15};

    while (g.mask < n)
        g.mask = g.mask * 2 + 1;
    g.groups = arena_alloc(a, n * sizeof(*g.groups));
    g.buckets = arena_zalloc(a, (g.mask + (size_t)1) * sizeof(*g.buckets));
    g.next = arena_zalloc(a, n * sizeof(*g.next));
    for (uint32_t i = 0; i < n; i++) {
        buf_clear(cx->buf);
        template_render(o->path_template, ev[i], cx->buf);
        put_in_group(&g, buf_view(cx->buf), i, a);
    }
    return g;
}

/* Where a rendered path leads to. The lock is held: the result is in shared->path. */
static struct str resolve(const struct file_output *o, struct str path)
{
    struct shared *sh = o->shared;

    if (!store_normalize(path, &sh->path)) {
        warn_path(o, path, "not a path");
    } else if (!store_inside(&sh->store, buf_view(&sh->path))) {
        warn_path(o, path, "outside of the fixed part of the path");
    } else {
        return buf_view(&sh->path);
    }
    return o->failure_path;
}

static bool write_groups(const struct file_output *o, struct event *const *ev, uint32_t n,
                         struct output_context *cx)
{
    struct grouping g = group_by_path(o, ev, n, cx);
    bool            done = true;

    for (uint32_t i = 0; i < g.len; i++) {
        buf_clear(cx->buf);
        for (uint32_t e = g.groups[i].first + 1; e; e = g.next[e - 1])
            encode(o, ev[e - 1], cx);
        if (cx->buf->len == 0) continue;
        pthread_mutex_lock(&o->shared->lock);
        struct str path = resolve(o, g.groups[i].path);
        done = write_out(o, path, buf_view(cx->buf), cx->stop) && done;
        pthread_mutex_unlock(&o->shared->lock);
    }
    return done;
}

static enum result file_write(const void *self, struct event *const *ev, uint32_t n,
                              struct output_context *cx)
{
    const struct file_output *o = self;
    bool done = o->constant ? write_constant(o, ev, n, cx) : write_groups(o, ev, n, cx);

    if (o->gzip && o->flush_interval.ns <= 0) {
        pthread_mutex_lock(&o->shared->lock);
        store_flush(&o->shared->store);
        pthread_mutex_unlock(&o->shared->lock);
    }
    if (!done) *cx->failures += n;
    return done ? OUTPUT_DONE : OUTPUT_FAILED;
}

/* Does not wait for a worker that waits for the disk. */
static void file_tick(const void *self)
{
    const struct file_output *o = self;
    struct shared            *sh = o->shared;
    int64_t                   now = clock_monotonic_ns();

    if (pthread_mutex_trylock(&sh->lock) != 0) return;
    if (o->gzip && now - sh->flushed_ns >= o->flush_interval.ns) {
        store_flush(&sh->store);
        sh->flushed_ns = now;
    }
    store_close_unused(&sh->store, now - o->stale_cleanup_interval.ns);
    pthread_mutex_unlock(&sh->lock);
}

const struct plugin output_file = {
    .kind = PLUGIN_OUTPUT,
    .name = "file",
    .summary = "Writes events to files, whose paths may depend on the event.",
    .size = sizeof(struct file_output),
    .options = file_options,
    .open = file_open,
    .close = file_close,
    .codec = "json_lines",
    .output = {.write = file_write, .tick = file_tick},
};
