#include "event/json.h"

#include <stdlib.h>

#include "base/fatal.h"
#include "base/utf8.h"
#include "event/json_number.h"
#include "event/json_scan.h"

/*
 * One pass without recursion. What has been read of the containers that are still open lies on a
 * stack of members; a container that closes is copied to the arena at its exact size. An open
 * container's own member keeps what its parent needs when it goes on: see container_open().
 *
 * The reading functions take the place to read at and return the place behind, or NULL after
 * fail(): so the place stays in a register.
 */
enum { DEPTH_DEFAULT = 512, STACK_LOCAL = 256 };

struct decoder {
    const char    *end;
    struct arena  *arena;
    struct member *stack;
    size_t         top, cap; /* members on the stack, room for */
    size_t         base;     /* first member of the innermost open container */
    uint64_t       seen;     /* a bit for each name in it, by its hash */
    uint32_t       depth, depth_max;
    bool           in_map;
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
    struct member *bigger = xmalloc(2 * d->cap * sizeof(*bigger));

    memcpy(bigger, d->stack, d->top * sizeof(*bigger));
    if (d->stack != d->local) free(d->stack);
    d->stack = bigger;
    d->cap *= 2;
}

static inline struct member *stack_push(struct decoder *d)
{
    if (d->top == d->cap) stack_grow(d);
    return &d->stack[d->top++];
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

/* ---- strings ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

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

/* ---- names ---- */

/* Of equal names the last counts: takes the earlier one off the stack. Only names that share a bit
   of `seen` can be equal; containers with many members are checked when they close. */
static void drop_earlier(struct decoder *d, const struct key *key)
{
    for (size_t i = d->base; i < d->top; i++) {
        if (!key_eq(&d->stack[i].key, key)) continue;
        d->top--;
        memmove(&d->stack[i], &d->stack[i + 1], (d->top - i) * sizeof(*d->stack));
        return;
    }
}

/* Reads `"name":` and pushes its member. */
static inline const char *read_name(struct decoder *d, const char *p)
{
    struct str name;

    if (!next_byte(&p, d->end) || *p != '"') return fail(d, p, "expected a name in quotes");
    p = read_string(d, p + 1, &name);
    if (!p) return NULL;
    if (!next_byte(&p, d->end) || *p != ':') return fail(d, p, "expected a colon");

    struct key key = key_make(name);
    uint64_t   bit = key_bit(key);
    if ((d->seen & bit) && d->top - d->base <= MAP_LINEAR) drop_earlier(d, &key);
    d->seen |= bit;
    stack_push(d)->key = key;
    return p + 1;
}

/* ---- containers ---- */

/* The member of the new container is on top of the stack. Its value keeps, until it closes, the
   parent's first member, kind and name bits. */
static const char *container_open(struct decoder *d, const char *p)
{
    struct value *self = &d->stack[d->top - 1].value;

    if (d->depth == d->depth_max) return fail(d, p, "nested too deeply");
    *self = (struct value){.kind = d->in_map, .len = (uint32_t)d->base, .as.i = (int64_t)d->seen};
    d->depth++;
    d->base = d->top;
    d->seen = 0;
    d->in_map = *p == '{';
    return p + 1;
}

static struct value close_list(struct decoder *d)
{
    size_t       len = d->top - d->base;
    struct list *l = list_new(d->arena, (uint32_t)len);

    for (size_t i = 0; i < len; i++)
        l->items[i] = d->stack[d->base + i].value;
    l->len = (uint32_t)len;
    return value_list(l);
}

/* Room for a few more members in the outermost map, as most pipelines add some. */
enum { SPARE_MEMBERS = 8 };

static struct value close_map(struct decoder *d)
{
    size_t      len = d->top - d->base;
    struct map *m = map_new(d->arena, (uint32_t)len + (d->depth == 1 ? SPARE_MEMBERS : 0));

    if (len <= MAP_LINEAR) {
        if (len) memcpy(m->members, &d->stack[d->base], len * sizeof(*m->members));
        m->len = (uint32_t)len;
        m->seen = d->seen;
    } else {
        for (size_t i = d->base; i < d->top; i++)
            *map_add(m, d->arena, d->stack[i].key) = d->stack[i].value;
    }
    return value_map(m);
}

static void container_close(struct decoder *d)
{
    struct value closed = d->in_map ? close_map(d) : close_list(d);

    d->top = d->base;
    struct value *self = &d->stack[d->top - 1].value;
    d->in_map = self->kind;
    d->base = self->len;
    d->seen = (uint64_t)self->as.i;
    d->depth--;
    *self = closed;
}

/* ---- values ---- */

static const char *read_word(struct decoder *d, const char *p, struct str word, struct value v)
{
    if (!str_starts((struct str){p, (size_t)(d->end - p)}, word)) return fail(d, p, "unknown word");
    d->stack[d->top - 1].value = v;
    return p + word.len;
}

/* Reads what stands at `p` into the member on top of the stack. A container is only opened. */
static inline const char *read_value(struct decoder *d, const char *p)
{
    struct str    s;
    struct value *self = &d->stack[d->top - 1].value;

    switch (*p) {
    case '"':
        p = read_string(d, p + 1, &s);
        if (p) *self = value_string(s);
        return p;
    case '{':
    case '[':
        return container_open(d, p);
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

/* From behind a value, or an opening bracket (`fresh`): closes what closes here and goes to the
   next value, pushing its member. At the end of the document the depth is 0. */
static inline const char *next_value(struct decoder *d, const char *p, bool fresh)
{
    for (; d->depth; fresh = false) {
        if (!next_byte(&p, d->end)) return fail(d, p, "ends in the middle");
        if (*p == (d->in_map ? '}' : ']')) {
            container_close(d);
            p++;
            continue;
        }
        if (!fresh && *p++ != ',') return fail(d, p - 1, "expected a comma or a closing bracket");
        if (d->in_map)
            p = read_name(d, p);
        else
            stack_push(d);
        if (!p) return NULL;
        return next_byte(&p, d->end) ? p : fail(d, p, "ends in the middle");
    }
    return p;
}

static const char *read_document(struct decoder *d, const char *p)
{
    if (!next_byte(&p, d->end)) return fail(d, p, "is empty");
    stack_push(d);
    do {
        bool opens = *p == '{' || *p == '[';
        p = read_value(d, p);
        if (p) p = next_value(d, p, opens);
    } while (p && d->depth);
    return p;
}

bool json_decode_prefix(struct arena *a, struct str text, const struct json_limits *limits,
                        struct value *out, size_t *used, struct json_error *error)
{
    struct decoder d;
    const char    *behind;

    d.end = text.data + text.len;
    d.arena = a;
    d.stack = d.local;
    d.top = d.base = 0;
    d.cap = STACK_LOCAL;
    d.seen = 0;
    d.depth = 0;
    d.depth_max = limits && limits->depth ? limits->depth : DEPTH_DEFAULT;
    d.in_map = false;

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
