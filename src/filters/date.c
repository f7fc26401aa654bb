/*
 * date: reads a date in a field and makes it the time of the event.
 *
 * Source: logstash-filter-date, lib/logstash/filters/date.rb, DateFilter.java.
 * Threads: any number of workers; each remembers the last text it read.
 */
#include <stdlib.h>

#include "plugin/failure.h"
#include "text/date_parse.h"

struct date {
    struct strings         match;
    const struct field    *target;
    struct strings         tag_on_failure;
    const struct template *timezone;
    struct str             locale;

    const struct field        *source;
    uint32_t                   len;
    const struct date_format **formats;
    bool                       has_zone; /* `zone` counts, else `timezone` for every event */
    struct zone                zone;
    bool                       to_timestamp; /* the target is @timestamp itself */
    bool                       cached;       /* a text always gives the same time */
};

/* Of one worker: the text read last. Logs hold many events of one second. */
enum { CACHE_MAX = 48 };
struct date_cache {
    size_t  len; /* 0: nothing yet */
    char    text[CACHE_MAX];
    int64_t ms;
};

static const struct option date_options[] = {
    OPT(struct date, OPT_STRING, locale,
        .doc = "The language of month names, weekdays and AM/PM, as \"de\", \"fr-CA\" or "
               "\"en_GB\". A name is read as the language spells it, all in lower case or all in "
               "upper case. By default the language of the process (LC_ALL, LC_TIME, LANG) and, "
               "when a text does not fit, English."),
    OPT(struct date, OPT_STRINGS, match, .required = true,
        .doc =
            "A field and the formats that are tried one after the other, as [\"time\", "
            "\"dd/MMM/yyyy:HH:mm:ss Z\", \"ISO8601\"]. A format is a Joda pattern (y year, M "
            "month, d day, H hour, h hour of a half day with a for AM or PM, m minute, s second, "
            "S fraction, Z offset, ZZZ zone id, E weekday, D day of the year, x and w weekyear "
            "and week, 'text'), or ISO8601, UNIX (seconds), UNIX_MS (milliseconds) or TAI64N. "
            "Where a pattern has no year it is the current one, or the one before or behind "
            "around New Year. Times are kept to the millisecond. An event without the field "
            "goes on unchanged."),
    OPT(struct date, OPT_STRINGS, tag_on_failure, .preset = "_dateparsefailure",
        .doc = "Tags of events with a field that no format fits."),
    OPT(struct date, OPT_FIELD, target, .preset = "@timestamp",
        .doc = "The field that gets the time."),
    OPT(struct date, OPT_TEMPLATE, timezone,
        .doc = "The zone of texts that have none, as \"Europe/Berlin\" or \"+05:30\"; may hold "
               "%{…}, then an event whose zone is not one is tagged. By default the zone of "
               "this machine. A local time that clocks skipped is not one; of two the earlier "
               "counts."),
    OPT_END,
};

/* ---- opening ---- */

static bool add_format(struct date *d, struct plugin_open *cx, struct str pattern,
                       struct str locale)
{
    const char               *problem;
    const struct date_format *f =
        date_format_compile(cx->arena, pattern, locale, clock_now(), &problem);

    if (!f)
        return plugin_error(cx, "match", "\"%.*s\" is not a date format: %s", STR_ARG(pattern),
                            problem);
    d->formats[d->len++] = f;
    if (date_format_guesses_year(f)) d->cached = false;
    return true;
}

/* The language of the process; English when there is none that is known. */
static struct str process_locale(void)
{
    static const char *const vars[] = {"LC_ALL", "LC_TIME", "LANG"};

    for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
        const char *value = getenv(vars[i]);
        if (!value || !*value) continue;
        return date_locale_known(str_of(value)) ? str_of(value) : STR("en");
    }
    return STR("en");
}

static bool open_formats(struct date *d, struct plugin_open *cx)
{
    struct str locale = d->locale.data ? d->locale : process_locale();
    bool       english = d->locale.data || str_starts(locale, STR("en")), good = true;

    if (!date_locale_known(locale))
        return plugin_error(cx, "locale", "no names are known for \"%.*s\"; there are %.*s",
                            STR_ARG(locale), STR_ARG(date_locale_list(cx->arena)));
    d->formats = arena_alloc(cx->arena, (size_t)2 * d->match.len * sizeof(d->formats[0]));
    for (uint32_t i = 1; i < d->match.len; i++) {
        good &= add_format(d, cx, d->match.at[i], locale);
        if (good && !english) good &= add_format(d, cx, d->match.at[i], STR("en"));
    }
    return good;
}

static bool open_zone(struct date *d, struct plugin_open *cx)
{
    struct str fixed;

    d->has_zone = true;
    d->zone = zone_local();
    if (!d->timezone) return true;
    d->has_zone = template_constant(d->timezone, &fixed);
    if (!d->has_zone) d->cached = false;
    return !d->has_zone || zone_find(fixed, &d->zone) ||
           plugin_error(cx, "timezone", "unknown time zone \"%.*s\"", STR_ARG(fixed));
}

static bool date_open(void *self, struct plugin_open *cx)
{
    struct date *d = self;
    const char  *problem;

    if (d->match.len < 2)
        return plugin_error(cx, "match", "\"match\" takes a field and at least one date format");
    d->source = field_parse(cx->arena, d->match.at[0], &problem, NULL);
    if (!d->source)
        return plugin_error(cx, "match", "\"%.*s\" is not a field reference: %s",
                            STR_ARG(d->match.at[0]), problem);
    d->to_timestamp = !d->target->metadata && d->target->depth == 1 &&
                      key_eq(&d->target->steps[0].key, &names.timestamp);
    d->cached = true;
    bool good = open_zone(d, cx);
    return open_formats(d, cx) && good;
}

/* ---- running ---- */

static bool parse_text(const struct date *d, struct str text, struct event *ev,
                       struct filter_context *cx, int64_t *ms)
{
    struct zone zone = d->zone;
    bool        known = d->has_zone;

    if (!known) {
        buf_clear(cx->buf);
        template_render(d->timezone, ev, cx->buf);
        known = zone_find(buf_view(cx->buf), &zone);
    }
    for (uint32_t i = 0; i < d->len; i++)
        if ((known || !date_format_uses_zone(d->formats[i])) &&
            date_parse(d->formats[i], text, zone, cx->now, ms))
            return true;
    return false;
}

static bool parse_number(const struct date *d, const struct value *v, int64_t *ms)
{
    for (uint32_t i = 0; i < d->len; i++)
        if (v->kind == VALUE_INT ? date_parse_int(d->formats[i], v->as.i, ms)
                                 : date_parse_float(d->formats[i], v->as.f, ms))
            return true;
    return false;
}

static bool parse_cached(const struct date *d, struct str text, struct event *ev,
                         struct filter_context *cx, int64_t *ms)
{
    struct date_cache *last = cx->state;

    if (!d->cached || text.len == 0 || text.len > CACHE_MAX) return parse_text(d, text, ev, cx, ms);
    if (last->len == text.len && memcmp(last->text, text.data, text.len) == 0) {
        *ms = last->ms;
        return true;
    }
    if (!parse_text(d, text, ev, cx, ms)) return false;
    memcpy(last->text, text.data, text.len);
    last->len = text.len;
    last->ms = *ms;
    return true;
}

static bool parse_value(const struct date *d, const struct value *v, struct event *ev,
                        struct filter_context *cx, int64_t *ms)
{
    if (v->kind == VALUE_STRING) return parse_cached(d, value_str(*v), ev, cx, ms);
    return (v->kind == VALUE_INT || v->kind == VALUE_FLOAT) && parse_number(d, v, ms);
}

static struct timestamp from_ms(int64_t ms)
{
    int64_t in_second = ms % 1000;

    if (in_second < 0) in_second += 1000;
    return (struct timestamp){(ms - in_second) / 1000, (uint32_t)in_second * 1000000};
}

static enum verdict date_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct date      *d = self;
    const struct value     *v = event_get(ev, d->source);
    int64_t                 ms;

    if (!v || v->kind == VALUE_NULL) return FILTER_PASS;
    if (parse_value(d, v, ev, cx, &ms)) {
        struct timestamp t = from_ms(ms);
        if (d->to_timestamp) {
            event_set_timestamp(ev, t);
            return FILTER_MATCH;
        }
        if (event_set(ev, d->target, value_time(t))) return FILTER_MATCH;
    }
    struct str what = v->kind == VALUE_STRING ? value_str(*v) : d->source->text;
    event_tag_all(ev, &d->tag_on_failure);
    filter_failed(cx, &limit, "filter.date", "no date format fits", what);
    return FILTER_PASS;
}

const struct plugin filter_date = {
    .kind = PLUGIN_FILTER,
    .name = "date",
    .summary = "Reads a date in a field and makes it the time of the event.",
    .size = sizeof(struct date),
    .options = date_options,
    .open = date_open,
    .filter = {.run = date_run, .worker_size = sizeof(struct date_cache)},
};
