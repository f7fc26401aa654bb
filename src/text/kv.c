#include "text/kv.h"

#include "text/char_class.h"

enum kv_byte { KV_OTHER, KV_FIELD = 1, KV_VALUE = 2 }; /* splitters; both is possible */

/* ---- the regular expression ---- */

/* Bytes that are not `closing`, or escaped, between quotes. */
static void add_quoted(struct buf *p, const char *open, const char *close)
{
    buf_printf(p, "%s((?:\\\\.|[^%s])+)?%s|", open, close, close);
}

static void add_value(struct buf *p, const struct kv_rules *r)
{
    add_quoted(p, "\"", "\"");
    add_quoted(p, "'", "'");
    if (r->brackets) {
        add_quoted(p, "\\(", "\\)");
        add_quoted(p, "\\[", "\\]");
        add_quoted(p, "<", ">");
    }
    if (r->field_pattern.data)
        buf_printf(p, "((?:\\\\.|(?!%.*s).)+)", STR_ARG(r->field_pattern));
    else
        buf_printf(p, "((?:\\\\.|[^%.*s])+)", STR_ARG(r->field_split));
}

static struct str pair_pattern(struct arena *a, const struct kv_rules *r)
{
    struct buf  p = {0};
    const char *blanks = r->lenient ? " *" : "";
    struct str  field = r->field_pattern.data
                            ? arena_printf(a, "(?:%.*s)", STR_ARG(r->field_pattern))
                            : arena_printf(a, "[%.*s]", STR_ARG(r->field_split));
    struct str  value =
        r->value_pattern.data
             ? arena_printf(a, "%s(?:%.*s)%s", blanks, STR_ARG(r->value_pattern), blanks)
             : arena_printf(a, "%s[%.*s]%s", blanks, STR_ARG(r->value_split), blanks);

    if (r->field_pattern.data || r->value_pattern.data)
        buf_printf(&p, "((?:\\\\.|(?!%.*s|%.*s).)+)", STR_ARG(value), STR_ARG(field));
    else
        buf_printf(&p, "((?:\\\\.|[^%.*s%.*s])+)", STR_ARG(r->value_split),
                   STR_ARG(r->field_split));
    buf_printf(&p, "%.*s(?:", STR_ARG(value));
    add_value(&p, r);
    buf_printf(&p, ")?(?:%.*s|$)", STR_ARG(field));
    struct str pattern = arena_copy(a, buf_view(&p));
    buf_release(&p);
    return pattern;
}

/* ---- the scanner's table ---- */

/* Both classes side by side must mean both: "a" and "-z" do not. */
static bool side_by_side(struct arena *a, const struct kv_syntax *s, const struct kv_rules *r)
{
    struct char_class  both;
    struct regex_error error;
    struct str         source =
        arena_printf(a, "%.*s%.*s", STR_ARG(r->value_split), STR_ARG(r->field_split));
    bool good = char_class_compile(&both, a, source, &error) && both.ascii;

    for (int i = 0; good && i < 128; i++)
        good = both.has[i] == (s->kinds[i] != KV_OTHER);
    char_class_release(&both);
    return good;
}

static bool fill_kinds(struct kv_syntax *s, struct arena *a, const struct kv_rules *r)
{
    struct char_class  field = {0}, value = {0};
    struct regex_error error;
    bool               good = char_class_compile(&field, a, r->field_split, &error) &&
                char_class_compile(&value, a, r->value_split, &error) && field.ascii && value.ascii;

    for (int i = 0; good && i < 128; i++)
        s->kinds[i] = (uint8_t)((field.has[i] ? KV_FIELD : 0) | (value.has[i] ? KV_VALUE : 0));
    char_class_release(&field);
    char_class_release(&value);
    /* A blank cannot both split and not count. */
    if (r->lenient && s->kinds[' '] & KV_VALUE) good = false;
    return good && side_by_side(a, s, r);
}

bool kv_compile(struct kv_syntax *s, struct arena *a, const struct kv_rules *rules,
                struct regex_error *error)
{
    *s = (struct kv_syntax){.lenient = rules->lenient, .brackets = rules->brackets};
    s->pair = regex_compile(a, pair_pattern(a, rules), 0, error);
    if (s->pair && !rules->field_pattern.data && !rules->value_pattern.data)
        s->plain = fill_kinds(s, a, rules);
    return s->pair != NULL;
}

void kv_release(struct kv_syntax *s)
{
    regex_free(s->pair);
    s->pair = NULL;
}

/* ---- reading ---- */

bool kv_is_plain(const struct kv_syntax *s, struct str text)
{
    return s->plain && (text.len == 0 || !memchr(text.data, '\\', text.len));
}

static size_t skip_blanks(const struct kv_reader *r, size_t i)
{
    if (r->syntax->lenient)
        while (i < r->text.len && r->text.data[i] == ' ')
            i++;
    return i;
}

static bool is(const struct kv_reader *r, size_t i, enum kv_byte kind)
{
    return r->syntax->kinds[(unsigned char)r->text.data[i]] & kind;
}

/* A pair ends at a field splitter, which goes with it, or at the end of a line. */
static bool ends_at(const struct kv_reader *r, size_t i, size_t *behind)
{
    *behind = i;
    if (i == r->text.len) return true;
    if (is(r, i, KV_FIELD)) {
        *behind = i + 1;
        return true;
    }
    return r->text.data[i] == '\n';
}

/* What closes a value that begins with `open`; '\0': nothing. */
static char closing(const struct kv_syntax *s, char open)
{
    switch (open) {
    case '"':
    case '\'':
        return open;
    case '(':
        return s->brackets ? ')' : '\0';
    case '[':
        return s->brackets ? ']' : '\0';
    case '<':
        return s->brackets ? '>' : '\0';
    default:
        return '\0';
    }
}

/* A value in quotes or brackets, when the pair ends behind the first that closes. */
static bool scan_quoted(struct kv_reader *r, size_t i, struct str *value)
{
    char close = i < r->text.len ? closing(r->syntax, r->text.data[i]) : '\0';

    if (!close) return false;
    const char *start = r->text.data + i + 1;
    const char *end = memchr(start, close, r->text.len - i - 1);
    if (!end || !ends_at(r, (size_t)(end + 1 - r->text.data), &r->at)) return false;
    *value = (struct str){start, (size_t)(end - start)};
    return true;
}

static void scan_value(struct kv_reader *r, size_t i, struct str *value)
{
    size_t end = i;

    if (scan_quoted(r, i, value)) return;
    while (end < r->text.len && !is(r, end, KV_FIELD))
        end++;
    *value = (struct str){r->text.data + i, end - i};
    r->at = end + (end < r->text.len);
}

/* A key is a run of bytes that are no splitters, with a value splitter behind it. */
static int scan(struct kv_reader *r, struct str *key, struct str *value)
{
    const uint8_t *kinds = r->syntax->kinds;
    const char    *text = r->text.data;
    size_t         i = r->at, len = r->text.len;

    for (;;) {
        while (i < len && kinds[(unsigned char)text[i]] != KV_OTHER)
            i++;
        if (i == len) break;
        size_t start = i;
        while (i < len && kinds[(unsigned char)text[i]] == KV_OTHER)
            i++;
        size_t split = skip_blanks(r, i);
        if (split == len || !is(r, split, KV_VALUE)) continue;
        *key = (struct str){text + start, i - start};
        scan_value(r, skip_blanks(r, split + 1), value);
        return REGEX_MATCH;
    }
    r->at = len;
    return REGEX_NO_MATCH;
}

static struct str span_of(struct str text, struct span s)
{
    return (struct str){text.data + s.start, s.end - s.start};
}

/* Group 1 is the key; of the others the first that took part is the value. */
static int find(struct kv_reader *r, struct str *key, struct str *value)
{
    enum { SPANS_MAX = 16 };
    struct span spans[SPANS_MAX];
    uint32_t    n = regex_groups(r->syntax->pair) + 1;

    if (n > SPANS_MAX) n = SPANS_MAX;
    if (r->at > r->text.len) return REGEX_NO_MATCH;
    int found = regex_find(r->syntax->pair, r->text, r->at, spans, n);
    if (found != REGEX_MATCH) return found;
    r->at = spans[0].end > spans[0].start ? spans[0].end : spans[0].end + 1;
    *key = span_of(r->text, spans[1]);
    *value = (struct str){r->text.data, 0};
    for (uint32_t i = 2; i < n; i++)
        if (spans[i].start != SIZE_MAX) {
            *value = span_of(r->text, spans[i]);
            break;
        }
    return REGEX_MATCH;
}

int kv_next(struct kv_reader *r, struct str *key, struct str *value)
{
    return r->by_regex ? find(r, key, value) : scan(r, key, value);
}
