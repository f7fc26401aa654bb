#ifndef LSC_API_REPLY_H
#define LSC_API_REPLY_H

#include <jansson.h>

#include "api/state.h"
#include "base/buf.h"

enum method { METHOD_GET, METHOD_HEAD, METHOD_PUT, METHOD_OTHER };

/* A request that has been read. */
struct request {
    enum method method;
    struct str  path;    /* decoded, begins with a slash */
    struct buf  args;    /* what stands behind the ?, decoded: "name=value\0name\0…" */
    struct str  body;    /* of PUT */
    bool        no_wait; /* the time to wait for a status is over: do not ask for more */
};

/* The value of an argument, "" when it stands without one; NULL: it is not there. */
const char *request_arg(const struct request *r, const char *name);

struct reply {
    int         status;  /* of HTTP */
    bool        text;    /* plain text instead of JSON */
    const char *allow;   /* 405: the methods that would do; else NULL */
    int64_t     wait_ms; /* not ready yet: ask again until so long after the first time; 0: ready */
    struct buf  body;
};

/* Makes the reply of the API to a request. Takes the state's lock meanwhile. */
void api_answer(struct state *s, const struct request *r, struct reply *out);

/* The body of an error, as Logstash writes it. */
void reply_error(struct reply *out, const struct request *r, int status, const char *message);

/* ---- the parts of replies: new references, made with the state's lock held ---- */

json_t *report_health_status(struct state *s); /* "green" */
json_t *report_health(struct state *s);        /* indicators, status, symptom */

json_t *report_node_pipelines(struct state *s, bool graph);
json_t *report_node_os(struct state *s);
json_t *report_node_jvm(struct state *s);
json_t *report_plugins(struct state *s);

json_t *report_jvm(struct state *s);
json_t *report_process(struct state *s);
json_t *report_events(struct state *s);
json_t *report_flow(struct state *s);
json_t *report_pipelines(struct state *s, bool vertices);
json_t *report_reloads(struct state *s);
json_t *report_os(struct state *s);
json_t *report_queue(struct state *s);
json_t *report_geoip(struct state *s);

/* Adds what the plugin counts for itself to its entry. */
void report_own_metrics(const struct node *n, json_t *out);

/* The threads that used most of the CPU, as JSON or as text. */
struct threads_asked {
    int  threads; /* at most */
    bool ignore_idle;
};
json_t *report_threads(struct state *s, const struct threads_asked *asked);
void    report_threads_text(struct state *s, const struct threads_asked *asked, struct buf *out);

/* Graph of a pipeline, and the counters of its vertices. */
json_t *report_graph(const struct pipeline_plan *plan);
json_t *report_vertices(struct state *s);

/* ---- small helpers ---- */

json_t *reply_str(struct str s); /* what is not UTF-8 becomes a question mark */
json_t *reply_int(uint64_t n);
json_t *reply_ms(uint64_t ns);          /* nanoseconds as whole milliseconds */
json_t *reply_time(struct timestamp t); /* ISO 8601; null for sec 0 */
/* Adds the rates of one column per another, or per second of time. */
struct rate {
    const char *name;
    uint32_t    column;
    int32_t     per;   /* a column, or RATE_TIME */
    double      scale; /* that the quotient is multiplied with */
    double      most;  /* the quotient is not more than this; 0: no limit */
};
enum { RATE_TIME = -1 };
json_t *reply_rate(const struct flow *f, const uint64_t *row, const struct rate *r);
/* An object with one member for each of `len` rates. */
json_t *reply_rates(const struct flow *f, const uint64_t *row, const struct rate *rates,
                    size_t len);

#endif
