#include "text/json_message.h"

#include "base/log.h"
#include "event/json.h"
#include "text/message.h"

/* Java's String.trim(): everything up to the blank counts. */
static bool blank(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] > ' ') return false;
    return true;
}

void json_message_fail(struct arena *a, struct str text, struct timestamp now,
                       struct json_message *out)
{
    struct event *ev = message_failed(a, text, STR("_jsonparsefailure"), now);

    *out = (struct json_message){.len = 1, .one = ev, .failed = true};
    out->at = &out->one;
}

/* The event of one object; NULL, with `*why` set, when the value cannot be one. */
static struct event *event_of(struct arena *a, struct value v, const struct field *target,
                              struct timestamp now, const char **why)
{
    struct map *m = v.kind == VALUE_NULL ? map_new(a, 0) : v.as.map;

    if (v.kind != VALUE_MAP && v.kind != VALUE_NULL) {
        *why = "not an object";
        return NULL;
    }
    struct event *ev = message_map_event(a, m, target, now);
    if (!ev) *why = target ? "the target cannot be set" : "@metadata is not an object";
    return ev;
}

/* The events of a document: one, or those of a list. False with `*why` set when it has others. */
static bool events_of(struct arena *a, struct value v, const struct field *target,
                      struct timestamp now, struct json_message *out, const char **why)
{
    if (v.kind != VALUE_LIST) {
        if (v.kind == VALUE_NULL) {
            *why = "not an object";
            return false;
        }
        out->one = event_of(a, v, target, now, why);
        out->at = &out->one;
        out->len = 1;
        return out->one != NULL;
    }
    out->at = arena_alloc(a, v.as.list->len * sizeof(struct event *));
    for (out->len = 0; out->len < v.as.list->len; out->len++) {
        out->at[out->len] = event_of(a, v.as.list->items[out->len], target, now, why);
        if (!out->at[out->len]) return false;
    }
    return true;
}

static void log_failure(const char *component, struct str text, const char *why, size_t offset)
{
    static struct log_limit limit;
    uint64_t                missed;

    if (!log_limit_pass(&limit, &missed)) return;
    log_warn(component, "json parse error, original data now in message field",
             LOG_CSTR("error", why), LOG_INT("offset", (int64_t)offset), LOG_STR("data", text),
             LOG_INT("not_shown", (int64_t)missed));
}

void json_message_read(struct arena *a, struct str text, const struct field *target,
                       struct timestamp now, const char *component, struct json_message *out)
{
    struct json_error error = {.message = "", .offset = 0};
    struct value      v;
    size_t            used;

    *out = (struct json_message){.len = 0};
    if (json_decode_prefix(a, text, NULL, &v, &used, &error)) {
        if (events_of(a, v, target, now, out, &error.message)) return;
        error.offset = 0;
    } else if (blank(text)) {
        return;
    }
    log_failure(component, text, error.message, error.offset);
    json_message_fail(a, text, now, out);
}
