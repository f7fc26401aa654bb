/*
 * bytes: reads sizes such as "1.5 GB" as a number of bytes.
 *
 * Source: logstash-filter-bytes, lib/logstash/filters/bytes.rb.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include <math.h>

#include "plugin/failure.h"
#include "text/regex.h"
#include "text/rubytext.h"

enum conversion_method { METHOD_BINARY, METHOD_METRIC };
enum decimal_separator { SEPARATOR_POINT, SEPARATOR_COMMA };

static const char *const methods[] = {"binary", "metric", NULL};
static const char *const separators[] = {".", ",", NULL};

struct bytes {
    const struct field *source, *target;
    int                 conversion_method, decimal_separator;
    struct strings      tag_on_failure;
    struct regex       *pattern;
};

static const struct option bytes_options[] = {
    OPT(struct bytes, OPT_ENUM, conversion_method, .preset = "binary", .choices = methods,
        .doc = "What a kilobyte is: 1024 bytes (binary) or 1000 bytes (metric)."),
    OPT(struct bytes, OPT_ENUM, decimal_separator, .preset = ".", .choices = separators,
        .doc = "What stands before decimals. The other one, blanks and underscores separate "
               "groups of digits."),
    OPT(struct bytes, OPT_FIELD, source, .preset = "message",
        .doc = "The field with the text: digits, then k, m, g, t, p or e, then b, each of the "
               "letters optional and in any case. Blanks around the text are taken off."),
    OPT(struct bytes, OPT_STRINGS, tag_on_failure, .preset = "_bytesparsefailure",
        .doc = "Tags of events whose source is not such a text."),
    OPT(struct bytes, OPT_FIELD, target, .required = true,
        .doc = "The field that gets the number of bytes, rounded to a whole one."),
    OPT_END,
};

static bool bytes_open(void *self, struct plugin_open *cx)
{
    struct bytes      *b = self;
    struct regex_error error;

    b->pattern =
        regex_compile(cx->arena, STR("^([0-9 _,.]*)\\s*([kKmMgGtTpPeE]?)[bB]?$"), 0, &error);
    return b->pattern || plugin_error(cx, NULL, "%s", error.message);
}

static void bytes_close(void *self)
{
    struct bytes *b = self;

    regex_free(b->pattern);
}

/* Digits and one point, without separators of groups. False when there are no digits and points
   at all, or several points. */
static bool plain_number(struct str digits, char decimal, struct buf *out)
{
    int points = 0;

    buf_clear(out);
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.data[i];
        if (c == decimal) points++;
        if (c == decimal || (c >= '0' && c <= '9')) buf_char(out, c == decimal ? '.' : c);
    }
    return out->len > 0 && points <= 1;
}

static double factor(const struct bytes *b, struct str prefix)
{
    static const char prefixes[] = "kmgtpe";
    double            base = b->conversion_method == METHOD_BINARY ? 1024 : 1000;

    if (prefix.len == 0) return 1;
    return pow(base, (double)(strchr(prefixes, prefix.data[0] | 0x20) - prefixes + 1));
}

/* The number of bytes that `text` means, a whole number; negative when it means none. */
static double size_of(const struct bytes *b, struct str text, struct filter_context *cx)
{
    struct span spans[3];
    char        decimal = b->decimal_separator == SEPARATOR_POINT ? '.' : ',';

    if (regex_find(b->pattern, text, 0, spans, 3) != REGEX_MATCH) return -1;
    struct str digits = {text.data + spans[1].start, spans[1].end - spans[1].start};
    struct str prefix = {text.data + spans[2].start, spans[2].end - spans[2].start};
    if (!plain_number(digits, decimal, cx->buf)) return -1;
    /* Its bytes are wanted again as scratch, so the number moves to the arena. */
    struct str number = arena_copy(cx->scratch, buf_view(cx->buf));
    return round(ruby_to_f(number, cx->buf) * factor(b, prefix));
}

static enum verdict bytes_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct bytes     *b = self;
    struct value           *v = event_get(ev, b->source);
    double                  size = -1;

    if (v && v->kind == VALUE_STRING) {
        *v = value_string(ruby_strip(value_str(*v)));
        size = size_of(b, value_str(*v), cx);
    }
    if (size >= 0 && isfinite(size) && event_set(ev, b->target, ruby_integer(ev->arena, size)))
        return FILTER_MATCH;
    event_tag_all(ev, &b->tag_on_failure);
    filter_failed(cx, &limit, "filter.bytes", "not a size, or no place for it", b->source->text);
    return FILTER_PASS;
}

const struct plugin filter_bytes = {
    .kind = PLUGIN_FILTER,
    .name = "bytes",
    .summary = "Reads sizes such as \"1.5 GB\" as a number of bytes.",
    .size = sizeof(struct bytes),
    .options = bytes_options,
    .open = bytes_open,
    .close = bytes_close,
    .filter = {.run = bytes_run},
};
