#include "event/time_letters.h"

/* Source: Joda's DateTimeFormat and java.time's DateTimeFormatterBuilder; names from CLDR. */

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                   "Friday", "Saturday", "Sunday"};

static void put_int(struct buf *out, int64_t value, int width)
{
    char     digits[20];
    int      n = 0;
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do
        digits[n++] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (value < 0) buf_char(out, '-');
    for (int i = n; i < width; i++)
        buf_char(out, '0');
    while (n > 0)
        buf_char(out, digits[--n]);
}

/* 3 letters, all, or 1, as the count of the letter says. */
static void put_name(struct buf *out, const char *name, int width)
{
    buf_put(out, name, width < 4 ? 3 : width == 5 ? 1 : strlen(name));
}

void time_print_text(const struct piece *p, const struct moment *m, struct buf *out)
{
    (void)m;
    buf_str(out, p->text);
}

static int64_t year_of_era(int64_t year)
{
    return year > 0 ? year : 1 - year;
}

/* Two letters are the last two digits. */
static void put_year(struct buf *out, int64_t year, int width)
{
    if (width == 2)
        put_int(out, (year < 0 ? -year : year) % 100, 2);
    else
        put_int(out, year, width);
}

/* The same in java.time, which counts the two digits up from a century, and where a year wider than
   its pattern gets a plus. */
static void put_java_year(struct buf *out, int64_t year, int width)
{
    int64_t limit = 10000;

    for (int i = 4; i < width && limit < INT64_MAX / 10; i++)
        limit *= 10;
    if (width >= 4 && year >= limit) buf_char(out, '+');
    if (width == 2)
        put_int(out, (year % 100 + 100) % 100, 2);
    else
        put_int(out, year, width);
}

static void print_year(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_year(out, m->c.year, p->width);
}

static void print_year_of_era(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_year(out, p->width == 2 ? m->c.year : year_of_era(m->c.year), p->width);
}

static void print_java_year(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_java_year(out, m->c.year, p->width);
}

static void print_java_year_of_era(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_java_year(out, year_of_era(m->c.year), p->width);
}

/* Joda counts the centuries before Christ by years without their sign. */
static void print_century(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, (m->c.year < 0 ? -m->c.year : m->c.year) / 100, p->width);
}

static void print_era(const struct piece *p, const struct moment *m, struct buf *out)
{
    bool ad = m->c.year > 0;

    if (p->width == 4)
        buf_str(out, ad ? STR("Anno Domini") : STR("Before Christ"));
    else
        buf_put(out, ad ? "AD" : "BC", p->width == 5 ? 1 : 2);
}

/* Joda knows no long or narrow era. */
static void print_joda_era(const struct piece *p, const struct moment *m, struct buf *out)
{
    (void)p;
    buf_put(out, m->c.year > 0 ? "AD" : "BC", 2);
}

/* Of weeks that begin on Monday; the first has four days of the year (ISO 8601). */
static int iso_week(const struct civil *c, int64_t *year)
{
    int64_t thursday =
        time_from_civil(c->year, c->month, c->day, 0, 0, 0) + (int64_t)(4 - c->weekday) * UNIT_DAY;
    struct civil t = time_civil(thursday);

    *year = t.year;
    return (t.yearday - 1) / 7 + 1;
}

/* Of weeks that begin on Sunday; the first is the one with 1 January (United States). */
static int us_week(const struct civil *c, int64_t *year)
{
    int64_t saturday = time_from_civil(c->year, c->month, c->day, 0, 0, 0) +
                       (int64_t)(6 - c->weekday % 7) * UNIT_DAY;
    struct civil s = time_civil(saturday);

    *year = s.year;
    return (s.yearday - 1) / 7 + 1;
}

static void print_iso_week(const struct piece *p, const struct moment *m, struct buf *out)
{
    int64_t year;
    put_int(out, iso_week(&m->c, &year), p->width);
}

static void print_iso_week_year(const struct piece *p, const struct moment *m, struct buf *out)
{
    int64_t year;

    iso_week(&m->c, &year);
    put_year(out, year, p->width);
}

static void print_us_week(const struct piece *p, const struct moment *m, struct buf *out)
{
    int64_t year;
    put_int(out, us_week(&m->c, &year), p->width);
}

static void print_us_week_year(const struct piece *p, const struct moment *m, struct buf *out)
{
    int64_t year;

    us_week(&m->c, &year);
    put_java_year(out, year, p->width);
}

static void print_us_week_of_month(const struct piece *p, const struct moment *m, struct buf *out)
{
    int first = ((m->c.weekday - m->c.day + 1) % 7 + 7) % 7; /* weekday of the 1st, Sunday 0 */
    put_int(out, (m->c.day - 1 + first) / 7 + 1, p->width);
}

static void print_seven_days_of_month(const struct piece *p, const struct moment *m,
                                      struct buf *out)
{
    put_int(out, (m->c.day - 1) / 7 + 1, p->width);
}

static void print_month(const struct piece *p, const struct moment *m, struct buf *out)
{
    if (p->width <= 2)
        put_int(out, m->c.month, p->width);
    else
        put_name(out, months[m->c.month - 1], p->width);
}

static void print_quarter(const struct piece *p, const struct moment *m, struct buf *out)
{
    static const char *const long_names[] = {"1st quarter", "2nd quarter", "3rd quarter",
                                             "4th quarter"};
    int                      quarter = (m->c.month - 1) / 3;

    if (p->width == 4) {
        buf_str(out, str_of(long_names[quarter]));
    } else {
        if (p->width == 3) buf_char(out, 'Q');
        put_int(out, quarter + 1, p->width == 2 ? 2 : 1);
    }
}

static void print_day(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, m->c.day, p->width);
}

static void print_yearday(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, m->c.yearday, p->width);
}

static void print_julian(const struct piece *p, const struct moment *m, struct buf *out)
{
    enum { MODIFIED_JULIAN_1970 = 40587 };
    put_int(out,
            time_from_civil(m->c.year, m->c.month, m->c.day, 0, 0, 0) / UNIT_DAY +
                MODIFIED_JULIAN_1970,
            p->width);
}

static void print_weekday_name(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_name(out, days[m->c.weekday - 1], p->width);
}

static void print_weekday(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, m->c.weekday, p->width);
}

/* Sunday is 1. */
static void print_us_weekday(const struct piece *p, const struct moment *m, struct buf *out)
{
    if (p->width <= 2)
        put_int(out, m->c.weekday % 7 + 1, p->width);
    else
        print_weekday_name(p, m, out);
}

static void print_half(const struct piece *p, const struct moment *m, struct buf *out)
{
    (void)p;
    buf_put(out, m->c.hour < 12 ? "AM" : "PM", 2);
}

/* Source: CLDR, day periods of English. */
static void print_day_period(const struct piece *p, const struct moment *m, struct buf *out)
{
    int        minute = m->c.hour * 60 + m->c.minute;
    struct str name;

    if (minute == 0)
        name = p->width == 5 ? STR("mi") : STR("midnight");
    else if (minute == 720)
        name = p->width == 5 ? STR("n") : STR("noon");
    else if (m->c.hour >= 21 || m->c.hour < 6)
        name = STR("at night");
    else if (m->c.hour < 12)
        name = STR("in the morning");
    else
        name = m->c.hour < 18 ? STR("in the afternoon") : STR("in the evening");
    buf_str(out, name);
}

static void print_hour(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, m->c.hour, p->width);
}

static void print_hour_1_24(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, m->c.hour == 0 ? 24 : m->c.hour, p->width);
}

static void print_hour_0_11(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, m->c.hour % 12, p->width);
}

static void print_hour_1_12(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, (m->c.hour + 11) % 12 + 1, p->width);
}

static void print_minute(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, m->c.minute, p->width);
}

static void print_second(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, m->c.second, p->width);
}

static void print_fraction(const struct piece *p, const struct moment *m, struct buf *out)
{
    uint32_t unit = 100000000;

    for (int i = 0; i < p->width; i++, unit /= 10)
        buf_char(out, (char)('0' + (unit ? m->nsec / unit % 10 : 0)));
}

static void print_nano(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, m->nsec, p->width);
}

static int64_t second_of_day(const struct civil *c)
{
    return c->hour * 3600 + c->minute * 60 + c->second;
}

static void print_nano_of_day(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, second_of_day(&m->c) * 1000000000 + m->nsec, p->width);
}

static void print_milli_of_day(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, second_of_day(&m->c) * 1000 + m->nsec / 1000000, p->width);
}

/* ---- the tables ---- */

#define TIMES(from, to) (((2u << (to)) - 1) & ~((1u << (from)) - 1))

static const char *const joda_zone_name[] = {"UTC", "UTC", "UTC", "Coordinated Universal Time",
                                             "Coordinated Universal Time"};
static const char *const joda_offset[] = {"+0000", "+00:00", "UTC", "UTC", "UTC"};
static const char *const java_offset_x[] = {"+00", "+0000", "+00:00", "+0000", "+00:00"};
static const char *const java_offset_z[] = {"+0000", "+0000", "+0000", "GMT", "Z"};
static const char *const java_gmt[] = {"GMT", "GMT", "GMT", "GMT", "GMT"};
static const char *const java_zulu[] = {"Z", "Z", "Z", "Z", "Z"};

const struct letter time_joda_letters[] = {
    {'C', print_century, UNIT_DAY, 0, NULL},
    {'D', print_yearday, UNIT_DAY, 0, NULL},
    {'E', print_weekday_name, UNIT_DAY, 0, NULL},
    {'G', print_joda_era, UNIT_DAY, 0, NULL},
    {'H', print_hour, UNIT_HOUR, 0, NULL},
    {'K', print_hour_0_11, UNIT_HOUR, 0, NULL},
    {'M', print_month, UNIT_DAY, 0, NULL},
    {'S', print_fraction, UNIT_FRACTION, 0, NULL},
    {'Y', print_year_of_era, UNIT_DAY, 0, NULL},
    {'Z', time_print_text, UNIT_DAY, 0, joda_offset},
    {'a', print_half, UNIT_HOUR, 0, NULL},
    {'d', print_day, UNIT_DAY, 0, NULL},
    {'e', print_weekday, UNIT_DAY, 0, NULL},
    {'h', print_hour_1_12, UNIT_HOUR, 0, NULL},
    {'k', print_hour_1_24, UNIT_HOUR, 0, NULL},
    {'m', print_minute, UNIT_MINUTE, 0, NULL},
    {'s', print_second, UNIT_SECOND, 0, NULL},
    {'w', print_iso_week, UNIT_DAY, 0, NULL},
    {'x', print_iso_week_year, UNIT_DAY, 0, NULL},
    {'y', print_year, UNIT_DAY, 0, NULL},
    {'z', time_print_text, UNIT_DAY, 0, joda_zone_name},
    {0},
};

const struct letter time_java_letters[] = {
    {'A', print_milli_of_day, UNIT_FRACTION, TIMES(1, 19), NULL},
    {'B', print_day_period, UNIT_MINUTE, 1u << 1 | 1u << 4 | 1u << 5, NULL},
    {'D', print_yearday, UNIT_DAY, TIMES(1, 3), NULL},
    {'E', print_weekday_name, UNIT_DAY, TIMES(1, 5), NULL},
    {'F', print_seven_days_of_month, UNIT_DAY, TIMES(1, 1), NULL},
    {'G', print_era, UNIT_DAY, TIMES(1, 5), NULL},
    {'H', print_hour, UNIT_HOUR, TIMES(1, 2), NULL},
    {'K', print_hour_0_11, UNIT_HOUR, TIMES(1, 2), NULL},
    {'L', print_month, UNIT_DAY, TIMES(1, 5), NULL},
    {'M', print_month, UNIT_DAY, TIMES(1, 5), NULL},
    {'N', print_nano_of_day, UNIT_FRACTION, TIMES(1, 19), NULL},
    {'O', time_print_text, UNIT_DAY, 1u << 1 | 1u << 4, java_gmt},
    {'Q', print_quarter, UNIT_DAY, TIMES(1, 5), NULL},
    {'S', print_fraction, UNIT_FRACTION, TIMES(1, 9), NULL},
    {'V', time_print_text, UNIT_DAY, TIMES(2, 2), java_zulu},
    {'W', print_us_week_of_month, UNIT_DAY, TIMES(1, 1), NULL},
    {'X', time_print_text, UNIT_DAY, TIMES(1, 5), java_zulu},
    {'Y', print_us_week_year, UNIT_DAY, TIMES(1, 19), NULL},
    {'Z', time_print_text, UNIT_DAY, TIMES(1, 5), java_offset_z},
    {'a', print_half, UNIT_HOUR, TIMES(1, 1), NULL},
    {'c', print_us_weekday, UNIT_DAY, 1u << 1 | TIMES(3, 5), NULL},
    {'d', print_day, UNIT_DAY, TIMES(1, 2), NULL},
    {'e', print_us_weekday, UNIT_DAY, TIMES(1, 5), NULL},
    {'g', print_julian, UNIT_DAY, TIMES(1, 19), NULL},
    {'h', print_hour_1_12, UNIT_HOUR, TIMES(1, 2), NULL},
    {'k', print_hour_1_24, UNIT_HOUR, TIMES(1, 2), NULL},
    {'m', print_minute, UNIT_MINUTE, TIMES(1, 2), NULL},
    {'n', print_nano, UNIT_FRACTION, TIMES(1, 19), NULL},
    {'q', print_quarter, UNIT_DAY, TIMES(1, 5), NULL},
    {'s', print_second, UNIT_SECOND, TIMES(1, 2), NULL},
    {'u', print_java_year, UNIT_DAY, TIMES(1, 19), NULL},
    {'v', time_print_text, UNIT_DAY, 1u << 1 | 1u << 4, java_zulu},
    {'w', print_us_week, UNIT_DAY, TIMES(1, 2), NULL},
    {'x', time_print_text, UNIT_DAY, TIMES(1, 5), java_offset_x},
    {'y', print_java_year_of_era, UNIT_DAY, TIMES(1, 19), NULL},
    {'z', time_print_text, UNIT_DAY, TIMES(1, 4), java_zulu},
    {0},
};
