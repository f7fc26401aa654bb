#ifndef LSC_PLUGIN_FAILURE_H
#define LSC_PLUGIN_FAILURE_H

#include "base/log.h"
#include "plugin/plugin.h"

/*
 * For filters that could not treat an event: counts it, and logs `message` (constant, lower case)
 * with `what` (a field or a piece of text; only its start is shown), at most once in ten seconds
 * per `limit`. Tagging is up to the filter. Any worker.
 */
void filter_failed(struct filter_context *cx, struct log_limit *limit, const char *component,
                   const char *message, struct str what);

/* Tags the event with each of `tags`, for options such as tag_on_failure. */
void event_tag_all(struct event *ev, const struct strings *tags);

#endif
