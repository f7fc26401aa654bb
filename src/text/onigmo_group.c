#include "text/onigmo_parse.h"

/*
 * Groups, options and references. Source: Onigmo's doc/RE, sections 7 to 9, and regparse.c.
 *
 * Named groups lose their names and go by number.
 */

static bool open_level(struct parser *p, size_t source)
{
    if (p->depth == ONIGMO_NESTING_MAX)
        return onigmo_fail(&p->t, source, "groups are nested too deep");
    p->levels[++p->depth] = (struct level){
        .start = p->t.out->len, .source = source, .extended = p->extended, .unicode = p->t.unicode};
    onigmo_no_atom(p);
    return true;
}

void onigmo_end_options(struct parser *p)
{
    for (int i = 0; i < p->levels[p->depth].closes; i++)
        buf_char(p->t.out, ')');
}

bool onigmo_group_end(struct parser *p)
{
    struct level *l = &p->levels[p->depth];

    if (p->depth == 0) return onigmo_fail(&p->t, p->t.at - 1, "this ) closes nothing");
    onigmo_end_options(p);
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
    onigmo_no_atom(p);
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
bool onigmo_group(struct parser *p)
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
bool onigmo_reference(struct parser *p, size_t at)
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
    onigmo_begin_atom(p);
    if (!call) return put_reference(p, name, at, false);
    if (!group_number(name, p->out->groups, &number)) number = number_of_name(p, name);
    if (!str_is(name, "0") && !known_group(p, number, at)) return false;
    buf_printf(t->out, "(?%u)", (unsigned)number);
    return true;
}

/* \1 to \9, and more digits when there are so many groups; else octal. */
bool onigmo_numbered(struct parser *p, size_t at)
{
    struct translation *t = &p->t;
    uint32_t            number;

    onigmo_number(t, 10, 9, &number);
    onigmo_begin_atom(p);
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
