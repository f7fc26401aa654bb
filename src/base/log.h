#ifndef LSC_BASE_LOG_H
#define LSC_BASE_LOG_H

#include "base/str.h"

/*
 * Log lines in Logstash's plain or JSON form: a constant message in lower case without a full
 * stop, and named values. ERROR: data lost or start failed; WARN: degraded; INFO: life cycle only;
 * DEBUG: per batch; TRACE: per event. Any thread; a line is written whole by one write(2).
 *
 *     log_info("output.file", "opened", LOG_STR("path", path), LOG_INT("mode", mode));
 */
enum log_level { LOG_FATAL, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };
enum log_format { LOG_PLAIN, LOG_JSON };

struct log_value {
    const char *name;
    enum { LOG_VALUE_STR, LOG_VALUE_INT, LOG_VALUE_FLOAT, LOG_VALUE_BOOL } kind;
    struct str s;
    int64_t    i;
    double     f;
};

#define LOG_STR(n, v) ((struct log_value){.name = (n), .kind = LOG_VALUE_STR, .s = (v)})
#define LOG_CSTR(n, v) ((struct log_value){.name = (n), .kind = LOG_VALUE_STR, .s = str_of(v)})
#define LOG_INT(n, v) ((struct log_value){.name = (n), .kind = LOG_VALUE_INT, .i = (v)})
#define LOG_FLOAT(n, v) ((struct log_value){.name = (n), .kind = LOG_VALUE_FLOAT, .f = (v)})
#define LOG_BOOL(n, v) ((struct log_value){.name = (n), .kind = LOG_VALUE_BOOL, .i = (v)})

/* Who speaks: set per thread by the engine, printed as [pipeline][plugin] when not empty. */
void log_context(struct str pipeline_id, struct str plugin_id);

/* Until log_setup(): plain, WARN and worse, to stderr. `dir` not empty: also to
   DIR/lsc-plain.log or DIR/lsc-json.log (mode 0600, rolled daily and at 100 MB). `console` is the
   fd of the console (1 or 2). The level becomes INFO unless log_set_level() was called. False with
   a message in `error` when DIR cannot be used. Before threads start, or again for another DIR. */
bool log_setup(enum log_format format, int console, struct str dir, char *error, size_t error_size);
/* When no other thread logs any more. Lines are written as they come: none waits for this. */
void log_close(void);

/* `component` NULL or "" sets the level of all; else of it and all below it ("output" covers
   "output.file"). False when too many components have levels of their own: nothing changes. */
bool log_set_level(const char *component, enum log_level level);
/* `level` for all, and no component has one of its own any more. */
void log_reset_levels(enum log_level level);
/* Calls fn for each component that has a level of its own, and for "", all others. */
void log_each_level(void (*fn)(const char *component, enum log_level level, void *ctx), void *ctx);
bool log_level_parse(struct str name, enum log_level *level);
bool log_enabled(const char *component, enum log_level level);

void log_write(const char *component, enum log_level level, const char *message,
               const struct log_value *values, size_t len);

#define LOG_AT(level, component, message, ...)                                                     \
    do {                                                                                           \
        if (log_enabled(component, level)) {                                                       \
            const struct log_value log_values_[] = {__VA_ARGS__};                                  \
            log_write(component, level, message, log_values_,                                      \
                      sizeof(log_values_) / sizeof(log_values_[0]));                               \
        }                                                                                          \
    } while (0)

#define log_fatal(component, ...) LOG_AT(LOG_FATAL, component, __VA_ARGS__, {.name = NULL})
#define log_error(component, ...) LOG_AT(LOG_ERROR, component, __VA_ARGS__, {.name = NULL})
#define log_warn(component, ...) LOG_AT(LOG_WARN, component, __VA_ARGS__, {.name = NULL})
#define log_info(component, ...) LOG_AT(LOG_INFO, component, __VA_ARGS__, {.name = NULL})
#define log_debug(component, ...) LOG_AT(LOG_DEBUG, component, __VA_ARGS__, {.name = NULL})
#define log_trace(component, ...) LOG_AT(LOG_TRACE, component, __VA_ARGS__, {.name = NULL})

/*
 * Keeps a line that every event could cause from flooding the log: one in ten seconds passes.
 *
 *     static struct log_limit limit;
 *     uint64_t                missed;
 *     if (log_limit_pass(&limit, &missed)) log_warn(…, LOG_INT("not_shown", (int64_t)missed));
 */
struct log_limit {
    _Atomic int64_t  next_ns;
    _Atomic uint64_t missed;
};
bool log_limit_pass(struct log_limit *l, uint64_t *missed);

#endif
