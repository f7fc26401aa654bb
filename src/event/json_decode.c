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
 */
enum { DEPTH_DEFAULT = 512, STACK_LOCAL = 256 };

struct decoder {
    const char    *p, *end, *start;
    struct arena  *arena;
    struct member *stack;
    size_t         top, cap; /* members on the stack, room for */
    size_t         base;     /* first member of the innermost open container */
    uint64_t       seen;     /* a bit for each name in it, by its hash */
    uint32_t       depth, depth_max;
    bool           in_map;
    const char    *problem;
    struct member  local[STACK_LOCAL]; /* enough for most documents */
};

static bool fail(struct decoder *d, const char *problem)
{
    d->problem = problem;
    return false;
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

static inline void skip_blanks(struct decoder *d)
{
    while (d->p < d->end && (unsigned char)*d->p <= ' ' &&
           (*d->p == ' ' || *d->p == '\n' || *d->p == '\t' || *d->p == '\r'))
        d->p++;
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
static bool unicode_escape(struct decoder *d, char **out)
{
    int32_t c = hex4(d->p, d->end);

    if (c < 0) return fail(d, "\\u without four hex digits");
    d->p += 4;
    if (c >= 0xD800 && c <= 0xDFFF) {
        int32_t low = -1;
        if (c <= 0xDBFF && d->end - d->p >= 6 && d->p[0] == '\\' && d->p[1] == 'u')
            low = hex4(d->p + 2, d->end);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            d->p += 6;
        } else {
            c = 0xFFFD;
        }
    }
    *out += utf8_put(*out, (uint32_t)c);
    return true;
}

/* Reads an escape; d->p stands behind the backslash. */
static bool unescape(struct decoder *d, char **out)
{
    static const char plain[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

    if (d->p == d->end) return fail(d, "string without its closing quote");
    unsigned char c = (unsigned char)*d->p;
    if (c == 'u') {
        d->p++;
        return unicode_escape(d, out);
    }
    if (c >= 128 || !plain[c]) return fail(d, "unknown escape");
    *(*out)++ = plain[c];
    d->p++;
    return true;
}

/* The end of a string's text, which has no quote before `p`, or NULL. Escapes are skipped. */
static const char *find_quote(const char *p, const char *end)
{
    unsigned high = 0;

    while (p < end) {
        p = json_find_special(p, end, &high);
        if (p == end) break;
        if (*p == '"') return p;
        if (*p != '\\') return p; /* a control character: found again when copying */
        p += 2;
    }
    return NULL;
}

/* The rest of a string whose first escape is at d->p. `from` is where its text begins. */
static bool string_with_escapes(struct decoder *d, const char *from, unsigned high, struct str *s)
{
    const char *close = find_quote(d->p, d->end), *run = from;
    if (!close) return fail(d, "string without its closing quote");
    char *start = arena_alloc(d->arena, (size_t)(close - from)), *out = start;

    for (;;) {
        memcpy(out, run, (size_t)(d->p - run));
        out += d->p - run;
        if (*d->p == '"') break;
        if (*d->p != '\\') return fail(d, "control character in a string");
        d->p++;
        if (!unescape(d, &out)) return false;
        run = d->p;
        d->p = json_find_special(d->p, d->end, &high);
        if (d->p == d->end) return fail(d, "string without its closing quote");
    }
    d->p++;
    *s = (struct str){start, (size_t)(out - start)};
    arena_trim(d->arena, start, s->len);
    if ((high & 0x80) && !utf8_valid(*s)) return fail(d, "string is not UTF-8");
    return true;
}

/* Reads a string; d->p stands behind its opening quote. */
static inline bool read_string(struct decoder *d, struct str *s)
{
    const char *from = d->p;
    unsigned    high = 0;

    d->p = json_find_special(from, d->end, &high);
    if (d->p == d->end) return fail(d, "string without its closing quote");
    if (*d->p == '\\') return string_with_escapes(d, from, high, s);
    if (*d->p != '"') return fail(d, "control character in a string");
    *s = (struct str){from, (size_t)(d->p - from)};
    d->p++;
    if ((high & 0x80) && !utf8_valid(*s)) return fail(d, "string is not UTF-8");
    return true;
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
static inline bool read_name(struct decoder *d)
{
    struct str name;

    skip_blanks(d);
    if (d->p == d->end || *d->p != '"') return fail(d, "expected a name in quotes");
    d->p++;
    if (!read_string(d, &name)) return false;
    if (d->p == d->end || *d->p != ':') {
        skip_blanks(d);
        if (d->p == d->end || *d->p != ':') return fail(d, "expected a colon");
    }
    d->p++;

    struct key key = key_make(name);
    uint64_t   bit = (uint64_t)1 << (key.hash >> 26);
    if ((d->seen & bit) && d->top - d->base <= MAP_LINEAR) drop_earlier(d, &key);
    d->seen |= bit;
    stack_push(d)->key = key;
    return true;
}

/* ---- containers ---- */

/* The member of the new container is on top of the stack. Its value keeps, until it closes, the
   parent's first member, kind and name bits. */
static bool container_open(struct decoder *d, bool map)
{
    struct value *self = &d->stack[d->top - 1].value;

    if (d->depth == d->depth_max) return fail(d, "nested too deeply");
    if (d->base > UINT32_MAX) return fail(d, "too large");
    *self = (struct value){.kind = d->in_map, .len = (uint32_t)d->base, .as.i = (int64_t)d->seen};
    d->depth++;
    d->base = d->top;
    d->seen = 0;
    d->in_map = map;
    return true;
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

/* Room for a few more members, as most pipelines add some. */
enum { SPARE_MEMBERS = 4 };

static struct value close_map(struct decoder *d)
{
    size_t      len = d->top - d->base;
    struct map *m = map_new(d->arena, (uint32_t)len + (d->depth == 1 ? SPARE_MEMBERS : 0));

    if (len <= MAP_LINEAR) {
        if (len) memcpy(m->members, &d->stack[d->base], len * sizeof(*m->members));
        m->len = (uint32_t)len;
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

static bool read_word(struct decoder *d, struct str word, struct value v)
{
    if (!str_starts((struct str){d->p, (size_t)(d->end - d->p)}, word))
        return fail(d, "unknown word");
    d->p += word.len;
    d->stack[d->top - 1].value = v;
    return true;
}

/* Reads what stands at d->p into the member on top of the stack. A container is only opened. */
static bool read_value(struct decoder *d)
{
    struct str s;

    switch (*d->p) {
    case '"':
        d->p++;
        if (!read_string(d, &s)) return false;
        d->stack[d->top - 1].value = value_string(s);
        return true;
    case '{':
    case '[':
        return container_open(d, *d->p++ == '{');
    case 't':
        return read_word(d, STR("true"), value_bool(true));
    case 'f':
        return read_word(d, STR("false"), value_bool(false));
    case 'n':
        return read_word(d, STR("null"), value_null());
    default:
        d->p = json_read_number(d->p, d->end, &d->stack[d->top - 1].value);
        return d->p ? true : fail(d, "expected a value");
    }
}

/* Stands behind a value or an opening bracket (`fresh`): closes what closes here, and goes to the
   next value, pushing its member. False at the end of the document or on a problem. */
static bool next_value(struct decoder *d, bool fresh)
{
    for (;; fresh = false) {
        if (d->depth == 0) return false;
        skip_blanks(d);
        if (d->p == d->end) return fail(d, "ends in the middle");
        if (*d->p == (d->in_map ? '}' : ']')) {
            d->p++;
            container_close(d);
            continue;
        }
        if (!fresh && *d->p++ != ',') {
            d->p--;
            return fail(d, "expected a comma or a closing bracket");
        }
        if (d->in_map) {
            if (!read_name(d)) return false;
        } else {
            stack_push(d);
        }
        skip_blanks(d);
        return d->p < d->end ? true : fail(d, "ends in the middle");
    }
}

static bool read_document(struct decoder *d)
{
    const char *at;

    skip_blanks(d);
    if (d->p == d->end) return fail(d, "is empty");
    stack_push(d);
    do {
        at = d->p;
        if (!read_value(d)) {
            if (!d->p) d->p = at;
            return false;
        }
    } while (next_value(d, *at == '{' || *at == '['));
    return d->problem == NULL;
}

bool json_decode_prefix(struct arena *a, struct str text, const struct json_limits *limits,
                        struct value *out, size_t *used, struct json_error *error)
{
    struct decoder d;

    d.p = d.start = text.data;
    d.end = text.data + text.len;
    d.arena = a;
    d.stack = d.local;
    d.top = d.base = 0;
    d.cap = STACK_LOCAL;
    d.seen = 0;
    d.depth = 0;
    d.depth_max = limits && limits->depth ? limits->depth : DEPTH_DEFAULT;
    d.in_map = false;
    d.problem = NULL;

    bool done = text.len < UINT32_MAX ? read_document(&d) : fail(&d, "too large");
    if (done) *out = d.stack[0].value;
    if (d.stack != d.local) free(d.stack);
    if (error) *error = (struct json_error){d.problem, (size_t)(d.p - d.start)};
    *used = (size_t)(d.p - d.start);
    return done;
}

bool json_decode(struct arena *a, struct str text, const struct json_limits *limits,
                 struct value *out, struct json_error *error)
{
    size_t used;

    if (!json_decode_prefix(a, text, limits, out, &used, error)) return false;
    while (used < text.len && (text.data[used] == ' ' || text.data[used] == '\n' ||
                               text.data[used] == '\t' || text.data[used] == '\r'))
        used++;
    if (used == text.len) return true;
    if (error) *error = (struct json_error){"text behind the end", used};
    return false;
}
