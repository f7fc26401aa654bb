#include <stdatomic.h>

#include "base/arena.h"
#include "event/time.h"

/*
 * Date patterns. Source: Joda's DateTimeFormat.forPattern and java.time's
 * DateTimeFormatter.ofPattern, in English, weeks as in the United States (java.time) or ISO (Joda).
 *
 * A pattern becomes a list of pieces, each a function that prints one part of a moment.
 */
struct moment {
    struct civil c;
    int64_t      sec;
    uint32_t     nsec;
};

struct piece {
    void (*print)(const struct piece *p, const struct moment *m, struct buf *out);
    int        width; /* count of the letter */
    int        pad;   /* java.time's "p": blanks in front up to this width */
    struct str text;
};

/* How long one print stays right, in seconds; 0: fractions of a second matter. */
enum { UNIT_FRACTION = 0, UNIT_SECOND = 1, UNIT_MINUTE = 60, UNIT_HOUR = 3600, UNIT_DAY = 86400 };

struct time_format {
    uint64_t        id; /* of this process's formats: unlike an address, never used again */
    int             unit;
    enum time_style style;
    uint32_t        len;
    struct piece    pieces[];
};

/* ---- printing ---- */

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

static void print_text(const struct piece *p, const struct moment *m, struct buf *out)
{
    (void)m;
    buf_str(out, p->text);
}

static void print_year(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, m->c.year, p->width);
}

static int64_t year_of_era(int64_t year)
{
    return year > 0 ? year : 1 - year;
}

static void put_two_digits(struct buf *out, int64_t year)
{
    put_int(out, ((year % 100) + 100) % 100, 2);
}

static void print_year_two(const struct piece *p, const struct moment *m, struct buf *out)
{
    (void)p;
    put_two_digits(out, m->c.year);
}

static void print_year_of_era(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, year_of_era(m->c.year), p->width);
}

static void print_year_of_era_two(const struct piece *p, const struct moment *m, struct buf *out)
{
    (void)p;
    put_two_digits(out, year_of_era(m->c.year));
}

/* java.time: a year wider than its pattern gets a plus. */
static void put_java_year(struct buf *out, int64_t year, int width)
{
    int64_t limit = 10000;

    for (int i = 4; i < width && limit < INT64_MAX / 10; i++)
        limit *= 10;
    if (width >= 4 && year >= limit) buf_char(out, '+');
    put_int(out, year, width);
}

static void print_java_year(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_java_year(out, m->c.year, p->width);
}

static void print_java_year_of_era(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_java_year(out, year_of_era(m->c.year), p->width);
}

static void print_century(const struct piece *p, const struct moment *m, struct buf *out)
{
    put_int(out, year_of_era(m->c.year) / 100, p->width);
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
    if (p->width == 2)
        put_two_digits(out, year);
    else
        put_int(out, year, p->width);
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
    if (p->width == 2)
        put_two_digits(out, year);
    else
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
        buf_char(out, unit ? (char)('0' + m->nsec / unit % 10) : '0');
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

/* ---- patterns ---- */

/*
 * What a letter means. `counts`: how often it may stand, bit n for n times; 0: any number.
 * `fixed`, unless NULL, is what it prints in UTC for 1, 2, 3, 4 and 5 or more of it.
 */
struct letter {
    char letter;
    void (*print)(const struct piece *p, const struct moment *m, struct buf *out);
    int                unit;
    unsigned           counts;
    const char *const *fixed;
};

#define TIMES(from, to) (((2u << (to)) - 1) & ~((1u << (from)) - 1))

static const char *const joda_zone_name[] = {"UTC", "UTC", "UTC", "Coordinated Universal Time",
                                             "Coordinated Universal Time"};
static const char *const joda_offset[] = {"+0000", "+00:00", "UTC", "UTC", "UTC"};
static const char *const java_offset_x[] = {"+00", "+0000", "+00:00", "+0000", "+00:00"};
static const char *const java_offset_z[] = {"+0000", "+0000", "+0000", "GMT", "Z"};
static const char *const java_gmt[] = {"GMT", "GMT", "GMT", "GMT", "GMT"};
static const char *const java_zulu[] = {"Z", "Z", "Z", "Z", "Z"};

static const struct letter joda_letters[] = {
    {'C', print_century, UNIT_DAY, 0, NULL},        {'D', print_yearday, UNIT_DAY, 0, NULL},
    {'E', print_weekday_name, UNIT_DAY, 0, NULL},   {'G', print_joda_era, UNIT_DAY, 0, NULL},
    {'H', print_hour, UNIT_HOUR, 0, NULL},          {'K', print_hour_0_11, UNIT_HOUR, 0, NULL},
    {'M', print_month, UNIT_DAY, 0, NULL},          {'S', print_fraction, UNIT_FRACTION, 0, NULL},
    {'Y', print_year_of_era, UNIT_DAY, 0, NULL},    {'Z', print_text, UNIT_DAY, 0, joda_offset},
    {'a', print_half, UNIT_HOUR, 0, NULL},          {'d', print_day, UNIT_DAY, 0, NULL},
    {'e', print_weekday, UNIT_DAY, 0, NULL},        {'h', print_hour_1_12, UNIT_HOUR, 0, NULL},
    {'k', print_hour_1_24, UNIT_HOUR, 0, NULL},     {'m', print_minute, UNIT_MINUTE, 0, NULL},
    {'s', print_second, UNIT_SECOND, 0, NULL},      {'w', print_iso_week, UNIT_DAY, 0, NULL},
    {'x', print_iso_week_year, UNIT_DAY, 0, NULL},  {'y', print_year, UNIT_DAY, 0, NULL},
    {'z', print_text, UNIT_DAY, 0, joda_zone_name}, {0},
};

static const struct letter java_letters[] = {
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
    {'O', print_text, UNIT_DAY, 1u << 1 | 1u << 4, java_gmt},
    {'Q', print_quarter, UNIT_DAY, TIMES(1, 5), NULL},
    {'S', print_fraction, UNIT_FRACTION, TIMES(1, 9), NULL},
    {'V', print_text, UNIT_DAY, TIMES(2, 2), java_zulu},
    {'W', print_us_week_of_month, UNIT_DAY, TIMES(1, 1), NULL},
    {'X', print_text, UNIT_DAY, TIMES(1, 5), java_zulu},
    {'Y', print_us_week_year, UNIT_DAY, TIMES(1, 19), NULL},
    {'Z', print_text, UNIT_DAY, TIMES(1, 5), java_offset_z},
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
    {'v', print_text, UNIT_DAY, 1u << 1 | 1u << 4, java_zulu},
    {'w', print_us_week, UNIT_DAY, TIMES(1, 2), NULL},
    {'x', print_text, UNIT_DAY, TIMES(1, 5), java_offset_x},
    {'y', print_java_year_of_era, UNIT_DAY, TIMES(1, 19), NULL},
    {'z', print_text, UNIT_DAY, TIMES(1, 4), java_zulu},
    {0},
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The state of compiling one pattern. */
struct compiler {
    struct arena       *arena;
    struct str          pattern;
    size_t              at;
    struct time_format *format;
    int                 pad;   /* for the next piece */
    int                 depth; /* of java.time's [ ] */
};

enum { WIDTH_MAX = 100 };

static void add_piece(struct compiler *c, struct piece p, int unit)
{
    p.pad = c->pad;
    c->pad = 0;
    if (unit < c->format->unit) c->format->unit = unit;
    c->format->pieces[c->format->len++] = p;
}

/* Two letters of a year are the last two digits of it. */
static void shorten_year(struct piece *p)
{
    if (p->width != 2) return;
    if (p->print == print_year || p->print == print_java_year)
        p->print = print_year_two;
    else if (p->print == print_year_of_era || p->print == print_java_year_of_era)
        p->print = print_year_of_era_two;
}

/* A run of one letter. NULL, or what is wrong with it. */
static const char *compile_letter(struct compiler *c)
{
    const struct letter *l = c->format->style == TIME_JODA ? joda_letters : java_letters;
    char                 name = c->pattern.data[c->at];
    int                  count = 0;

    while (c->at < c->pattern.len && c->pattern.data[c->at] == name)
        c->at++, count++;
    if (name == 'p' && c->format->style == TIME_JAVA) {
        if (c->at == c->pattern.len || !is_letter(c->pattern.data[c->at]))
            return "the padding letter p must stand before another letter";
        if (count > WIDTH_MAX) return "a letter of the date pattern stands too often in a row";
        c->pad = count;
        return NULL;
    }
    while (l->letter && l->letter != name)
        l++;
    if (!l->letter) return "unknown letter in the date pattern";
    if (count > WIDTH_MAX || (l->counts && (count > 31 || !(l->counts >> count & 1))))
        return "a letter of the date pattern stands too often or too seldom in a row";
    struct piece p = {.print = l->print, .width = count};
    if (l->fixed) p.text = str_of(l->fixed[count < 5 ? count - 1 : 4]);
    /* Joda has no narrow names. */
    if (c->format->style == TIME_JODA && count > 4 && (name == 'M' || name == 'E')) p.width = 4;
    shorten_year(&p);
    add_piece(c, p, l->unit);
    return NULL;
}

/* 'text', where '' is a quote. Joda takes the end of the pattern for a closing quote. */
static const char *compile_quoted(struct compiler *c)
{
    const char *p = c->pattern.data;
    char       *text = arena_alloc(c->arena, c->pattern.len - c->at);
    size_t      len = 0;
    bool        closed = false;

    for (c->at++; !closed && c->at < c->pattern.len; c->at++) {
        bool quote = p[c->at] == '\'';
        if (quote && c->at + 1 < c->pattern.len && p[c->at + 1] == '\'')
            c->at++;
        else if (quote)
            closed = true;
        if (!closed) text[len++] = p[c->at];
    }
    if (!closed && c->format->style == TIME_JAVA)
        return "the date pattern ends inside a quoted text";
    if (len == 0 && closed) text[len++] = '\''; /* '' */
    add_piece(c, (struct piece){.print = print_text, .text = {text, len}}, UNIT_DAY);
    return NULL;
}

static const char *compile_literal(struct compiler *c)
{
    char x = c->pattern.data[c->at++];

    if (c->format->style == TIME_JAVA) {
        if (x == '[') {
            c->depth++;
            return NULL;
        }
        if (x == ']') return c->depth-- > 0 ? NULL : "the date pattern has a ] without a [";
        if (x == '{' || x == '}' || x == '#') return "{, } and # have no meaning in a date pattern";
    }
    struct str text = {c->pattern.data + c->at - 1, 1};
    add_piece(c, (struct piece){.print = print_text, .text = text}, UNIT_DAY);
    return NULL;
}

const struct time_format *time_format_parse(struct arena *a, enum time_style style,
                                            struct str pattern, const char **problem)
{
    static _Atomic uint64_t ids;
    struct str              text = arena_copy(a, pattern);
    struct time_format     *f = arena_zalloc(a, sizeof(*f) + pattern.len * sizeof(f->pieces[0]));
    struct compiler         c = {.arena = a, .pattern = text, .format = f};

    f->id = atomic_fetch_add(&ids, 1) + 1;
    f->unit = UNIT_DAY;
    f->style = style;
    *problem = pattern.len == 0 && style == TIME_JODA ? "the date pattern is empty" : NULL;
    while (!*problem && c.at < text.len) {
        if (is_letter(text.data[c.at]))
            *problem = compile_letter(&c);
        else if (text.data[c.at] == '\'')
            *problem = compile_quoted(&c);
        else
            *problem = compile_literal(&c);
    }
    return *problem ? NULL : f;
}

/* Joda's moments are milliseconds. */
static void print_all(const struct time_format *f, struct timestamp t, struct buf *out)
{
    struct moment m = {.c = time_civil(t.sec), .sec = t.sec, .nsec = t.nsec};

    if (f->style == TIME_JODA) m.nsec -= m.nsec % 1000000;
    for (uint32_t i = 0; i < f->len; i++) {
        const struct piece *p = &f->pieces[i];
        size_t              start = out->len;
        p->print(p, &m, out);
        size_t width = out->len - start;
        if ((size_t)p->pad > width) {
            size_t blanks = (size_t)p->pad - width;
            buf_room(out, blanks);
            memmove(out->data + start + blanks, out->data + start, width);
            memset(out->data + start, ' ', blanks);
            out->len += blanks;
        }
    }
}

/* What this thread printed last, by format: most events of one batch fall on one day. */
struct printed {
    uint64_t id;
    int64_t  from, to; /* right for these seconds */
    uint32_t len;
    char     text[44];
};
enum { PRINTED_SLOTS = 8 };

void time_format_print(const struct time_format *f, struct timestamp t, struct buf *out)
{
    static _Thread_local struct printed slots[PRINTED_SLOTS];
    struct printed                     *kept = &slots[f->id % PRINTED_SLOTS];
    size_t                              start = out->len;

    if (kept->id == f->id && t.sec >= kept->from && t.sec < kept->to) {
        buf_put(out, kept->text, kept->len);
        return;
    }
    print_all(f, t, out);
    if (f->unit == UNIT_FRACTION || out->len - start > sizeof(kept->text)) return;
    int64_t into = t.sec % f->unit;
    kept->id = f->id;
    kept->from = t.sec - (into < 0 ? into + f->unit : into);
    kept->to = kept->from + f->unit;
    kept->len = (uint32_t)(out->len - start);
    memcpy(kept->text, out->data + start, kept->len);
}
