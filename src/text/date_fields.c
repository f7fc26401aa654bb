#include "text/date_fields.h"

#include "event/time.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000 };
#define WEEK_MS (7 * (int64_t)DAY_MS)

static int64_t floor_to(int64_t ms, int64_t unit)
{
    int64_t rest = ms % unit;

    return ms - rest - (rest < 0 ? unit : 0);
}

static struct civil civil_of(int64_t ms)
{
    return time_civil(floor_to(ms, SECOND_MS) / SECOND_MS);
}

static int64_t day_start(int64_t year, int month, int day)
{
    return time_from_civil(year, month, day, 0, 0, 0) * SECOND_MS;
}

/* The same; remembers the last day, because logs go on with it. */
static int64_t day_start_cached(int32_t year, int month, int day)
{
    static _Thread_local struct {
        int32_t year;
        int     month, day; /* month 0: nothing yet */
        int64_t start;
    } last;

    if (last.day != day || last.month != month || last.year != year) {
        last.start = day_start(year, month, day);
        last.year = year;
        last.month = month;
        last.day = day;
    }
    return last.start;
}

static int64_t time_of_day(int64_t ms)
{
    return ms - floor_to(ms, DAY_MS);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int date_days_of_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

int64_t date_with_year(int64_t local_ms, int64_t year)
{
    struct civil c = civil_of(local_ms);
    int          last = date_days_of_month(year, c.month);

    return day_start(year, c.month, c.day > last ? last : c.day) + time_of_day(local_ms);
}

/* ---- weeks: from Monday on; the first has four days of the year ---- */

static int64_t week_start(int64_t ms)
{
    return floor_to(ms + 3 * (int64_t)DAY_MS, WEEK_MS) - 3 * (int64_t)DAY_MS;
}

static int64_t first_week(int64_t weekyear)
{
    return week_start(day_start(weekyear, 1, 4));
}

static int64_t weekyear_of(int64_t ms)
{
    int64_t thursday = week_start(ms) + 3 * (int64_t)DAY_MS;

    return civil_of(thursday).year;
}

static int week_of(int64_t ms)
{
    return (int)((week_start(ms) - first_week(weekyear_of(ms))) / WEEK_MS) + 1;
}

static int weeks_in(int64_t weekyear)
{
    return (int)((first_week(weekyear + 1) - first_week(weekyear)) / WEEK_MS);
}

static int64_t with_weekyear(int64_t ms, int64_t weekyear)
{
    int week = week_of(ms), last = weeks_in(weekyear);

    return first_week(weekyear) + ((week > last ? last : week) - 1) * WEEK_MS +
           (ms - week_start(ms));
}

/* ---- setting one field ---- */

static bool set_era(int64_t *ms, int32_t value)
{
    int64_t year = civil_of(*ms).year;

    if ((year > 0) != (value != 0)) *ms = date_with_year(*ms, -year);
    return true;
}

/* BC stays BC: the year 0 is 1 BC. */
static bool set_year_of_era(int64_t *ms, int32_t value)
{
    if (value < 1 || value > DATE_YEAR_MAX) return false;
    *ms = date_with_year(*ms, civil_of(*ms).year <= 0 ? 1 - value : value);
    return true;
}

/* Centuries count the year 0 as 0. */
static bool set_century(int64_t *ms, int32_t value)
{
    int64_t year = civil_of(*ms).year;

    if (value < 0 || value > DATE_YEAR_MAX / 100) return false;
    int64_t of_era = (int64_t)value * 100 + (year < 0 ? -year : year) % 100;
    *ms = date_with_year(*ms, year < 0 ? -of_era : of_era);
    return true;
}

static bool set_month(int64_t *ms, int32_t value)
{
    struct civil c = civil_of(*ms);

    if (value < 1 || value > 12) return false;
    int last = date_days_of_month(c.year, value);
    *ms = day_start(c.year, value, c.day > last ? last : c.day) + time_of_day(*ms);
    return true;
}

/* Fields that count units from `now` at the moment on. */
static bool shift(int64_t *ms, int64_t unit, int64_t now, int32_t value, int min, int max)
{
    if (value < min || value > max) return false;
    *ms += (value - now) * unit;
    return true;
}

/* The same for units of a fixed range, counted from 0. */
static bool set_unit(int64_t *ms, int64_t unit, int range, int32_t value)
{
    int64_t now = (*ms - floor_to(*ms, unit * range)) / unit;

    return shift(ms, unit, now, value, 0, range - 1);
}

static bool set_date_field(int64_t *ms, enum date_field field, int32_t value)
{
    struct civil c = civil_of(*ms);

    switch (field) {
    case DATE_ERA:
        return set_era(ms, value);
    case DATE_CENTURY:
        return set_century(ms, value);
    case DATE_YEAR_OF_ERA:
        return set_year_of_era(ms, value);
    case DATE_YEAR:
    case DATE_WEEKYEAR:
        if (value < DATE_YEAR_MIN || value > DATE_YEAR_MAX) return false;
        *ms = field == DATE_YEAR ? date_with_year(*ms, value) : with_weekyear(*ms, value);
        return true;
    case DATE_MONTH:
        return set_month(ms, value);
    case DATE_WEEK:
        return shift(ms, WEEK_MS, week_of(*ms), value, 1, weeks_in(weekyear_of(*ms)));
    case DATE_DAY_OF_YEAR:
        return shift(ms, DAY_MS, c.yearday, value, 1, 365 + is_leap(c.year));
    case DATE_DAY:
        return shift(ms, DAY_MS, c.day, value, 1, date_days_of_month(c.year, c.month));
    default: /* DATE_WEEKDAY */
        return shift(ms, DAY_MS, c.weekday, value, 1, 7);
    }
}

static bool set_field(int64_t *ms, enum date_field field, int32_t value)
{
    switch (field) {
    case DATE_HALFDAY:
        return set_unit(ms, 12 * (int64_t)HOUR_MS, 2, value);
    case DATE_HOUR:
        return set_unit(ms, HOUR_MS, 24, value);
    case DATE_HOUR_1_24:
        return value != 0 && set_unit(ms, HOUR_MS, 24, value == 24 ? 0 : value);
    case DATE_HOUR_0_11:
        return set_unit(ms, HOUR_MS, 12, value);
    case DATE_HOUR_1_12:
        return value != 0 && set_unit(ms, HOUR_MS, 12, value == 12 ? 0 : value);
    case DATE_MINUTE:
        return set_unit(ms, MINUTE_MS, 60, value);
    case DATE_SECOND:
        return set_unit(ms, SECOND_MS, 60, value);
    case DATE_MILLI:
        return set_unit(ms, 1, 1000, value);
    default:
        return set_date_field(ms, field, value);
    }
}

/* To the start of the field's unit. */
static int64_t round_down(int64_t ms, enum date_field field)
{
    struct civil c = civil_of(ms);

    switch (field) {
    case DATE_ERA:
        return day_start(c.year > 0 ? 1 : DATE_YEAR_MIN, 1, 1);
    case DATE_CENTURY:
        return day_start(c.year - c.year % 100, 1, 1);
    case DATE_YEAR_OF_ERA:
    case DATE_YEAR:
        return day_start(c.year, 1, 1);
    case DATE_WEEKYEAR:
        return first_week(weekyear_of(ms));
    case DATE_MONTH:
        return day_start(c.year, c.month, 1);
    case DATE_WEEK:
        return week_start(ms);
    case DATE_DAY_OF_YEAR:
    case DATE_DAY:
    case DATE_WEEKDAY:
        return floor_to(ms, DAY_MS);
    case DATE_HALFDAY:
        return floor_to(ms, 12 * (int64_t)HOUR_MS);
    case DATE_MINUTE:
        return floor_to(ms, MINUTE_MS);
    case DATE_SECOND:
        return floor_to(ms, SECOND_MS);
    case DATE_MILLI:
        return ms;
    default: /* hours */
        return floor_to(ms, HOUR_MS);
    }
}

int date_field_rank(enum date_field field)
{
    static const uint8_t ranks[DATE_FIELDS] = {
        [DATE_ERA] = 0,       [DATE_CENTURY] = 1,    [DATE_YEAR_OF_ERA] = 2, [DATE_YEAR] = 2,
        [DATE_WEEKYEAR] = 2,  [DATE_MONTH] = 3,      [DATE_WEEK] = 4,        [DATE_DAY_OF_YEAR] = 5,
        [DATE_DAY] = 6,       [DATE_WEEKDAY] = 7,    [DATE_HALFDAY] = 8,     [DATE_HOUR] = 9,
        [DATE_HOUR_1_24] = 9, [DATE_HOUR_0_11] = 10, [DATE_HOUR_1_12] = 10,  [DATE_MINUTE] = 11,
        [DATE_SECOND] = 12,   [DATE_MILLI] = 13,
    };

    return ranks[field];
}

bool date_field_needs_year(enum date_field field)
{
    return field >= DATE_MONTH && field <= DATE_WEEKDAY;
}

const int32_t date_plain_values[DATE_FIELDS] = {
    [DATE_YEAR] = 1970, [DATE_MONTH] = 1, [DATE_DAY] = 1, [DATE_HOUR_1_12] = 12};

/* A weekday needs a whole date. */
bool date_is_plain(const struct date_value *fields, uint32_t len, unsigned *have)
{
    enum {
        DATE = 1 << DATE_MONTH | 1 << DATE_DAY,
        HALF = 1 << DATE_HALFDAY | 1 << DATE_HOUR_1_12,
        YEARS = 1 << DATE_YEAR | 1 << DATE_YEAR_OF_ERA,
        PLAIN = DATE | YEARS | 1 << DATE_WEEKDAY | HALF | 1 << DATE_HOUR | 1 << DATE_MINUTE |
                1 << DATE_SECOND | 1 << DATE_MILLI
    };
    unsigned left = PLAIN;

    for (uint32_t i = 0; i < len; i++) {
        if (!(left >> fields[i].field & 1)) return false;
        left &= ~(1u << fields[i].field);
    }
    *have = PLAIN & ~left;
    if ((*have & YEARS) == YEARS) return false;
    if (*have >> DATE_WEEKDAY & 1 && ((*have & DATE) != DATE || !(*have & YEARS))) return false;
    return !(*have >> DATE_HOUR_1_12 & *have >> DATE_HOUR & 1);
}

static bool in(int32_t value, int32_t min, int32_t max)
{
    return value >= min && value <= max;
}

bool date_resolve_plain(const int32_t *v, unsigned have, int64_t *ms)
{
    bool    of_era = have >> DATE_YEAR_OF_ERA & 1;
    int32_t hour = v[DATE_HOUR], year = of_era ? v[DATE_YEAR_OF_ERA] : v[DATE_YEAR];

    if (!in(year, of_era ? 1 : DATE_YEAR_MIN, DATE_YEAR_MAX) || !in(v[DATE_MONTH], 1, 12) ||
        !in(v[DATE_DAY], 1, 31) || !in(hour, 0, 23) || !in(v[DATE_HOUR_1_12], 1, 12) ||
        !in(v[DATE_MINUTE], 0, 59) || !in(v[DATE_SECOND], 0, 59))
        return false;
    if (v[DATE_DAY] > 28 && v[DATE_DAY] > date_days_of_month(year, v[DATE_MONTH])) return false;
    if (!(have >> DATE_HOUR & 1)) hour = v[DATE_HALFDAY] * 12 + v[DATE_HOUR_1_12] % 12;
    *ms = day_start_cached(year, v[DATE_MONTH], v[DATE_DAY]) + hour * (int64_t)HOUR_MS +
          v[DATE_MINUTE] * MINUTE_MS + v[DATE_SECOND] * SECOND_MS + v[DATE_MILLI];
    if (have >> DATE_WEEKDAY & 1) {
        if (!in(v[DATE_WEEKDAY], 1, 7)) return false;
        *ms = week_start(*ms) + (v[DATE_WEEKDAY] - 1) * (int64_t)DAY_MS + time_of_day(*ms);
    }
    return true;
}

bool date_resolve(const struct date_value *fields, uint32_t len, int64_t *local_ms)
{
    unsigned have;
    int64_t  ms = 0;

    if (date_is_plain(fields, len, &have)) {
        int32_t values[DATE_FIELDS];
        memcpy(values, date_plain_values, sizeof(values));
        for (uint32_t i = 0; i < len; i++)
            values[fields[i].field] = fields[i].value;
        return date_resolve_plain(values, have, local_ms);
    }
    for (uint32_t i = 0; i < len; i++) {
        if (!set_field(&ms, fields[i].field, fields[i].value)) return false;
        ms = round_down(ms, fields[i].field);
    }
    /* Once more: setting one may have moved another. */
    for (uint32_t i = 0; i < len; i++)
        if (!set_field(&ms, fields[i].field, fields[i].value)) return false;
    *local_ms = len ? round_down(ms, fields[len - 1].field) : ms;
    return true;
}
