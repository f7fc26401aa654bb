#include "event/time.h"

#include <stdlib.h>
#include <time.h>

enum { DAY_S = 86400 };

/* Days from 1970-01-01 to 0000-03-01, and in 400 and 100 years. Years are counted from March on, so
   that the leap day is the last one of a year. */
enum { EPOCH_DAYS = 719468, ERA_DAYS = 146097, CENTURY_DAYS = 36524 };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_before_month(int64_t year, int month)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

    return before[month - 1] + (month > 2 && is_leap(year));
}

/* The date of a day since 1970, its time zero. */
static struct civil civil_day(int64_t days)
{
    int64_t shifted = days + EPOCH_DAYS;
    int64_t era = floor_div(shifted, ERA_DAYS);
    int     in_era = (int)(shifted - era * ERA_DAYS);
    int years = (in_era - in_era / 1460 + in_era / CENTURY_DAYS - in_era / (ERA_DAYS - 1)) / 365;
    int in_year = in_era - (365 * years + years / 4 - years / 100);
    int march_month = (5 * in_year + 2) / 153;
    struct civil c = {
        .year = era * 400 + years + (march_month >= 10),
        .month = march_month < 10 ? march_month + 3 : march_month - 9,
        .day = in_year - (153 * march_month + 2) / 5 + 1,
    };
    int64_t since_monday = days + 3; /* 1970-01-01 was a Thursday */

    c.weekday = (int)(since_monday - floor_div(since_monday, 7) * 7) + 1;
    c.yearday = days_before_month(c.year, c.month) + c.day;
    return c;
}

/* Remembers the last day, because logs go on with it. */
struct civil time_civil(int64_t sec)
{
    static _Thread_local struct {
        int64_t      days;
        struct civil date; /* month 0: nothing kept yet */
    } last;
    int64_t days = floor_div(sec, DAY_S);
    int     in_day = (int)(sec - days * DAY_S);

    if (last.date.month == 0 || last.days != days) {
        last.date = civil_day(days);
        last.days = days;
    }
    struct civil c = last.date;
    c.hour = in_day / 3600;
    c.minute = in_day / 60 % 60;
    c.second = in_day % 60;
    return c;
}

int64_t time_from_civil(int64_t year, int month, int day, int hour, int minute, int second)
{
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t years = y - era * 400;
    int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t in_era = years * 365 + years / 4 - years / 100 + in_year;
    int64_t days = era * ERA_DAYS + in_era - EPOCH_DAYS;

    return days * DAY_S + (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
}

static char *put_digits(char *out, uint64_t value, int width)
{
    for (int i = width; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + width;
}

/* Four digits at least; a year of more digits has a sign. Source: DateTimeFormatter.ISO_INSTANT. */
static char *put_year(char *out, int64_t year)
{
    uint64_t size = year < 0 ? -(uint64_t)year : (uint64_t)year;
    int      width = 4;

    if (year < 0)
        *out++ = '-';
    else if (year > 9999)
        *out++ = '+';
    for (uint64_t n = size / 10000; n; n /= 10)
        width++;
    return put_digits(out, size, width);
}

/* "2026-08-20T10:00:00" */
static size_t print_second(int64_t sec, char *out)
{
    struct civil c = time_civil(sec);
    char        *p = put_year(out, c.year);

    *p++ = '-';
    p = put_digits(p, (uint64_t)c.month, 2);
    *p++ = '-';
    p = put_digits(p, (uint64_t)c.day, 2);
    *p++ = 'T';
    p = put_digits(p, (uint64_t)c.hour, 2);
    *p++ = ':';
    p = put_digits(p, (uint64_t)c.minute, 2);
    *p++ = ':';
    return (size_t)(put_digits(p, (uint64_t)c.second, 2) - out);
}

size_t time_print(struct timestamp t, char *out)
{
    static _Thread_local struct {
        int64_t sec;
        size_t  len; /* 0: nothing kept yet */
        char    text[40];
    } last;
    char *p;

    if (last.len == 0 || last.sec != t.sec) {
        last.len = print_second(t.sec, last.text);
        last.sec = t.sec;
    }
    memcpy(out, last.text, sizeof(last.text));
    p = out + last.len;
    *p++ = '.';
    if (t.nsec % 1000000 == 0)
        p = put_digits(p, t.nsec / 1000000, 3);
    else if (t.nsec % 1000 == 0)
        p = put_digits(p, t.nsec / 1000, 6);
    else
        p = put_digits(p, t.nsec, 9);
    *p++ = 'Z';
    return (size_t)(p - out);
}

int64_t time_local_offset_utc(int64_t sec)
{
    time_t    t = (time_t)sec;
    struct tm local;

    return localtime_r(&t, &local) ? local.tm_gmtoff : 0;
}

/*
 * Around a change of the clocks a local time can mean two moments or none. As java.time does: of
 * two moments the earlier, and a time that was skipped counts with the offset before the change.
 */
int64_t time_local_offset_local(int64_t sec)
{
    int64_t before = time_local_offset_utc(sec - DAY_S);
    int64_t after = time_local_offset_utc(sec + DAY_S);

    if (before == after || time_local_offset_utc(sec - before) == before) return before;
    return time_local_offset_utc(sec - after) == after ? after : before;
}

/*
 * Reading. Source: Timestamp.java's formatter: java.time's ISO_LOCAL_DATE, ISO_LOCAL_TIME and zone
 * forms, ignoring case, resolved in the "smart" way: 24:00 is the next day's start, and the 31st of
 * a short month is its last day. Names of regions are not taken.
 */
struct reader {
    const char *at, *end;
};

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool take(struct reader *r, char c)
{
    if (r->at == r->end || lower(*r->at) != lower(c)) return false;
    r->at++;
    return true;
}

static bool digit_next(const struct reader *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

/* Reads `min` to `max` digits; returns how many, 0 when they are fewer. */
static int take_digits(struct reader *r, int min, int max, int64_t *value)
{
    int n = 0;

    for (*value = 0; n < max && digit_next(r); n++)
        *value = *value * 10 + (*r->at++ - '0');
    return n >= min ? n : 0;
}

/* Two digits, up to `max`. */
static bool take_two(struct reader *r, int max, int *value)
{
    int64_t v;

    if (!take_digits(r, 2, 2, &v) || v > max) return false;
    *value = (int)v;
    return true;
}

/* Four digits; with a sign up to nine, and with a plus more than four. */
static bool take_year(struct reader *r, int64_t *year)
{
    bool minus = r->at < r->end && *r->at == '-', plus = r->at < r->end && *r->at == '+';

    r->at += minus || plus;
    int n = take_digits(r, 4, minus || plus ? 9 : 4, year);
    if (n == 0 || digit_next(r) || (plus && n == 4) || (minus && *year == 0)) return false;
    if (minus) *year = -*year;
    return true;
}

static bool take_date(struct reader *r, struct civil *c)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (!take_year(r, &c->year) || !take(r, '-') || !take_two(r, 12, &c->month) || c->month < 1 ||
        !take(r, '-') || !take_two(r, 31, &c->day) || c->day < 1)
        return false;
    int last = days[c->month - 1] + (c->month == 2 && is_leap(c->year));
    if (c->day > last) c->day = last;
    return true;
}

/* Up to nine digits behind the point; none is no fraction. */
static void take_fraction(struct reader *r, uint32_t *nsec)
{
    int64_t value;
    int     n = take_digits(r, 0, 9, &value);

    for (; n < 9; n++)
        value *= 10;
    *nsec = (uint32_t)value;
}

/* hh:mm, hh:mm:ss, hh:mm:ss.fraction */
static bool take_time(struct reader *r, struct civil *c, uint32_t *nsec)
{
    if (!take_two(r, 24, &c->hour) || !take(r, ':') || !take_two(r, 59, &c->minute)) return false;
    if (take(r, ':')) {
        if (!take_two(r, 59, &c->second)) return false;
        if (take(r, '.')) take_fraction(r, nsec);
    }
    return c->hour < 24 || (c->minute == 0 && c->second == 0 && *nsec == 0);
}

/* +hh, +hhmm, +hhmmss, +hh:mm, +hh:mm:ss; up to 18 hours. */
static bool take_offset(struct reader *r, int64_t *offset)
{
    enum { OFFSET_MAX = 18 * 3600 };
    int  hour, minute = 0, second = 0;
    bool west = r->at < r->end && *r->at == '-';

    if (!west && (r->at == r->end || *r->at != '+')) return false;
    r->at++;
    if (!take_two(r, 18, &hour)) return false;
    bool colons = take(r, ':');
    if ((colons || digit_next(r)) && !take_two(r, 59, &minute)) return false;
    if ((colons ? take(r, ':') : digit_next(r)) && !take_two(r, 59, &second)) return false;
    *offset = hour * 3600 + minute * 60 + second;
    if (*offset > OFFSET_MAX) return false;
    if (west) *offset = -*offset;
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    struct reader start = *r;

    while (*word && take(r, *word))
        word++;
    if (*word) *r = start;
    return *word == '\0';
}

/* Z, UTC, GMT, UT, an offset, both; nothing: the system's zone. */
static bool take_zone(struct reader *r, int64_t local, int64_t *offset)
{
    *offset = 0;
    if (r->at == r->end) {
        *offset = time_local_offset_local(local);
        return true;
    }
    if (take(r, 'Z')) return true;
    if (take_word(r, "UTC") || take_word(r, "GMT") || take_word(r, "UT"))
        return r->at == r->end || take_offset(r, offset);
    return take_offset(r, offset);
}

bool time_parse(struct str text, struct timestamp *out)
{
    struct reader r = {text.data, text.data + text.len};
    struct civil  c = {0};
    uint32_t      nsec = 0;
    int64_t       local, offset;

    if (!take_date(&r, &c)) return false;
    if (take(&r, 'T') && !take_time(&r, &c, &nsec)) return false;
    local = time_from_civil(c.year, c.month, c.day, c.hour, c.minute, c.second);
    if (!take_zone(&r, local, &offset) || r.at != r.end) return false;
    *out = (struct timestamp){local - offset, nsec};
    return true;
}
