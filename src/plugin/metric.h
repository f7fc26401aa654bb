#ifndef LSC_PLUGIN_METRIC_H
#define LSC_PLUGIN_METRIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/str.h"

/*
 * Metrics of a plugin's own: the monitoring API shows them in the plugin's entry of /_node/stats,
 * behind those that the engine keeps for every plugin. The rows of a table describe a struct of
 * plain values, and take() fills one; from the rows come the API's answer, --plugin-help and
 * docs/plugins. How the plugin counts is its own affair: metric_add() for what happens with every
 * message, a mutex around what is rare and belongs together.
 */
enum metric_type {
    METRIC_COUNT, /* uint64_t: how often; only grows */
    METRIC_GAUGE, /* uint64_t: how many there are now */
    METRIC_TIME,  /* struct timestamp; sec 0 is shown as null */
    METRIC_TEXT,  /* struct metric_text; an empty one is shown as null */
    METRIC_CODES, /* struct metric_codes: how often each code came */
};

/* In words, for help: "a count". */
const char *metric_type_name(enum metric_type type);

enum { METRIC_TEXT_MAX = 256, METRIC_CODES_MAX = 16 };

/* Ends with a NUL; UTF-8. */
struct metric_text {
    char at[METRIC_TEXT_MAX];
};
/* What does not fit is cut off at the end of a character. */
void metric_text_set(struct metric_text *t, struct str text);

/* A peer may choose the codes: only so many are told apart. */
struct metric_codes {
    uint32_t len;
    struct {
        uint32_t code;
        uint64_t count;
    } at[METRIC_CODES_MAX];
    uint64_t others; /* those for which there was no room */
};
void metric_codes_add(struct metric_codes *m, uint32_t code);

typedef uint64_t            METRIC_COUNT_type;
typedef uint64_t            METRIC_GAUGE_type;
typedef struct timestamp    METRIC_TIME_type;
typedef struct metric_text  METRIC_TEXT_type;
typedef struct metric_codes METRIC_CODES_type;

struct metric_row {
    const char      *name; /* as in the API; "disconnects.idle" is a member of a group */
    enum metric_type type;
    size_t           offset;
    const char      *doc; /* full sentences */
};

/* The member has the metric's name, as a setting's has (OPT). */
#define METRIC(self, metric_type, member, ...)                                                     \
    {                                                                                              \
        .name = #member, .type = metric_type,                                                      \
        .offset =                                                                                  \
            offsetof(self, member) + 0 * sizeof(&((self *)0)->member == (metric_type##_type *)0),  \
        .doc = __VA_ARGS__                                                                         \
    }
#define METRIC_END                                                                                 \
    {                                                                                              \
        .name = NULL                                                                               \
    }

struct plugin_metrics {
    const struct metric_row *rows; /* groups stand together */
    size_t                   size; /* of the struct that they describe */
    /* Fills `out`, which is zeroed, with values that fit together. Any thread, from open() to
       close(); never waits for long. `self` is the plugin. */
    void (*take)(const void *self, void *out);
};

/* Counts on a way that has to be fast; any thread. */
static inline void metric_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* The same where one thread does all the counting: no locked instruction. */
static inline void metric_add_alone(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

static inline uint64_t metric_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
