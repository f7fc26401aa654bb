#include "base/utf8.h"
#include "text/onigmo_parse.h"

/*
 * Escapes. Source: Onigmo's doc/RE and enc/unicode.c; for Java, java.util.regex.Pattern.
 */

/* What stands in brackets for a named set: of Unicode, and of ASCII alone. */
struct named_set {
    const char *name, *unicode, *ascii;
};

/* The names that Ruby's \p{…} and [:…:] share. */
static const struct named_set posix_sets[] = {
    {"alnum", "\\p{Alphabetic}\\p{Nd}", "0-9A-Za-z"},
    {"alpha", "\\p{Alphabetic}", "A-Za-z"},
    {"ascii", "\\x00-\\x7f", "\\x00-\\x7f"},
    {"blank", "\\x09\\p{Zs}", "\\x09\\x20"},
    {"cntrl", "\\p{Cc}", "\\x00-\\x1f\\x7f"},
    {"digit", "\\p{Nd}", "0-9"},
    {"graph", "[:graph:]", "\\x21-\\x7e"},
    {"lower", "\\p{Lowercase}", "a-z"},
    {"print", "[:print:]", "\\x20-\\x7e"},
    {"punct", "\\p{P}$+<=>\\^`|~", "!-/:-@\\[-`{-~"},
    {"space", "\\p{White_Space}", "\\x09-\\x0d\\x20"},
    {"upper", "\\p{Uppercase}", "A-Z"},
    {"word", "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}", "0-9A-Za-z_"},
    {"xdigit", "0-9A-Fa-f", "0-9A-Fa-f"},
};

/* Unicode's long names, of which PCRE2 knows only the short ones. */
static const struct named_set categories[] = {
    {"any", "\\p{Any}", NULL},
    {"assigned", "\\P{Cn}", NULL},
    {"casedletter", "\\p{L&}", NULL},
    {"closepunctuation", "\\p{Pe}", NULL},
    {"connectorpunctuation", "\\p{Pc}", NULL},
    {"control", "\\p{Cc}", NULL},
    {"currencysymbol", "\\p{Sc}", NULL},
    {"dashpunctuation", "\\p{Pd}", NULL},
    {"decimalnumber", "\\p{Nd}", NULL},
    {"enclosingmark", "\\p{Me}", NULL},
    {"finalpunctuation", "\\p{Pf}", NULL},
    {"format", "\\p{Cf}", NULL},
    {"initialpunctuation", "\\p{Pi}", NULL},
    {"letter", "\\p{L}", NULL},
    {"letternumber", "\\p{Nl}", NULL},
    {"lineseparator", "\\p{Zl}", NULL},
    {"lowercaseletter", "\\p{Ll}", NULL},
    {"mark", "\\p{M}", NULL},
    {"mathsymbol", "\\p{Sm}", NULL},
    {"modifierletter", "\\p{Lm}", NULL},
    {"modifiersymbol", "\\p{Sk}", NULL},
    {"nonspacingmark", "\\p{Mn}", NULL},
    {"number", "\\p{N}", NULL},
    {"openpunctuation", "\\p{Ps}", NULL},
    {"other", "\\p{C}", NULL},
    {"otherletter", "\\p{Lo}", NULL},
    {"othernumber", "\\p{No}", NULL},
    {"otherpunctuation", "\\p{Po}", NULL},
    {"othersymbol", "\\p{So}", NULL},
    {"paragraphseparator", "\\p{Zp}", NULL},
    {"privateuse", "\\p{Co}", NULL},
    {"punctuation", "\\p{P}", NULL},
    {"separator", "\\p{Z}", NULL},
    {"spaceseparator", "\\p{Zs}", NULL},
    {"spacingmark", "\\p{Mc}", NULL},
    {"surrogate", "\\p{Cs}", NULL},
    {"symbol", "\\p{S}", NULL},
    {"titlecaseletter", "\\p{Lt}", NULL},
    {"unassigned", "\\p{Cn}", NULL},
    {"uppercaseletter", "\\p{Lu}", NULL},
};

/* \d and its like, and in brackets their opposites. `bytes`: without UTF PCRE2 means the same. */
static const struct short_set {
    char        letter;
    const char *items, *opposite, *bytes, *bytes_opposite, *unicode;
} ruby_short_sets[] = {
    {'d', "0-9", "\\x00-/:-\\x{10ffff}", "\\d", "\\D", "digit"},
    {'h', "0-9A-Fa-f", "\\x00-/:-@G-`g-\\x{10ffff}", "0-9A-Fa-f", "\\x00-/:-@G-`g-\\xff", "xdigit"},
    {'s', "\\x09-\\x0d\\x20", "\\x00-\\x08\\x0e-\\x1f!-\\x{10ffff}", "\\s", "\\S", "space"},
    {'w', "0-9A-Za-z_", "\\x00-/:-@\\[-\\^`{-\\x{10ffff}", "\\w", "\\W", "word"},
    {0},
};
static const struct short_set java_short_sets[] = {
    {'d', "0-9", "\\x00-/:-\\x{10ffff}", "\\d", "\\D", "digit"},
    {'h', "\\h", "\\H", "\\h", "\\H", NULL},
    {'s', "\\x09-\\x0d\\x20", "\\x00-\\x08\\x0e-\\x1f!-\\x{10ffff}", "\\s", "\\S", "space"},
    {'v', "\\v", "\\V", "\\v", "\\V", NULL},
    {'w', "0-9A-Za-z_", "\\x00-/:-@\\[-\\^`{-\\x{10ffff}", "\\w", "\\W", "word"},
    {0},
};

static bool same_name(struct str name, const char *known)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (c == ' ' || c == '_' || c == '-') continue;
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (c == '\0' || *known != c) return false;
        known++;
    }
    return *known == '\0';
}

struct str onigmo_property(const struct translation *t, struct str name, bool posix)
{
    bool ascii = t->bytes || (t->java && !t->unicode);

    for (size_t i = 0; i < sizeof(posix_sets) / sizeof(posix_sets[0]); i++)
        if (same_name(name, posix_sets[i].name))
            return str_of(ascii ? posix_sets[i].ascii : posix_sets[i].unicode);
    for (size_t i = 0; !posix && i < sizeof(categories) / sizeof(categories[0]); i++)
        if (same_name(name, categories[i].name)) return str_of(categories[i].unicode);
    return (struct str){NULL, 0};
}

void onigmo_literal(struct buf *out, uint32_t c)
{
    if (c < ' ' || c == 0x7f) {
        buf_printf(out, "\\x%02x", (unsigned)c);
    } else if (c < 0x80) {
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == ' ' || c == '_';
        if (!plain) buf_char(out, '\\');
        buf_char(out, (char)c);
    } else {
        out->len += utf8_put(buf_room(out, 4), c);
    }
}

void onigmo_set(struct buf *out, struct str items, bool negated)
{
    buf_str(out, negated ? STR("[^") : STR("["));
    buf_str(out, items);
    buf_char(out, ']');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 99;
}

bool onigmo_number(struct translation *t, unsigned base, int max, uint32_t *value)
{
    int n = 0;

    for (*value = 0; n < max && onigmo_more(t); n++) {
        unsigned digit = (unsigned)digit_of(onigmo_peek(t, 0));
        if (digit >= base) break;
        *value = *value * base + digit;
        t->at++;
    }
    return n > 0;
}

static bool is_character(struct translation *t, size_t at, uint32_t c)
{
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return onigmo_fail(t, at, "there is no character with the number %#x", (unsigned)c);
    return true;
}

/* {61 62}: one number in Java, several in Ruby. */
static bool read_braced(struct translation *t, struct onigmo_escape *e)
{
    size_t start = t->at;

    e->kind = ESCAPE_CHARS;
    t->at++;
    while (onigmo_more(t) && onigmo_peek(t, 0) != '}') {
        if (onigmo_take(t, ' ')) continue;
        if (!onigmo_number(t, 16, 8, &e->c) || !is_character(t, start, e->c))
            return onigmo_fail(t, start, "not a hexadecimal number in braces");
        e->chars.len += utf8_put(buf_room(&e->chars, 4), e->c);
    }
    if (!onigmo_take(t, '}')) return onigmo_fail(t, start, "the brace is not closed");
    if (e->chars.len == 0) return onigmo_fail(t, start, "no number in the braces");
    if (utf8_count(buf_view(&e->chars)) == 1) e->kind = ESCAPE_CHAR;
    return true;
}

/* In Ruby, \xC3\xA9 are the bytes of one character. `first` is read already. */
static bool read_bytes(struct translation *t, size_t start, uint32_t first, uint32_t *c)
{
    char   bytes[4] = {(char)first};
    size_t want = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;

    for (size_t n = 1; n < want; n++) {
        uint32_t next;
        if (onigmo_peek(t, 0) != '\\' || onigmo_peek(t, 1) != 'x') break;
        t->at += 2;
        if (!onigmo_number(t, 16, 2, &next)) break;
        bytes[n] = (char)next;
    }
    if (!utf8_valid((struct str){bytes, want}))
        return onigmo_fail(t, start, "these bytes are no UTF-8 character");
    utf8_get((struct str){bytes, want}, c);
    return true;
}

static bool read_hex(struct translation *t, size_t start, struct onigmo_escape *e)
{
    if (onigmo_peek(t, 0) == '{') return read_braced(t, e);
    if (!onigmo_number(t, 16, 2, &e->c))
        return onigmo_fail(t, start, "no hexadecimal digit behind \\x");
    return e->c < 0x80 || t->java || read_bytes(t, start, e->c, &e->c);
}

static bool read_unicode(struct translation *t, size_t start, struct onigmo_escape *e)
{
    size_t   digits = t->at;
    uint32_t low;

    if (onigmo_peek(t, 0) == '{' && !t->java) return read_braced(t, e);
    if (!onigmo_number(t, 16, 4, &e->c) || t->at - digits != 4)
        return onigmo_fail(t, start, "\\u takes four hexadecimal digits");
    /* Java writes characters beyond U+FFFF as two halves. */
    if (t->java && e->c >= 0xD800 && e->c < 0xDC00 && onigmo_peek(t, 0) == '\\' &&
        onigmo_peek(t, 1) == 'u') {
        t->at += 2;
        if (onigmo_number(t, 16, 4, &low) && low >= 0xDC00 && low < 0xE000)
            e->c = 0x10000 + ((e->c - 0xD800) << 10) + (low - 0xDC00);
    }
    return is_character(t, start, e->c);
}

/* \cx, \C-x; \M-x makes a byte that no UTF-8 text has. */
static bool read_control(struct translation *t, size_t start, struct onigmo_escape *e)
{
    if (t->pattern.data[t->at - 1] == 'C' && !onigmo_take(t, '-'))
        return onigmo_fail(t, start, "a control character is written \\C-x or \\cx");
    unsigned char c = (unsigned char)onigmo_peek(t, 0);
    if (c == 0 || c >= 0x80 || c == '\\')
        return onigmo_fail(t, start, "no letter for the control character");
    t->at++;
    e->c = c == '?' ? 0x7f : c & 0x1f;
    return true;
}

/* A name that the tables do not have may be one that PCRE2 has: a script, "Lu", "Emoji". */
static bool pass_property(struct translation *t, size_t start, struct str name,
                          struct onigmo_escape *e)
{
    buf_printf(&e->chars, "\\%c{%.*s}", e->negated ? 'P' : 'p', STR_ARG(name));
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!is_letter(c) && (c < '0' || c > '9') && c != '_' && c != ' ' && c != '-')
            return onigmo_fail(t, start, "\\p{%.*s} is no known property", STR_ARG(name));
    }
    e->items = buf_view(&e->chars);
    e->negated = false;
    return true;
}

static bool read_property(struct translation *t, size_t start, struct onigmo_escape *e)
{
    struct str name;

    e->kind = ESCAPE_SET;
    e->negated = t->pattern.data[t->at - 1] == 'P';
    if (t->java && onigmo_more(t) && onigmo_peek(t, 0) != '{') {
        name = (struct str){t->pattern.data + t->at++, 1};
        return pass_property(t, start, name, e);
    }
    if (!onigmo_take(t, '{')) return onigmo_fail(t, start, "\\p needs a name in braces");
    struct str rest = str_from(t->pattern, t->at);
    ptrdiff_t  end = str_find(rest, STR("}"));
    if (end <= 0 || end > 64) return onigmo_fail(t, start, "\\p needs a name in braces");
    name = (struct str){rest.data, (size_t)end};
    t->at += (size_t)end + 1;
    if (!t->java && str_starts(name, STR("^"))) {
        e->negated = !e->negated;
        name = str_from(name, 1);
    }
    if (t->java && str_starts(name, STR("Is"))) name = str_from(name, 2);
    e->items = onigmo_property(t, name, false);
    return e->items.data || pass_property(t, start, name, e);
}

static bool read_short_set(struct translation *t, struct onigmo_escape *e)
{
    char                    letter = onigmo_peek(t, 0), lower = (char)(letter | 0x20);
    const struct short_set *s = t->java ? java_short_sets : ruby_short_sets;

    while (s->letter && s->letter != lower)
        s++;
    if (!s->letter) return false;
    t->at++;
    e->kind = ESCAPE_SET;
    e->negated = letter != lower;
    if (t->bytes) {
        e->items = str_of(s->bytes);
        e->opposite = str_of(s->bytes_opposite);
    } else if (t->unicode && s->unicode) {
        e->items = onigmo_property(t, str_of(s->unicode), true);
    } else {
        e->items = str_of(s->items);
        e->opposite = str_of(s->opposite);
    }
    return true;
}

bool onigmo_escape(struct translation *t, struct onigmo_escape *e)
{
    static const char controls[] = "a\007e\033f\014n\nr\rt\tv\013";
    size_t            start = t->at - 1;
    char              c = onigmo_peek(t, 0);

    *e = (struct onigmo_escape){.kind = ESCAPE_CHAR};
    if (!onigmo_more(t)) return onigmo_fail(t, start, "a backslash at the end");
    for (size_t i = 0; i < sizeof(controls) - 1; i += 2) {
        if (controls[i] != c || (c == 'v' && t->java)) continue;
        t->at++;
        e->c = (unsigned char)controls[i + 1];
        return true;
    }
    if (is_letter(c) && read_short_set(t, e)) return true;
    t->at++;
    switch (c) {
    case 'x':
        return read_hex(t, start, e);
    case 'u':
        return read_unicode(t, start, e);
    case 'c':
    case 'C':
        return read_control(t, start, e);
    case 'M':
        if (t->java) break;
        return onigmo_fail(t, start, "\\M-x is no UTF-8 character");
    case 'p':
    case 'P':
        return read_property(t, start, e);
    case '0':
        onigmo_number(t, 8, t->java ? 3 : 2, &e->c);
        return true;
    default:
        break;
    }
    t->at--;
    e->kind = ESCAPE_OTHER;
    return true;
}
