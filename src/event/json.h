#ifndef LSC_EVENT_JSON_H
#define LSC_EVENT_JSON_H

#include "event/event.h"

/* Limits of one document; 0 takes the default. */
struct json_limits {
    uint32_t depth; /* default 512 */
};

struct json_error {
    const char *message; /* constant */
    size_t      offset;  /* of the byte that is wrong */
};

/*
 * Reads one JSON document (RFC 8259, with what Jackson adds as Logstash uses it; see the cases in
 * tests). Strings without escapes are views into `text`, which must therefore live as long as `a`.
 * UTF-8 is checked. Of equal keys the last counts. Integers become INT, floats FLOAT, those too
 * large for either NUMBER. An escaped surrogate without its partner becomes U+FFFD; of a string
 * that begins with one nothing stays, as in Logstash. Texts of 4 GiB - 1 and more are refused. On
 * failure `*error` (may be NULL) tells where. Blanks around the document are allowed,
 * anything else behind it is an error.
 */
bool json_decode(struct arena *a, struct str text, const struct json_limits *limits,
                 struct value *out, struct json_error *error);

/* The same, but stops behind the first document; `*used` gets the bytes read. */
bool json_decode_prefix(struct arena *a, struct str text, const struct json_limits *limits,
                        struct value *out, size_t *used, struct json_error *error);

/* Appends `v` as JSON, without blanks. Floats as Java's Double.toString prints them, those that are
   no number as "NaN" and "Infinity" with quotes; times as ISO 8601 strings; NUMBER as its text. */
void json_encode(struct value v, struct buf *out);

/* The event as Event#to_json gives it: data without metadata. */
void json_encode_event(const struct event *ev, struct buf *out);

/* Appends "text" with quotes and escapes. */
void json_encode_string(struct str s, struct buf *out);

/* Appends `f` as Java's Double.toString prints it (1.0, 1.0E7, NaN as "NaN" without quotes). */
void json_encode_float(double f, struct buf *out);

/* Appends the decimal digits of `i`. */
void json_encode_int(int64_t i, struct buf *out);

#endif
