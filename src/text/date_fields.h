#ifndef LSC_TEXT_DATE_FIELDS_H
#define LSC_TEXT_DATE_FIELDS_H

#include "base/str.h"

/* The parts of a date and how they make a moment, as in Joda. Shared by the date files only. */
enum date_field {
    DATE_ERA, /* 0 BC, 1 AD */
    DATE_CENTURY,
    DATE_YEAR_OF_ERA,
    DATE_YEAR,
    DATE_WEEKYEAR,
    DATE_MONTH,
    DATE_WEEK,
    DATE_DAY_OF_YEAR,
    DATE_DAY,
    DATE_WEEKDAY, /* 1 Monday .. 7 */
    DATE_HALFDAY, /* 0, 1 */
    DATE_HOUR,
    DATE_HOUR_1_24,
    DATE_HOUR_0_11,
    DATE_HOUR_1_12,
    DATE_MINUTE,
    DATE_SECOND,
    DATE_MILLI,
    DATE_FIELDS
};

struct date_value {
    uint8_t field; /* enum date_field */
    int32_t value;
};

/* Where a field stands in the order of setting: longer ranges first. Fields of one rank keep the
   order in which they were read. */
int date_field_rank(enum date_field field);

/* True for months, weeks and days: when one of them comes first in that order, the year is 2000
   unless given, else it is 1970. */
bool date_field_needs_year(enum date_field field);

/*
 * The local time in milliseconds that fields, sorted by rank, make. Each is set in turn, and what
 * is shorter goes to its start; so nothing says that a weekday must fit its date: it moves it
 * inside its week. False when a value is out of its range. Source: Joda's
 * DateTimeParserBucket.computeMillis and the fields of its ISOChronology.
 */
bool date_resolve(const struct date_value *fields, uint32_t len, int64_t *local_ms);

/*
 * The usual case, without setting fields one by one: a date, a time of day, each part at most once.
 * Whether `fields` are such; `*have` gets a bit for each.
 */
bool date_is_plain(const struct date_value *fields, uint32_t len, unsigned *have);
/* date_resolve() for them: `values` by field, those that are not there as date_plain_values. */
bool                 date_resolve_plain(const int32_t *values, unsigned have, int64_t *local_ms);
extern const int32_t date_plain_values[DATE_FIELDS];

/* The same date and time of day in another year; 29 February becomes the 28th where there is none.
   Source: Joda's BasicChronology.setYear. */
int64_t date_with_year(int64_t local_ms, int64_t year);

int date_days_of_month(int64_t year, int month);

enum { DATE_YEAR_MIN = -292275054, DATE_YEAR_MAX = 292278993 };

#endif
