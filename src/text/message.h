#ifndef LSC_TEXT_MESSAGE_H
#define LSC_TEXT_MESSAGE_H

#include "base/log.h"
#include "event/event.h"
#include "event/template.h"

/* Events that are made of messages: what the codecs share. */

/* [event][original], where ECS keeps what was read. */
const struct field *message_original_field(struct arena *a);

/* An event with @timestamp `now` and `text` as its message, and also at `original` unless that is
   NULL. The text is not copied. */
struct event *message_event(struct arena *a, struct str text, const struct field *original,
                            struct timestamp now);

/* An event for a message that could not be read: its text, which is not copied, and a tag. */
struct event *message_failed(struct arena *a, struct str text, struct str tag,
                             struct timestamp now);

/* An event with the members of `m`, or with `m` at `target` unless that is NULL. NULL when the
   target cannot be set, or @metadata is there and no map. `m` is taken over. */
struct event *message_map_event(struct arena *a, struct map *m, const struct field *target,
                                struct timestamp now);

/* A warning that a message could not be read: what happened, why, and how the message begins. At
   most one in ten seconds for each `limit`. */
void message_warn(struct log_limit *limit, const char *component, const char *what, const char *why,
                  struct str message);

/* "%{host} %{message}", for message_print(). */
const struct template *message_template(struct arena *a);

/* Appends the event as Event#to_s gives it: timestamp (unless there is none), host, message. */
void message_print(const struct template *t, const struct event *ev, struct buf *out);

#endif
