/*
 * multiline: joins lines that belong together, such as stack traces, to one event.
 *
 * Source: logstash-codec-multiline, lib/logstash/codecs/multiline.rb.
 * Threads: what is held back belongs to a stream, and so to the thread of its input.
 */
#include <errno.h>

#include "plugin/plugin.h"
#include "text/charset.h"
#include "text/grok_library.h"
#include "text/message.h"

enum { WHAT_PREVIOUS, WHAT_NEXT };

/* Text kept for the next event; more is given back when an event is done. */
enum { KEEP_MAX = 1024 * 1024 };

struct multiline {
    double                 auto_flush_interval;
    int                    charset;
    int                    ecs_compatibility;
    int64_t                max_bytes;
    int64_t                max_lines;
    struct str             multiline_tag;
    bool                   negate;
    struct str             pattern;
    struct strings         patterns_dir;
    int                    what;
    bool                   flushes; /* auto_flush_interval was given */
    struct regex          *regex;
    const struct charset  *converter;
    const struct field    *original; /* NULL: the text itself is not kept */
    const struct template *preset;
};

/* The lines held back of one stream. */
struct multiline_stream {
    struct buf text; /* with newlines between the lines */
    uint32_t   lines;
    size_t     bytes; /* of the lines, without newlines */
    int64_t    deadline_ns;
};

static const char *const what_names[] = {"previous", "next", NULL};

static const struct option multiline_options[] = {
    OPT(struct multiline, OPT_FLOAT, auto_flush_interval,
        .doc = "Seconds without a new line after which the lines held back become an event. "
               "Without it they wait for the next line."),
    OPT(struct multiline, OPT_ENUM, charset, .preset = "UTF-8", .choices = charset_names,
        .doc = "The encoding of the lines that are read."),
    OPT(struct multiline, OPT_ECS, ecs_compatibility,
        .doc = "With v1 or v8 the joined text is kept in [event][original] too. Follows "
               "pipeline.ecs_compatibility when not given."),
    OPT(struct multiline, OPT_BYTES, max_bytes, .preset = "10 MiB", .min = 1, .max = 1 << 30,
        .doc = "When the lines held back have this many bytes or more, they become an event that "
               "is tagged multiline_codec_max_bytes_reached."),
    OPT(struct multiline, OPT_INT, max_lines, .preset = "500", .min = 0, .max = 1 << 30,
        .doc = "When more lines than this are held back, they become an event that is tagged "
               "multiline_codec_max_lines_reached."),
    OPT(struct multiline, OPT_STRING, multiline_tag, .preset = "multiline",
        .doc = "The tag of events made of more than one line. None when empty."),
    OPT(struct multiline, OPT_BOOL, negate, .preset = "false",
        .doc = "Lines that do not match the pattern count as those that do."),
    OPT(struct multiline, OPT_STRING, pattern, .required = true,
        .doc = "The regular expression that tells which lines belong to another; %{NAME} stands "
               "for a grok pattern."),
    OPT(struct multiline, OPT_STRINGS, patterns_dir,
        .doc = "Files of grok patterns, folders of them, or globs. Each line of a file is a name, "
               "a blank and a regular expression."),
    OPT(struct multiline, OPT_ENUM, what, .required = true, .choices = what_names,
        .doc = "Whether a line that matches belongs to the previous line or to the next one."),
    OPT_END,
};

/* ---- opening ---- */

static bool load_patterns(struct grok_patterns *p, const struct strings *paths,
                          struct plugin_open *cx)
{
    struct str culprit;

    for (uint32_t i = 0; i < paths->len; i++) {
        int files = grok_patterns_load_all(p, paths->at[i], STR("*"), &culprit);
        if (files < 0)
            return plugin_error(cx, "patterns_dir", "cannot read \"%.*s\": %s", STR_ARG(culprit),
                                strerror(errno));
        if (files == 0)
            plugin_warning(cx, "patterns_dir", "no pattern files at \"%.*s\"",
                           STR_ARG(paths->at[i]));
    }
    return true;
}

/* lsc's own patterns, below those of patterns_dir. Without them names may still be defined. */
static void use_library(struct grok_patterns *p, bool ecs)
{
    struct str problem;

    p->base = grok_library(ecs, &problem);
}

static bool compile(struct multiline *m, struct plugin_open *cx)
{
    struct grok_patterns patterns;
    struct grok_error    unknown;
    struct regex_error   wrong;
    struct buf           text = {0};

    grok_patterns_init(&patterns, cx->arena);
    use_library(&patterns, m->ecs_compatibility != ECS_DISABLED);
    if (!load_patterns(&patterns, &m->patterns_dir, cx)) return false;

    bool good = grok_expand(&patterns, m->pattern, GROK_CAPTURE_NONE, NULL, &text, &unknown) ||
                plugin_error(cx, "pattern", "%s", unknown.message);
    if (good) {
        m->regex = regex_compile(cx->arena, buf_view(&text), REGEX_DOTALL, &wrong);
        good = m->regex ||
               plugin_error(cx, "pattern", "not a valid regular expression: %s", wrong.message);
    }
    buf_release(&text);
    return good;
}

static bool multiline_open(void *self, struct plugin_open *cx)
{
    struct multiline *m = self;
    const char       *problem;

    m->converter = charset_open(cx->arena, m->charset, &problem);
    if (!m->converter)
        return plugin_error(cx, "charset", "charset \"%s\" is not built: %s",
                            charset_names[m->charset], problem);
    if (m->ecs_compatibility != ECS_DISABLED) m->original = message_original_field(cx->arena);
    m->preset = message_template(cx->arena);
    m->flushes = plugin_setting(cx, "auto_flush_interval") != NULL;
    if (m->flushes && !(m->auto_flush_interval >= 0 && m->auto_flush_interval <= 1e9))
        return plugin_error(cx, "auto_flush_interval", "takes 0 to 1000000000 seconds");
    return compile(m, cx);
}

static void multiline_close(void *self)
{
    struct multiline *m = self;

    if (m->regex) regex_free(m->regex);
}

/* ---- joining ---- */

static bool over_lines(const struct multiline *m, const struct multiline_stream *s)
{
    return s->lines > (uint64_t)m->max_lines;
}

static bool over_bytes(const struct multiline *m, const struct multiline_stream *s)
{
    return s->bytes >= (uint64_t)m->max_bytes;
}

static void emit(const struct multiline *m, struct multiline_stream *s, struct decode *to)
{
    s->deadline_ns = INT64_MAX;
    if (s->lines == 0) return;

    struct str    text = arena_copy(to->arena, buf_view(&s->text));
    struct event *ev = message_event(to->arena, text, m->original, to->now);

    if (s->lines > 1 && m->multiline_tag.len > 0) event_tag(ev, m->multiline_tag);
    if (over_bytes(m, s)) event_tag(ev, STR("multiline_codec_max_bytes_reached"));
    if (over_lines(m, s)) event_tag(ev, STR("multiline_codec_max_lines_reached"));
    s->lines = 0;
    s->bytes = 0;
    if (s->text.cap > KEEP_MAX)
        buf_release(&s->text);
    else
        buf_clear(&s->text);
    decode_emit(to, ev);
}

static void hold(const struct multiline *m, struct multiline_stream *s, struct str line)
{
    if (s->lines > 0) buf_char(&s->text, '\n');
    buf_str(&s->text, line);
    s->lines++;
    s->bytes += line.len;
    if (m->flushes) s->deadline_ns = clock_monotonic_ns() + (int64_t)(m->auto_flush_interval * 1e9);
}

static void take_line(const struct multiline *m, struct multiline_stream *s, struct str line,
                      struct decode *to)
{
    bool belongs = regex_test(m->regex, line) != m->negate;

    if (m->what == WHAT_NEXT) hold(m, s, line);
    if (!belongs || over_lines(m, s) || over_bytes(m, s)) emit(m, s, to);
    if (m->what == WHAT_PREVIOUS) hold(m, s, line);
}

static void multiline_feed(const void *self, void *stream, struct str bytes, struct decode *to)
{
    const struct multiline  *m = self;
    struct multiline_stream *s = stream;
    struct str               text = charset_convert(m->converter, bytes, to->scratch, to->buf);
    ptrdiff_t                end;

    while ((end = str_find(text, STR("\n"))) >= 0) {
        take_line(m, s, (struct str){text.data, (size_t)end}, to);
        text = str_from(text, (size_t)end + 1);
        if (text.len == 0) return;
    }
    take_line(m, s, text, to);
}

static void multiline_flush(const void *self, void *stream, struct decode *to, bool final)
{
    (void) final;
    emit(self, stream, to);
}

static int64_t multiline_deadline(const void *self, const void *stream)
{
    const struct multiline_stream *s = stream;

    (void)self;
    return s->lines > 0 && s->deadline_ns > 0 ? s->deadline_ns : INT64_MAX;
}

static void multiline_stream_close(const void *self, void *stream)
{
    struct multiline_stream *s = stream;

    (void)self;
    buf_release(&s->text);
}

static void multiline_framing(const void *self, struct framing *out)
{
    (void)self;
    out->delimiter = STR("\n");
}

static bool multiline_encode(const void *self, struct event *ev, struct buf *out)
{
    const struct multiline *m = self;

    message_print(m->preset, ev, out);
    return true;
}

const struct plugin codec_multiline = {
    .kind = PLUGIN_CODEC,
    .name = "multiline",
    .summary = "Joins lines that belong together, such as stack traces, to one event.",
    .size = sizeof(struct multiline),
    .options = multiline_options,
    .open = multiline_open,
    .close = multiline_close,
    .codec_ops = {.framing = multiline_framing,
                  .feed = multiline_feed,
                  .flush = multiline_flush,
                  .deadline = multiline_deadline,
                  .stream_close = multiline_stream_close,
                  .stream_size = sizeof(struct multiline_stream),
                  .encode = multiline_encode},
};
