#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fatal.h"
#include "base/utf8.h"

/* Source: Logstash's config/log4j2.properties (patterns, sizes, times). */
enum { FILE_MAX = 100 * 1024 * 1024, FILES_KEPT = 30, LEVELS_MAX = 64, LIMIT_S = 10 };

/* ---- levels: read by every thread without a lock; entries are only ever added ---- */

enum { FOLLOWS = -1 }; /* level of a component that has none of its own (any more) */

static struct component_level {
    const char *component;
    size_t      len;
    _Atomic int level;
} levels[LEVELS_MAX];
static _Atomic uint32_t levels_len;
static _Atomic int      level_default = LOG_WARN;
static _Atomic int      level_most = LOG_WARN; /* the most talkative of all */
static bool             level_chosen;
static pthread_mutex_t  lock = PTHREAD_MUTEX_INITIALIZER; /* of levels being set and of the file */

static const char *const level_names[] = {"FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"};

static void find_level_most(void)
{
    int most = level_default;

    for (uint32_t i = 0; i < levels_len; i++)
        if (levels[i].level > most) most = levels[i].level;
    level_most = most;
}

static struct component_level *find_component(const char *component)
{
    for (uint32_t i = 0; i < levels_len; i++)
        if (strcmp(levels[i].component, component) == 0) return &levels[i];
    return NULL;
}

/* NULL when there is no room for one more. */
static struct component_level *add_component(const char *component)
{
    if (levels_len == LEVELS_MAX) return NULL;
    struct component_level *c = &levels[levels_len];
    c->len = strlen(component);
    c->component = xstrndup(component, c->len);
    c->level = FOLLOWS;
    levels_len++;
    return c;
}

bool log_set_level(const char *component, enum log_level level)
{
    bool done = true;

    pthread_mutex_lock(&lock);
    if (!component || !*component) {
        level_default = (int)level;
        level_chosen = true;
    } else {
        struct component_level *c = find_component(component);
        if (!c) c = add_component(component);
        if (c) c->level = (int)level;
        done = c != NULL;
    }
    find_level_most();
    pthread_mutex_unlock(&lock);
    return done;
}

void log_reset_levels(enum log_level level)
{
    pthread_mutex_lock(&lock);
    level_default = (int)level;
    for (uint32_t i = 0; i < levels_len; i++)
        levels[i].level = FOLLOWS;
    find_level_most();
    pthread_mutex_unlock(&lock);
}

void log_each_level(void (*fn)(const char *component, enum log_level level, void *ctx), void *ctx)
{
    pthread_mutex_lock(&lock);
    fn("", (enum log_level)level_default, ctx);
    for (uint32_t i = 0; i < levels_len; i++)
        if (levels[i].level != FOLLOWS)
            fn(levels[i].component, (enum log_level)levels[i].level, ctx);
    pthread_mutex_unlock(&lock);
}

bool log_level_parse(struct str name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        const char *known = level_names[i];
        if (name.len == strlen(known) && strncasecmp(name.data, known, name.len) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* "output" covers "output" and "output.file", but not "outputs". */
static bool covers(const struct component_level *c, const char *component)
{
    return strncmp(c->component, component, c->len) == 0 &&
           (component[c->len] == '\0' || component[c->len] == '.');
}

bool log_enabled(const char *component, enum log_level level)
{
    int      limit = level_default;
    size_t   longest = 0;
    uint32_t n = levels_len;

    if ((int)level > level_most) return false;
    for (uint32_t i = 0; i < n; i++) {
        int level_of = levels[i].level;
        if (level_of != FOLLOWS && levels[i].len > longest && covers(&levels[i], component)) {
            limit = level_of;
            longest = levels[i].len;
        }
    }
    return (int)level <= limit;
}

bool log_limit_pass(struct log_limit *l, uint64_t *missed)
{
    int64_t now = clock_monotonic_ns(), next = l->next_ns;

    if (now < next ||
        !atomic_compare_exchange_strong(&l->next_ns, &next, now + LIMIT_S * (int64_t)1000000000)) {
        atomic_fetch_add(&l->missed, 1);
        return false;
    }
    *missed = atomic_exchange(&l->missed, 0);
    return true;
}

/* ---- one line ---- */

static _Thread_local struct str context_pipeline, context_plugin;
static enum log_format          format = LOG_PLAIN;

void log_context(struct str pipeline_id, struct str plugin_id)
{
    context_pipeline = pipeline_id;
    context_plugin = plugin_id;
}

/* A control, a quote or a backslash: so that nothing in a value can start a line, end its quotes or
   steer a terminal. JSON and Ruby write these alike. Outside quotes, " and \ stay. */
static void put_special(struct buf *out, unsigned char c, bool quoted)
{
    static const char letters[] = "btn?fr";

    if (c == '"' || c == '\\')
        buf_printf(out, quoted ? "\\%c" : "%c", c);
    else if (c >= '\b' && c <= '\r' && c != '\v')
        buf_printf(out, "\\%c", letters[c - '\b']);
    else
        buf_printf(out, "\\u%04x", c);
}

static bool is_special(unsigned char c)
{
    return c < ' ' || c == 0x7f || c == '"' || c == '\\';
}

/* What is not UTF-8 becomes U+FFFD. */
static void put_escaped(struct buf *out, struct str s, bool quoted)
{
    while (s.len) {
        size_t valid = utf8_valid_prefix(s), from = 0;
        for (size_t i = 0; i < valid; i++) {
            if (!is_special((unsigned char)s.data[i])) continue;
            buf_put(out, s.data + from, i - from);
            put_special(out, (unsigned char)s.data[i], quoted);
            from = i + 1;
        }
        buf_put(out, s.data + from, valid - from);
        if (valid < s.len) buf_str(out, STR("\xEF\xBF\xBD"));
        s = str_from(s, valid + 1);
    }
}

static void put_quoted(struct buf *out, struct str s)
{
    buf_char(out, '"');
    put_escaped(out, s, true);
    buf_char(out, '"');
}

static void put_value(struct buf *out, const struct log_value *v)
{
    switch (v->kind) {
    case LOG_VALUE_STR:
        put_quoted(out, v->s);
        break;
    case LOG_VALUE_INT:
        buf_printf(out, "%" PRId64, v->i);
        break;
    case LOG_VALUE_FLOAT:
        if (v->f - v->f == 0)
            buf_printf(out, "%.15g", v->f);
        else
            buf_str(out, STR("null")); /* neither form has a way to write infinity */
        break;
    case LOG_VALUE_BOOL:
        buf_str(out, v->i ? STR("true") : STR("false"));
        break;
    }
}

static void put_plain_time(struct buf *out, struct timestamp now)
{
    struct tm local;
    time_t    sec = (time_t)now.sec;
    char      text[32];

    localtime_r(&sec, &local);
    buf_put(out, text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &local));
    buf_printf(out, ",%03u", now.nsec / 1000000);
}

static void put_bracketed(struct buf *out, struct str s)
{
    if (s.len == 0) return;
    buf_char(out, '[');
    put_escaped(out, s, false);
    buf_char(out, ']');
}

/* [2026-08-20T10:00:00,000][INFO ][output.file              ][main][id] message {:key=>value} */
static void put_plain(struct buf *out, const char *component, enum log_level level,
                      const char *message, const struct log_value *values, size_t len)
{
    const char *before = " {:";

    buf_char(out, '[');
    put_plain_time(out, clock_now());
    buf_printf(out, "][%-5s][%-25s]", level_names[level], component);
    put_bracketed(out, context_pipeline);
    put_bracketed(out, context_plugin);
    buf_char(out, ' ');
    put_escaped(out, str_of(message), false);
    for (size_t i = 0; i < len; i++) {
        if (!values[i].name) continue;
        buf_printf(out, "%s%s=>", before, values[i].name);
        put_value(out, &values[i]);
        before = ", :";
    }
    buf_str(out, before[0] == ',' ? STR("}\n") : STR("\n"));
}

static void put_member(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, ",\"%s\":", name);
    put_quoted(out, value);
}

/* A second "message" in logEvent is called message_1, as in Logstash. */
static void put_json(struct buf *out, const char *component, enum log_level level,
                     const char *message, const struct log_value *values, size_t len)
{
    struct timestamp now = clock_now();
    char             thread[32] = "";

    pthread_getname_np(pthread_self(), thread, sizeof(thread));
    buf_printf(out, "{\"level\":\"%s\"", level_names[level]);
    put_member(out, "loggerName", str_of(component));
    buf_printf(out, ",\"timeMillis\":%" PRId64, now.sec * 1000 + now.nsec / 1000000);
    put_member(out, "thread", str_of(thread));
    if (context_pipeline.len) put_member(out, "pipeline.id", context_pipeline);
    if (context_plugin.len) put_member(out, "plugin.id", context_plugin);
    buf_str(out, STR(",\"logEvent\":{\"message\":"));
    put_quoted(out, str_of(message));
    for (size_t i = 0; i < len; i++) {
        if (!values[i].name) continue;
        bool again = strcmp(values[i].name, "message") == 0;
        buf_printf(out, ",\"%s\":", again ? "message_1" : values[i].name);
        put_value(out, &values[i]);
    }
    buf_str(out, STR("}}\n"));
}

/* ---- where lines go ---- */

static struct {
    int      console; /* fd */
    int      fd;      /* of the file, or -1 */
    char    *dir, *path;
    uint64_t size;
    int      day; /* days since 1970 in local time, when the file was begun */
} target = {.console = STDERR_FILENO, .fd = -1};

/* A log that cannot be written has nobody left to tell. */
static void write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        data += n;
        len -= (size_t)n;
    }
}

static int local_day(int64_t sec)
{
    struct tm local;
    time_t    t = (time_t)sec;

    return localtime_r(&t, &local) ? (int)((sec + local.tm_gmtoff) / 86400) : 0;
}

static const char *file_stem(void)
{
    return format == LOG_JSON ? "lsc-json" : "lsc-plain";
}

static bool open_file(void)
{
    struct stat st;

    target.fd = open(target.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (target.fd < 0) return false;
    target.size = fstat(target.fd, &st) == 0 ? (uint64_t)st.st_size : 0;
    target.day = local_day(target.size ? st.st_mtime : clock_now().sec);
    return true;
}

/* lsc-plain-2026-08-20-1.log and its like: sorted by name they are sorted by age, but for the
   number, which has one to three digits. */
static int is_rolled(const struct dirent *e)
{
    size_t stem = strlen(file_stem()), len = strlen(e->d_name);

    return strncmp(e->d_name, file_stem(), stem) == 0 && e->d_name[stem] == '-' && len > stem + 5 &&
           strcmp(e->d_name + len - 4, ".log") == 0;
}

static void remove_oldest(void)
{
    struct dirent **names;
    int             n = scandir(target.dir, &names, is_rolled, versionsort);

    for (int i = 0; i < n; i++) {
        struct buf path = {0};
        buf_printf(&path, "%s/%s", target.dir, names[i]->d_name);
        if (i < n - FILES_KEPT) unlink(buf_cstr(&path));
        buf_release(&path);
        free(names[i]);
    }
    if (n >= 0) free(names);
}

/* Renames the full or old file to the first free number of its day, and begins a new one. */
static void roll_file(void)
{
    struct tm  local;
    time_t     sec = (time_t)target.day * 86400;
    struct buf path = {0};
    char       day[16];

    gmtime_r(&sec, &local);
    strftime(day, sizeof(day), "%Y-%m-%d", &local);
    for (int i = 1; i < 1000; i++) {
        buf_clear(&path);
        buf_printf(&path, "%s/%s-%s-%d.log", target.dir, file_stem(), day, i);
        if (access(buf_cstr(&path), F_OK) != 0) break;
    }
    rename(target.path, buf_cstr(&path));
    buf_release(&path);
    close(target.fd);
    open_file();
    remove_oldest();
}

static void write_file(const char *data, size_t len)
{
    pthread_mutex_lock(&lock);
    if (target.fd >= 0) {
        bool old = local_day(clock_now().sec) != target.day;
        if (target.size > 0 && (old || target.size + len > FILE_MAX)) roll_file();
        write_all(target.fd, data, len);
        target.size += len;
    }
    pthread_mutex_unlock(&lock);
}

void log_write(const char *component, enum log_level level, const char *message,
               const struct log_value *values, size_t len)
{
    struct buf line = {0};
    int        saved = errno;

    if (format == LOG_JSON)
        put_json(&line, component, level, message, values, len);
    else
        put_plain(&line, component, level, message, values, len);
    write_all(target.console, line.data, line.len);
    if (target.path) write_file(line.data, line.len);
    buf_release(&line);
    errno = saved;
}

bool log_setup(enum log_format form, int console, struct str dir, char *error, size_t error_size)
{
    log_close();
    format = form;
    target.console = console;
    if (!level_chosen) log_set_level(NULL, LOG_INFO);
    if (dir.len == 0) return true;
    struct buf path = {0};
    target.dir = xstrndup(dir.data, dir.len);
    buf_printf(&path, "%s/%s.log", target.dir, file_stem());
    target.path = xstrndup(path.data, path.len);
    buf_release(&path);
    if ((mkdir(target.dir, 0700) == 0 || errno == EEXIST) && open_file()) return true;
    snprintf(error, error_size, "cannot write the log file %s: %s", target.path, strerror(errno));
    log_close();
    return false;
}

void log_close(void)
{
    pthread_mutex_lock(&lock);
    if (target.fd >= 0) close(target.fd);
    target.fd = -1;
    free(target.dir);
    free(target.path);
    target.dir = target.path = NULL;
    target.console = STDERR_FILENO;
    pthread_mutex_unlock(&lock);
}
