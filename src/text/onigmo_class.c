#include "base/utf8.h"
#include "text/onigmo_parse.h"

/*
 * Character classes: nested ones, intersections, POSIX brackets. PCRE2 has no nesting, so what a
 * bracket cannot hold becomes an alternative that takes one character as well, and an intersection
 * becomes look-aheads. Source: Onigmo's doc/RE, section 6.
 */

enum { POSIX_MAX = 40 }; /* bytes to look for the end of [:name:] in */

/* One operand of &&: brackets and alternatives, all of which match one character. */
struct operand {
    struct buf items;  /* inside one pair of brackets */
    struct buf others; /* "|[^…]|(?:…)" */
};

/* A class that was read. */
struct class
{
    bool           negated;
    int            operands; /* of &&, that are complete in `ahead` */
    struct buf     ahead;    /* "(?=…)(?=…)" */
    struct operand last;
};

static bool read_class(struct translation *t, struct class *c, int depth);

static void release_class(struct class *c)
{
    buf_release(&c->ahead);
    buf_release(&c->last.items);
    buf_release(&c->last.others);
}

/* Whether the class is nothing but one pair of brackets. */
static bool is_simple(const struct class *c)
{
    return c->operands == 0 && c->last.others.len == 0;
}

static void put_operand(struct buf *out, const struct operand *o)
{
    if (o->others.len == 0 && o->items.len == 0) {
        buf_str(out, STR("(?!)")); /* nothing is in it */
    } else if (o->others.len == 0) {
        onigmo_set(out, buf_view(&o->items), false);
    } else {
        buf_str(out, STR("(?:"));
        if (o->items.len) onigmo_set(out, buf_view(&o->items), false);
        buf_str(out, str_from(buf_view(&o->others), o->items.len ? 0 : 1));
        buf_char(out, ')');
    }
}

static void put_class(struct buf *out, const struct class *c)
{
    if (is_simple(c) && c->last.items.len) {
        onigmo_set(out, buf_view(&c->last.items), c->negated);
        return;
    }
    buf_str(out, c->negated ? STR("(?:(?!") : STR("(?:"));
    buf_str(out, buf_view(&c->ahead));
    put_operand(out, &c->last);
    buf_str(out, c->negated ? STR(")(?s:.))") : STR(")"));
}

/* \p{X} alone has an opposite that brackets can hold. */
static bool put_opposite_property(struct buf *out, struct str items)
{
    if (!str_starts(items, STR("\\p{")) || str_find(items, STR("}")) != (ptrdiff_t)items.len - 1)
        return false;
    buf_str(out, STR("\\P"));
    buf_str(out, str_from(items, 2));
    return true;
}

static void add_set(struct operand *o, const struct onigmo_escape *e)
{
    if (!e->negated) {
        buf_str(&o->items, e->items);
    } else if (e->opposite.data) {
        buf_str(&o->items, e->opposite);
    } else if (!put_opposite_property(&o->items, e->items)) {
        buf_char(&o->others, '|');
        onigmo_set(&o->others, e->items, true);
    }
}

/* Whether the "[:" that comes next has a ":]"; else it is a nested class. */
static bool is_posix(const struct translation *t)
{
    if (t->java || onigmo_peek(t, 0) != '[' || onigmo_peek(t, 1) != ':') return false;
    for (size_t i = 2; t->at + i < t->pattern.len && i < POSIX_MAX; i++) {
        char c = onigmo_peek(t, i);
        if (c == '\\') i++;
        if (c == ':' && onigmo_peek(t, i + 1) == ']') return true;
        if (c == ']') return false;
    }
    return false;
}

/* [:name:] and [:^name:]. Where a ":]" follows but no name is between, the bracket is text. */
static bool read_posix(struct translation *t, struct operand *o)
{
    struct onigmo_escape e = {.kind = ESCAPE_SET};
    struct str           name = str_from(t->pattern, t->at + 2);
    size_t               len = 0;

    e.negated = str_starts(name, STR("^"));
    name = str_from(name, e.negated);
    while (len < name.len && name.data[len] != ':' && name.data[len] != ']')
        len++;
    bool named = str_starts(str_from(name, len), STR(":]"));
    e.items = onigmo_property(t, (struct str){name.data, len}, true);
    if (named && !e.items.data)
        return onigmo_fail(t, t->at, "there is no POSIX bracket [:%.*s:]", (int)len, name.data);
    if (named) {
        t->at = (size_t)(name.data - t->pattern.data) + len + 2;
        add_set(o, &e);
    } else {
        t->at++;
        buf_str(&o->items, STR("\\["));
    }
    return true;
}

static bool read_nested(struct translation *t, struct operand *o, int depth)
{
    struct class inner = {0};
    bool ok;

    t->at++;
    ok = read_class(t, &inner, depth + 1);
    if (ok && is_simple(&inner) && !inner.negated) {
        buf_str(&o->items, buf_view(&inner.last.items));
    } else if (ok) {
        buf_char(&o->others, '|');
        put_class(&o->others, &inner);
    }
    release_class(&inner);
    return ok;
}

/* An escape that means something else outside of brackets. */
static bool read_other_escape(struct translation *t, struct onigmo_escape *e)
{
    struct str rest = str_from(t->pattern, t->at);
    char       c = onigmo_peek(t, 0);

    e->kind = ESCAPE_CHAR;
    if (c >= '1' && c <= '7') return onigmo_number(t, 8, 3, &e->c);
    t->at += utf8_get(rest, &e->c);
    if (c == 'b') e->c = '\b';
    return true;
}

/* One character or set. */
static bool read_member(struct translation *t, struct onigmo_escape *e)
{
    if (onigmo_take(t, '\\')) {
        if (!onigmo_escape(t, e)) return false;
        return e->kind != ESCAPE_OTHER || read_other_escape(t, e);
    }
    *e = (struct onigmo_escape){.kind = ESCAPE_CHAR};
    t->at += utf8_get(str_from(t->pattern, t->at), &e->c);
    return true;
}

/* Whether a "-" and the end of a range come next. */
static bool range_follows(const struct translation *t)
{
    if (onigmo_peek(t, 0) != '-') return false;
    char next = onigmo_peek(t, 1);
    return next != ']' && next != '[' && next != '\0' && !(next == '&' && onigmo_peek(t, 2) == '&');
}

static bool read_range(struct translation *t, struct operand *o, uint32_t from)
{
    struct onigmo_escape to;
    size_t               at = t->at++;
    bool                 ok = read_member(t, &to);

    onigmo_literal(&o->items, from);
    if (ok && to.kind == ESCAPE_CHAR) {
        if (to.c < from) ok = onigmo_fail(t, at, "the range in brackets ends before it begins");
        buf_char(&o->items, '-');
        onigmo_literal(&o->items, to.c);
    } else if (ok) { /* [+-\d]: no range */
        buf_str(&o->items, STR("\\-"));
        if (to.kind == ESCAPE_SET)
            add_set(o, &to);
        else
            ok = onigmo_fail(t, at, "a range in brackets must end with one character");
    }
    buf_release(&to.chars);
    return ok;
}

static bool read_items(struct translation *t, struct operand *o)
{
    struct onigmo_escape e;
    bool                 ok = read_member(t, &e);

    if (ok && e.kind == ESCAPE_SET) {
        add_set(o, &e);
    } else if (ok && e.kind == ESCAPE_CHAR && range_follows(t)) {
        ok = read_range(t, o, e.c);
    } else if (ok && e.kind == ESCAPE_CHAR) {
        onigmo_literal(&o->items, e.c);
    } else if (ok) {
        for (struct str rest = buf_view(&e.chars); rest.len;) {
            uint32_t c;
            rest = str_from(rest, utf8_get(rest, &c));
            onigmo_literal(&o->items, c);
        }
    }
    buf_release(&e.chars);
    return ok;
}

/* && ends an operand. */
static void end_operand(struct class *c)
{
    buf_str(&c->ahead, STR("(?="));
    put_operand(&c->ahead, &c->last);
    buf_char(&c->ahead, ')');
    c->operands++;
    buf_clear(&c->last.items);
    buf_clear(&c->last.others);
}

/* A "]" right behind the "[" means itself if another one follows. */
static bool bracket_first(struct translation *t, struct class *c, size_t start)
{
    if (onigmo_peek(t, 0) != ']') return true;
    if (str_find(str_from(t->pattern, t->at + 1), STR("]")) < 0)
        return onigmo_fail(t, start, "the brackets are empty");
    t->at++;
    buf_str(&c->last.items, STR("\\]"));
    return true;
}

static bool read_class(struct translation *t, struct class *c, int depth)
{
    size_t start = t->at - 1;
    bool   closed;

    if (depth > ONIGMO_NESTING_MAX) return onigmo_fail(t, start, "brackets are nested too deep");
    c->negated = onigmo_take(t, '^');
    if (!bracket_first(t, c, start)) return false;
    while (!(closed = onigmo_take(t, ']')) && onigmo_more(t)) {
        if (is_posix(t)) {
            if (!read_posix(t, &c->last)) return false;
        } else if (onigmo_peek(t, 0) == '[') {
            if (!read_nested(t, &c->last, depth)) return false;
        } else if (onigmo_peek(t, 0) == '&' && onigmo_peek(t, 1) == '&') {
            t->at += 2;
            end_operand(c);
        } else if (!read_items(t, &c->last)) {
            return false;
        }
    }
    return closed || onigmo_fail(t, start, "the bracket is not closed");
}

bool onigmo_class(struct translation *t, struct buf *out)
{
    struct class c = {0};
    bool ok = read_class(t, &c, 0);

    if (ok) put_class(out, &c);
    release_class(&c);
    return ok;
}
