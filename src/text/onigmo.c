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

enum { REPEAT_MAX = 65535, WRAPS_MAX = 100 };

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
    char suffix = onigmo_peek(t, 0);
    if ((suffix == '+' && !again) || (suffix == '?' && !(again && min == max))) {
        buf_char(t->out, suffix);
        t->at++;
    }
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
        onigmo_begin_atom(p);
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
        onigmo_begin_anchor(p);
        buf_printf(t->out, "\\%c", c);
        t->at++;
        return true;
    }
    if (c == 'R' || c == 'X') {
        onigmo_begin_atom(p);
        buf_printf(t->out, "\\%c", c);
        t->at++;
        return true;
    }
    if (c >= '1' && c <= '9') return onigmo_numbered(p, at);
    t->at += utf8_get(str_from(t->pattern, t->at), &literal);
    if (c == 'k' || (c == 'g' && !t->java)) return onigmo_reference(p, at);
    if (c == 'Q' && t->java) {
        read_quoted(p);
        return true;
    }
    onigmo_begin_atom(p);
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
        onigmo_begin_atom(p);
        onigmo_set(t->out, e.items, e.negated);
    } else if (ok && e.kind == ESCAPE_CHAR) {
        onigmo_begin_atom(p);
        onigmo_literal(t->out, e.c);
    } else if (ok) {
        for (struct str rest = buf_view(&e.chars); rest.len;) {
            uint32_t c;
            rest = str_from(rest, utf8_get(rest, &c));
            onigmo_begin_atom(p);
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
    onigmo_begin_atom(p);
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
        onigmo_begin_atom(p);
        return onigmo_class(t, t->out);
    case '(':
        return onigmo_group(p);
    case ')':
        return onigmo_group_end(p);
    case '*':
    case '+':
    case '?':
        return put_quantifier(p, c, at, 0, 0);
    case '.':
        onigmo_begin_atom(p);
        break;
    case '|':
        onigmo_no_atom(p);
        break;
    default:
        onigmo_begin_anchor(p);
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
    onigmo_no_atom(p);
    while (onigmo_more(t)) {
        if (t->out->len <= p->watch) p->watched = t->at;
        if (!read_one(p)) return false;
    }
    if (p->depth > 0) return onigmo_fail(t, p->levels[p->depth].source, "this ( is not closed");
    onigmo_end_options(p);
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
