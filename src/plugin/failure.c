#include "plugin/failure.h"

enum { SHOWN_MAX = 200 };

void filter_failed(struct filter_context *cx, struct log_limit *limit, const char *component,
                   const char *message, struct str what)
{
    uint64_t missed;

    ++*cx->failures;
    if (!log_limit_pass(limit, &missed)) return;
    if (what.len > SHOWN_MAX) what.len = SHOWN_MAX;
    log_warn(component, message, LOG_STR("what", what), LOG_INT("not_shown", (int64_t)missed));
}

void event_tag_all(struct event *ev, const struct strings *tags)
{
    for (uint32_t i = 0; i < tags->len; i++)
        event_tag(ev, tags->at[i]);
}
