#include "event/time.h"
#include "text/date_program.h"

/* ---- the steps ---- */

static bool is_digit(const struct date_cursor *c)
{
    return c->at < c->end && (unsigned char)(*c->at - '0') <= 9;
}

static struct str rest_of(const struct date_cursor *c)
{
    return (struct str){c->at, (size_t)(c->end - c->at)};
}

/* Up to `max` digits; how many. */
static int take_digits(struct date_cursor *c, int max, int64_t *value)
{
    int n = 0;

    for (*value = 0; n < max && is_digit(c); n++, c->at++)
        if (*value <= INT32_MAX) *value = *value * 10 + (*c->at - '0');
    return n;
}

static bool keep(const struct date_step *s, struct date_cursor *c, int64_t value)
{
    if (value > INT32_MAX) return false;
    c->values[s->slot] = (int32_t)value;
    return true;
}

static bool run_number(const struct date_step *s, struct date_cursor *c)
{
    int64_t value;

    if (s->max == 2 && c->end - c->at >= 2) { /* most often */
        unsigned high = (unsigned char)c->at[0] - '0', low = (unsigned char)c->at[1] - '0';
        if (high <= 9 && low <= 9) {
            c->values[s->slot] = (int32_t)(10 * high + low);
            c->at += 2;
            return true;
        }
    }
    return take_digits(c, s->max, &value) > 0 && keep(s, c, value);
}

/* A sign does not count as a digit. */
static bool run_signed(const struct date_step *s, struct date_cursor *c)
{
    bool    minus = c->at < c->end && *c->at == '-';
    int64_t value;

    if (minus || (c->at < c->end && *c->at == '+')) c->at++;
    return take_digits(c, s->max, &value) > 0 && keep(s, c, minus ? -value : value);
}

/* The year that two digits mean, in the hundred years from `base` on. */
static int64_t full_year(int base, int64_t two)
{
    int64_t in_century = base % 100;

    return base - in_century + two + (two < in_century ? 100 : 0);
}

/* Exactly two digits, because digits follow. */
static bool run_short_year(const struct date_step *s, struct date_cursor *c)
{
    int64_t value;

    return take_digits(c, 2, &value) == 2 && keep(s, c, full_year(s->base, value));
}

/* Two digits, or any number of them and then as written. */
static bool run_any_year(const struct date_step *s, struct date_cursor *c)
{
    bool    minus = c->at < c->end && *c->at == '-';
    bool    has_sign = minus || (c->at < c->end && *c->at == '+');
    int64_t value;

    c->at += has_sign;
    int n = take_digits(c, INT32_MAX, &value);
    if (n == 0) return false;
    if (n == 2 && !has_sign) value = full_year(s->base, value);
    return keep(s, c, minus ? -value : value);
}

size_t date_fraction(struct str text, size_t max, int64_t unit_ms, int32_t *value)
{
    size_t  n = 0;
    int64_t total = 0, place = unit_ms * 10;

    for (; n < max && n < text.len && (unsigned char)(text.data[n] - '0') <= 9; n++) {
        place /= 10;
        total += (text.data[n] - '0') * place;
    }
    *value = (int32_t)(total / 10);
    return n;
}

static bool run_fraction(const struct date_step *s, struct date_cursor *c)
{
    size_t n = date_fraction(rest_of(c), s->max, 1000, &c->values[s->slot]);

    c->at += n;
    return n > 0;
}

static bool run_name(const struct date_step *s, struct date_cursor *c)
{
    size_t n = date_names_match(s->names, rest_of(c), &c->values[s->slot]);

    c->at += n;
    return n > 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* In any case. */
static bool run_literal(const struct date_step *s, struct date_cursor *c)
{
    if ((size_t)(c->end - c->at) < s->literal.len) return false;
    if (s->literal.len == 1 && *c->at == s->literal.data[0]) { /* most often */
        c->at++;
        return true;
    }
    for (size_t i = 0; i < s->literal.len; i++)
        if (c->at[i] != s->literal.data[i] && lower(c->at[i]) != lower(s->literal.data[i]))
            return false;
    c->at += s->literal.len;
    return true;
}

static bool run_offset(const struct date_step *s, struct date_cursor *c)
{
    size_t n;

    (void)s;
    c->has_offset = true;
    c->offset = ZONE_UTC;
    if (c->at < c->end && (*c->at | 0x20) == 'z')
        n = 1;
    else
        n = zone_offset_parse(rest_of(c), &c->offset.offset_ms);
    c->at += n;
    return n > 0;
}

static bool run_zone_id(const struct date_step *s, struct date_cursor *c)
{
    size_t n = zone_prefix(rest_of(c), &c->zone);

    (void)s;
    c->has_zone = true;
    c->at += n;
    return n > 0;
}

/* Few, because short names of zones mean too many things. A zone counts, not its offset: EDT in
   winter is EST. Source: Joda's DateTimeUtils.getDefaultTimeZoneNames. */
static bool run_zone_name(const struct date_step *s, struct date_cursor *c)
{
    static const char *const names[][2] = {
        {"UTC", "UTC"},
        {"GMT", "UTC"},
        {"UT", "UTC"},
        {"EST", "America/New_York"},
        {"EDT", "America/New_York"},
        {"CST", "America/Chicago"},
        {"CDT", "America/Chicago"},
        {"MST", "America/Denver"},
        {"MDT", "America/Denver"},
        {"PST", "America/Los_Angeles"},
        {"PDT", "America/Los_Angeles"},
    };

    (void)s;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!str_starts(rest_of(c), str_of(names[i][0]))) continue;
        c->at += strlen(names[i][0]);
        c->has_zone = true;
        return zone_find(str_of(names[i][1]), &c->zone);
    }
    return false;
}

/* ---- compiling ---- */

/* What a letter gives. NULL run: depends on the count. */
struct letter {
    char    letter;
    uint8_t field;
    int     max; /* digits; more when the letter stands more often */
};

static const struct letter numbers[] = {
    {'d', DATE_DAY, 2},
    {'h', DATE_HOUR_1_12, 2},
    {'H', DATE_HOUR, 2},
    {'k', DATE_HOUR_1_24, 2},
    {'K', DATE_HOUR_0_11, 2},
    {'m', DATE_MINUTE, 2},
    {'s', DATE_SECOND, 2},
    {'e', DATE_WEEKDAY, 1},
    {'D', DATE_DAY_OF_YEAR, 3},
    {'w', DATE_WEEK, 2},
    {0},
};

struct compiler {
    struct arena             *arena;
    struct str                pattern;
    size_t                    at;
    const struct date_locale *locale;
    int                       year_base;
    struct date_format       *format;
    uint8_t                   fields[SLOTS_MAX]; /* in the order of the pattern */
    const char               *problem;
};

enum { DIGITS_MAX = 250 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct date_step *add_step(struct compiler *c, bool (*run)(const struct date_step *s,
                                                                  struct date_cursor     *cursor))
{
    struct date_step *s = &c->format->steps[c->format->len++];

    *s = (struct date_step){.run = run};
    return s;
}

static struct date_step *add_field(struct compiler *c, enum date_field field, int max,
                                   bool (*run)(const struct date_step *s,
                                               struct date_cursor     *cursor))
{
    struct date_step *s = add_step(c, run);

    s->max = (uint8_t)(max < DIGITS_MAX ? max : DIGITS_MAX);
    if (c->format->slots + 1 >= SLOTS_MAX) {
        c->problem = "the date pattern has too many letters";
        return s;
    }
    s->slot = (uint8_t)c->format->slots;
    c->fields[c->format->slots++] = (uint8_t)field;
    return s;
}

/* True when digits come next: then years are not longer than their letters. */
static bool number_follows(const struct compiler *c)
{
    size_t i = c->at, n = 0;

    if (i >= c->pattern.len) return false;
    while (i + n < c->pattern.len && c->pattern.data[i + n] == c->pattern.data[i])
        n++;
    if (c->pattern.data[i] == 'M') return n <= 2;
    return strchr("cCxyYdhHmsSeDFwWkK", c->pattern.data[i]) != NULL;
}

static void compile_year(struct compiler *c, char letter, int count)
{
    enum { LONG_YEAR = 9 };
    bool            tight = number_follows(c);
    enum date_field field = letter == 'x' ? DATE_WEEKYEAR : DATE_YEAR;

    if (count == 2) {
        add_field(c, field, 0, tight ? run_short_year : run_any_year)->base = c->year_base;
        return;
    }
    int max = tight || count > LONG_YEAR ? count : LONG_YEAR;
    if (letter == 'Y')
        add_field(c, DATE_YEAR_OF_ERA, max, run_number);
    else
        add_field(c, field, max, run_signed);
}

static void compile_zone(struct compiler *c, char letter, int count)
{
    if (letter == 'Z')
        add_step(c, count < 3 ? run_offset : run_zone_id);
    else if (count < 4)
        add_step(c, run_zone_name);
    else
        c->problem = "long names of time zones (zzzz) cannot be read";
}

static void compile_name(struct compiler *c, enum date_field field)
{
    add_field(c, field, 0, run_name)->names = date_names_of(c->arena, c->locale, field);
}

static void compile_number(struct compiler *c, char letter, int count)
{
    const struct letter *l = numbers;

    while (l->letter && l->letter != letter)
        l++;
    if (l->letter)
        add_field(c, l->field, count > l->max ? count : l->max, run_number);
    else
        c->problem =
            arena_printf(c->arena, "unknown letter \"%c\" in the date pattern", letter).data;
}

static void compile_letter(struct compiler *c)
{
    char   letter = c->pattern.data[c->at];
    size_t start = c->at;

    while (c->at < c->pattern.len && c->pattern.data[c->at] == letter)
        c->at++;
    int count = (int)(c->at - start);
    if (strchr("yYx", letter))
        compile_year(c, letter, count);
    else if (letter == 'C')
        add_field(c, DATE_CENTURY, count, run_signed);
    else if (letter == 'M' && count < 3)
        add_field(c, DATE_MONTH, 2, run_number);
    else if (letter == 'S')
        add_field(c, DATE_MILLI, count, run_fraction);
    else if (strchr("MEaG", letter))
        compile_name(c, letter == 'M'   ? DATE_MONTH
                        : letter == 'E' ? DATE_WEEKDAY
                        : letter == 'a' ? DATE_HALFDAY
                                        : DATE_ERA);
    else if (letter == 'z' || letter == 'Z')
        compile_zone(c, letter, count);
    else
        compile_number(c, letter, count);
}

/* Up to the next letter outside of quotes. '' is a quote; the end closes one that is open. */
static void compile_literal(struct compiler *c)
{
    const char *p = c->pattern.data;
    char       *text = arena_alloc(c->arena, c->pattern.len - c->at);
    size_t      len = 0;
    bool        quoted = false;

    for (; c->at < c->pattern.len && (quoted || !is_letter(p[c->at])); c->at++) {
        bool quote = p[c->at] == '\'';
        bool twice = quote && c->at + 1 < c->pattern.len && p[c->at + 1] == '\'';
        if (quote && !twice) {
            quoted = !quoted;
            continue;
        }
        c->at += twice;
        text[len++] = p[c->at];
    }
    if (len) add_step(c, run_literal)->literal = (struct str){text, len};
}

/* Sorts the fields by rank, and adds a year where a month or day has none. */
static void order_fields(struct compiler *c)
{
    struct date_format *f = c->format;
    uint8_t             slot_of[SLOTS_MAX] = {0};
    uint32_t            len = 0;
    int                 ranks = date_field_rank(DATE_MILLI) + 1;

    for (int rank = 0; rank < ranks; rank++)
        for (uint32_t i = 0; i < f->slots; i++) {
            if (date_field_rank(c->fields[i]) != rank) continue;
            if (len == 0 && date_field_needs_year(c->fields[i]))
                f->fields[len++] = (struct date_value){DATE_YEAR, YEAR_NOT_GIVEN};
            slot_of[i] = (uint8_t)len;
            f->fields[len++] = (struct date_value){c->fields[i], 0};
        }
    f->slots = len;
    f->plain = date_is_plain(f->fields, len, &f->have);
    if (f->plain) memcpy(f->initial, date_plain_values, sizeof(date_plain_values));
    for (uint32_t i = 0; i < len; i++)
        f->initial[f->plain ? f->fields[i].field : i] = f->fields[i].value;
    for (uint32_t i = 0; i < f->len; i++) {
        uint8_t slot = slot_of[f->steps[i].slot];
        f->steps[i].slot = f->plain && len ? f->fields[slot].field : slot;
    }
}

static struct date_format *compile_pattern(struct compiler *c)
{
    size_t len = c->pattern.len;

    c->format = arena_zalloc(c->arena, sizeof(*c->format) + len * sizeof(c->format->steps[0]));
    c->format->has_year =
        len && (memchr(c->pattern.data, 'y', len) || memchr(c->pattern.data, 'Y', len));
    if (len == 0) c->problem = "the date pattern is empty";
    while (!c->problem && c->at < len)
        if (is_letter(c->pattern.data[c->at]))
            compile_letter(c);
        else
            compile_literal(c);
    if (c->problem) return NULL;
    order_fields(c);
    return c->format;
}

static enum date_form form_of(struct str pattern)
{
    static const char *const forms[] = {[FORM_ISO8601] = "ISO8601",
                                        [FORM_UNIX] = "UNIX",
                                        [FORM_UNIX_MS] = "UNIX_MS",
                                        [FORM_TAI64N] = "TAI64N"};

    for (enum date_form f = FORM_ISO8601; f <= FORM_TAI64N; f++)
        if (str_is(pattern, forms[f])) return f;
    return FORM_PATTERN;
}

/* With a blank for the T, a date has a fraction. Source: CasualISO8601Parser.java. */
static void compile_almost_iso(struct date_format *f, struct compiler *c)
{
    static const char *const patterns[] = {"yyyy-MM-dd HH:mm:ss.SSSZ", "yyyy-MM-dd HH:mm:ss.SSS",
                                           "yyyy-MM-dd HH:mm:ss,SSSZ", "yyyy-MM-dd HH:mm:ss,SSS"};

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct compiler one = {.arena = c->arena, .pattern = str_of(patterns[i])};
        f->others[i] = compile_pattern(&one);
    }
}

const struct date_format *date_format_compile(struct arena *a, struct str pattern,
                                              struct str locale, struct timestamp now,
                                              const char **problem)
{
    enum { YEARS_BACK = 80 }; /* Joda: the middle of the hundred years is 30 years ago */
    struct compiler c = {.arena = a, .pattern = pattern, .locale = date_locale_find(locale)};
    enum date_form  form = form_of(pattern);

    *problem = NULL;
    c.year_base = (int)time_civil(now.sec).year - YEARS_BACK;
    if (form == FORM_PATTERN) {
        struct date_format *f = compile_pattern(&c);
        *problem = c.problem;
        return f;
    }
    struct date_format *f = arena_zalloc(a, sizeof(*f));
    f->form = form;
    f->has_year = true;
    if (form == FORM_ISO8601) compile_almost_iso(f, &c);
    return f;
}
