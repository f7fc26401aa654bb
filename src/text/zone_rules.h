#ifndef LSC_TEXT_ZONE_RULES_H
#define LSC_TEXT_ZONE_RULES_H

#include "text/zone.h"

/* What a TZif file holds. Shared by the zone files only. */

/* When a rule of a TZ string changes the clocks. */
struct zone_change {
    enum { ZONE_MONTH, ZONE_JULIAN, ZONE_DAY } form; /* Mm.w.d, Jn, n */
    int     month, week, weekday;                    /* 1..12, 1..5, 0 Sunday .. 6 */
    int     day;                                     /* 1..365 without leap days, or 0..365 */
    int64_t second;                                  /* local time of day */
};

/* The last line of a TZif file: what counts behind its last transition. */
struct zone_footer {
    bool               given, has_summer;
    int32_t            standard, summer; /* seconds east */
    struct zone_change start, end;       /* of summer time */
};

struct zone_rules {
    uint32_t           len;
    const int64_t     *at;     /* transitions, ascending */
    const int32_t     *offset; /* in force from at[i] on */
    int32_t            first;  /* before at[0] */
    struct zone_footer footer;
};

/* A TZ string such as "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX, with RFC 8536's hours up to 167). */
bool zone_footer_parse(struct str text, struct zone_footer *out);
/* An offset (seconds east), and from when until when it is certainly in force. */
struct zone_span {
    int64_t from, until;
    int32_t offset;
};

/* What is in force at `utc`. */
struct zone_span zone_footer_span(const struct zone_footer *f, int64_t utc);

#endif
