#ifndef LSC_TEXT_ZONE_H
#define LSC_TEXT_ZONE_H

#include "base/str.h"

/*
 * Time zones by name, from tzdata ($TZDIR or /usr/share/zoneinfo), and by offset. Each file is read
 * once, when it is first asked for, and kept for the life of the process. Any thread; no locks once
 * a zone is read.
 */
struct zone_rules;

/* Copied by value. */
struct zone {
    const struct zone_rules *rules; /* NULL: the offset is always the same */
    int32_t                  offset_ms;
};

#define ZONE_UTC ((struct zone){.rules = NULL, .offset_ms = 0})

/*
 * "Europe/Berlin", "UTC", "EST5EDT", "+05:30", "-0800": the ids that Joda takes. Case counts. False
 * when there is no such zone. Names that are no zone cost a search in memory, no file access.
 */
bool zone_find(struct str id, struct zone *out);

/* The zone of this machine: TZ, else /etc/localtime, else UTC. */
struct zone zone_local(void);

/* Bytes of the longest zone name at the start of `text`; 0 when there is none. No offsets. */
size_t zone_prefix(struct str text, struct zone *out);

/* Milliseconds east of UTC at a moment (milliseconds since 1970 UTC). */
int64_t zone_offset(struct zone z, int64_t utc_ms);

/*
 * The moment of a local time (milliseconds as if it were UTC). Of two moments the earlier; false
 * when clocks that went forward skipped it. Source: Joda's DateTimeZone.getOffsetFromLocal.
 */
bool zone_from_local(struct zone z, int64_t local_ms, int64_t *utc_ms);

/* An offset as a zone id spells it: +hh, +hhmm, +hh:mm, with seconds and milliseconds. Bytes read;
   0 when it is not one. Source: Joda's DateTimeFormatterBuilder.TimeZoneOffset. */
size_t zone_offset_parse(struct str text, int32_t *ms);

/* The rules of a TZif file's content (RFC 8536), for tests; NULL when it is broken. */
const struct zone_rules *zone_rules_parse(struct str file);
void                     zone_rules_free(const struct zone_rules *r);

#endif
