#ifndef LSC_TEXT_DISSECT_H
#define LSC_TEXT_DISSECT_H

#include "event/event.h"

/*
 * Text cut at fixed delimiters into fields: "%{a} %{+b/2}, %{&c->}". Compiled once, then constant:
 * any thread. Source: logstash-filter-dissect, Dissector.java and fields/.
 */
struct dissect;

/* Compiles into `a`. NULL with `*problem` (in `a`) when the mapping is not valid. */
const struct dissect *dissect_compile(struct arena *a, struct str mapping, const char **problem);

enum dissect_result {
    DISSECT_DONE,
    DISSECT_NO_MATCH, /* a delimiter is missing: the event is as it was */
    DISSECT_CANNOT_SET,
};

/* Dissects `text`, which lives as long as the event, into fields of the event. */
enum dissect_result dissect_run(const struct dissect *d, struct str text, struct event *ev,
                                struct arena *scratch, struct buf *buf);

enum dissect_type { DISSECT_INT, DISSECT_FLOAT };

/* The number that `text` writes, as Java's BigDecimal reads it: an INT or NUMBER, or, as a float
   with a point or exponent, a FLOAT. False when it is none, or has too many digits. */
bool dissect_number(enum dissect_type type, struct str text, struct arena *a, struct buf *buf,
                    struct value *out);

#endif
