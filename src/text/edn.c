#include "text/edn.h"

#include "base/utf8.h"
#include "event/json.h"
#include "event/time.h"
#include "text/ruby_inspect.h"

enum { DEPTH_MAX = 128 };

struct reader {
    struct arena *a;
    const char   *at, *end;
    uint32_t      depth;
    const char   *why;
};

static enum edn_status broken(struct reader *r, const char *why)
{
    r->why = why;
    return EDN_BROKEN;
}

static bool is_blank(char c)
{
    return c == ' ' || c == ',' || (c >= '\t' && c <= '\r');
}

/* What ends a number, keyword or symbol. */
static bool ends_word(char c)
{
    return is_blank(c) || c == '\0' || strchr("()[]{}\";", c);
}

static bool is_close(char c)
{
    return c == ')' || c == ']' || c == '}';
}

static void skip_blanks(struct reader *r)
{
    for (; r->at < r->end && (is_blank(*r->at) || *r->at == ';'); r->at++)
        if (*r->at == ';')
            while (r->at + 1 < r->end && *r->at != '\n')
                r->at++;
}

static struct str word(struct reader *r)
{
    const char *from = r->at;

    while (r->at < r->end && !ends_word(*r->at))
        r->at++;
    return (struct str){from, (size_t)(r->at - from)};
}

static enum edn_status read_value(struct reader *r, struct value *out);

/* ---- strings and characters ---- */

static bool hex4(const char *p, const char *end, uint32_t *c)
{
    if (end - p < 4) return false;
    *c = 0;
    for (int i = 0; i < 4; i++) {
        char     x = p[i];
        unsigned digit = x >= '0' && x <= '9'   ? (unsigned)(x - '0')
                         : x >= 'a' && x <= 'f' ? (unsigned)(x - 'a') + 10
                         : x >= 'A' && x <= 'F' ? (unsigned)(x - 'A') + 10
                                                : 16;
        if (digit == 16) return false;
        *c = *c << 4 | digit;
    }
    if (*c >= 0xD800 && *c < 0xE000) *c = 0xFFFD; /* half of a pair */
    return true;
}

/* The escape behind a backslash at r->at. Bytes written to `to`; 0: there is no such escape. */
static size_t read_escape(struct reader *r, char *to)
{
    static const char letters[] = "tnrbf\"\\", meanings[] = "\t\n\r\b\f\"\\";
    const char       *known = r->at < r->end && *r->at ? strchr(letters, *r->at) : NULL;
    uint32_t          c;

    if (known) {
        *to = meanings[known - letters];
        r->at++;
        return 1;
    }
    if (r->at == r->end || *r->at != 'u' || !hex4(r->at + 1, r->end, &c)) return 0;
    r->at += 5;
    return utf8_put(to, c);
}

static enum edn_status read_string(struct reader *r, struct value *out)
{
    const char *from = ++r->at, *quote = from;
    bool        plain = true;

    for (; quote < r->end && *quote != '"'; quote++)
        if (*quote == '\\') {
            plain = false;
            quote++;
        }
    if (quote >= r->end) return broken(r, "a string without its end");
    if (quote - from > (ptrdiff_t)UINT32_MAX - 1) return broken(r, "a string that is too long");
    if (plain) {
        *out = value_string((struct str){from, (size_t)(quote - from)});
        r->at = quote + 1;
        return EDN_DONE;
    }
    char  *text = arena_alloc(r->a, (size_t)(quote - from));
    size_t len = 0, n;
    while (r->at < quote) {
        if (*r->at != '\\') {
            text[len++] = *r->at++;
            continue;
        }
        r->at++;
        if ((n = read_escape(r, text + len)) == 0) return broken(r, "an escape that is not known");
        len += n;
    }
    r->at = quote + 1;
    *out = value_string((struct str){text, len});
    return EDN_DONE;
}

static enum edn_status read_character(struct reader *r, struct value *out)
{
    static const struct {
        const char *name, *text;
    } names_of[] = {{"newline", "\n"}, {"return", "\r"},   {"space", " "},
                    {"tab", "\t"},     {"formfeed", "\f"}, {"backspace", "\b"}};
    const char *from = ++r->at;
    uint32_t    c;

    if (from == r->end) return broken(r, "a character without its name");
    r->at += utf8_get((struct str){from, (size_t)(r->end - from)}, &c);
    word(r);
    struct str text = {from, (size_t)(r->at - from)};
    for (size_t i = 0; i < sizeof(names_of) / sizeof(names_of[0]); i++)
        if (str_is(text, names_of[i].name)) {
            *out = value_string(str_of(names_of[i].text));
            return EDN_DONE;
        }
    if (text.len == 5 && text.data[0] == 'u' && hex4(text.data + 1, r->at, &c)) {
        char *to = arena_alloc(r->a, 4);
        *out = value_string((struct str){to, utf8_put(to, c)});
        return EDN_DONE;
    }
    if (utf8_count(text) != 1) return broken(r, "a character that is not known");
    *out = value_string(text);
    return EDN_DONE;
}

/* ---- numbers and words ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* With N or M behind it, for those of any size. */
static enum edn_status read_number(struct reader *r, struct value *out)
{
    struct str text = word(r);

    if (str_starts(text, STR("+"))) text = str_from(text, 1);
    if (str_ends(text, STR("N")) || str_ends(text, STR("M"))) text.len--;
    if (text.len == 0 || is_blank(text.data[text.len - 1]) ||
        !json_decode(r->a, text, NULL, out, NULL) || out->kind == VALUE_STRING)
        return broken(r, "not a number");
    return EDN_DONE;
}

static enum edn_status read_word(struct reader *r, struct value *out)
{
    struct str text = word(r);

    if (text.len == 0) return broken(r, "a character that means nothing here");
    if (text.data[0] == ':') {
        text = str_from(text, 1);
        if (text.len == 0) return broken(r, "a keyword without a name");
    }
    *out = str_is(text, "nil")     ? value_null()
           : str_is(text, "true")  ? value_bool(true)
           : str_is(text, "false") ? value_bool(false)
                                   : value_string(text);
    return EDN_DONE;
}

/* ---- what holds other elements ---- */

static enum edn_status read_list(struct reader *r, char close, struct value *out)
{
    struct list *l = list_new(r->a, 4);

    for (;;) {
        struct value    v;
        enum edn_status s;
        skip_blanks(r);
        if (r->at < r->end && *r->at == close) break;
        if ((s = read_value(r, &v)) == EDN_BROKEN) return s;
        if (s == EDN_DONE) list_push(l, r->a, v);
        skip_blanks(r); /* EDN_END: the text ends, another bracket, or #_ took it out */
        if (s == EDN_END && (r->at == r->end || (is_close(*r->at) && *r->at != close)))
            return broken(r, "a list without its end");
    }
    r->at++;
    *out = value_list(l);
    return EDN_DONE;
}

/* The name of a member: its text when it is no string. */
static bool name_of(struct reader *r, struct value v, struct str *name)
{
    struct buf text = {0};

    if (v.kind == VALUE_LIST || v.kind == VALUE_MAP) return false;
    if (v.kind == VALUE_STRING) {
        *name = value_str(v);
        return true;
    }
    if (v.kind != VALUE_NULL) value_text(v, &text);
    *name = arena_copy(r->a, buf_view(&text));
    buf_release(&text);
    return true;
}

static enum edn_status read_map(struct reader *r, struct value *out)
{
    struct value items;
    struct map  *m;

    if (read_list(r, '}', &items) != EDN_DONE) return EDN_BROKEN;
    const struct list *l = items.as.list;
    if (l->len % 2 != 0) return broken(r, "a map with a key that has no value");
    m = map_new(r->a, l->len / 2);
    for (uint32_t i = 0; i < l->len; i += 2) {
        struct str name;
        if (!name_of(r, l->items[i], &name)) return broken(r, "a list or map as a key");
        *map_add(m, r->a, key_make(name)) = l->items[i + 1];
    }
    *out = value_map(m);
    return EDN_DONE;
}

/* A tag and its element. */
static enum edn_status read_tagged(struct reader *r, struct value *out)
{
    struct str       tag = word(r);
    struct timestamp t;

    if (tag.len == 0) return broken(r, "a tag without a name");
    enum edn_status s = read_value(r, out);
    if (s == EDN_END) return broken(r, "a tag without an element");
    if (s == EDN_DONE && str_is(tag, "inst")) {
        if (out->kind != VALUE_STRING || !time_parse(value_str(*out), &t))
            return broken(r, "#inst without a time");
        *out = value_time(t);
    }
    return s;
}

/* Behind #. EDN_END: an element that does not count. */
static enum edn_status read_dispatch(struct reader *r, struct value *out)
{
    char c = ++r->at < r->end ? *r->at : '\0';

    if (c == '{') {
        r->at++;
        return read_list(r, '}', out);
    }
    if (c == '_') {
        r->at++;
        enum edn_status s = read_value(r, out);
        if (s == EDN_END) return broken(r, "#_ without an element");
        return s == EDN_DONE ? EDN_END : s;
    }
    return read_tagged(r, out);
}

static enum edn_status read_nested(struct reader *r, struct value *out)
{
    switch (*r->at) {
    case '(':
        r->at++;
        return read_list(r, ')', out);
    case '[':
        r->at++;
        return read_list(r, ']', out);
    case '{':
        r->at++;
        return read_map(r, out);
    default:
        return read_dispatch(r, out);
    }
}

/* EDN_END: no element, because the text ends, what holds it ends, or #_ took it out. */
static enum edn_status read_value(struct reader *r, struct value *out)
{
    skip_blanks(r);
    if (r->at == r->end || is_close(*r->at)) return EDN_END;
    char c = *r->at, next = r->at + 1 < r->end ? r->at[1] : '\0';
    if (c == '"') return read_string(r, out);
    if (c == '\\') return read_character(r, out);
    if (is_digit(c) || ((c == '-' || c == '+') && is_digit(next))) return read_number(r, out);
    if (c != '(' && c != '[' && c != '{' && c != '#') return read_word(r, out);
    if (r->depth == DEPTH_MAX) return broken(r, "nested too deeply");
    r->depth++;
    enum edn_status s = read_nested(r, out);
    r->depth--;
    return s;
}

enum edn_status edn_read(struct arena *a, struct str text, struct value *out, size_t *used,
                         const char **why)
{
    struct reader   r = {.a = a, .at = text.data, .end = text.data + text.len, .why = ""};
    enum edn_status s;

    do {
        skip_blanks(&r);
        if (r.at == r.end) {
            s = EDN_END;
            break;
        }
        s = is_close(*r.at) ? broken(&r, "an end without its beginning") : read_value(&r, out);
    } while (s == EDN_END);
    *used = (size_t)(r.at - text.data);
    *why = r.why;
    return s;
}

/* ---- writing ---- */

static void write_string(struct str s, struct buf *out)
{
    buf_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c == '"' || c == '\\') buf_char(out, '\\');
        if (c == '\n' || c == '\r') {
            buf_str(out, c == '\n' ? STR("\\n") : STR("\\r"));
            continue;
        }
        buf_char(out, c);
    }
    buf_char(out, '"');
}

static void write_list(const struct list *l, struct buf *out)
{
    buf_char(out, '[');
    for (uint32_t i = 0; i < l->len; i++) {
        if (i > 0) buf_char(out, ' ');
        edn_write(l->items[i], out);
    }
    buf_char(out, ']');
}

static void write_map(const struct map *m, struct buf *out)
{
    buf_char(out, '{');
    for (uint32_t i = 0; i < m->len; i++) {
        if (i > 0) buf_str(out, STR(", "));
        write_string(key_str(m->members[i].key), out);
        buf_char(out, ' ');
        edn_write(m->members[i].value, out);
    }
    buf_char(out, '}');
}

void edn_write(struct value v, struct buf *out)
{
    char text[40];

    switch ((enum value_kind)v.kind) {
    case VALUE_NULL:
        buf_str(out, STR("nil"));
        break;
    case VALUE_BOOL:
        buf_str(out, v.as.b ? STR("true") : STR("false"));
        break;
    case VALUE_INT:
        json_encode_int(v.as.i, out);
        buf_char(out, 'M');
        break;
    case VALUE_FLOAT:
        ruby_inspect_float(out, v.as.f);
        break;
    case VALUE_TIME:
        write_string((struct str){text, time_print(value_timestamp(v), text)}, out);
        break;
    case VALUE_STRING:
        write_string(value_str(v), out);
        break;
    case VALUE_NUMBER:
        buf_str(out, value_str(v));
        buf_char(out, 'M');
        break;
    case VALUE_LIST:
        write_list(v.as.list, out);
        break;
    case VALUE_MAP:
        write_map(v.as.map, out);
        break;
    }
}
