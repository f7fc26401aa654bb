#ifndef LSC_EVENT_TIME_H
#define LSC_EVENT_TIME_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

/* A date in the proleptic Gregorian calendar and a time of day. */
struct civil {
    int64_t year;
    int     month, day;           /* 1..12, 1..31 */
    int     hour, minute, second; /* 0..23, 0..59, 0..59 */
    int     weekday;              /* 1 Monday .. 7 Sunday */
    int     yearday;              /* 1..366 */
};

struct civil time_civil(int64_t sec);
int64_t      time_from_civil(int64_t year, int month, int day, int hour, int minute, int second);

/* ISO 8601 in UTC: 3 digits of a second when nanoseconds are whole milliseconds, else 6 or 9, and
   Z. `out` has room for 40 bytes; returns the length. Fast: keeps the last second per thread.
   Source: Timestamp.java. */
size_t time_print(struct timestamp t, char *out);

/* Reads what Logstash takes as @timestamp: ISO 8601, time and zone optional; without a zone the
   system's zone counts. The zone is Z, UTC, GMT or an offset, not the name of a region. False when
   it is not one. Source: Timestamp.java. */
bool time_parse(struct str text, struct timestamp *out);

/* Seconds east of UTC in the system's zone (TZ) at local or UTC time `sec`. */
int64_t time_local_offset_utc(int64_t sec);
int64_t time_local_offset_local(int64_t sec);

/*
 * A date pattern, compiled. JODA: as in %{+YYYY.MM.dd}, milliseconds; JAVA: as in
 * %{{yyyy-MM-dd}}, nanoseconds. Printing is always in UTC. NULL when the pattern is not valid;
 * `*problem` says why.
 */
enum time_style { TIME_JODA, TIME_JAVA };
struct time_format;
struct arena;
const struct time_format *time_format_parse(struct arena *a, enum time_style style,
                                            struct str pattern, const char **problem);
void time_format_print(const struct time_format *f, struct timestamp t, struct buf *out);

#endif
