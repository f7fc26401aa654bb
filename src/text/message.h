#ifndef LSC_TEXT_MESSAGE_H
#define LSC_TEXT_MESSAGE_H

#include "event/event.h"
#include "event/template.h"

/* Events that are lines of text: what the codecs plain, line and multiline share. */

/* [event][original], where ECS keeps what was read. */
const struct field *message_original_field(struct arena *a);

/* An event with @timestamp `now` and `text` as its message, and also at `original` unless that is
   NULL. The text is not copied. */
struct event *message_event(struct arena *a, struct str text, const struct field *original,
                            struct timestamp now);

/* "%{host} %{message}", for message_print(). */
const struct template *message_template(struct arena *a);

/* Appends the event as Event#to_s gives it: timestamp (unless there is none), host, message. */
void message_print(const struct template *t, const struct event *ev, struct buf *out);

#endif
