#include "event/time.h"
#include "text/zone_rules.h"

/* TZ strings. Source: POSIX, Base Definitions 8.3; RFC 8536, 3.3.1. */

enum { DAY_S = 86400, HOUR_S = 3600 };

struct reader {
    const char *at, *end;
};

static bool take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool is_digit(const struct reader *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

static bool take_int(struct reader *r, int min, int max, int *value)
{
    if (!is_digit(r)) return false;
    for (*value = 0; is_digit(r); r->at++)
        if ((*value = *value * 10 + (*r->at - '0')) > max) return false;
    return *value >= min;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* CET, or <+03> */
static bool skip_name(struct reader *r)
{
    const char *start = r->at;

    if (take(r, '<')) {
        while (r->at < r->end && *r->at != '>')
            r->at++;
        return take(r, '>');
    }
    while (r->at < r->end && is_letter(*r->at))
        r->at++;
    return r->at - start >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_time(struct reader *r, int64_t *seconds)
{
    bool minus = take(r, '-');
    int  hour, minute = 0, second = 0;

    if (!minus) take(r, '+');
    if (!take_int(r, 0, 167, &hour)) return false;
    if (take(r, ':') && !take_int(r, 0, 59, &minute)) return false;
    if (take(r, ':') && !take_int(r, 0, 59, &second)) return false;
    *seconds = hour * HOUR_S + minute * 60 + second;
    if (minus) *seconds = -*seconds;
    return true;
}

/* ,M3.5.0/2 */
static bool take_change(struct reader *r, struct zone_change *c)
{
    bool good;

    if (!take(r, ',')) return false;
    c->second = 2 * (int64_t)HOUR_S;
    if (take(r, 'M')) {
        c->form = ZONE_MONTH;
        good = take_int(r, 1, 12, &c->month) && take(r, '.') && take_int(r, 1, 5, &c->week) &&
               take(r, '.') && take_int(r, 0, 6, &c->weekday);
    } else if (take(r, 'J')) {
        c->form = ZONE_JULIAN;
        good = take_int(r, 1, 365, &c->day);
    } else {
        c->form = ZONE_DAY;
        good = take_int(r, 0, 365, &c->day);
    }
    return good && (!take(r, '/') || take_time(r, &c->second));
}

bool zone_footer_parse(struct str text, struct zone_footer *out)
{
    struct reader r = {text.data, text.data + text.len};
    int64_t       west, summer_west;

    *out = (struct zone_footer){.given = true};
    if (!skip_name(&r) || !take_time(&r, &west)) return false;
    out->standard = (int32_t)-west;
    if (r.at == r.end) return true;
    out->has_summer = true;
    if (!skip_name(&r)) return false;
    summer_west = west - HOUR_S;
    if (r.at < r.end && *r.at != ',' && !take_time(&r, &summer_west)) return false;
    out->summer = (int32_t)-summer_west;
    return take_change(&r, &out->start) && take_change(&r, &out->end) && r.at == r.end;
}

/* Local seconds, as if they were UTC, at which the clocks change in `year`. */
static int64_t change_of(const struct zone_change *c, int64_t year)
{
    int64_t start = time_from_civil(year, 1, 1, 0, 0, 0);

    if (c->form == ZONE_DAY) return start + (int64_t)c->day * DAY_S + c->second;
    if (c->form == ZONE_JULIAN) {
        bool leap = time_from_civil(year, 3, 1, 0, 0, 0) - start == 60 * (int64_t)DAY_S;
        return start + (int64_t)(c->day - 1 + (leap && c->day >= 60)) * DAY_S + c->second;
    }
    int64_t first = time_from_civil(year, c->month, 1, 0, 0, 0);
    int64_t next =
        time_from_civil(year + (c->month == 12), c->month == 12 ? 1 : c->month + 1, 1, 0, 0, 0);
    int     weekday = time_civil(first).weekday % 7; /* of the 1st; 0 Sunday */
    int64_t day = first + (int64_t)((c->weekday - weekday + 7) % 7 + (c->week - 1) * 7) * DAY_S;
    while (day >= next) /* week 5 is the last one */
        day -= 7 * (int64_t)DAY_S;
    return day + c->second;
}

struct zone_span zone_footer_span(const struct zone_footer *f, int64_t utc)
{
    if (!f->has_summer) return (struct zone_span){INT64_MIN, INT64_MAX, f->standard};
    int64_t year = time_civil(utc + f->standard).year;
    int64_t start = change_of(&f->start, year) - f->standard;
    int64_t end = change_of(&f->end, year) - f->summer;
    bool    north = start < end; /* summer in the middle of the year */
    int64_t first = north ? start : end, second = north ? end : start;
    int32_t middle = north ? f->summer : f->standard, outside = north ? f->standard : f->summer;

    if (utc >= first && utc < second) return (struct zone_span){first, second, middle};
    if (utc < first)
        return (struct zone_span){time_from_civil(year, 1, 1, 0, 0, 0) - f->standard, first,
                                  outside};
    return (struct zone_span){second, time_from_civil(year + 1, 1, 1, 0, 0, 0) - f->standard,
                              outside};
}
