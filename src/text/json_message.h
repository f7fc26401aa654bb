#ifndef LSC_TEXT_JSON_MESSAGE_H
#define LSC_TEXT_JSON_MESSAGE_H

#include "event/event.h"

/*
 * The events of one message of JSON, as the codecs json and json_lines read it: an object is an
 * event, a list of objects (or nulls) one event each, blanks are none, and what stands behind the
 * first document is not looked at. Source: Event.java, fromJson; event_support/from_json.rb.
 */
struct json_message {
    uint32_t       len;
    struct event **at;
    struct event  *one; /* `at` points here when there is but one */
    bool           failed;
};

/*
 * Reads `text`, which must live as long as `a`, into `out`. With `target` each object goes there,
 * below an event of its own. When the text is not JSON, or not of objects, `out` holds one event
 * with the text as its message and the tag _jsonparsefailure, `failed` is true, and a line is
 * logged for `component`.
 */
void json_message_read(struct arena *a, struct str text, const struct field *target,
                       struct timestamp now, const char *component, struct json_message *out);

/* Makes `out` the one event that stands for a text that could not be read. */
void json_message_fail(struct arena *a, struct str text, struct timestamp now,
                       struct json_message *out);

#endif
