#include "text/dissect.h"

#include <math.h>

#include "text/rubytext.h"

enum kind { KIND_SKIP, KIND_NORMAL, KIND_APPEND, KIND_INDIRECT };

struct part {
    enum kind           kind;
    struct str          name;    /* of the field; a skip may have none */
    const struct field *field;   /* of that name; NULL for a skip */
    struct str          before;  /* the delimiter in front */
    struct str          after;   /* the delimiter behind; not used of the last part */
    bool                padded;  /* delimiters in front may come more than once */
    bool                fresh;   /* a plain field that nothing set before it makes */
    int                 ordinal; /* in which order fields are set */
};

struct dissect {
    uint32_t            len, saved_len;
    const struct part **saved; /* without skips, sorted */
    struct part         parts[];
};

/* A stretch of the text. */
struct piece {
    size_t start, len;
};

/* ---- compiling ---- */

enum { ORDER_NORMAL = 0, ORDER_APPEND = 1, ORDER_INDIRECT = INT32_MAX, ORDER_DIGITS_MAX = 8 };

struct compiler {
    struct arena   *arena;
    struct dissect *dissect;
    bool            padded; /* the part before ended in -> */
    const char     *problem;
};

/* Takes /digits off the end of a name. */
static bool take_order(struct str *name, int *order)
{
    size_t n = name->len;
    int    value = 0;

    while (n > 0 && name->data[n - 1] >= '0' && name->data[n - 1] <= '9')
        n--;
    size_t digits = name->len - n;
    if (digits == 0 || digits > ORDER_DIGITS_MAX || n == 0 || name->data[n - 1] != '/')
        return false;
    for (size_t i = n; i < name->len; i++)
        value = value * 10 + (name->data[i] - '0');
    *order = value;
    name->len = n - 1;
    return true;
}

static bool take_arrow(struct str *name)
{
    if (!str_ends(*name, STR("->"))) return false;
    name->len -= 2;
    return true;
}

static enum kind kind_of(struct str name)
{
    if (name.len == 0 || name.data[0] == '?') return KIND_SKIP;
    return name.data[0] == '+' ? KIND_APPEND : name.data[0] == '&' ? KIND_INDIRECT : KIND_NORMAL;
}

static void add_part(struct compiler *c, struct str before, struct str inside)
{
    struct part *p = &c->dissect->parts[c->dissect->len];
    const char  *problem = NULL;
    struct str   name = inside;
    int          order = 0;
    bool         arrow = take_arrow(&name);

    *p = (struct part){.kind = kind_of(name), .before = before, .padded = c->padded};
    if (c->dissect->len) p[-1].after = before;
    if (p->kind != KIND_NORMAL) name = str_from(name, 1);
    if (p->kind == KIND_APPEND && take_order(&name, &order)) arrow |= take_arrow(&name);
    if (name.len && p->kind != KIND_NORMAL && p->kind != KIND_SKIP &&
        (name.data[0] == '&' || name.data[0] == '+'))
        c->problem = "+ and & cannot stand together";
    else if (name.len == 0 && p->kind != KIND_SKIP)
        c->problem = "a + or & stands without a name";
    p->name = name;
    p->ordinal = p->kind == KIND_APPEND     ? ORDER_APPEND + order
                 : p->kind == KIND_INDIRECT ? ORDER_INDIRECT
                                            : ORDER_NORMAL;
    if (!c->problem && name.len) p->field = field_parse(c->arena, name, &problem, NULL);
    if (problem && p->kind != KIND_SKIP)
        c->problem =
            arena_printf(c->arena, "\"%.*s\" is not a field reference: %s", STR_ARG(name), problem)
                .data;
    c->padded = arrow;
    c->dissect->len++;
}

/* Indirect parts, which may set any field, come last. */
static bool is_fresh(const struct dissect *d, const struct part *p)
{
    if (p->kind != KIND_NORMAL || !p->field->plain || p->field->metadata) return false;
    for (uint32_t i = 0; d->saved[i] != p; i++)
        if (field_same_top(d->saved[i]->field, p->field)) return false;
    return true;
}

/* Parts that are set, in the order of their ordinals; equals as they stand. */
static void sort_saved(struct dissect *d, struct arena *a)
{
    d->saved = arena_alloc(a, d->len * sizeof(d->saved[0]));
    for (uint32_t i = 0; i < d->len; i++) {
        const struct part *p = &d->parts[i];
        uint32_t           at = d->saved_len;
        if (p->kind == KIND_SKIP) continue;
        for (; at > 0 && d->saved[at - 1]->ordinal > p->ordinal; at--)
            d->saved[at] = d->saved[at - 1];
        d->saved[at] = p;
        d->saved_len++;
    }
    for (uint32_t i = 0; i < d->saved_len; i++)
        d->parts[d->saved[i] - d->parts].fresh = is_fresh(d, d->saved[i]);
}

const struct dissect *dissect_compile(struct arena *a, struct str mapping, const char **problem)
{
    struct str      rest = arena_copy(a, mapping);
    struct compiler c = {.arena = a};
    size_t          most = mapping.len / 3 + 2;

    c.dissect = arena_zalloc(a, sizeof(*c.dissect) + most * sizeof(c.dissect->parts[0]));
    for (ptrdiff_t open, length; (open = str_find(rest, STR("%{"))) >= 0;) {
        struct str inside = str_from(rest, (size_t)open + 2);
        if ((length = str_find(inside, STR("}"))) < 0) break;
        /* What repeats in front of the first field is passed over. */
        c.padded |= c.dissect->len == 0 && open > 0;
        add_part(&c, (struct str){rest.data, (size_t)open},
                 (struct str){inside.data, (size_t)length});
        rest = str_from(inside, (size_t)length + 1);
    }
    if (c.dissect->len == 0) c.problem = "there is no %{field} in it";
    if (rest.len && c.dissect->len) add_part(&c, rest, STR(""));
    *problem = c.problem;
    if (c.problem) return NULL;
    sort_saved(c.dissect, a);
    return c.dissect;
}

/* ---- running ---- */

static ptrdiff_t find(struct str text, size_t from, struct str delimiter)
{
    struct str  rest = str_from(text, from);
    const char *at;

    if (delimiter.len != 1) {
        ptrdiff_t n = str_find(rest, delimiter);
        return n < 0 ? n : n + (ptrdiff_t)from;
    }
    at = rest.len ? memchr(rest.data, delimiter.data[0], rest.len) : NULL;
    return at ? at - text.data : -1;
}

/* Where each part stands. A delimiter at the very start of the text is found, but, as in Logstash,
   not passed. */
static bool locate(const struct dissect *d, struct str text, struct piece *pieces)
{
    size_t left = d->parts[0].before.len;

    if (!str_starts(text, d->parts[0].before)) return false;
    for (uint32_t i = 0; i < d->len; i++) {
        const struct part *p = &d->parts[i];
        while (p->padded && p->before.len && str_starts(str_from(text, left), p->before))
            left += p->before.len;
        pieces[i] = (struct piece){left, text.len - left};
        if (i + 1 == d->len) break;
        ptrdiff_t end = find(text, left, p->after);
        if (end < 0) return false;
        pieces[i].len = (size_t)end - left;
        if (end > 0) left = (size_t)end + p->after.len;
    }
    return true;
}

static struct value join(const struct part *p, const struct value *old, struct str text,
                         struct event *ev, struct buf *buf)
{
    buf_clear(buf);
    value_text(*old, buf);
    buf_str(buf, p->before.len ? p->before : STR(" "));
    buf_str(buf, text);
    return value_string(arena_copy(ev->arena, buf_view(buf)));
}

/* The name that an indirect field has in this event: the text of the field of its own name, or of
   a part of that name. Empty: none. */
static struct str indirect_name(const struct dissect *d, const struct part *p, struct str text,
                                const struct piece *pieces, struct event *ev, struct buf *buf)
{
    const struct value *v = event_get(ev, p->field);

    if (v && v->kind == VALUE_STRING) return value_str(*v);
    if (v) {
        buf_clear(buf);
        value_text(*v, buf);
        return arena_copy(ev->arena, buf_view(buf));
    }
    for (uint32_t i = 0; i < d->len; i++)
        if (&d->parts[i] != p && str_eq(d->parts[i].name, p->name))
            return (struct str){text.data + pieces[i].start, pieces[i].len};
    return STR("");
}

enum dissect_result dissect_run(const struct dissect *d, struct str text, struct event *ev,
                                struct arena *scratch, struct buf *buf)
{
    struct piece *pieces = arena_alloc(scratch, d->len * sizeof(*pieces));
    uint64_t      had = ev->data.seen;
    bool          good = true;

    if (text.len == 0 || !locate(d, text, pieces)) return DISSECT_NO_MATCH;
    for (uint32_t i = 0; i < d->saved_len && good; i++) {
        const struct part *p = d->saved[i];
        struct piece       piece = pieces[p - d->parts];
        struct str         found = {text.data + piece.start, piece.len};
        struct value      *old = p->kind == KIND_APPEND ? event_get(ev, p->field) : NULL;
        if (p->fresh) {
            event_set_fresh(ev, had, p->field->steps[0].key, value_string(found));
        } else if (p->kind == KIND_INDIRECT) {
            struct str name = indirect_name(d, p, text, pieces, ev, buf);
            good = name.len == 0 || event_set_named(ev, key_make(name), value_string(found));
        } else if (old) {
            good = event_replace(ev, p->field, old, join(p, old, found, ev, buf));
        } else {
            good = event_set(ev, p->field, value_string(found));
        }
    }
    return good ? DISSECT_DONE : DISSECT_CANNOT_SET;
}

/* ---- numbers ---- */

enum { DIGITS_MAX = 4096 };

struct number {
    bool       minus;
    struct str whole, fraction;
    int64_t    exponent;
    bool       plain; /* neither point nor exponent */
};

static struct str take_digits(struct str *s)
{
    size_t n = 0;

    while (n < s->len && s->data[n] >= '0' && s->data[n] <= '9')
        n++;
    struct str digits = {s->data, n};
    *s = str_from(*s, n);
    return digits;
}

static bool take_sign(struct str *s)
{
    bool minus = s->len && s->data[0] == '-';

    if (minus || (s->len && s->data[0] == '+')) *s = str_from(*s, 1);
    return minus;
}

static bool read_number(struct str s, struct number *n)
{
    *n = (struct number){.plain = true, .fraction = STR("")};
    n->minus = take_sign(&s);
    n->whole = take_digits(&s);
    if (s.len && s.data[0] == '.') {
        n->plain = false;
        s = str_from(s, 1);
        n->fraction = take_digits(&s);
    }
    if (n->whole.len + n->fraction.len == 0) return false;
    if (s.len && (s.data[0] | 0x20) == 'e') {
        n->plain = false;
        s = str_from(s, 1);
        bool       minus = take_sign(&s);
        struct str digits = take_digits(&s);
        if (digits.len == 0 || digits.len > 9) return false;
        for (size_t i = 0; i < digits.len; i++)
            n->exponent = n->exponent * 10 + (digits.data[i] - '0');
        if (minus) n->exponent = -n->exponent;
    }
    return s.len == 0;
}

/* The whole part, with the point moved as the exponent says. */
static bool write_whole(const struct number *n, struct buf *buf)
{
    int64_t len = (int64_t)n->whole.len + n->exponent;

    if (len > DIGITS_MAX) return false;
    buf_clear(buf);
    if (n->minus) buf_char(buf, '-');
    for (int64_t i = 0; i < len; i++) {
        size_t at = (size_t)i, behind = at - n->whole.len;
        if (at < n->whole.len)
            buf_char(buf, n->whole.data[at]);
        else
            buf_char(buf, behind < n->fraction.len ? n->fraction.data[behind] : '0');
    }
    if (len <= 0) buf_char(buf, '0');
    return true;
}

bool dissect_number(enum dissect_type type, struct str text, struct arena *a, struct buf *buf,
                    struct value *out)
{
    struct number n;
    int64_t       plain;

    if (ruby_plain_integer(text, &plain)) {
        *out = value_int(plain);
        return true;
    }
    if (!read_number(text, &n)) return false;
    if (type == DISSECT_INT || n.plain) {
        if (!write_whole(&n, buf)) return false;
        *out = ruby_to_i(a, buf_view(buf));
        return true;
    }
    /* Ruby wants digits on both sides of a point. */
    struct str clean = arena_printf(
        a, "%s%.*s.%.*se%lld", n.minus ? "-" : "", STR_ARG(n.whole.len ? n.whole : STR("0")),
        STR_ARG(n.fraction.len ? n.fraction : STR("0")), (long long)n.exponent);
    *out = value_float(ruby_to_f(clean, buf));
    return isfinite(out->as.f);
}
