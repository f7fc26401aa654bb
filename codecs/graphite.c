/*
 * graphite: lines of a metric's name, its value and its time.
 *
 * Source: logstash-codec-graphite, lib/logstash/codecs/graphite.rb; the Graphite plaintext
 * protocol. Threads: constant once open.
 */
#include "event/time.h"
#include "plugin/plugin.h"
#include "text/lossy.h"
#include "text/message.h"
#include "text/ruby_inspect.h"
#include "text/rubytext.h"

/* A metric of the config. */
struct metric {
    const struct template *name, *value;
};

/* Patterns that names are searched for. */
struct patterns {
    uint32_t       len;
    struct regex **at;
};

struct graphite {
    struct strings exclude_metrics;
    bool           fields_are_metrics;
    struct strings include_metrics;
    struct pairs   metrics;
    struct str     metrics_format;

    struct patterns exclude, include;
    struct metric  *compiled; /* as many as metrics */
};

static const struct option graphite_options[] = {
    OPT(struct graphite, OPT_STRINGS, exclude_metrics, .preset = "%\\{[^}]+\\}",
        .doc = "Regular expressions: metrics whose name one of them matches are not written. By "
               "default those whose name has a %{field} that the event does not have."),
    OPT(struct graphite, OPT_BOOL, fields_are_metrics, .preset = "false",
        .doc = "Writes each field at the top of an event, but @timestamp and @version, as a "
               "metric of that name, instead of what metrics says."),
    OPT(struct graphite, OPT_STRINGS, include_metrics, .preset = ".*",
        .doc = "Regular expressions: only metrics whose name one of them matches are written. All "
               "by default."),
    OPT(struct graphite, OPT_PAIRS, metrics,
        .doc = "The metrics to write: names and values, both with %{field} references. What is not "
               "a number counts as 0."),
    OPT(struct graphite, OPT_STRING, metrics_format, .preset = "*",
        .doc = "How the names of metrics are written; each * stands for the name."),
    OPT_END,
};

/* ---- opening ---- */

static bool compile_patterns(const struct strings *from, const char *setting, struct patterns *to,
                             struct plugin_open *cx)
{
    struct regex_error wrong;

    to->at = arena_zalloc(cx->arena, (from->len + 1) * sizeof(*to->at));
    for (uint32_t i = 0; i < from->len; i++) {
        to->at[i] = regex_compile(cx->arena, from->at[i], 0, &wrong);
        if (!to->at[i])
            return plugin_error(cx, setting, "not a valid regular expression: %s", wrong.message);
        to->len++;
    }
    return true;
}

static const struct template *compile_text(struct plugin_open *cx, struct str text)
{
    const char            *problem = NULL;
    size_t                 at;
    bool                   fatal = false;
    const struct template *t = template_parse(cx->arena, text, &problem, &at, &fatal);

    if (!fatal) return t;
    plugin_error(cx, "metrics", "\"%.*s\": %s", STR_ARG(text), problem);
    return NULL;
}

static bool graphite_open(void *self, struct plugin_open *cx)
{
    struct graphite *g = self;

    g->compiled = arena_zalloc(cx->arena, (g->metrics.len + 1) * sizeof(*g->compiled));
    for (uint32_t i = 0; i < g->metrics.len; i++) {
        const struct pair *p = &g->metrics.at[i];
        g->compiled[i].name = compile_text(cx, p->key);
        g->compiled[i].value = compile_text(cx, ast_to_s(cx->arena, p->value));
        if (!g->compiled[i].name || !g->compiled[i].value) return false;
    }
    return compile_patterns(&g->include_metrics, "include_metrics", &g->include, cx) &&
           compile_patterns(&g->exclude_metrics, "exclude_metrics", &g->exclude, cx);
}

static void patterns_free(struct patterns *p)
{
    for (uint32_t i = 0; i < p->len; i++)
        regex_free(p->at[i]);
}

static void graphite_close(void *self)
{
    struct graphite *g = self;

    patterns_free(&g->include);
    patterns_free(&g->exclude);
}

/* ---- reading ---- */

static void graphite_framing(const void *self, struct framing *out)
{
    (void)self;
    out->delimiter = STR("\n");
}

/* The next word of `s`, which loses it. */
static struct str word(struct str *s)
{
    size_t from = 0, to;

    while (from < s->len &&
           (s->data[from] == ' ' || (s->data[from] >= '\t' && s->data[from] <= '\r')))
        from++;
    for (to = from;
         to < s->len && s->data[to] != ' ' && (s->data[to] < '\t' || s->data[to] > '\r');)
        to++;
    struct str w = {s->data + from, to - from};
    *s = str_from(*s, to);
    return w;
}

static bool read_line(struct str line, struct decode *to, struct event **ev)
{
    struct str   name = word(&line), number = word(&line), time = word(&line);
    struct value seconds = ruby_to_i(to->arena, time);

    if (time.len == 0 || seconds.kind != VALUE_INT || seconds.as.i < -(INT64_C(1) << 40) ||
        seconds.as.i > INT64_C(1) << 40)
        return false;
    *ev = event_blank(to->arena, (struct timestamp){.sec = seconds.as.i});
    if (str_is(name, "@timestamp")) return true;
    *map_add(&(*ev)->data, to->arena, key_make(name)) = value_float(ruby_to_f(number, to->buf));
    return true;
}

static void decode_line(struct str line, struct decode *to)
{
    static struct log_limit limit;
    struct event           *ev;
    struct str              rest = line;

    if (word(&rest).len == 0) return;
    line = lossy_utf8(to->arena, line);
    if (!read_line(line, to, &ev)) {
        message_warn(&limit, "codec.graphite",
                     "graphite parse error, original data now in message field",
                     "not a name, a value and a time", line);
        ++*to->failures;
        ev = message_failed(to->arena, line, STR("_graphiteparsefailure"), to->now);
    }
    decode_emit(to, ev);
}

static void graphite_decode(const void *self, struct str bytes, struct decode *to)
{
    ptrdiff_t end;

    (void)self;
    while ((end = str_find(bytes, STR("\n"))) >= 0) {
        decode_line((struct str){bytes.data, (size_t)end}, to);
        bytes = str_from(bytes, (size_t)end + 1);
    }
    decode_line(bytes, to);
}

/* ---- writing ---- */

static bool any_match(const struct patterns *p, struct str name)
{
    for (uint32_t i = 0; i < p->len; i++)
        if (regex_test(p->at[i], name)) return true;
    return false;
}

static void put_name(struct str format, struct str name, struct buf *out)
{
    for (size_t i = 0; i < format.len; i++) {
        if (format.data[i] == '*')
            buf_str(out, name);
        else
            buf_char(out, format.data[i]);
    }
}

static void put_value(double f, int64_t seconds, struct buf *out)
{
    ruby_inspect_float(out, f);
    buf_printf(out, " %lld\n", (long long)seconds);
}

/* The number at the start of the text behind `from` in `out` takes its place. */
static void put_text_value(struct buf *out, size_t from, int64_t seconds)
{
    struct buf scratch = {0};
    double     f = ruby_to_f((struct str){out->data + from, out->len - from}, &scratch);

    buf_release(&scratch);
    out->len = from;
    put_value(f, seconds, out);
}

static void put_number(struct value v, int64_t seconds, struct buf *out)
{
    size_t from = out->len;

    if (v.kind == VALUE_INT || v.kind == VALUE_FLOAT) {
        put_value(v.kind == VALUE_INT ? (double)v.as.i : v.as.f, seconds, out);
        return;
    }
    ruby_to_s(v, out);
    put_text_value(out, from, seconds);
}

static void put_fields(const struct graphite *g, struct event *ev, int64_t seconds, struct buf *out)
{
    for (uint32_t i = 0; i < ev->data.len; i++) {
        const struct member *m = &ev->data.members[i];
        struct str           name = key_str(m->key);
        if (str_is(name, "@timestamp") || str_is(name, "@version")) continue;
        if (g->include.len > 0 && !any_match(&g->include, name)) continue;
        if (any_match(&g->exclude, name)) continue;
        put_name(g->metrics_format, name, out);
        buf_char(out, ' ');
        put_number(m->value, seconds, out);
    }
}

static void put_metrics(const struct graphite *g, struct event *ev, int64_t seconds,
                        struct buf *out)
{
    for (uint32_t i = 0; i < g->metrics.len; i++) {
        struct str name = template_str(g->compiled[i].name, ev);
        if (!any_match(&g->include, name) || any_match(&g->exclude, name)) continue;
        put_name(g->metrics_format, name, out);
        buf_char(out, ' ');
        const struct field *field = template_field(g->compiled[i].value);
        const struct value *value = field ? event_get(ev, field) : NULL;
        size_t              from = out->len;
        if (value) {
            put_number(*value, seconds, out);
            continue;
        }
        template_render(g->compiled[i].value, ev, out);
        put_text_value(out, from, seconds);
    }
}

static bool graphite_encode(const void *self, struct event *ev, struct buf *out)
{
    const struct graphite *g = self;
    struct timestamp       t = {0};

    event_timestamp(ev, &t);
    if (g->fields_are_metrics)
        put_fields(g, ev, t.sec, out);
    else
        put_metrics(g, ev, t.sec, out);
    return true;
}

const struct plugin codec_graphite = {
    .kind = PLUGIN_CODEC,
    .name = "graphite",
    .summary = "Reads and writes metrics as lines of Graphite's plaintext protocol.",
    .size = sizeof(struct graphite),
    .options = graphite_options,
    .open = graphite_open,
    .close = graphite_close,
    .codec_ops = {.decode = graphite_decode,
                  .framing = graphite_framing,
                  .encode = graphite_encode},
};
