#include "text/regex_literal.h"

#include <ctype.h>

#include "base/buf.h"

enum { LITERAL_MIN = 3, NESTING_MAX = 200 };

/*
 * A walk over the pattern that keeps runs of plain characters. Groups that must match exactly once
 * are walked through; whatever else has a meaning ends the run. `given_up`: something changes what
 * characters mean, so nothing is certain.
 */
struct walk {
    struct str p;
    size_t     at;
    struct buf run, best;
    bool       given_up;
};

static char peek(const struct walk *w, size_t ahead)
{
    return w->at + ahead < w->p.len ? w->p.data[w->at + ahead] : '\0';
}

static void end_run(struct walk *w)
{
    if (w->run.len > w->best.len) {
        buf_clear(&w->best);
        buf_str(&w->best, buf_view(&w->run));
    }
    buf_clear(&w->run);
}

/* Behind a [...] whose inside begins at `at`; brackets may nest. */
static size_t class_end(struct str p, size_t at)
{
    int depth = 1;

    if (at < p.len && p.data[at] == '^') at++;
    if (at < p.len && p.data[at] == ']') at++;
    for (; at < p.len && depth > 0; at++) {
        if (p.data[at] == '\\')
            at++;
        else if (p.data[at] == '[')
            depth++;
        else if (p.data[at] == ']')
            depth--;
    }
    return at;
}

/* Behind the ) of the group whose inside begins at `at`. `*branches`: it has a | of its own. */
static size_t group_end(struct str p, size_t at, bool *branches)
{
    int depth = 1;

    *branches = false;
    while (at < p.len && depth > 0) {
        char c = p.data[at++];
        if (c == '\\')
            at++;
        else if (c == '[')
            at = class_end(p, at);
        else if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
        else if (c == '|' && depth == 1)
            *branches = true;
    }
    return at;
}

/* Of "{2,3}" at the start of `s`: its length, else 0. */
static size_t interval_len(struct str s)
{
    size_t at = 1;

    if (s.len == 0 || s.data[0] != '{') return 0;
    while (at < s.len && (isdigit((unsigned char)s.data[at]) || s.data[at] == ','))
        at++;
    return at > 1 && at < s.len && s.data[at] == '}' ? at + 1 : 0;
}

static size_t quantifier_len(struct str p, size_t at)
{
    char c = at < p.len ? p.data[at] : '\0';

    return c == '?' || c == '*' || c == '+' ? 1 : interval_len(str_from(p, at));
}

static void skip_quantifiers(struct walk *w)
{
    size_t len;

    while ((len = quantifier_len(w->p, w->at)) > 0)
        w->at += len;
}

/* A plain character; the run ends in front of one that may be missing. */
static void take_char(struct walk *w, char c)
{
    if (quantifier_len(w->p, w->at) == 0) {
        buf_char(&w->run, c);
        return;
    }
    end_run(w);
    skip_quantifiers(w);
}

/* The length of "(?:", "(?>", "(?<name>" or "(" at the start of a group that can be walked into;
   0 when it cannot: look-around, options, comments. */
static size_t group_start(struct walk *w)
{
    if (peek(w, 1) != '?') return 1;
    if (peek(w, 2) == ':' || peek(w, 2) == '>') return 3;
    if (peek(w, 2) == '<' && peek(w, 3) != '=' && peek(w, 3) != '!') {
        ptrdiff_t end = str_find(str_from(w->p, w->at), STR(">"));
        return end < 0 ? 0 : (size_t)end + 1;
    }
    if (peek(w, 2) != '=' && peek(w, 2) != '!' && peek(w, 2) != '<')
        w->given_up = true; /* (?i), (?x), (?#comment) and such */
    return 0;
}

static void walk(struct walk *w, int depth);

static void take_group(struct walk *w, int depth)
{
    size_t start = group_start(w);
    bool   branches;
    size_t end = group_end(w->p, w->at + (start ? start : 1), &branches);

    if (!start || branches || depth >= NESTING_MAX || quantifier_len(w->p, end) > 0) {
        end_run(w);
        w->at = end;
        skip_quantifiers(w);
        return;
    }
    w->at += start;
    walk(w, depth + 1);
    w->at = end;
}

/* A letter's escape may take letters, digits or {…} along, so none of those begins a run. */
static void take_escape(struct walk *w)
{
    char c = peek(w, 1);

    w->at += 2;
    if (w->at <= w->p.len && !isalnum((unsigned char)c) && !(c & 0x80)) {
        take_char(w, c);
        return;
    }
    end_run(w);
    if (strchr("kgcCM", c)) w->given_up = true;
    while (isalnum((unsigned char)peek(w, 0)))
        w->at++;
    if (peek(w, 0) == '{')
        while (w->at < w->p.len && w->p.data[w->at++] != '}')
            ;
    skip_quantifiers(w);
}

static void walk(struct walk *w, int depth)
{
    while (w->at < w->p.len && !w->given_up) {
        char c = peek(w, 0);
        if (c == ')') return;
        if (c == '\\') {
            take_escape(w);
        } else if (c == '(') {
            take_group(w, depth);
        } else if (c == '[') {
            end_run(w);
            w->at = class_end(w->p, w->at + 1);
            skip_quantifiers(w);
        } else if (c == '.' || c == '^' || c == '$' || (c & 0x80)) {
            end_run(w);
            w->at++;
            skip_quantifiers(w);
        } else {
            w->at++;
            take_char(w, c);
        }
    }
}

struct str regex_literal(struct arena *a, struct str pattern)
{
    struct walk w = {.p = pattern};
    bool        branches;
    struct str  found = STR("");

    group_end(pattern, 0, &branches);
    if (!branches) walk(&w, 0);
    end_run(&w);
    if (!w.given_up && w.best.len >= LITERAL_MIN) found = arena_copy(a, buf_view(&w.best));
    buf_release(&w.run);
    buf_release(&w.best);
    return found;
}

/* ---- looking for it ---- */

/* How common a byte is in logs, roughly. */
static int commonness(char c)
{
    if (c == ' ') return 4;
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) return 3;
    if (strchr(".-/:,_=\"", c)) return 2;
    return c >= 'A' && c <= 'Z';
}

struct needle needle_make(struct str literal)
{
    struct needle n = {.text = literal};

    for (size_t i = 1; i < literal.len; i++)
        if (commonness(literal.data[i]) < commonness(literal.data[n.rare])) n.rare = i;
    return n;
}

/* memchr() goes through text several times as fast as memmem(). */
bool needle_in(const struct needle *n, struct str text)
{
    size_t len = n->text.len;

    if (len == 0) return true;
    if (text.len < len) return false;
    const char *at = text.data + n->rare, *end = at + (text.len - len) + 1;
    while ((at = memchr(at, n->text.data[n->rare], (size_t)(end - at)))) {
        if (memcmp(at - n->rare, n->text.data, len) == 0) return true;
        if (++at == end) break;
    }
    return false;
}
