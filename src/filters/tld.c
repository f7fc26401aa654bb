/*
 * tld: takes domain names apart at their public suffix.
 *
 * Source: logstash-filter-tld, lib/logstash/filters/tld.rb; the gem public_suffix;
 * https://publicsuffix.org/list/ for the rules.
 * Threads: the list is constant once open.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/utf8.h"
#include "plugin/failure.h"
#include "text/dictionary.h"

#define LIST_PATH "/usr/share/publicsuffix/public_suffix_list.dat"

enum { FILE_MAX = 16 << 20, NAME_MAX_LEN = 253 };

struct tld {
    const struct field *source, *target;
    struct dictionary  *rules; /* as in the list: "com", "*.ck", "!www.ck" */
};

static const struct option tld_options[] = {
    OPT(struct tld, OPT_FIELD, source, .preset = "message",
        .doc = "The field with the domain name. An event where it is none, or only a public "
               "suffix, goes on as it is."),
    OPT(struct tld, OPT_FIELD, target, .preset = "tld",
        .doc = "The field below which tld (such as co.uk), sld (the label before it), trd (the "
               "labels before that, or null), domain, subdomain (null without a trd) and "
               "top_level_domain are set. The suffixes are those of " LIST_PATH
               ", of Debian's package publicsuffix."),
    OPT_END,
};

static void add_rules(struct dictionary *d, struct str text)
{
    while (text.len) {
        const char *newline = memchr(text.data, '\n', text.len);
        struct str  line = {text.data, newline ? (size_t)(newline - text.data) : text.len};
        text = str_from(text, line.len + 1);
        size_t end = 0;
        while (end < line.len && (unsigned char)line.data[end] > ' ')
            end++;
        line.len = end;
        if (line.len && !str_starts(line, STR("//"))) dictionary_put(d, line, value_null());
    }
}

static bool tld_open(void *self, struct plugin_open *cx)
{
    struct tld *t = self;
    size_t      len;
    char       *text = file_read(LIST_PATH, FILE_MAX, &len);

    if (!text)
        return plugin_error(cx, NULL,
                            "tld needs " LIST_PATH " (%s): install the package "
                            "publicsuffix",
                            strerror(errno));
    t->rules = dictionary_new();
    add_rules(t->rules, arena_copy(&t->rules->arena, (struct str){text, len}));
    free(text);
    return true;
}

static void tld_close(void *self)
{
    struct tld *t = self;

    dictionary_free(t->rules);
}

static bool has_rule(const struct tld *t, const char *prefix, struct str name, struct buf *b)
{
    buf_clear(b);
    buf_str(b, str_of(prefix));
    buf_str(b, name);
    return dictionary_find(t->rules, buf_view(b)) >= 0;
}

static struct str behind_dot(struct str s)
{
    const char *dot = memchr(s.data, '.', s.len);

    return dot ? str_from(s, (size_t)(dot - s.data) + 1) : (struct str){NULL, 0};
}

/* The public suffix of `name`, by the longest rule; data NULL: no rule matches. */
static struct str suffix_of(const struct tld *t, struct str name, struct buf *b)
{
    for (struct str s = name; s.data; s = behind_dot(s)) {
        struct str rest = behind_dot(s);
        if (has_rule(t, "!", s, b)) return rest;
        if (has_rule(t, "", s, b)) return s;
        if (rest.data && has_rule(t, "*.", rest, b)) return s;
    }
    return (struct str){NULL, 0};
}

static bool is_name(struct str s)
{
    if (s.len == 0 || s.len > NAME_MAX_LEN || s.data[0] == '.' || s.data[s.len - 1] == '.')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.data[i] <= ' ') return false;
    }
    return str_find(s, STR("..")) < 0;
}

static void put(struct map *m, struct arena *a, struct str key, struct str text)
{
    *map_add(m, a, key_make(key)) = text.data ? value_string(text) : value_null();
}

/* Sets the parts of `name`; false when it is not more than a suffix. */
static bool take_apart(const struct tld *t, struct str name, struct map *m, struct arena *a,
                       struct buf *b)
{
    struct str suffix = suffix_of(t, name, b), none = {NULL, 0};

    if (!suffix.data || suffix.len >= name.len) return false;
    struct str before = {name.data, name.len - suffix.len - 1};
    struct str sld = before;
    while (memchr(sld.data, '.', sld.len))
        sld = behind_dot(sld);
    struct str domain = {sld.data, sld.len + 1 + suffix.len};
    bool       deep = sld.len < before.len;
    put(m, a, STR("tld"), suffix);
    put(m, a, STR("sld"), sld);
    put(m, a, STR("trd"), deep ? (struct str){name.data, before.len - sld.len - 1} : none);
    put(m, a, STR("domain"), domain);
    put(m, a, STR("subdomain"), deep ? name : none);
    put(m, a, STR("top_level_domain"), suffix);
    return true;
}

static enum verdict tld_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct tld       *t = self;
    const struct value     *v = event_get(ev, t->source);

    if (!v || v->kind != VALUE_STRING || v->len > 2 * NAME_MAX_LEN) return FILTER_PASS;
    buf_clear(cx->buf);
    utf8_lower(cx->buf, value_str(*v));
    struct str name = arena_copy(ev->arena, buf_view(cx->buf));
    while (name.len && (unsigned char)name.data[0] <= ' ')
        name = str_from(name, 1);
    while (name.len && (unsigned char)name.data[name.len - 1] <= ' ')
        name.len--;
    struct value *old = event_get(ev, t->target);
    bool          extends = old && old->kind == VALUE_MAP;
    struct map   *m = extends ? old->as.map : map_new(ev->arena, 6);
    if (!is_name(name) || !take_apart(t, name, m, ev->arena, cx->buf)) return FILTER_PASS;
    if (extends || event_set(ev, t->target, value_map(m))) return FILTER_MATCH;
    filter_failed(cx, &limit, "filter.tld", "cannot set the target", t->target->text);
    return FILTER_PASS;
}

const struct plugin filter_tld = {
    .kind = PLUGIN_FILTER,
    .name = "tld",
    .summary = "Takes domain names apart at their public suffix.",
    .size = sizeof(struct tld),
    .options = tld_options,
    .open = tld_open,
    .close = tld_close,
    .filter = {.run = tld_run},
};
