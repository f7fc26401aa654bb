#include "text/char_class.h"

static struct regex *compile(struct arena *a, const char *before, struct str source,
                             const char *after, struct regex_error *error)
{
    struct str pattern = arena_printf(a, "%s[%.*s]%s", before, STR_ARG(source), after);

    return regex_compile(a, pattern, 0, error);
}

/* Whether a class of this source has characters beyond ASCII, or may have: negated ones, names. */
static bool only_ascii(struct str source)
{
    if (source.len && source.data[0] == '^') return false;
    for (size_t i = 0; i < source.len; i++) {
        char c = source.data[i];
        bool both = c == '&' && i + 1 < source.len && source.data[i + 1] == '&';
        if ((unsigned char)c >= 0x80 || c == '[' || both) return false;
        if (c == '\\' && (++i == source.len ||
                          !strchr("stnrf\\[]()<>{}-|.,;:*+?^$/\"'= &#@!~%`_", source.data[i])))
            return false;
    }
    return true;
}

bool char_class_compile(struct char_class *c, struct arena *a, struct str source,
                        struct regex_error *error)
{
    *c = (struct char_class){.one = compile(a, "", source, "", error)};
    if (!c->one) return false;
    struct str twice = arena_printf(a, "^[%.*s]+|", STR_ARG(source));
    c->ends = compile(a, arena_cstr(a, twice), source, "+$", error);
    c->ascii = only_ascii(source);
    for (int i = 0; i < 128; i++) {
        char byte = (char)i;
        c->has[i] = regex_test(c->one, (struct str){&byte, 1});
    }
    return c->ends != NULL;
}

void char_class_release(struct char_class *c)
{
    regex_free(c->one);
    regex_free(c->ends);
    c->one = c->ends = NULL;
}

/* What the pattern matches goes. A pattern that takes too many steps leaves the text as it is. */
static struct str drop(const struct regex *r, struct str s, struct buf *buf)
{
    buf_clear(buf);
    return regex_gsub(r, s, STR(""), buf) > 0 ? buf_view(buf) : s;
}

struct str char_class_trim(const struct char_class *c, struct str s, struct buf *buf)
{
    /* Ruby's ^ and $ are at each line. */
    if (!c->ascii || (s.len && memchr(s.data, '\n', s.len))) return drop(c->ends, s, buf);
    while (s.len && c->has[(unsigned char)s.data[s.len - 1]])
        s.len--;
    while (s.len && c->has[(unsigned char)s.data[0]])
        s = str_from(s, 1);
    return s;
}

struct str char_class_remove(const struct char_class *c, struct str s, struct buf *buf)
{
    if (!c->ascii) return drop(c->one, s, buf);
    buf_clear(buf);
    char *out = buf_room(buf, s.len);
    for (size_t i = 0; i < s.len; i++)
        if (!c->has[(unsigned char)s.data[i]]) out[buf->len++] = s.data[i];
    return buf_view(buf);
}
