#include "text/message.h"

#include "event/time.h"

enum { SHOWN_MAX = 1024 }; /* bytes of a message that the log repeats */

const struct field *message_original_field(struct arena *a)
{
    return field_parse(a, STR("[event][original]"), NULL, NULL);
}

struct event *message_event(struct arena *a, struct str text, const struct field *original,
                            struct timestamp now)
{
    struct event *ev = event_blank(a, now);

    *map_append(&ev->data, a, names.message) = value_string(text);
    if (original) event_set(ev, original, value_string(text));
    return ev;
}

struct event *message_failed(struct arena *a, struct str text, struct str tag, struct timestamp now)
{
    struct event *ev = message_event(a, text, NULL, now);

    event_tag(ev, tag);
    return ev;
}

struct event *message_map_event(struct arena *a, struct map *m, const struct field *target,
                                struct timestamp now)
{
    if (!target) return event_from_map(a, m, now);

    struct event *ev = event_blank(a, now);
    return event_set(ev, target, value_map(m)) ? ev : NULL;
}

void message_warn(struct log_limit *limit, const char *component, const char *what, const char *why,
                  struct str message)
{
    uint64_t missed;

    if (!log_limit_pass(limit, &missed)) return;
    if (message.len > SHOWN_MAX) message.len = SHOWN_MAX;
    log_warn(component, what, LOG_CSTR("error", why), LOG_STR("data", message),
             LOG_INT("not_shown", (int64_t)missed));
}

const struct template *message_template(struct arena *a)
{
    const char *problem = NULL;
    size_t      at;
    bool        fatal;

    return template_parse(a, STR("%{host} %{message}"), &problem, &at, &fatal);
}

void message_print(const struct template *t, const struct event *ev, struct buf *out)
{
    struct timestamp when;

    if (event_timestamp(ev, &when)) {
        out->len += time_print(when, buf_room(out, 40));
        buf_char(out, ' ');
    }
    template_render(t, ev, out);
}
