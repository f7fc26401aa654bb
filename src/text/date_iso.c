#include "text/date_fields.h"
#include "text/date_parse.h"

/*
 * ISO 8601 as Joda's ISODateTimeFormat.dateTimeParser() takes it:
 *
 *     (date [T [time] [offset]]) | (T time [offset])
 *     date   year[-month[-day]] | weekyear-Wweek[-weekday] | year-dayofyear; the longest counts
 *     time   hour[:minute[:second[fraction]]], a fraction may stand behind any of them
 */
struct reader {
    struct str        text;
    size_t            at;
    struct date_value fields[8];
    uint32_t          len;
};

static bool take(struct reader *r, char c)
{
    if (r->at >= r->text.len) return false;
    char next = r->text.data[r->at];
    if (next != c && !(next == (c | 0x20) && c >= 'A' && c <= 'Z')) return false;
    r->at++;
    return true;
}

/* Up to `max` digits behind `c` (0: nothing), as a field. Nothing is read when they are not there.
 */
static bool take_field(struct reader *r, char c, enum date_field field, size_t max)
{
    struct reader start = *r;
    int64_t       value = 0;
    size_t        n = 0;

    if (c && !take(r, c)) return false;
    for (; n < max && r->at < r->text.len; n++, r->at++) {
        unsigned digit = (unsigned char)r->text.data[r->at] - '0';
        if (digit > 9) break;
        value = value * 10 + digit;
    }
    if (n == 0) {
        *r = start;
        return false;
    }
    r->fields[r->len++] = (struct date_value){(uint8_t)field, (int32_t)value};
    return true;
}

/* A year may have a sign, and nine digits. */
static bool take_year(struct reader *r, enum date_field field)
{
    bool minus = r->at < r->text.len && r->text.data[r->at] == '-';
    bool plus = r->at < r->text.len && r->text.data[r->at] == '+';

    if (!take_field(r, minus ? '-' : plus ? '+' : '\0', field, 9)) return false;
    if (minus) r->fields[r->len - 1].value *= -1;
    return true;
}

static bool take_calendar(struct reader *r)
{
    if (!take_year(r, DATE_YEAR)) return false;
    if (take_field(r, '-', DATE_MONTH, 2)) take_field(r, '-', DATE_DAY, 2);
    return true;
}

static bool take_week(struct reader *r)
{
    if (!take_year(r, DATE_WEEKYEAR) || !take(r, '-') || !take_field(r, 'W', DATE_WEEK, 2))
        return false;
    take_field(r, '-', DATE_WEEKDAY, 1);
    return true;
}

static bool take_ordinal(struct reader *r)
{
    return take_year(r, DATE_YEAR) && take_field(r, '-', DATE_DAY_OF_YEAR, 3);
}

/* The form that reads most; of equals the first. */
static bool take_date(struct reader *r)
{
    static bool (*const forms[])(struct reader *) = {take_calendar, take_week, take_ordinal};
    struct reader best = *r;
    bool          found = false;

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct reader one = *r;
        if (!forms[i](&one) || (found && one.at <= best.at)) continue;
        best = one;
        found = true;
        if (one.at == r->text.len || r->text.data[one.at] == 'T') break; /* none reads more */
    }
    if (found) *r = best;
    return found;
}

/* A fraction of what was read last. */
static void take_fraction(struct reader *r, int64_t unit_ms, int32_t *extra)
{
    if (r->at >= r->text.len || (r->text.data[r->at] != '.' && r->text.data[r->at] != ',')) return;
    size_t n = date_fraction(str_from(r->text, r->at + 1), 9, unit_ms, extra);
    if (n) r->at += n + 1;
}

static bool take_time(struct reader *r, int32_t *extra)
{
    int64_t unit = 3600000;

    if (!take_field(r, '\0', DATE_HOUR, 2)) return false;
    if (take_field(r, ':', DATE_MINUTE, 2))
        unit = take_field(r, ':', DATE_SECOND, 2) ? 1000 : 60000;
    take_fraction(r, unit, extra);
    return true;
}

/* False: none. */
static bool take_offset(struct reader *r, int32_t *offset_ms)
{
    if (take(r, 'Z')) {
        *offset_ms = 0;
        return true;
    }
    size_t n = zone_offset_parse(str_from(r->text, r->at), offset_ms);
    r->at += n;
    return n > 0;
}

bool date_parse_iso(struct str text, struct zone zone, int64_t *ms)
{
    struct reader r = {.text = text};
    int32_t       extra = 0;
    struct zone   given = ZONE_UTC;
    bool          time_only = !take_date(&r), has_offset = false;
    int64_t       local;

    if (take(&r, 'T')) {
        if (!take_time(&r, &extra) && time_only) return false;
        has_offset = take_offset(&r, &given.offset_ms);
    } else if (time_only) {
        return false;
    }
    if (r.at != text.len || !date_resolve(r.fields, r.len, &local)) return false;
    return zone_from_local(has_offset ? given : zone, local + extra, ms);
}
