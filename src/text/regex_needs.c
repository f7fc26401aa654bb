#include "text/regex_needs.h"

#include <ctype.h>

#include "base/utf8.h"
#include "text/regex.h"

/*
 * A walk over the pattern. Each part is either known exactly (all texts that it can match), or a
 * list of sets of which a match holds one word each. Parts that stand behind one another multiply
 * while they are exact and few; branches add up. Source: the idea of RE2's prefilters.
 */
enum { NESTING_MAX = 100, PRODUCT_MAX = 32, EXACT_MAX = 128, WORD_MIN = 2, WORD_MAX = 64 };

struct part {
    bool               exact;
    struct regex_words words; /* when exact */
    struct regex_needs needs; /* else */
};

struct walk {
    struct arena *a;
    struct str    p;
    size_t        at;
    bool          caseless, java;
    bool          given_up; /* something changes what characters mean */
    int           depth;
};

static bool more(const struct walk *w)
{
    return w->at < w->p.len;
}

static char peek(const struct walk *w, size_t ahead)
{
    return w->at + ahead < w->p.len ? w->p.data[w->at + ahead] : '\0';
}

/* ---- parts ---- */

static struct part unknown(void)
{
    return (struct part){.exact = false};
}

static struct part exact_text(struct walk *w, struct str text)
{
    struct part p = {.exact = true, .words = {1, arena_alloc(w->a, sizeof(struct str))}};

    p.words.at[0] = text;
    return p;
}

static struct part nothing(struct walk *w)
{
    return exact_text(w, STR(""));
}

static size_t shortest(const struct regex_words *words)
{
    size_t min = WORD_MAX;

    for (uint32_t i = 0; i < words->len; i++)
        min = words->at[i].len < min ? words->at[i].len : min;
    return min;
}

/* Whether `a` says more than `b`: longer words, else fewer. */
static bool better(const struct regex_words *a, const struct regex_words *b)
{
    size_t x = shortest(a), y = shortest(b);

    return x != y ? x > y : a->len < b->len;
}

static void add_set(struct regex_needs *n, struct regex_words words)
{
    uint32_t worst = 0;

    if (words.len == 0 || words.len > REGEX_NEEDS_WORDS_MAX || shortest(&words) < WORD_MIN) return;
    if (n->len < REGEX_NEEDS_MAX) {
        n->sets[n->len++] = words;
        return;
    }
    for (uint32_t i = 1; i < n->len; i++) {
        if (better(&n->sets[worst], &n->sets[i])) worst = i;
    }
    if (better(&words, &n->sets[worst])) n->sets[worst] = words;
}

/* All that a part says, as sets. */
static struct regex_needs needs_of(const struct part *p)
{
    struct regex_needs n = p->needs;

    if (p->exact) {
        n.len = 0;
        add_set(&n, p->words);
    }
    return n;
}

/* Every word of `a` with every word of `b` behind it. False: they are too many, or too long. */
static bool multiply(struct walk *w, const struct regex_words *a, const struct regex_words *b,
                     struct regex_words *out)
{
    if ((size_t)a->len * b->len > PRODUCT_MAX && a->len > 1 && b->len > 1) return false;
    if ((size_t)a->len * b->len > EXACT_MAX) return false;
    *out = (struct regex_words){0, arena_alloc(w->a, (size_t)a->len * b->len * sizeof(struct str))};
    for (uint32_t i = 0; i < a->len; i++) {
        for (uint32_t j = 0; j < b->len; j++) {
            struct str x = a->at[i], y = b->at[j];
            if (x.len + y.len > WORD_MAX) return false;
            char *text = arena_alloc(w->a, x.len + y.len + 1);
            memcpy(text, x.data, x.len);
            memcpy(text + x.len, y.data, y.len);
            out->at[out->len++] = (struct str){text, x.len + y.len};
        }
    }
    return true;
}

static struct regex_words join(struct walk *w, const struct regex_words *a,
                               const struct regex_words *b)
{
    struct regex_words out = {a->len + b->len, NULL};

    out.at = arena_alloc(w->a, (out.len + 1) * sizeof(struct str));
    if (a->len) memcpy(out.at, a->at, a->len * sizeof(struct str));
    if (b->len) memcpy(out.at + a->len, b->at, b->len * sizeof(struct str));
    return out;
}

/* What is true of both branches. */
static struct part either(struct walk *w, const struct part *a, const struct part *b)
{
    struct part out = unknown();

    if (a->exact && b->exact && a->words.len + b->words.len <= EXACT_MAX) {
        out.exact = true;
        out.words = join(w, &a->words, &b->words);
        return out;
    }
    struct regex_needs x = needs_of(a), y = needs_of(b);
    if (x.len == 0 || y.len == 0) return out;
    uint32_t i = 0, j = 0;
    for (uint32_t k = 1; k < x.len; k++)
        i = better(&x.sets[k], &x.sets[i]) ? k : i;
    for (uint32_t k = 1; k < y.len; k++)
        j = better(&y.sets[k], &y.sets[j]) ? k : j;
    add_set(&out.needs, join(w, &x.sets[i], &y.sets[j]));
    return out;
}

/* ---- atoms ---- */

static struct part walk_branches(struct walk *w);

/* Behind a [...] whose inside begins at w->at; brackets may nest. Few plain characters are known.
 */
static struct part walk_class(struct walk *w)
{
    struct part p = unknown();
    int         depth = 1;
    size_t      start = w->at;
    bool        plain = peek(w, 0) != '^';

    if (peek(w, 0) == '^') w->at++;
    if (peek(w, 0) == ']') w->at++;
    for (; more(w) && depth > 0; w->at++) {
        unsigned char c = (unsigned char)peek(w, 0);
        if (c == '\\' || c == '-' || c == '[' || c == '&' || c >= 0x80) plain = false;
        if (c == '\\')
            w->at++;
        else if (c == '[')
            depth++;
        else if (c == ']')
            depth--;
    }
    if (w->at > w->p.len) w->at = w->p.len;
    size_t len = w->at - 1 - start;
    if (!plain || len == 0 || len > 8 || (w->caseless && !w->java)) return p;
    p.exact = true;
    p.words = (struct regex_words){(uint32_t)len, arena_alloc(w->a, len * sizeof(struct str))};
    for (size_t i = 0; i < len; i++) {
        char c = (char)tolower((unsigned char)w->p.data[start + i]);
        p.words.at[i] = arena_copy(w->a, (struct str){&c, 1});
    }
    return p;
}

/* Behind a "(": true when the group is plain; `*looks` when it takes no text. */
static bool group_kind(struct walk *w, bool *looks)
{
    char a = peek(w, 1), b = peek(w, 2);

    *looks = false;
    if (peek(w, 0) != '?') return true;
    if (a == ':' || a == '>') {
        w->at += 2;
        return true;
    }
    if (a == '=' || a == '!' || (a == '<' && (b == '=' || b == '!'))) {
        w->at += a == '<' ? 3 : 2;
        *looks = true;
        return true;
    }
    if (a != '<' && a != '\'') return false;
    const char *end = memchr(w->p.data + w->at + 2, a == '<' ? '>' : '\'', w->p.len - w->at - 2);
    if (!end) return false;
    w->at = (size_t)(end - w->p.data) + 1;
    return true;
}

static struct part walk_group(struct walk *w)
{
    bool looks;

    if (w->depth == NESTING_MAX || !group_kind(w, &looks)) {
        w->given_up = true;
        return unknown();
    }
    w->depth++;
    struct part p = walk_branches(w);
    w->depth--;
    if (peek(w, 0) != ')') w->given_up = true;
    w->at++;
    return looks ? nothing(w) : p;
}

static struct part plain_char(struct walk *w, struct str c)
{
    char lower = (char)tolower((unsigned char)c.data[0]);

    if (c.len > 1) return w->caseless ? unknown() : exact_text(w, arena_copy(w->a, c));
    /* Outside of ASCII there are two letters whose small forms are k and s. */
    if (w->caseless && !w->java && (lower == 'k' || lower == 's')) return unknown();
    return exact_text(w, arena_copy(w->a, (struct str){&lower, 1}));
}

/* Behind a backslash. */
static struct part walk_escape(struct walk *w)
{
    static const char controls[] = "n\nt\tr\rf\fa\ae\x1b";
    char              c = peek(w, 0);

    w->at++;
    if (strchr("bBAzZG", c)) return nothing(w);
    if (c && strchr("dDwWsShHRX", c)) return unknown();
    for (size_t i = 0; controls[i]; i += 2) {
        if (c == controls[i]) return plain_char(w, (struct str){&controls[i + 1], 1});
    }
    if (c >= '1' && c <= '9') {
        while (isdigit((unsigned char)peek(w, 0)))
            w->at++;
        return unknown();
    }
    if ((c == 'p' || c == 'P') && peek(w, 0) == '{') {
        while (more(w) && w->p.data[w->at++] != '}') {
        }
        return unknown();
    }
    if (isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || !c) {
        w->given_up = true;
        return unknown();
    }
    return plain_char(w, (struct str){w->p.data + w->at - 1, 1});
}

static struct part walk_atom(struct walk *w)
{
    char c = peek(w, 0);

    if ((unsigned char)c >= 0x80) {
        uint32_t   code;
        struct str one = str_from(w->p, w->at);
        one.len = utf8_get(one, &code);
        w->at += one.len;
        return plain_char(w, one);
    }
    w->at++;
    switch (c) {
    case '(':
        return walk_group(w);
    case '[':
        return walk_class(w);
    case '\\':
        return walk_escape(w);
    case '.':
        return unknown();
    case '^':
    case '$':
        return nothing(w);
    default:
        return plain_char(w, (struct str){w->p.data + w->at - 1, 1});
    }
}

/* ---- repetition ---- */

/* {n}, {n,}, {n,m} or {,m} at w->at; false when it is plain text. */
static bool braces(struct walk *w, unsigned *min, unsigned *max)
{
    size_t   at = w->at + 1;
    unsigned n[2] = {0, 0};
    bool     given[2] = {false, false}, comma = false;

    for (; at < w->p.len && w->p.data[at] != '}'; at++) {
        char c = w->p.data[at];
        if (c == ',' && !comma) {
            comma = true;
        } else if (isdigit((unsigned char)c)) {
            n[comma] = n[comma] > 10000 ? n[comma] : n[comma] * 10 + (unsigned)(c - '0');
            given[comma] = true;
        } else {
            return false;
        }
    }
    if (at == w->p.len || (!given[0] && !given[1])) return false;
    *min = n[0];
    *max = !comma ? n[0] : given[1] ? n[1] : 100000;
    w->at = at + 1;
    return true;
}

static bool quantifier(struct walk *w, unsigned *min, unsigned *max)
{
    char c = peek(w, 0);

    *min = *max = 1;
    if (c == '{') {
        if (!braces(w, min, max)) return false;
    } else if (c == '*' || c == '+' || c == '?') {
        *min = c == '+';
        *max = c == '?' ? 1 : 100000;
        w->at++;
    } else {
        return false;
    }
    if (peek(w, 0) == '?' && c == '{' && *min == *max && !w->java) *min = 0; /* Ruby: (…{n})? */
    if (peek(w, 0) == '?' || peek(w, 0) == '+') w->at++;                     /* lazy, possessive */
    return true;
}

static struct part repeat(struct walk *w, struct part p, unsigned min, unsigned max)
{
    if (min == 1 && max == 1) return p;
    if (min == 0 && max == 1 && p.exact) {
        struct part none = nothing(w);
        return either(w, &p, &none);
    }
    if (min == 0) return unknown();
    return (struct part){.exact = false, .needs = needs_of(&p)};
}

/* ---- the whole ---- */

/* `p` behind what is known so far: `run` is exact and ends here, `*all` are the sets before it. */
static void append(struct walk *w, struct part *run, struct regex_needs *all, bool *only,
                   struct part p)
{
    struct regex_words product;

    if (p.exact && multiply(w, &run->words, &p.words, &product)) {
        run->words = product;
        return;
    }
    *only = false;
    add_set(all, run->words);
    *run = p.exact ? p : nothing(w);
    for (uint32_t i = 0; !p.exact && i < p.needs.len; i++)
        add_set(all, p.needs.sets[i]);
}

static struct part walk_branch(struct walk *w)
{
    struct part        run = nothing(w);
    struct regex_needs all = {.len = 0};
    bool               only = true; /* the run is the whole branch */
    unsigned           min, max;

    while (more(w) && peek(w, 0) != '|' && peek(w, 0) != ')' && !w->given_up) {
        struct part p = walk_atom(w);
        while (quantifier(w, &min, &max))
            p = repeat(w, p, min, max);
        append(w, &run, &all, &only, p);
    }
    if (only) return run;
    add_set(&all, run.words);
    return (struct part){.exact = false, .needs = all};
}

static struct part walk_branches(struct walk *w)
{
    struct part p = walk_branch(w);

    while (peek(w, 0) == '|' && more(w) && !w->given_up) {
        w->at++;
        struct part next = walk_branch(w);
        p = either(w, &p, &next);
    }
    return p;
}

void regex_needs(struct arena *a, struct str pattern, unsigned flags, struct regex_needs *out)
{
    struct walk w = {
        .a = a, .p = pattern, .caseless = flags & REGEX_CASELESS, .java = flags & REGEX_JAVA};

    *out = (struct regex_needs){.len = 0};
    if (!utf8_valid(pattern)) return;
    struct part p = walk_branches(&w);
    if (!w.given_up && w.at == pattern.len) *out = needs_of(&p);
}
