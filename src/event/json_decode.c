#include "event/json.h"

#include <stdlib.h>

#include "base/fatal.h"
#include "base/utf8.h"
#include "event/json_number.h"
#include "event/json_scan.h"

/*
 * One pass, by recursive descent. The members of the containers that are still open lie on a stack;
 * a container that closes is copied to the arena at its exact size.
 *
 * The reading functions take the place to read at and return the place behind, or NULL after
 * fail(): so the place stays in a register.
 */
enum { DEPTH_DEFAULT = 512, STACK_LOCAL = 256 };

struct decoder {
    const char    *end;
    struct arena  *arena;
    struct member *stack, *top, *limit; /* the first member, behind the last one, behind the room */
    uint32_t       depth;               /* containers that may still be opened, one in another */
    const char    *problem, *problem_at;
    struct member  local[STACK_LOCAL]; /* enough for most documents */
};

static const char *fail(struct decoder *d, const char *at, const char *problem)
{
    d->problem = problem;
    d->problem_at = at;
    return NULL;
}

static void stack_grow(struct decoder *d)
{
    size_t         len = (size_t)(d->top - d->stack);
    struct member *bigger = xmalloc(2 * len * sizeof(*bigger));

    memcpy(bigger, d->stack, len * sizeof(*bigger));
    if (d->stack != d->local) free(d->stack);
    d->stack = bigger;
    d->top = bigger + len;
    d->limit = bigger + 2 * len;
}

static inline struct member *stack_push(struct decoder *d)
{
    if (d->top == d->limit) stack_grow(d);
    return d->top++;
}

/* How many members lie on the stack: where those of a new container begin. */
static inline size_t stack_len(const struct decoder *d)
{
    return (size_t)(d->top - d->stack);
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

/* Skips blanks; false at the end. Machines write JSON without blanks, so the first look decides. */
static inline bool next_byte(const char **p, const char *end)
{
    if (__builtin_expect(*p < end && (unsigned char)**p > ' ', 1)) return true;
    *p = skip_blanks(*p, end);
    return *p < end;
}

/* The usual case of what stands between two things: `c`, and no blank behind it. */
static inline bool is_bare(const char *p, const char *end, char c)
{
    return __builtin_expect(end - p >= 2 && p[0] == c && (unsigned char)p[1] > ' ', 1);
}

/* ---- strings ---- */

/* The four hex digits of \uXXXX at `p`; -1 when they are not. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t n = 0;

    if (end - p < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        n = n << 4 | digit;
    }
    return n;
}

/* Reads behind "\u". A surrogate without its partner becomes U+FFFD. */
static const char *unicode_escape(struct decoder *d, const char *p, char **out)
{
    int32_t c = hex4(p, d->end);

    if (c < 0) return fail(d, p, "\\u without four hex digits");
    p += 4;
    if (c >= 0xD800 && c <= 0xDFFF) {
        int32_t low = -1;
        if (c <= 0xDBFF && d->end - p >= 6 && p[0] == '\\' && p[1] == 'u')
            low = hex4(p + 2, d->end);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            p += 6;
        } else {
            c = 0xFFFD;
        }
    }
    *out += utf8_put(*out, (uint32_t)c);
    return p;
}

/* Reads behind a backslash. */
static const char *unescape(struct decoder *d, const char *p, char **out)
{
    static const char plain[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

    if (p == d->end) return fail(d, p, "string without its closing quote");
    unsigned char c = (unsigned char)*p;
    if (c == 'u') return unicode_escape(d, p + 1, out);
    if (c >= 128 || !plain[c]) return fail(d, p, "unknown escape");
    *(*out)++ = plain[c];
    return p + 1;
}

/* At least as many bytes as the text of the string from `p` on: up to its closing quote. */
static size_t string_bound(const char *p, const char *end)
{
    const char *from = p;
    unsigned    high = 0;

    for (; p < end; p += 2) {
        p = json_find_special(p, end, &high);
        if (p == end || *p != '\\') break;
    }
    return (size_t)((p < end ? p : end) - from);
}

/* Whether the string at `from` begins with an escape that gave U+FFFD to a lone surrogate. */
static bool begins_with_lone_surrogate(struct decoder *d, const char *from, struct str s)
{
    if (d->end - from < 6 || from[0] != '\\' || from[1] != 'u') return false;
    int32_t c = hex4(from + 2, d->end);
    return c >= 0xD800 && c <= 0xDFFF && str_starts(s, STR("\xEF\xBF\xBD"));
}

/* The rest of a string that began at `from` and has its first escape at `p`. */
static const char *string_with_escapes(struct decoder *d, const char *from, const char *p,
                                       unsigned high, struct str *s)
{
    size_t clean = (size_t)(p - from);
    char  *start = arena_alloc(d->arena, clean + string_bound(p, d->end)), *out = start;

    for (const char *run = from;; run = p, p = json_find_special(p, d->end, &high)) {
        memcpy(out, run, (size_t)(p - run));
        out += p - run;
        if (p == d->end) return fail(d, p, "string without its closing quote");
        if (*p == '"') break;
        if (*p != '\\') return fail(d, p, "control character in a string");
        p = unescape(d, p + 1, &out);
        if (!p) return NULL;
    }
    *s = (struct str){start, (size_t)(out - start)};
    arena_trim(d->arena, start, s->len);
    if ((high & 0x80) && !utf8_valid(*s)) return fail(d, from, "string is not UTF-8");
    /* Logstash keeps nothing of a string that begins so. */
    if (begins_with_lone_surrogate(d, from, *s)) s->len = 0;
    return p + 1;
}

/* Reads a string, from behind its opening quote. */
__attribute__((always_inline)) static inline const char *
read_string(struct decoder *d, const char *from, struct str *s)
{
    unsigned    high = 0;
    const char *p = json_find_special(from, d->end, &high);

    if (__builtin_expect(p == d->end || *p != '"', 0)) {
        if (p == d->end) return fail(d, p, "string without its closing quote");
        if (*p != '\\') return fail(d, p, "control character in a string");
        return string_with_escapes(d, from, p, high, s);
    }
    *s = (struct str){from, (size_t)(p - from)};
    if ((high & 0x80) && !utf8_valid(*s)) return fail(d, from, "string is not UTF-8");
    return p + 1;
}

/* ---- values ---- */

/* All of these read into the member on top of the stack. Scalars are read in place, by code of
   their own in maps and lists; only containers are calls. */
__attribute__((noinline)) static const char *read_list(struct decoder *d, const char *p);
__attribute__((noinline)) static const char *read_map(struct decoder *d, const char *p);

static const char *read_word(struct decoder *d, const char *p, struct str word, struct value v)
{
    if (!str_starts((struct str){p, (size_t)(d->end - p)}, word)) return fail(d, p, "unknown word");
    d->top[-1].value = v;
    return p + word.len;
}

__attribute__((always_inline)) static inline const char *read_value(struct decoder *d,
                                                                    const char     *p)
{
    struct str    s;
    struct value *self = &d->top[-1].value;

    switch (*p) {
    case '"':
        p = read_string(d, p + 1, &s);
        if (p) *self = value_string(s);
        return p;
    case '{':
        return read_map(d, p);
    case '[':
        return read_list(d, p);
    case 't':
        return read_word(d, p, STR("true"), value_bool(true));
    case 'f':
        return read_word(d, p, STR("false"), value_bool(false));
    case 'n':
        return read_word(d, p, STR("null"), value_null());
    default: {
        const char *behind = json_read_number(p, d->end, self);
        return behind ? behind : fail(d, p, "expected a value");
    }
    }
}

/* ---- containers ---- */

/* Goes into the container at `p`, to its first item or its end. */
static inline const char *enter(struct decoder *d, const char *p)
{
    if (d->depth == 0) return fail(d, p, "nested too deeply");
    d->depth--;
    p++;
    return next_byte(&p, d->end) ? p : fail(d, p, "ends in the middle");
}

/* Goes from behind an item to the next one, or to `close`: then there are no more. */
static inline const char *next_item(struct decoder *d, const char *p, char close, bool *more)
{
    if (is_bare(p, d->end, ',')) return p + 1;
    if (!next_byte(&p, d->end)) return fail(d, p, "ends in the middle");
    *more = *p != close;
    if (!*more) return p;
    if (*p != ',') return fail(d, p, "expected a comma or a closing bracket");
    p++;
    return next_byte(&p, d->end) ? p : fail(d, p, "ends in the middle");
}

/* The items from `base` on leave the stack; `v`, made of them, is their container. */
static inline void leave(struct decoder *d, size_t base, struct value v)
{
    d->top = d->stack + base;
    d->top[-1].value = v;
    d->depth++;
}

static struct value list_of(struct arena *a, const struct member *from, size_t len)
{
    struct list *l = list_new(a, (uint32_t)len);

    for (size_t i = 0; i < len; i++)
        l->items[i] = from[i].value;
    l->len = (uint32_t)len;
    return value_list(l);
}

static const char *read_list(struct decoder *d, const char *p)
{
    size_t base = stack_len(d);

    p = enter(d, p);
    if (!p) return NULL;
    for (bool more = *p != ']'; more;) {
        stack_push(d);
        p = read_value(d, p);
        if (p) p = next_item(d, p, ']', &more);
        if (!p) return NULL;
    }
    leave(d, base, list_of(d->arena, d->stack + base, stack_len(d) - base));
    return p + 1;
}

/* Of equal names the last counts: takes the earlier one off the stack. Only names that share a bit
   of `seen` can be equal; maps with many members are checked when they close. */
static void drop_earlier(struct decoder *d, size_t base, const struct key *key)
{
    for (struct member *m = d->stack + base; m < d->top; m++) {
        if (!key_eq(&m->key, key)) continue;
        d->top--;
        memmove(m, m + 1, (size_t)((char *)d->top - (char *)m));
        return;
    }
}

/* Reads `"name":` and pushes its member; goes to the value. */
static inline const char *read_name(struct decoder *d, const char *p, size_t base, uint64_t *seen)
{
    struct str name;

    if (*p != '"') return fail(d, p, "expected a name in quotes");
    p = read_string(d, p + 1, &name);
    if (!p) return NULL;

    struct key key = key_make(name);
    uint64_t   bit = key_bit(key);
    if ((*seen & bit) && stack_len(d) - base <= MAP_LINEAR) drop_earlier(d, base, &key);
    *seen |= bit;
    stack_push(d)->key = key;
    if (is_bare(p, d->end, ':')) return p + 1;
    if (!next_byte(&p, d->end) || *p != ':') return fail(d, p, "expected a colon");
    p++;
    return next_byte(&p, d->end) ? p : fail(d, p, "ends in the middle");
}

/* Room for a few more members in the outermost map, as most pipelines add some. */
enum { SPARE_MEMBERS = 8 };

static struct value map_of(struct arena *a, const struct member *from, size_t len, uint64_t seen,
                           uint32_t spare)
{
    struct map *m = map_new(a, (uint32_t)len + spare);

    if (len <= MAP_LINEAR) {
        for (size_t i = 0; i < len; i++)
            m->members[i] = from[i];
        m->len = (uint32_t)len;
        m->seen = seen;
    } else {
        for (size_t i = 0; i < len; i++)
            *map_add(m, a, from[i].key) = from[i].value;
    }
    return value_map(m);
}

static const char *read_map(struct decoder *d, const char *p)
{
    size_t   base = stack_len(d);
    uint64_t seen = 0; /* a bit for each name, by its hash */

    p = enter(d, p);
    if (!p) return NULL;
    for (bool more = *p != '}'; more;) {
        p = read_name(d, p, base, &seen);
        if (p) p = read_value(d, p);
        if (p) p = next_item(d, p, '}', &more);
        if (!p) return NULL;
    }
    leave(d, base,
          map_of(d->arena, d->stack + base, stack_len(d) - base, seen,
                 base == 1 ? SPARE_MEMBERS : 0));
    return p + 1;
}

static const char *read_document(struct decoder *d, const char *p)
{
    if (!next_byte(&p, d->end)) return fail(d, p, "is empty");
    stack_push(d);
    return read_value(d, p);
}

bool json_decode_prefix(struct arena *a, struct str text, const struct json_limits *limits,
                        struct value *out, size_t *used, struct json_error *error)
{
    struct decoder d;
    const char    *behind;

    d.end = text.data + text.len;
    d.arena = a;
    d.stack = d.top = d.local;
    d.limit = d.local + STACK_LOCAL;
    d.depth = limits && limits->depth ? limits->depth : DEPTH_DEFAULT;

    /* Lengths and counts in values have 32 bits. */
    behind =
        text.len < UINT32_MAX ? read_document(&d, text.data) : fail(&d, text.data, "too large");
    if (behind) *out = d.stack[0].value;
    if (d.stack != d.local) free(d.stack);
    if (behind)
        *used = (size_t)(behind - text.data);
    else if (error)
        *error = (struct json_error){d.problem, (size_t)(d.problem_at - text.data)};
    return behind != NULL;
}

bool json_decode(struct arena *a, struct str text, const struct json_limits *limits,
                 struct value *out, struct json_error *error)
{
    size_t used;

    if (!json_decode_prefix(a, text, limits, out, &used, error)) return false;
    used = (size_t)(skip_blanks(text.data + used, text.data + text.len) - text.data);
    if (used == text.len) return true;
    if (error) *error = (struct json_error){"text behind the end", used};
    return false;
}
