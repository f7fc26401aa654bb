/*
 * Reading CEF messages: seven header fields with bars behind them, then extensions, key=value with
 * blanks between them and in the values.
 *
 * Source: logstash-codec-cef, lib/logstash/codecs/cef.rb; CEF Implementation Standard, revision 23.
 */
#include "base/utf8.h"
#include "codecs/cef.h"
#include "text/lossy.h"
#include "text/message.h"
#include "text/rubytext.h"

/* One extension that has been read. */
struct extension {
    struct str               key;
    const struct cef_target *target; /* NULL: the key is the name of the field */
    struct str               value;
};

enum { EXTENSIONS_MAX = 4096 }; /* of one message */

struct reading {
    const struct cef *c;
    struct decode    *to;
    struct event     *ev;
    struct extension *extensions; /* in scratch */
    uint32_t          len, cap;
    struct str        timezone; /* of the device; empty: not told */
    const char       *why;      /* what is wrong with the message */
};

static bool fail(struct reading *r, const char *why)
{
    r->why = why;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* ---- escapes ---- */

/* Takes the backslash off each pair for which `meaning` is not 0. A view when there is none. */
static struct str unescape(struct arena *a, struct str text, char (*meaning)(char c))
{
    if (text.len == 0 || !memchr(text.data, '\\', text.len)) return text;

    char  *out = arena_alloc(a, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char plain = text.data[i] == '\\' && i + 1 < text.len ? meaning(text.data[i + 1]) : 0;
        out[len++] = plain ? plain : text.data[i];
        if (plain) i++;
    }
    arena_trim(a, out, len);
    return (struct str){out, len};
}

static char header_escape(char c)
{
    return c == '\\' || c == '|' ? c : 0;
}

static char extension_escape(char c)
{
    return c == '\\' || c == '=' ? c : c == 'n' ? '\n' : c == 'r' ? '\r' : 0;
}

/* ---- the header ---- */

/* The length of the header field at the start of `text`, up to its bar; -1: there is no bar. */
static ptrdiff_t header_len(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '|') return (ptrdiff_t)i;
        if (text.data[i] == '\\' && i + 1 < text.len && header_escape(text.data[i + 1])) i++;
    }
    return -1;
}

/* "Mar 9 08:07:06 host CEF:0": what stands before the last blank is a syslog header. */
static bool set_version(struct reading *r, struct str version)
{
    const char *blank = version.len ? memrchr(version.data, ' ', version.len) : NULL;

    if (blank) {
        struct str syslog = {version.data, (size_t)(blank - version.data)};
        if (!event_set(r->ev, r->c->syslog, value_string(syslog))) return false;
        version = str_from(version, syslog.len + 1);
    }
    if (str_starts(version, STR("CEF:"))) version = str_from(version, 4);
    return event_set(r->ev, r->c->headers[0], value_string(version));
}

static bool read_header(struct reading *r, struct str *text)
{
    for (int i = 0; i < CEF_HEADERS; i++) {
        ptrdiff_t len = header_len(*text);
        if (len < 0) return fail(r, "fewer than 7 header fields");
        struct str value =
            unescape(r->to->arena, (struct str){text->data, (size_t)len}, header_escape);
        *text = str_from(*text, (size_t)len + 1);
        bool set = i == 0 ? set_version(r, value)
                          : event_set(r->ev, r->c->headers[i], value_string(value));
        if (!set) return fail(r, "a header field cannot be set");
    }
    return true;
}

/* ---- extensions ---- */

/*
 * The length of the key at the start of `text`, 0: none. A word, then any number of a point and
 * characters that mean nothing in CEF, then perhaps [NUMBER], then the sign = which is not counted.
 */
static size_t key_len(struct str text)
{
    size_t n = 0, from;

    while (n < text.len && is_word(text.data[n]))
        n++;
    if (n == 0) return 0;
    while (n < text.len && text.data[n] == '.') {
        for (from = ++n;
             n < text.len && !strchr(".=|\\[]", text.data[n]) && !is_blank(text.data[n]);)
            n++;
        if (n == from) return 0;
    }
    if (n < text.len && text.data[n] == '[') {
        for (from = ++n; n < text.len && text.data[n] >= '0' && text.data[n] <= '9';)
            n++;
        if (n == from || n == text.len || text.data[n++] != ']') return 0;
    }
    return n < text.len && text.data[n] == '=' ? n : 0;
}

/* The length of the value at the start of `text`: up to blanks behind which there is a key. */
static size_t value_len(struct str text)
{
    for (size_t i = 0; i < text.len;) {
        size_t end = i;
        while (end < text.len && is_blank(text.data[end]))
            end++;
        if (end > i && key_len(str_from(text, end)) > 0) return i;
        i = end > i ? end : i + 1;
    }
    return text.len;
}

static struct extension *extension_add(struct reading *r)
{
    if (r->len == r->cap) {
        uint32_t          cap = r->cap ? 2 * r->cap : 32;
        struct extension *grown = arena_alloc(r->to->scratch, cap * sizeof(*grown));
        if (r->len > 0) memcpy(grown, r->extensions, r->len * sizeof(*grown));
        r->extensions = grown;
        r->cap = cap;
    }
    return &r->extensions[r->len++];
}

static bool read_extensions(struct reading *r, struct str text)
{
    text = ruby_strip(text);
    while (text.len > 0) {
        size_t key = key_len(text);
        if (key == 0) return fail(r, "an extension without a key");
        if (r->len == EXTENSIONS_MAX) return fail(r, "too many extensions");

        struct extension   *e = extension_add(r);
        const struct value *number;
        e->key = (struct str){text.data, key};
        text = str_from(text, key + 1);
        size_t len = value_len(text);
        e->value = unescape(r->to->arena, (struct str){text.data, len}, extension_escape);
        for (text = str_from(text, len); text.len > 0 && is_blank(text.data[0]);)
            text = str_from(text, 1);
        number = map_get(r->c->decode, key_make(e->key));
        e->target = number ? &r->c->targets[number->as.i] : NULL;
        if (e->target && e->target->is_timezone) r->timezone = e->value;
    }
    return true;
}

/* Keys with a number, a[0], are items of lists; the others are names, whatever they have in them.
 */
static bool set_unknown(struct reading *r, const struct extension *e)
{
    struct arena *a = r->to->arena;

    if (!str_ends(e->key, STR("]"))) {
        *map_add(&r->ev->data, a, key_make(e->key)) = value_string(e->value);
        return true;
    }
    size_t              name_len = (size_t)str_find(e->key, STR("["));
    struct str          name = {e->key.data, name_len}, index = str_from(e->key, name_len);
    const struct field *f =
        field_parse(a, arena_printf(a, "[%.*s]%.*s", STR_ARG(name), STR_ARG(index)), NULL, NULL);

    return f && event_set(r->ev, f, value_string(e->value));
}

/* A time that is empty leaves the field without a value. */
static bool set_time(struct reading *r, const struct extension *e)
{
    struct timestamp t;

    if (ruby_strip(e->value).len == 0) {
        if (str_is(e->target->field->text, "@timestamp")) return true;
        return event_set(r->ev, e->target->field, value_null());
    }
    if (!cef_time_read(&r->c->times, e->value, r->timezone, r->to->now, r->to->scratch, &t))
        return fail(r, "not a time");
    return event_set(r->ev, e->target->field, value_time(t));
}

static bool set_extensions(struct reading *r)
{
    for (uint32_t i = 0; i < r->len; i++) {
        const struct extension *e = &r->extensions[i];
        bool                    set = !e->target ? set_unknown(r, e)
                                      : e->target->is_time
                                          ? set_time(r, e)
                                          : event_set(r->ev, e->target->field, value_string(e->value));
        if (!set) return fail(r, r->why ? r->why : "an extension cannot be set");
    }
    return true;
}

/* ---- messages ---- */

/* Without the newline at its end; Source: Ruby's String#chomp. */
static struct str chomp(struct str s)
{
    if (str_ends(s, STR("\r\n"))) return (struct str){s.data, s.len - 2};
    if (str_ends(s, STR("\n")) || str_ends(s, STR("\r"))) s.len--;
    return s;
}

static bool read_message(struct reading *r, struct str text)
{
    if (!utf8_valid(text)) return fail(r, "not UTF-8");
    if (str_starts(text, STR("\""))) /* some connectors send quotes around it */
        text = (struct str){text.data + 1, text.len > 1 ? text.len - 2 : 0};
    text = chomp(text);
    if (text.len > 0 && memchr(text.data, '\n', text.len))
        return fail(r, "a newline in the message; the setting delimiter cuts at newlines");
    return read_header(r, &text) && read_extensions(r, text) && set_extensions(r);
}

static void decode_one(const struct cef *c, struct str bytes, struct decode *to)
{
    static struct log_limit limit;
    struct reading          r = {.c = c, .to = to, .ev = event_blank(to->arena, to->now)};

    if (c->raw_data_field)
        event_set(r.ev, c->raw_data_field, value_string(lossy_utf8(to->arena, bytes)));
    if (!read_message(&r, bytes)) {
        struct str text = lossy_utf8(to->arena, bytes);
        message_warn(&limit, "codec.cef", "cef parse error, original data now in message field",
                     r.why, text);
        ++*to->failures;
        r.ev = message_failed(to->arena, text, STR("_cefparsefailure"), to->now);
    }
    decode_emit(to, r.ev);
}

/* What an input cut at the delimiter has none; whole messages may have several. */
void cef_decode(const void *self, struct str bytes, struct decode *to)
{
    const struct cef *c = self;
    ptrdiff_t         at;

    while (c->delimiter.len > 0 && (at = str_find(bytes, c->delimiter)) >= 0) {
        decode_one(c, (struct str){bytes.data, (size_t)at}, to);
        bytes = str_from(bytes, (size_t)at + c->delimiter.len);
        if (bytes.len == 0) return;
    }
    decode_one(c, bytes, to);
}
