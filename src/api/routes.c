/*
 * Which path gives what.
 *
 * Source: Logstash's OpenAPI description of its API, and the folder api/modules.
 */
#include <stdlib.h>
#include <strings.h>

#include "api/logging.h"
#include "api/reply.h"
#include "base/log.h"

/* What Metricbeat and Kibana take for the version of Logstash: the one lsc is checked against. */
#define LOGSTASH_VERSION "8.9.2"

enum { WAIT_DEFAULT_S = 30, WAIT_MAX_S = 300 };

static const char *reason(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    default:
        return "Error";
    }
}

static int append(const char *data, size_t len, void *into)
{
    buf_put(into, data, len);
    return 0;
}

/* Takes `json`. */
static void put_json(struct reply *out, const struct request *r, json_t *json)
{
    size_t flags = JSON_REAL_PRECISION(12);

    flags |= request_arg(r, "pretty") ? JSON_INDENT(2) : JSON_COMPACT;
    buf_clear(&out->body);
    json_dump_callback(json, append, &out->body, flags);
    if (request_arg(r, "pretty")) buf_char(&out->body, '\n');
    json_decref(json);
}

void reply_error(struct reply *out, const struct request *r, int status, const char *message)
{
    out->status = status;
    out->text = false;
    put_json(out, r,
             json_pack("{s:o, s:i, s:{s:s}}", "path", reply_str(r->path), "status", status, "error",
                       "message", message));
}

static void fail(struct reply *out, const struct request *r, int status)
{
    reply_error(out, r, status, reason(status));
}

/* What every reply begins with. */
static json_t *head(struct state *s)
{
    const struct settings *set = s->settings;

    return json_pack("{s:o, s:s, s:s, s:s, s:o, s:s, s:b, s:o, s:{s:I, s:I, s:I}, s:{s:s}}", "host",
                     reply_str(set->test_host.len ? set->test_host : set->node_name), "version",
                     LOGSTASH_VERSION, "http_address", s->http_address, "id", s->node_id, "name",
                     reply_str(set->node_name), "ephemeral_id", s->ephemeral_id, "snapshot", 0,
                     "status", report_health_status(s), "pipeline", "workers",
                     (json_int_t)set->pipeline_workers, "batch_size",
                     (json_int_t)set->pipeline_batch_size, "batch_delay",
                     (json_int_t)set->pipeline_batch_delay, "lsc", "version", PACKAGE_VERSION);
}

/* ---- parts of a reply, chosen by name ---- */

struct part {
    const char *name;
    json_t *(*report)(struct state *s);
};

static json_t *all_pipelines(struct state *s)
{
    return report_node_pipelines(s, false);
}

static json_t *stats_pipelines(struct state *s)
{
    return report_pipelines(s, false);
}

static const struct part node_parts[] = {
    {"pipelines", all_pipelines}, {"os", report_node_os}, {"jvm", report_node_jvm}, {NULL, NULL}};

static const struct part stats_parts[] = {
    {"jvm", report_jvm},   {"process", report_process},    {"events", report_events},
    {"flow", report_flow}, {"pipelines", stats_pipelines}, {"reloads", report_reloads},
    {"os", report_os},     {"queue", report_queue},        {"geoip_download_manager", report_geoip},
    {NULL, NULL},
};

/* Whether `name` is one of the comma list `wanted`; an empty list wants all. */
static bool wanted(struct str list, const char *name)
{
    if (list.len == 0) return true;
    while (list.len) {
        ptrdiff_t  comma = str_find(list, STR(","));
        struct str one = {list.data, comma < 0 ? list.len : (size_t)comma};
        if (str_is(one, name)) return true;
        list = str_from(list, one.len + 1);
    }
    return false;
}

/* False: there is none of that name. */
static bool add_parts(struct state *s, const struct part *parts, struct str list, json_t *out)
{
    bool any = false;

    for (const struct part *p = parts; p->name; p++) {
        if (!wanted(list, p->name)) continue;
        json_object_set_new(out, p->name, p->report(s));
        any = true;
    }
    return any;
}

/* ---- routes: what stands behind the prefix is `rest` ---- */

struct answering {
    struct state         *state;
    const struct request *request;
    struct reply         *reply;
    json_t               *json; /* the head, to be added to */
    struct str            rest;
};

static int health_rank(const char *status)
{
    static const char *const order[] = {"unknown", "red", "yellow", "green"};

    for (int i = 0; i < 4; i++)
        if (strcasecmp(order[i], status) == 0) return i;
    return -1;
}

/* ?wait_for_status=green&timeout=30s: 0 when the status is that good, else the status of HTTP. */
static int wait_for_status(const struct answering *a)
{
    const char     *want = request_arg(a->request, "wait_for_status");
    const char     *limit = request_arg(a->request, "timeout");
    struct duration timeout = {(int64_t)WAIT_DEFAULT_S * 1000000000};

    if (!want) return limit ? 400 : 0;
    if (health_rank(want) < 1) return 400;
    if (limit && !option_duration(str_of(limit), &timeout)) return 400;
    if (timeout.ns < 0 || timeout.ns > (int64_t)WAIT_MAX_S * 1000000000) return 400;
    const char *status = json_string_value(json_object_get(a->json, "status"));
    if (health_rank(status) >= health_rank(want)) return 0;
    if (!a->request->no_wait) a->reply->wait_ms = timeout.ns / 1000000;
    return 408;
}

static int get_root(struct answering *a)
{
    int status = wait_for_status(a);

    json_object_set_new(a->json, "build_date", json_null());
    json_object_set_new(a->json, "build_sha", json_string("lsc-" PACKAGE_VERSION));
    json_object_set_new(a->json, "build_snapshot", json_false());
    return status ? status : 200;
}

static int get_node(struct answering *a)
{
    return add_parts(a->state, node_parts, a->rest, a->json) ? 200 : 404;
}

static bool flag(const struct request *r, const char *name)
{
    const char *value = request_arg(r, name);

    return value && strcasecmp(value, "false") != 0 && strcasecmp(value, "0") != 0;
}

/* Leaves only the pipeline that was asked for. False: there is none of that name. */
static bool one_pipeline(json_t **pipelines, struct str id)
{
    if (id.len == 0) return true;
    json_t *one = json_object_getn(*pipelines, id.data, id.len);
    if (!one) return false;
    json_t *only = json_object();
    json_object_setn(only, id.data, id.len, one);
    json_decref(*pipelines);
    *pipelines = only;
    return true;
}

static int put_pipelines(struct answering *a, json_t *pipelines)
{
    bool found = one_pipeline(&pipelines, a->rest);

    json_object_set_new(a->json, "pipelines", pipelines);
    return found ? 200 : 404;
}

static int get_node_pipelines(struct answering *a)
{
    return put_pipelines(a, report_node_pipelines(a->state, flag(a->request, "graph")));
}

static int get_stats_pipelines(struct answering *a)
{
    return put_pipelines(a, report_pipelines(a->state, flag(a->request, "vertices")));
}

static int get_stats(struct answering *a)
{
    if (!add_parts(a->state, stats_parts, a->rest, a->json)) return 404;
    if (flag(a->request, "vertices") && json_object_get(a->json, "pipelines"))
        json_object_set_new(a->json, "pipelines", report_pipelines(a->state, true));
    return 200;
}

static int get_plugins(struct answering *a)
{
    json_t *plugins = report_plugins(a->state);

    json_object_set_new(a->json, "total", json_integer((json_int_t)json_array_size(plugins)));
    json_object_set_new(a->json, "plugins", plugins);
    return 200;
}

static int get_threads(struct answering *a)
{
    const char          *count = request_arg(a->request, "threads");
    const char          *idle = request_arg(a->request, "ignore_idle_threads");
    const char          *human = request_arg(a->request, "human");
    struct threads_asked asked = {.threads = 10, .ignore_idle = !idle || *idle != 'f'};

    if (count) asked.threads = (int)strtol(count, NULL, 10);
    if (asked.threads < 1) return 400;
    if (human && strcasecmp(human, "false") != 0) {
        a->reply->text = true;
        report_threads_text(a->state, &asked, &a->reply->body);
    } else {
        json_object_set_new(a->json, "hot_threads", report_threads(a->state, &asked));
    }
    return 200;
}

static int get_health(struct answering *a)
{
    json_object_update_new(a->json, report_health(a->state));
    return 200;
}

static int get_logging(struct answering *a)
{
    json_object_set_new(a->json, "loggers", logging_report());
    return 200;
}

static int logged(struct answering *a, bool done, const char *problem)
{
    if (done)
        json_object_set_new(a->json, "acknowledged", json_true());
    else
        json_object_set_new(a->json, "error", json_string(problem));
    return done ? 200 : 400;
}

static int set_logging(struct answering *a)
{
    char problem[200];

    return logged(a, logging_set(a->request->body, problem, sizeof(problem)), problem);
}

static int reset_logging(struct answering *a)
{
    log_reset_levels((enum log_level)a->state->settings->log_level);
    return logged(a, true, NULL);
}

/* The most special first. `below`: more may stand behind the path, after a slash. */
static const struct route {
    const char *path;
    bool        below;
    int (*get)(struct answering *a);
    int (*put)(struct answering *a);
    const char *allow;
} routes[] = {
    {"/_node/stats/pipelines", true, get_stats_pipelines, NULL, "GET, HEAD"},
    {"/_node/stats", true, get_stats, NULL, "GET, HEAD"},
    {"/_stats", true, get_stats, NULL, "GET, HEAD"},
    {"/_node/pipelines", true, get_node_pipelines, NULL, "GET, HEAD"},
    {"/_node/plugins", false, get_plugins, NULL, "GET, HEAD"},
    {"/_node/hot_threads", false, get_threads, NULL, "GET, HEAD"},
    {"/_node/logging/reset", false, NULL, reset_logging, "PUT"},
    {"/_node/logging", false, get_logging, set_logging, "GET, HEAD, PUT"},
    {"/_health_report", false, get_health, NULL, "GET, HEAD"},
    {"/_node", true, get_node, NULL, "GET, HEAD"},
    {"", false, get_root, NULL, "GET, HEAD"},
};

static const struct route *find_route(struct str path, struct str *rest)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        struct str prefix = str_of(routes[i].path);
        if (!str_starts(path, prefix)) continue;
        *rest = str_from(path, prefix.len);
        if (rest->len == 0) return &routes[i];
        if (rest->data[0] != '/' || !routes[i].below) continue;
        *rest = str_from(*rest, 1);
        return &routes[i];
    }
    return NULL;
}

static void run_route(struct answering *a, int (*handler)(struct answering *a))
{
    struct state *s = a->state;

    pthread_mutex_lock(&s->lock);
    a->json = head(s);
    int status = handler(a);
    pthread_mutex_unlock(&s->lock);
    a->reply->status = status;
    if (status == 200 || (status == 400 && json_object_get(a->json, "error"))) {
        if (!a->reply->text) put_json(a->reply, a->request, json_incref(a->json));
    } else {
        fail(a->reply, a->request, status);
    }
    json_decref(a->json);
}

void api_answer(struct state *s, const struct request *r, struct reply *out)
{
    struct answering    a = {.state = s, .request = r, .reply = out};
    struct str          path = r->path;
    const struct route *route;

    if (str_ends(path, STR("/"))) path.len--;
    route = find_route(path, &a.rest);
    if (!route) {
        fail(out, r, 404);
        return;
    }
    bool asks = r->method == METHOD_GET || r->method == METHOD_HEAD;
    int (*handler)(struct answering *) = asks                      ? route->get
                                         : r->method == METHOD_PUT ? route->put
                                                                   : NULL;
    if (handler) {
        run_route(&a, handler);
    } else {
        out->allow = route->allow;
        fail(out, r, 405);
    }
}
