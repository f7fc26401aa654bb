#ifndef LSC_TEXT_DATE_PARSE_H
#define LSC_TEXT_DATE_PARSE_H

#include "base/arena.h"
#include "base/clock.h"
#include "text/zone.h"

/*
 * Reading dates: Joda's patterns and the four names that Logstash adds, ISO8601, UNIX, UNIX_MS and
 * TAI64N. A format is compiled once into a flat program and then constant: any thread, no malloc.
 * Source: Joda's DateTimeFormat and DateTimeFormatterBuilder; logstash-filter-date, parser/.
 */
struct date_format;

/* Whether the names of a language are known: "de", "de-AT", "de_DE.UTF-8". */
bool       date_locale_known(struct str tag);
struct str date_locale_list(struct arena *a); /* the languages, for messages */

/*
 * Compiles into `a`. `locale` (a known tag such as "de-AT") gives the words; `now` the century of
 * years of two digits. NULL when the pattern is not valid; `*problem` says why (lives in `a`).
 */
const struct date_format *date_format_compile(struct arena *a, struct str pattern,
                                              struct str locale, struct timestamp now,
                                              const char **problem);

/* False: what it takes has no zone of its own and needs none (UNIX, UNIX_MS, TAI64N). */
bool date_format_uses_zone(const struct date_format *f);
/* True when the pattern has no year, so that `now` decides. */
bool date_format_guesses_year(const struct date_format *f);

/*
 * The moment in milliseconds since 1970 UTC. Texts without a zone of their own are in `zone`; a
 * year that the pattern does not have is that of `now` in this machine's zone, or the one before or
 * behind around New Year. False when the text does not fit, or the time was skipped by clocks that
 * went forward.
 */
bool date_parse(const struct date_format *f, struct str text, struct zone zone,
                struct timestamp now, int64_t *ms);

/* The same for numbers: UNIX and UNIX_MS take them, the others give false. */
bool date_parse_int(const struct date_format *f, int64_t number, int64_t *ms);
bool date_parse_float(const struct date_format *f, double number, int64_t *ms);

/* ISO8601, without a zone in `zone`; part of date_parse(). */
bool date_parse_iso(struct str text, struct zone zone, int64_t *ms);
/* Digits of a fraction at the start of `text` (at most `max`), as milliseconds of a unit that has
   `unit_ms`; bytes read. */
size_t date_fraction(struct str text, size_t max, int64_t unit_ms, int32_t *value);

#endif
