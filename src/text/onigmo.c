#include "text/onigmo.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "text/onigmo_parse.h"

/*
 * Groups, quantifiers, assertions and references. Source: Onigmo's doc/RE and regparse.c's Ruby
 * syntax; for Java, java.util.regex.Pattern.
 *
 * Named groups lose their names and go by number. A name may be used before its group stands, and
 * plain groups count only when there is no named one, so the pattern is read several times: what
 * one pass learns the next one uses.
 */

/* A group that is open, and what its end restores. */
struct level {
    size_t start;  /* where it begins in the output */
    size_t source; /* and in the pattern */
    int    closes; /* brackets of isolated options such as (?i) that end with it */
    bool   extended, unicode;
};

enum { NO_ATOM = -1 };

struct parser {
    struct translation t;
    struct arena      *arena;
    struct onigmo     *out;
    struct onigmo      known; /* what the pass before found: groups and names */
    int                pass;
    bool               extended; /* (?x) */
    ptrdiff_t          atom;     /* where the last atom begins in the output, or NO_ATOM */
    bool               quantified;
    int                wraps; /* of the last atom */
    int                depth;
    size_t             watch, watched; /* see onigmo_source_offset() */
    struct level       levels[ONIGMO_NESTING_MAX + 1];
};

enum { PASSES = 3, REPEAT_MAX = 65535, WRAPS_MAX = 100 };

bool onigmo_fail(struct translation *t, size_t at, const char *format, ...)
{
    va_list args;

    if (t->failed) return false;
    t->failed = true;
    t->error->offset = at;
    va_start(args, format);
    vsnprintf(t->error->message, sizeof(t->error->message), format, args);
    va_end(args);
    return false;
}

static void begin_atom(struct parser *p)
{
    p->atom = (ptrdiff_t)p->t.out->len;
    p->quantified = false;
    p->wraps = 0;
}

static void no_atom(struct parser *p)
{
    p->atom = NO_ATOM;
}

/* ---- quantifiers ---- */

/* {n}, {n,}, {n,m}, {,m}; anything else is text. `max` is UINT32_MAX without limit. */
static bool read_interval(struct translation *t, uint32_t *min, uint32_t *max)
{
    size_t start = t->at++;
    bool   low = onigmo_number(t, 10, 9, min), comma = onigmo_take(t, ',');
    bool   high = comma && onigmo_number(t, 10, 9, max);

    if (!low) *min = 0;
    if (!high) *max = comma ? UINT32_MAX : *min;
    if ((low || (high && !t->java)) && onigmo_take(t, '}')) return true;
    t->at = start;
    return false;
}

/* Puts the last atom, quantified already, into a group, so that it can be quantified again. */
static bool wrap_atom(struct parser *p, size_t at)
{
    struct buf *out = p->t.out;
    size_t      atom = (size_t)p->atom;

    if (++p->wraps > WRAPS_MAX) return onigmo_fail(&p->t, at, "too many quantifiers in a row");
    buf_str(out, STR("(?:)"));
    memmove(out->data + atom + 3, out->data + atom, out->len - 4 - atom);
    memcpy(out->data + atom, "(?:", 3);
    out->data[out->len - 1] = ')';
    p->quantified = false;
    return true;
}

static bool put_interval(struct parser *p, size_t at, uint32_t min, uint32_t max)
{
    if (min > REPEAT_MAX || (max > REPEAT_MAX && max != UINT32_MAX))
        return onigmo_fail(&p->t, at, "more than %d repetitions", REPEAT_MAX);
    if (min > max) return onigmo_fail(&p->t, at, "the interval ends before it begins");
    if (max == UINT32_MAX)
        buf_printf(p->t.out, "{%u,}", (unsigned)min);
    else if (max == min)
        buf_printf(p->t.out, "{%u}", (unsigned)min);
    else
        buf_printf(p->t.out, "{%u,%u}", (unsigned)min, (unsigned)max);
    return true;
}

/* `c` is *, + or ?, or { of an interval that is read already. */
static bool put_quantifier(struct parser *p, char c, size_t at, uint32_t min, uint32_t max)
{
    struct translation *t = &p->t;

    if (p->atom == NO_ATOM) return onigmo_fail(t, at, "nothing stands before %c to be repeated", c);
    if (p->quantified && !wrap_atom(p, at)) return false;
    p->quantified = true;
    if (c != '{')
        buf_char(t->out, c);
    else if (!put_interval(p, at, min, max))
        return false;
    /* In Ruby {n,m}+ is no possessive quantifier, nor {n}? a lazy one: + and ? apply again. */
    bool again = c == '{' && !t->java;
    if (onigmo_peek(t, 0) == '+' && !again)
        buf_char(t->out, onigmo_peek(t, 0)), t->at++;
    else if (onigmo_peek(t, 0) == '?' && !(again && min == max))
        buf_char(t->out, onigmo_peek(t, 0)), t->at++;
    return true;
}

/* ---- groups ---- */

static bool open_level(struct parser *p, size_t source)
{
    if (p->depth == ONIGMO_NESTING_MAX)
        return onigmo_fail(&p->t, source, "groups are nested too deep");
    p->levels[++p->depth] = (struct level){
        .start = p->t.out->len, .source = source, .extended = p->extended, .unicode = p->t.unicode};
    no_atom(p);
    return true;
}

static void put_closes(struct parser *p)
{
    for (int i = 0; i < p->levels[p->depth].closes; i++)
        buf_char(p->t.out, ')');
}

static bool close_level(struct parser *p)
{
    struct level *l = &p->levels[p->depth];

    if (p->depth == 0) return onigmo_fail(&p->t, p->t.at - 1, "this ) closes nothing");
    put_closes(p);
    buf_char(p->t.out, ')');
    p->extended = l->extended;
    p->t.unicode = l->unicode;
    p->depth--;
    p->atom = (ptrdiff_t)l->start;
    p->quantified = false;
    p->wraps = 0;
    return true;
}

/* In Ruby plain groups do not capture when there are named ones. */
static bool open_plain(struct parser *p, size_t source)
{
    bool captures = p->t.java || p->known.names_len == 0;

    if (!open_level(p, source)) return false;
    buf_str(p->t.out, captures ? STR("(") : STR("(?:"));
    p->out->groups += captures;
    return true;
}

/* Reads up to `end`; false when it does not come. */
static bool read_name(struct translation *t, char end, struct str *name)
{
    size_t start = t->at;

    while (onigmo_more(t) && onigmo_peek(t, 0) != end)
        t->at++;
    *name = (struct str){t->pattern.data + start, t->at - start};
    return onigmo_take(t, end);
}

static bool open_named(struct parser *p, size_t source, char end)
{
    struct onigmo *o = p->out;
    struct str     name;

    if (!read_name(&p->t, end, &name))
        return onigmo_fail(&p->t, source, "the name of the group has no end");
    if (name.len == 0) return onigmo_fail(&p->t, source, "the group has an empty name");
    if (o->names_len == ONIGMO_NAMES_MAX)
        return onigmo_fail(&p->t, source, "more than %d named groups", ONIGMO_NAMES_MAX);
    if (!open_level(p, source)) return false;
    buf_char(p->t.out, '(');
    o->names[o->names_len++] = (struct onigmo_name){name, ++o->groups};
    return true;
}

/* What (?imx-imx turns on and off. */
struct options {
    struct buf text; /* for PCRE2 */
    bool       off;
};

static bool read_option(struct parser *p, char c, struct options *o)
{
    struct translation *t = &p->t;

    switch (c) {
    case '-':
        if (o->off) return false;
        o->off = true;
        buf_char(&o->text, '-');
        return true;
    case 'x':
        p->extended = !o->off;
        return true;
    case 'i':
        buf_char(&o->text, 'i');
        return true;
    case 'm':
        buf_char(&o->text, t->java ? 'm' : 's');
        return true;
    case 's':
        if (t->java) buf_char(&o->text, 's');
        return t->java;
    case 'u':
    case 'U':
        if (c == 'U' && !t->java) return false;
        if (c == 'U' || !t->java) t->unicode = !o->off;
        return true;
    case 'd':
    case 'a':
        if (!t->java) t->unicode = false;
        return t->java == (c == 'd') || !t->java;
    default:
        return false;
    }
}

/* (?i) reaches to the end of the group around it; in Ruby even over its alternatives, so that
   a(?i)b|c is a(?i:b|c). */
static bool end_options(struct parser *p, size_t source, struct str options, bool extended,
                        bool unicode, char end)
{
    struct level *outer = &p->levels[p->depth];
    bool          was_extended = p->extended, was_unicode = p->t.unicode;

    if (end == ':') {
        p->extended = extended;
        p->t.unicode = unicode;
        if (!open_level(p, source)) return false;
        p->extended = was_extended;
        p->t.unicode = was_unicode;
    }
    buf_str(p->t.out, STR("(?"));
    buf_str(p->t.out, options);
    if (end == ':' || !p->t.java) {
        buf_char(p->t.out, ':');
        outer->closes += end == ')';
        if (outer->closes > ONIGMO_NESTING_MAX)
            return onigmo_fail(&p->t, source, "groups are nested too deep");
    } else {
        buf_char(p->t.out, ')');
    }
    no_atom(p);
    return true;
}

static bool open_options(struct parser *p, size_t source)
{
    struct options o = {0};
    bool           extended = p->extended, unicode = p->t.unicode, ok = true;
    char           c = '\0';

    while (ok && (c = onigmo_peek(&p->t, 0)) != ':' && c != ')') {
        ok = onigmo_more(&p->t) && read_option(p, c, &o);
        if (!ok) onigmo_fail(&p->t, source, "(?%c begins no group that is known here", c ? c : ' ');
        p->t.at++;
    }
    if (ok) {
        p->t.at++;
        ok = end_options(p, source, buf_view(&o.text), extended, unicode, c);
    }
    buf_release(&o.text);
    return ok;
}

/* Text of group openings that are the same everywhere. */
static const char *const same_groups[] = {"?:", "?=", "?!", "?>", "?<=", "?<!"};

static bool put_reference(struct parser *p, struct str name, size_t at, bool condition);

/* (?(1)yes|no), (?(<name>)yes|no) */
static bool open_condition(struct parser *p, size_t source)
{
    struct translation *t = &p->t;
    struct str          name;

    if (!open_level(p, source)) return false;
    buf_str(t->out, STR("(?("));
    if (!read_name(t, ')', &name) || name.len == 0)
        return onigmo_fail(t, source, "the condition of the group has no end");
    bool marked = name.len > 2 && (name.data[0] == '<' || name.data[0] == '\'');
    if (marked) name = (struct str){name.data + 1, name.len - 2};
    if (!put_reference(p, name, source, true)) return false;
    buf_char(t->out, ')');
    return true;
}

static bool skip_comment(struct parser *p, size_t source)
{
    struct translation *t = &p->t;

    for (; onigmo_more(t); t->at++) {
        if (onigmo_take(t, ')')) return true;
        if (onigmo_peek(t, 0) == '\\') t->at++;
    }
    t->at = t->pattern.len;
    return onigmo_fail(t, source, "the comment has no end");
}

/* `t->at` is behind the "(". */
static bool read_group(struct parser *p)
{
    struct translation *t = &p->t;
    size_t              source = t->at - 1;
    struct str          rest = str_from(t->pattern, t->at);

    if (!onigmo_take(t, '?')) return open_plain(p, source);
    for (size_t i = 0; i < sizeof(same_groups) / sizeof(same_groups[0]); i++) {
        struct str same = str_of(same_groups[i]);
        if (!str_starts(rest, same)) continue;
        t->at += same.len - 1;
        if (!open_level(p, source)) return false;
        buf_char(t->out, '(');
        buf_str(t->out, same);
        return true;
    }
    if (onigmo_take(t, '<')) return open_named(p, source, '>');
    if (!t->java && onigmo_take(t, '\'')) return open_named(p, source, '\'');
    if (!t->java && onigmo_take(t, '#')) return skip_comment(p, source);
    if (!t->java && onigmo_take(t, '(')) return open_condition(p, source);
    if (!t->java && onigmo_peek(t, 0) == '~')
        return onigmo_fail(t, source, "the absent operator (?~...) is not supported");
    return open_options(p, source);
}

/* ---- references ---- */

/* "7", "-1" or "+1" as the number of a group; `groups` is what -1 counts from. */
static bool group_number(struct str text, uint32_t groups, uint32_t *number)
{
    int64_t value = 0;
    bool    back = str_starts(text, STR("-")), ahead = str_starts(text, STR("+"));
    size_t  i = back || ahead;

    if (i == text.len || text.len > 8) return false;
    for (; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        value = value * 10 + (text.data[i] - '0');
    }
    if (back) value = (int64_t)groups + 1 - value;
    if (ahead) value += groups;
    *number = value < 0 || value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    return true;
}

static bool known_group(struct parser *p, uint32_t number, size_t at)
{
    if (p->pass < PASSES - 1 || (number > 0 && number <= p->known.groups)) return true;
    return onigmo_fail(&p->t, at, "there is no such group to refer to");
}

/* Of several groups with the name the last one that matched counts. */
static bool put_named_reference(struct parser *p, struct str name, size_t at)
{
    struct buf *out = p->t.out;
    uint32_t    found = 0;

    buf_str(out, STR("(?:"));
    for (uint32_t i = p->known.names_len; i-- > 0;) {
        if (!str_eq(p->known.names[i].name, name)) continue;
        buf_printf(out, "%s\\g{%u}", found++ ? "|" : "", (unsigned)p->known.names[i].group);
    }
    buf_char(out, ')');
    if (found || p->pass < PASSES - 1) return true;
    return onigmo_fail(&p->t, at, "there is no group called %.*s", STR_ARG(name));
}

static uint32_t number_of_name(const struct parser *p, struct str name)
{
    for (uint32_t i = 0; i < p->known.names_len; i++)
        if (str_eq(p->known.names[i].name, name)) return p->known.names[i].group;
    return 0;
}

static bool put_reference(struct parser *p, struct str name, size_t at, bool condition)
{
    uint32_t number;

    if (!group_number(name, p->out->groups, &number)) {
        if (!condition) return put_named_reference(p, name, at);
        number = number_of_name(p, name);
    }
    if (!known_group(p, number, at)) return false;
    buf_printf(p->t.out, condition ? "%u" : "\\g{%u}", (unsigned)number);
    return true;
}

/* \k<name>, \k<1>, \k<-1>; \g<name> runs the group again, \g<0> all of the pattern. */
static bool read_reference(struct parser *p, size_t at)
{
    struct translation *t = &p->t;
    bool                call = t->pattern.data[t->at - 1] == 'g';
    char                open = onigmo_peek(t, 0);
    struct str          name;
    uint32_t            number;

    t->at++;
    if ((open != '<' && open != '\'') || !read_name(t, open == '<' ? '>' : '\'', &name) ||
        name.len == 0)
        return onigmo_fail(t, at, "\\%c needs the name of a group in < >", call ? 'g' : 'k');
    begin_atom(p);
    if (!call) return put_reference(p, name, at, false);
    if (!group_number(name, p->out->groups, &number)) number = number_of_name(p, name);
    if (!str_is(name, "0") && !known_group(p, number, at)) return false;
    buf_printf(t->out, "(?%u)", (unsigned)number);
    return true;
}

/* \1 to \9, and more digits when there are so many groups; else octal. */
static bool read_numbered(struct parser *p, size_t at)
{
    struct translation *t = &p->t;
    uint32_t            number;

    onigmo_number(t, 10, 9, &number);
    begin_atom(p);
    if (number > 9 && number > p->known.groups) {
        t->at = at + 1;
        if (onigmo_number(t, 8, 3, &number))
            onigmo_literal(t->out, number & 0xFF);
        else
            buf_char(t->out, t->pattern.data[t->at++]);
        return true;
    }
    if (!t->java && p->known.names_len > 0)
        return onigmo_fail(t, at, "with named groups, refer to them as \\k<name>, not by number");
    if (!known_group(p, number, at)) return false;
    buf_printf(t->out, "\\g{%u}", (unsigned)number);
    return true;
}

/* ---- the rest ---- */

/* \Q…\E of Java */
static void read_quoted(struct parser *p)
{
    struct translation *t = &p->t;
    struct str          rest = str_from(t->pattern, t->at);
    ptrdiff_t           end = str_find(rest, STR("\\E"));
    size_t              stop = end < 0 ? t->pattern.len : t->at + (size_t)end;

    while (t->at < stop) {
        uint32_t c;
        t->at += utf8_get(str_from(t->pattern, t->at), &c);
        begin_atom(p);
        onigmo_literal(t->out, c);
    }
    if (end >= 0) t->at += 2;
}

/* An escape that is neither a character nor a set. */
static bool read_other_escape(struct parser *p, size_t at)
{
    struct translation *t = &p->t;
    char                c = onigmo_peek(t, 0);
    uint32_t            literal;

    if (c && strchr(t->java ? "AbBGzZ" : "AbBGKzZ", c)) {
        buf_printf(t->out, "\\%c", c);
        t->at++;
        no_atom(p);
        return true;
    }
    if (c == 'R' || c == 'X') {
        begin_atom(p);
        buf_printf(t->out, "\\%c", c);
        t->at++;
        return true;
    }
    if (c >= '1' && c <= '9') return read_numbered(p, at);
    t->at += utf8_get(str_from(t->pattern, t->at), &literal);
    if (c == 'k' || (c == 'g' && !t->java)) return read_reference(p, at);
    if (c == 'Q' && t->java) {
        read_quoted(p);
        return true;
    }
    begin_atom(p);
    onigmo_literal(t->out, literal);
    return true;
}

/* `t->at` is behind the backslash. */
static bool read_escape(struct parser *p)
{
    struct translation  *t = &p->t;
    size_t               at = t->at - 1;
    struct onigmo_escape e;
    bool                 ok = onigmo_escape(t, &e);

    if (ok && e.kind == ESCAPE_OTHER) {
        ok = read_other_escape(p, at);
    } else if (ok && e.kind == ESCAPE_SET) {
        begin_atom(p);
        onigmo_set(t->out, e.items, e.negated);
    } else if (ok && e.kind == ESCAPE_CHAR) {
        begin_atom(p);
        onigmo_literal(t->out, e.c);
    } else if (ok) {
        for (struct str rest = buf_view(&e.chars); rest.len;) {
            uint32_t c;
            rest = str_from(rest, utf8_get(rest, &c));
            begin_atom(p);
            onigmo_literal(t->out, c);
        }
    }
    buf_release(&e.chars);
    return ok;
}

/* Blanks and comments of (?x). */
static bool skip_blank(struct parser *p, char c)
{
    struct translation *t = &p->t;

    if (c == '#') {
        while (onigmo_more(t) && onigmo_peek(t, 0) != '\n')
            t->at++;
        return true;
    }
    if (c != ' ' && (c < '\t' || c > '\r')) return false;
    t->at++;
    return true;
}

static bool read_character(struct parser *p)
{
    struct translation *t = &p->t;
    uint32_t            c;

    t->at += utf8_get(str_from(t->pattern, t->at), &c);
    begin_atom(p);
    onigmo_literal(t->out, c);
    return true;
}

static bool read_one(struct parser *p)
{
    struct translation *t = &p->t;
    size_t              at = t->at;
    char                c = onigmo_peek(t, 0);
    uint32_t            min = 0, max = 0;

    if (p->extended && skip_blank(p, c)) return true;
    if (c == '{')
        return read_interval(t, &min, &max) ? put_quantifier(p, c, at, min, max)
                                            : read_character(p);
    if (!c || !strchr("\\[(|)*+?.^$", c)) return read_character(p);
    t->at++;
    switch (c) {
    case '\\':
        return read_escape(p);
    case '[':
        begin_atom(p);
        return onigmo_class(t, t->out);
    case '(':
        return read_group(p);
    case ')':
        return close_level(p);
    case '*':
    case '+':
    case '?':
        return put_quantifier(p, c, at, 0, 0);
    case '.':
        begin_atom(p);
        break;
    default:
        no_atom(p);
        break;
    }
    buf_char(t->out, c);
    return true;
}

static bool run_pass(struct parser *p)
{
    struct translation *t = &p->t;

    t->at = 0;
    t->unicode = p->extended = false;
    p->depth = 0;
    p->levels[0] = (struct level){0};
    p->out->groups = p->out->names_len = 0;
    buf_clear(t->out);
    no_atom(p);
    while (onigmo_more(t)) {
        if (t->out->len <= p->watch) p->watched = t->at;
        if (!read_one(p)) return false;
    }
    if (p->depth > 0) return onigmo_fail(t, p->levels[p->depth].source, "this ( is not closed");
    put_closes(p);
    return true;
}

static bool run_passes(struct parser *p)
{
    size_t names_size = ONIGMO_NAMES_MAX * sizeof(struct onigmo_name);
    bool   ok = true;

    if (p->t.pattern.len > ONIGMO_PATTERN_MAX)
        return onigmo_fail(&p->t, 0, "the pattern is longer than %d bytes", ONIGMO_PATTERN_MAX);
    for (p->pass = 0; ok && p->pass < PASSES; p->pass++) {
        p->out->names = arena_alloc(p->arena, names_size);
        ok = run_pass(p);
        p->known = *p->out;
    }
    return ok;
}

static bool is_ascii(const struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if ((unsigned char)b->data[i] >= 0x80) return false;
    return true;
}

bool onigmo_translate(struct arena *a, struct str pattern, unsigned flags, bool bytes,
                      struct onigmo *out, struct regex_error *error)
{
    struct parser p = {.arena = a, .out = out};

    out->groups = out->names_len = 0;
    p.t = (struct translation){.pattern = pattern,
                               .java = flags & REGEX_JAVA,
                               .bytes = bytes,
                               .out = &out->pcre,
                               .error = error};
    bool ok = run_passes(&p);
    out->ascii = is_ascii(&out->pcre);
    return ok;
}

size_t onigmo_source_offset(struct arena *a, struct str pattern, unsigned flags, bool bytes,
                            size_t offset)
{
    struct regex_error unused;
    struct onigmo      out = {0};
    struct parser      p = {.arena = a, .out = &out, .watch = offset};

    p.t = (struct translation){.pattern = pattern,
                               .java = flags & REGEX_JAVA,
                               .bytes = bytes,
                               .out = &out.pcre,
                               .error = &unused};
    run_passes(&p);
    buf_release(&out.pcre);
    return p.watched;
}
