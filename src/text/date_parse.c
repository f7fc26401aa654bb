#include <math.h>

#include "event/time.h"
#include "text/date_epoch.h"
#include "text/date_program.h"

bool date_format_uses_zone(const struct date_format *f)
{
    return f->form == FORM_PATTERN || f->form == FORM_ISO8601;
}

bool date_format_guesses_year(const struct date_format *f)
{
    return !f->has_year;
}

/* A local time of which it is known that there is one, or that one will do: what clocks skipped is
   counted with the offset before. */
static int64_t from_local_leniently(struct zone z, int64_t local)
{
    int64_t ms;

    if (zone_from_local(z, local, &ms)) return ms;
    return local - zone_offset(z, local - 86400000);
}

/* Year and month of `now` on this machine; remembered, as all events of a batch have the same. */
static void this_month(struct timestamp now, int64_t *year, int *month)
{
    static _Thread_local struct {
        int64_t sec, year;
        int     month; /* 0: nothing yet */
    } last;

    if (last.month == 0 || last.sec != now.sec) {
        int64_t      offset = zone_offset(zone_local(), now.sec * 1000) / 1000;
        struct civil c = time_civil(now.sec + offset);
        last.sec = now.sec;
        last.year = c.year;
        last.month = c.month;
    }
    *year = last.year;
    *month = last.month;
}

/* The moment of a local time with the year that is nearest to now. When that time comes twice the
   offset of the year 2000 decides. Source: JodaParser.java; ZonedChronology. */
static int64_t guess_year(int64_t local, int month, struct zone zone, struct timestamp now)
{
    int64_t offset = zone_offset(zone, from_local_leniently(zone, local)), year;
    int     current;

    this_month(now, &year, &current);
    if (month == 12 && current == 1) year--;
    if (month == 1 && current == 12) year++;
    local = date_with_year(local, year);
    if (zone_offset(zone, local - offset) == offset) return local - offset;
    return from_local_leniently(zone, local);
}

static bool resolve(const struct date_format *f, const struct date_cursor *c, int64_t *local)
{
    struct date_value fields[SLOTS_MAX];

    if (f->plain) return date_resolve_plain(c->values, f->have, local);
    for (uint32_t i = 0; i < f->slots; i++)
        fields[i] = (struct date_value){f->fields[i].field, c->values[i]};
    return date_resolve(fields, f->slots, local);
}

static bool parse_pattern(const struct date_format *f, struct str text, struct zone zone,
                          struct timestamp now, int64_t *ms)
{
    struct date_cursor c;
    int64_t            local;

    c.at = text.data;
    c.end = text.data + text.len;
    c.has_offset = c.has_zone = false;
    memcpy(c.values, f->initial, (f->plain ? DATE_FIELDS : f->slots) * sizeof(c.values[0]));
    for (uint32_t i = 0; i < f->len; i++)
        if (!f->steps[i].run(&f->steps[i], &c)) return false;
    if (c.at != c.end || !resolve(f, &c, &local)) return false;

    bool        own = c.has_offset || c.has_zone;
    struct zone from = c.has_offset ? c.offset : c.has_zone ? c.zone : zone;
    if (f->has_year) return zone_from_local(from, local, ms);
    /* Whether clocks skipped it in the year that stands for no year says nothing. */
    if (own) {
        int64_t moment = from_local_leniently(from, local);
        local = moment + zone_offset(zone, moment);
    }
    *ms = guess_year(local, time_civil(local / 1000).month, zone, now);
    return true;
}

static bool parse_iso(const struct date_format *f, struct str text, struct zone zone,
                      struct timestamp now, int64_t *ms)
{
    if (date_parse_iso(text, zone, ms)) return true;
    for (size_t i = 0; i < sizeof(f->others) / sizeof(f->others[0]); i++)
        if (parse_pattern(f->others[i], text, zone, now, ms)) return true;
    return false;
}

bool date_parse(const struct date_format *f, struct str text, struct zone zone,
                struct timestamp now, int64_t *ms)
{
    switch (f->form) {
    case FORM_ISO8601:
        return parse_iso(f, text, zone, now, ms);
    case FORM_UNIX:
        return date_epoch_text(text, ms);
    case FORM_UNIX_MS:
        return date_integer(text, ms);
    case FORM_TAI64N:
        return date_tai64n(text, ms);
    default:
        return parse_pattern(f, text, zone, now, ms);
    }
}

bool date_parse_int(const struct date_format *f, int64_t number, int64_t *ms)
{
    *ms = number;
    return f->form == FORM_UNIX_MS || (f->form == FORM_UNIX && date_epoch_seconds(number, ms));
}

bool date_parse_float(const struct date_format *f, double number, int64_t *ms)
{
    if (f->form == FORM_UNIX) return date_epoch_float(number, ms);
    if (f->form != FORM_UNIX_MS || !(fabs(number) < 9.2e18)) return false;
    *ms = (int64_t)number;
    return true;
}
