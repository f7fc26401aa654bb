/*
 * The moments of CEF messages.
 *
 * Source: logstash-codec-cef, lib/logstash/codecs/cef/timestamp_normalizer.rb.
 */
#include <stdlib.h>

#include "codecs/cef.h"
#include "event/time.h"
#include "text/date_parse.h"

/* Short names of zones that tzdata does not have, where Java knows them. */
static const struct {
    const char *name, *id;
} short_zones[] = {
    {"AEDT", "Australia/Sydney"},   {"AEST", "Australia/Sydney"}, {"BST", "Europe/London"},
    {"CDT", "America/Chicago"},     {"CEST", "Europe/Paris"},     {"CST", "America/Chicago"},
    {"EDT", "America/New_York"},    {"EEST", "Europe/Bucharest"}, {"HKT", "Asia/Hong_Kong"},
    {"IST", "Asia/Kolkata"},        {"JST", "Asia/Tokyo"},        {"KST", "Asia/Seoul"},
    {"MDT", "America/Denver"},      {"MSK", "Europe/Moscow"},     {"PDT", "America/Los_Angeles"},
    {"PST", "America/Los_Angeles"}, {"SGT", "Asia/Singapore"},    {"WEST", "Europe/Lisbon"},
};

enum { DAY_MS = 24 * 3600 * 1000, NANOSECONDS = 9 };

/* "PST", "Europe/Berlin", "+02:00", "GMT+2", "UTC". */
static bool find_zone(struct str name, struct zone *out)
{
    for (size_t i = 0; i < sizeof(short_zones) / sizeof(short_zones[0]); i++)
        if (str_is(name, short_zones[i].name)) return zone_find(str_of(short_zones[i].id), out);
    if (zone_find(name, out)) return true;
    if (str_is(name, "Z")) return zone_find(STR("UTC"), out);
    if (name.len > 3 && (str_starts(name, STR("GMT")) || str_starts(name, STR("UTC"))))
        return zone_find(str_from(name, 3), out);
    return false;
}

/* The system's language, where its names of months are known; else English. */
static struct str system_locale(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_TIME", "LANG"};

    for (int i = 0; i < 3; i++) {
        const char *value = getenv(variables[i]);
        if (value && *value) return date_locale_known(str_of(value)) ? str_of(value) : STR("en");
    }
    return STR("en");
}

bool cef_times_open(struct cef *c, struct plugin_open *cx)
{
    struct str  locale = c->locale.data ? c->locale : system_locale();
    const char *problem;

    if (!date_locale_known(locale))
        return plugin_error(cx, "locale", "no names are known for \"%.*s\"; there are %.*s",
                            STR_ARG(locale), STR_ARG(date_locale_list(cx->arena)));
    c->times.format =
        date_format_compile(cx->arena, STR("MMM dd yyyy HH:mm:ss"), locale, clock_now(), &problem);
    if (!c->times.format) return plugin_error(cx, "locale", "%s", problem);
    if (!c->default_timezone.data)
        c->times.zone = zone_local();
    else if (!find_zone(c->default_timezone, &c->times.zone))
        return plugin_error(cx, "default_timezone", "\"%.*s\" is no time zone",
                            STR_ARG(c->default_timezone));
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at the start of `s`, at most `max`; bytes read. */
static size_t digits(struct str s, size_t max, int64_t *value)
{
    size_t n = 0;

    for (*value = 0; n < s.len && n < max && is_digit(s.data[n]); n++)
        *value = *value * 10 + (s.data[n] - '0');
    return n;
}

/* Digits of a fraction at the start of `s` as nanoseconds; those beyond nine are dropped. */
static size_t fraction(struct str s, uint32_t *ns)
{
    int64_t value;
    size_t  n = digits(s, NANOSECONDS, &value);

    for (size_t i = n; i < NANOSECONDS; i++)
        value *= 10;
    *ns = (uint32_t)value;
    while (n < s.len && is_digit(s.data[n]))
        n++;
    return n;
}

/* "1610000000123.5": milliseconds. False when it is something else. */
static bool read_number(struct str text, struct timestamp *out)
{
    int64_t  ms;
    uint32_t below = 0; /* the fraction, in millionths of a nanosecond's thousand */
    size_t   n = digits(text, 18, &ms);

    if (n == 0 || text.data[0] == '0') return false;
    if (n < text.len && text.data[n] == '.') {
        size_t more = fraction(str_from(text, n + 1), &below);
        if (more == 0) return false;
        n += 1 + more;
    }
    if (n != text.len) return false;
    out->sec = ms / 1000;
    out->nsec = (uint32_t)(ms % 1000) * 1000000 + below / 1000;
    return true;
}

/* What stands behind the seconds: "", ".123", ".123456 CET". False when it is something else. */
static bool read_tail(struct str tail, uint32_t *ns, struct zone *zone)
{
    *ns = 0;
    if (str_starts(tail, STR("."))) {
        size_t n = fraction(str_from(tail, 1), ns);
        if (n != 3 && n != 6 && n != 9) return false;
        tail = str_from(tail, n + 1);
    }
    if (tail.len == 0) return true;
    return tail.data[0] == ' ' && find_zone(str_from(tail, 1), zone);
}

/* The year that makes a date without one lie in the past, or at most two days ahead. */
static bool guess_year(const struct cef_times *t, struct str day, struct str time, struct zone zone,
                       struct timestamp now, struct arena *scratch, int64_t *ms)
{
    int64_t now_ms = now.sec * 1000 + now.nsec / 1000000, latest = now_ms + 2 * (int64_t)DAY_MS;
    struct civil local = time_civil((now_ms + zone_offset(zone, now_ms)) / 1000);

    for (int64_t year = local.year + (local.month == 12); year >= local.year - 1; year--) {
        struct str whole =
            arena_printf(scratch, "%.*s %lld %.*s", STR_ARG(day), (long long)year, STR_ARG(time));
        if (date_parse(t->format, whole, zone, now, ms) && *ms <= latest) return true;
    }
    return false;
}

/* Where the time of day stands: behind the blank before the first colon. */
static bool split_time(struct str text, struct str *date, struct str *rest)
{
    const char *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
    const char *blank = colon ? memrchr(text.data, ' ', (size_t)(colon - text.data)) : NULL;

    if (!blank) return false;
    *date = (struct str){text.data, (size_t)(blank - text.data)};
    *rest = str_from(text, date->len + 1);
    return true;
}

bool cef_time_read(const struct cef_times *t, struct str text, struct str zone_name,
                   struct timestamp now, struct arena *scratch, struct timestamp *out)
{
    struct zone zone = t->zone;
    struct str  date, rest;
    uint32_t    ns;
    int64_t     ms;

    if (read_number(text, out)) return true;
    if (zone_name.len > 0 && !find_zone(zone_name, &zone)) return false;
    if (text.len > 128 || !split_time(text, &date, &rest) || rest.len < 8) return false;
    if (!read_tail(str_from(rest, 8), &ns, &zone)) return false;

    struct str time = {rest.data, 8};
    bool       has_year = date.len > 5 && date.data[date.len - 5] == ' ';
    struct str whole = {text.data, date.len + 1 + time.len};
    if (has_year ? !date_parse(t->format, whole, zone, now, &ms)
                 : !guess_year(t, date, time, zone, now, scratch, &ms))
        return false;
    out->sec = ms >= 0 ? ms / 1000 : -((999 - ms) / 1000);
    out->nsec = ns;
    return true;
}
