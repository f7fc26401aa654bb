#include "text/grok_stop.h"

#include <stdlib.h>

enum { DEPTH_MAX = 64, LONG = 100 /* of which the expression may become too large */ };

/* ---- pieces ---- */

static size_t class_end(struct str s, size_t at)
{
    size_t depth = 0;

    for (; at < s.len; at++) {
        if (s.data[at] == '\\') {
            at++;
        } else if (s.data[at] == '[') {
            depth++;
            if (at + 1 < s.len && s.data[at + 1] == '^') at++;
            if (at + 1 < s.len && s.data[at + 1] == ']') at++;
        } else if (s.data[at] == ']' && --depth == 0) {
            return at + 1;
        }
    }
    return s.len;
}

static size_t group_end(struct str s, size_t at)
{
    size_t depth = 0;

    while (at < s.len) {
        char c = s.data[at];
        if (c == '[') {
            at = class_end(s, at);
            continue;
        }
        if (c == '\\') at++;
        if (c == '(') depth++;
        at++;
        if (c == ')' && --depth == 0) return at;
    }
    return s.len;
}

/* \p{...}, \k<...> and \g<...> have a name, \x two digits; the others are one character. */
static size_t escape_end(struct str s, size_t at)
{
    char        c = at + 1 < s.len ? s.data[at + 1] : '\0';
    const char *ends = c == 'p' || c == 'P' ? "}" : c == 'k' || c == 'g' ? ">" : NULL;
    ptrdiff_t   found = ends ? str_find(str_from(s, at), str_of(ends)) : -1;

    if (found >= 0) return at + (size_t)found + 1;
    return at + (c == 'x' ? 4 : 2);
}

static size_t atom_end(struct str s)
{
    ptrdiff_t end;
    size_t    at = 1;

    switch (s.data[0]) {
    case '(':
        return group_end(s, 0);
    case '[':
        return class_end(s, 0);
    case '\\':
        at = escape_end(s, 0);
        break;
    case '%':
        end = str_starts(s, STR("%{")) ? str_find(s, STR("}")) : -1;
        if (end > 0) at = (size_t)end + 1;
        break;
    default:
        while (at < s.len && (s.data[at] & 0xC0) == 0x80)
            at++;
    }
    return at < s.len ? at : s.len;
}

/* What a brace repeat takes, 0 when it is none: {2}, {2,}, {,3}, {2,3}. */
static size_t braces(struct str s)
{
    size_t at = 1;

    while (at < s.len && ((s.data[at] >= '0' && s.data[at] <= '9') || s.data[at] == ','))
        at++;
    return at > 1 && at < s.len && s.data[at] == '}' ? at + 1 : 0;
}

size_t grok_piece(struct str pattern)
{
    size_t at = pattern.len ? atom_end(pattern) : 0;

    while (at < pattern.len) {
        size_t repeat = pattern.data[at] == '{' ? braces(str_from(pattern, at)) : 0;
        if (strchr("*+?", pattern.data[at])) repeat = 1;
        if (repeat == 0) break;
        at += repeat;
    }
    return at;
}

/* The first of the alternatives that `*rest` has left, which is moved behind it. */
static struct str next_alternative(struct str *rest)
{
    struct str all = *rest;
    size_t     at = 0;

    while (at < all.len && all.data[at] != '|')
        at += grok_piece(str_from(all, at));
    *rest = str_from(all, at + 1);
    return (struct str){all.data, at};
}

/* ---- the search ---- */

struct search {
    struct grok_patterns *patterns;
    struct regex_cache   *cache;
    struct str            subject;
    struct buf            prefix; /* the pieces that match, as one pattern */
    struct str            within;
    struct grok_stop      best;
};

/* Whether all that is in the prefix matches, and where. */
static bool matches(struct search *s, struct span *found)
{
    struct buf          text = {0};
    struct grok_error   unknown;
    struct regex_error  wrong;
    const struct regex *r = NULL;
    bool                good = false;

    bool (*expand)(struct grok_patterns *, struct str, enum grok_captures,
                   struct grok_captures_list *, struct buf *, struct grok_error *) =
        s->prefix.len > LONG ? grok_expand_shared : grok_expand;

    if (expand(s->patterns, buf_view(&s->prefix), GROK_CAPTURE_NONE, NULL, &text, &unknown))
        r = regex_cache_take(s->cache, buf_view(&text), REGEX_DOTALL, &wrong);
    if (r) good = regex_find(r, s->subject, 0, found, 1) == REGEX_MATCH;
    if (r) regex_cache_give(s->cache, r);
    buf_release(&text);
    return good;
}

static bool search(struct search *s, struct str pattern, int depth);

/* What is inside of a piece that can be looked into: the text of a %{NAME}, or of a group that is
   neither repeated nor looks around. Empty when it is neither. */
static struct str inside(const struct search *s, struct str piece)
{
    struct str none = {"", 0};
    ptrdiff_t  end;

    if (str_starts(piece, STR("%{")) && str_ends(piece, STR("}"))) {
        struct str name = {piece.data + 2, piece.len - 3};
        end = str_find(name, STR(":"));
        if (end >= 0) name.len = (size_t)end;
        struct str text = grok_patterns_get(s->patterns, name);
        return text.data ? text : none;
    }
    if (!str_starts(piece, STR("(")) || !str_ends(piece, STR(")"))) return none;
    piece = (struct str){piece.data + 1, piece.len - 2};
    if (!str_starts(piece, STR("?"))) return piece;
    if (str_starts(piece, STR("?:")) || str_starts(piece, STR("?>"))) return str_from(piece, 2);
    if (!str_starts(piece, STR("?<")) || str_starts(piece, STR("?<=")) ||
        str_starts(piece, STR("?<!")))
        return none;
    end = str_find(piece, STR(">"));
    return end < 0 ? none : str_from(piece, (size_t)end + 1);
}

/* The alternatives of the piece that does not match, one of which gets furthest. */
static void look_into(struct search *s, struct str piece, int depth)
{
    struct str rest = inside(s, piece), within = s->within;
    size_t     before = s->prefix.len;

    if (str_starts(piece, STR("%{"))) s->within = piece;
    while (rest.len > 0 && depth < DEPTH_MAX) {
        search(s, next_alternative(&rest), depth + 1);
        s->prefix.len = before;
    }
    s->within = within;
}

static void keep_best(struct search *s, struct span found, struct str piece)
{
    if (found.end > s->best.end || s->best.piece.len == 0)
        s->best = (struct grok_stop){found.start, found.end, piece, s->within};
}

/* Adds the pieces of `pattern`, one alternative, to the prefix for as long as it matches. */
static bool search(struct search *s, struct str pattern, int depth)
{
    struct span found = {0, 0};

    if (s->prefix.len > 0 && !matches(s, &found)) return false;
    while (pattern.len > 0) {
        size_t      len = grok_piece(pattern), before = s->prefix.len;
        struct str  piece = {pattern.data, len};
        struct span longer;
        buf_str(&s->prefix, piece);
        if (!matches(s, &longer)) {
            s->prefix.len = before;
            keep_best(s, found, piece);
            look_into(s, piece, depth);
            return false;
        }
        found = longer;
        pattern = str_from(pattern, len);
    }
    return true;
}

struct grok_stop grok_find_stop(struct grok_patterns *p, struct str pattern, struct str subject,
                                struct regex_cache *cache)
{
    struct search s = {.patterns = p, .cache = cache, .subject = subject, .within = {"", 0}};
    struct str    rest = pattern;

    while (rest.len > 0)
        if (search(&s, next_alternative(&rest), 0))
            s.best = (struct grok_stop){.piece = {"", 0}, .within = {"", 0}}, rest.len = 0;
        else
            s.prefix.len = 0;
    buf_release(&s.prefix);
    return s.best;
}
