#include "text/message.h"

#include "event/time.h"

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
