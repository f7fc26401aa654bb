/*
 * mutate's convert: values to strings, numbers and booleans as JRuby turns them.
 *
 * Source: logstash-filter-mutate, lib/logstash/filters/mutate.rb (convert_*), the lenient
 * conversions that Logstash used up to 8.13: text that is no number counts as 0.
 */
#include <math.h>
#include <strings.h>

#include "base/log.h"
#include "base/utf8.h"
#include "filters/mutate.h"
#include "text/rubytext.h"

static const char *const conversion_names[] = {
    [CONVERT_STRING] = "string",         [CONVERT_INTEGER] = "integer",
    [CONVERT_FLOAT] = "float",           [CONVERT_BOOLEAN] = "boolean",
    [CONVERT_INTEGER_EU] = "integer_eu", [CONVERT_FLOAT_EU] = "float_eu",
};

bool mutate_conversion(struct str name, enum conversion *out)
{
    for (size_t i = 0; i < sizeof(conversion_names) / sizeof(conversion_names[0]); i++) {
        if (str_is(name, conversion_names[i])) {
            *out = (enum conversion)i;
            return true;
        }
    }
    return false;
}

/* `s` in scratch memory without its thousands separators and with a point before the decimals. */
static struct str plain_number(struct str s, bool eu, struct arena *scratch)
{
    char group = eu ? '.' : ',', decimal = eu ? ',' : '.';

    if (!memchr(s.data, group, s.len) && (!eu || !memchr(s.data, decimal, s.len))) return s;
    char  *text = arena_alloc(scratch, s.len);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != group) text[len++] = s.data[i] == decimal ? '.' : s.data[i];
    }
    return (struct str){text, len};
}

static bool to_integer(struct value *v, bool eu, struct event *ev, struct filter_context *cx)
{
    int64_t plain;

    switch (v->kind) {
    case VALUE_STRING:
        if (ruby_plain_integer(value_str(*v), &plain))
            *v = value_int(plain);
        else if (v->len)
            *v = ruby_to_i(ev->arena, plain_number(value_str(*v), eu, cx->scratch));
        else
            *v = value_int(0);
        return true;
    case VALUE_BOOL:
        *v = value_int(v->as.b);
        return true;
    case VALUE_FLOAT:
        if (!isfinite(v->as.f)) return false;
        *v = ruby_integer(ev->arena, trunc(v->as.f));
        return true;
    case VALUE_TIME:
        *v = value_int(v->as.i);
        return true;
    case VALUE_INT:
    case VALUE_NUMBER:
        return true;
    default:
        return false;
    }
}

static bool to_float(struct value *v, bool eu, struct filter_context *cx)
{
    switch (v->kind) {
    case VALUE_STRING:
        if (v->len)
            *v = value_float(ruby_to_f(plain_number(value_str(*v), eu, cx->scratch), cx->buf));
        else
            *v = value_float(0);
        return true;
    case VALUE_NUMBER:
        *v = value_float(ruby_to_f(value_str(*v), cx->buf));
        return true;
    case VALUE_BOOL:
        *v = value_float(v->as.b);
        return true;
    case VALUE_INT:
        *v = value_float((double)v->as.i);
        return true;
    case VALUE_TIME:
        *v = value_float((double)v->as.i + v->len / 1e9);
        return true;
    case VALUE_FLOAT:
        return true;
    default:
        return false;
    }
}

static void to_string(struct value *v, struct event *ev, struct filter_context *cx)
{
    if (v->kind == VALUE_STRING) return;
    buf_clear(cx->buf);
    ruby_to_s(*v, cx->buf);
    *v = value_string(arena_copy(ev->arena, buf_view(cx->buf)));
}

static bool is_word(struct str line, struct str word)
{
    return line.len == word.len && strncasecmp(line.data, word.data, word.len) == 0;
}

/* "1.0" where the point stands for any one character, as in Logstash's pattern. */
static bool is_decimal(struct str line, char digit)
{
    uint32_t c;

    if (line.len < 3 || line.data[0] != digit || line.data[line.len - 1] != '0') return false;
    struct str middle = {line.data + 1, line.len - 2};
    return utf8_get(middle, &c) == middle.len;
}

static bool says_true(struct str line)
{
    return is_word(line, STR("true")) || is_word(line, STR("t")) || is_word(line, STR("yes")) ||
           is_word(line, STR("y")) || is_word(line, STR("1")) || is_decimal(line, '1');
}

static bool says_false(struct str line)
{
    return is_word(line, STR("false")) || is_word(line, STR("f")) || is_word(line, STR("no")) ||
           is_word(line, STR("n")) || is_word(line, STR("0")) || is_decimal(line, '0');
}

/* True when a line of the text is one of the words: Ruby's ^ and $ stand at lines. */
static bool some_line(struct str text, bool (*says)(struct str line))
{
    for (;;) {
        const char *end = text.len ? memchr(text.data, '\n', text.len) : NULL;
        struct str  line = {text.data, end ? (size_t)(end - text.data) : text.len};
        if (says(line)) return true;
        if (!end) return false;
        text = str_from(text, line.len + 1);
    }
}

/* What is neither stays as it is. */
static void to_boolean(struct value *v, struct filter_context *cx)
{
    static struct log_limit limit;
    struct str              text;
    uint64_t                missed;

    if (v->kind == VALUE_BOOL) return;
    if (v->kind == VALUE_STRING) {
        text = value_str(*v);
    } else {
        buf_clear(cx->buf);
        ruby_to_s(*v, cx->buf);
        text = buf_view(cx->buf);
    }
    if (some_line(text, says_true))
        *v = value_bool(true);
    else if (text.len == 0 || some_line(text, says_false))
        *v = value_bool(false);
    else if (log_limit_pass(&limit, &missed))
        log_warn("filter.mutate", "not a boolean, left as it is", LOG_STR("value", text),
                 LOG_INT("not_shown", (int64_t)missed));
}

static bool convert(enum conversion to, struct value *v, struct event *ev,
                    struct filter_context *cx)
{
    switch (to) {
    case CONVERT_STRING:
        to_string(v, ev, cx);
        return true;
    case CONVERT_BOOLEAN:
        to_boolean(v, cx);
        return true;
    case CONVERT_INTEGER:
    case CONVERT_INTEGER_EU:
        return to_integer(v, to == CONVERT_INTEGER_EU, ev, cx);
    case CONVERT_FLOAT:
    case CONVERT_FLOAT_EU:
        return to_float(v, to == CONVERT_FLOAT_EU, cx);
    }
    return false;
}

/* All items or, when one cannot be converted, none. Nulls stay. */
static bool convert_list(const struct mutate_step *s, struct list *l, struct event *ev,
                         struct filter_context *cx)
{
    struct value *items = arena_alloc(ev->arena, l->len * sizeof(*items));

    for (uint32_t i = 0; i < l->len; i++) {
        items[i] = l->items[i];
        if (items[i].kind != VALUE_NULL && !convert(s->conversion, &items[i], ev, cx)) return false;
    }
    l->items = items;
    l->cap = l->len;
    return true;
}

const char *mutate_convert(const struct mutate_step *s, struct event *ev, struct filter_context *cx)
{
    struct value *v = event_get(ev, s->name.field);

    if (!v || v->kind == VALUE_NULL || v->kind == VALUE_MAP) return NULL;
    if (v->kind == VALUE_LIST)
        return convert_list(s, v->as.list, ev, cx) ? NULL : "an item of the list has no number";
    struct value converted = *v;
    if (!convert(s->conversion, &converted, ev, cx)) return "the value has no number";
    /* @timestamp stays a time: event_set() refuses anything else there. */
    if (v->kind == VALUE_TIME)
        return event_set(ev, s->name.field, converted) ? NULL : "@timestamp must stay a time";
    *v = converted;
    return NULL;
}
