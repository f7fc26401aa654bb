#include "event/field.h"

static enum field_escape escape_style = FIELD_ESCAPE_NONE;

void field_set_escape(enum field_escape style)
{
    escape_style = style;
}

/* An integer as Java's Integer.parseInt reads it: a list index. */
static bool parse_index(struct str s, int64_t *out)
{
    size_t  i = s.len > 1 && (s.data[0] == '-' || s.data[0] == '+');
    int64_t n = 0;

    if (s.len == 0) return false;
    for (; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') return false;
        n = 10 * n + (s.data[i] - '0');
        if (n > INT32_MAX) return false;
    }
    *out = s.data[0] == '-' ? -n : n;
    return true;
}

static bool starts_nocase(struct str s, const char *prefix)
{
    for (size_t i = 0; prefix[i]; i++)
        if (i == s.len || (s.data[i] | 0x20) != prefix[i]) return false;
    return true;
}

/* The bracket that an escape at the start of `s` stands for, and the escape's length; 0: none. */
static char escaped_bracket(struct str s, size_t *len)
{
    if (escape_style == FIELD_ESCAPE_PERCENT) {
        *len = 3;
        return starts_nocase(s, "%5b") ? '[' : starts_nocase(s, "%5d") ? ']' : '\0';
    }
    *len = 5;
    return str_starts(s, STR("&#91;")) ? '[' : str_starts(s, STR("&#93;")) ? ']' : '\0';
}

/* Replaces escaped brackets in place; returns the new length. */
static size_t unescape(char *name, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; out++) {
        size_t skip = 0;
        char   bracket = '\0';
        if (name[i] == '%' || name[i] == '&')
            bracket = escaped_bracket((struct str){name + i, len - i}, &skip);
        name[out] = bracket ? bracket : name[i];
        i += bracket ? skip : 1;
    }
    return out;
}

static struct field_step make_step(struct arena *a, struct str name)
{
    struct str        kept = arena_copy(a, name);
    struct field_step step = {0};

    if (escape_style != FIELD_ESCAPE_NONE) kept.len = unescape((char *)kept.data, kept.len);
    step.key = key_make(kept);
    step.is_index = parse_index(kept, &step.index);
    return step;
}

/* What a scan of a reference is at. */
struct scan {
    struct str  steps[FIELD_DEPTH_MAX];
    uint32_t    depth; /* steps so far */
    const char *problem;
    size_t      at;
};

static bool fail(struct scan *s, const char *problem, size_t at)
{
    s->problem = problem;
    s->at = at;
    return false;
}

static bool add_step(struct scan *s, struct str name, size_t at)
{
    if (s->depth == FIELD_DEPTH_MAX) return fail(s, "has too many parts", at);
    s->steps[s->depth++] = name;
    return true;
}

/* Source: FieldReference.java, StrictTokenizer. Brackets in brackets are flattened. */
static bool scan_brackets(struct scan *s, struct str text)
{
    size_t open = 0, from = 0; /* brackets open; where the current part began */

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i], before = i ? text.data[i - 1] : '\0';
        if (c == '[') {
            if (from != i) return fail(s, "has text before an opening bracket", i);
            open++;
            from = i + 1;
        } else if (c == ']') {
            if (open == 0) return fail(s, "has a closing bracket too many", i);
            if (before == '[') return fail(s, "has empty brackets", i - 1);
            if (from < i && !add_step(s, (struct str){text.data + from, i - from}, from))
                return false;
            open--;
            from = i + 1;
        } else if (before == ']') {
            return fail(s, "has text after a closing bracket", i);
        }
    }
    if (open) return fail(s, "has an unclosed bracket", text.len);
    return true;
}

/* Source: Event.java, which takes only times for @timestamp and only texts for tags. */
static bool is_plain(const struct field *f)
{
    struct str name = f->depth == 1 ? key_str(f->steps[0].key) : STR("");

    if (f->depth != 1) return false;
    return f->metadata || !(str_eq(name, STR("@timestamp")) || str_eq(name, STR("tags")));
}

static struct field *field_build(struct arena *a, struct str text, const struct str *steps,
                                 uint32_t depth)
{
    struct field *f = arena_zalloc(a, sizeof(*f) + depth * sizeof(f->steps[0]));

    f->text = arena_copy(a, text);
    f->metadata = str_eq(steps[0], STR("@metadata"));
    for (uint32_t i = f->metadata; i < depth; i++)
        f->steps[f->depth++] = make_step(a, steps[i]);
    f->plain = is_plain(f);
    return f;
}

const struct field *field_parse(struct arena *a, struct str text, const char **problem, size_t *at)
{
    struct scan s = {.depth = 0};
    bool        valid = true;

    if (text.len && (memchr(text.data, '[', text.len) || memchr(text.data, ']', text.len)))
        valid = scan_brackets(&s, text);
    else
        s.steps[s.depth++] = text;
    if (problem) *problem = s.problem;
    if (at) *at = s.at;
    return valid ? field_build(a, text, s.steps, s.depth) : NULL;
}

const struct field *field_of_name(struct arena *a, struct str name)
{
    struct field *f = arena_zalloc(a, sizeof(*f) + sizeof(f->steps[0]));

    f->text = arena_copy(a, name);
    f->steps[f->depth++].key = key_make(f->text);
    f->plain = is_plain(f);
    return f;
}
