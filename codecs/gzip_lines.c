/*
 * gzip_lines: text packed by gzip, a line an event.
 *
 * Source: logstash-codec-gzip_lines, lib/logstash/codecs/gzip_lines.rb.
 * Threads: constant once open.
 */
#include "plugin/plugin.h"
#include "text/charset.h"
#include "text/gunzip.h"
#include "text/lossy.h"
#include "text/message.h"

enum { UNPACKED_MAX = 256 * 1024 * 1024 }; /* of one message */

struct gzip_lines {
    int                   charset;
    const struct charset *converter;
};

static const struct option gzip_lines_options[] = {
    OPT(struct gzip_lines, OPT_ENUM, charset, .preset = "UTF-8", .choices = charset_names,
        .doc = "The encoding of the lines that are read."),
    OPT_END,
};

static bool gzip_lines_open(void *self, struct plugin_open *cx)
{
    struct gzip_lines *g = self;
    const char        *problem;

    g->converter = charset_open(cx->arena, g->charset, &problem);
    if (!g->converter)
        return plugin_error(cx, "charset", "charset \"%s\" is not built: %s",
                            charset_names[g->charset], problem);
    return true;
}

/* A line keeps its newline, as in Logstash. */
static void emit_lines(const struct gzip_lines *g, struct str text, struct decode *to)
{
    while (text.len > 0) {
        ptrdiff_t  end = str_find(text, STR("\n"));
        struct str line = {text.data, end < 0 ? text.len : (size_t)end + 1};
        text = str_from(text, line.len);
        line = charset_convert(g->converter, line, to->arena, to->buf);
        decode_emit(to, message_event(to->arena, line, NULL, to->now));
    }
}

static void gzip_lines_decode(const void *self, struct str bytes, struct decode *to)
{
    static struct log_limit limit;
    const char             *why;
    struct buf              text = {0};
    bool                    good = gunzip(bytes, UNPACKED_MAX, &text, &why);

    emit_lines(self, arena_copy(to->arena, buf_view(&text)), to);
    buf_release(&text);
    if (good) return;
    struct str broken = lossy_binary(to->arena, bytes);
    message_warn(&limit, "codec.gzip_lines", "cannot unpack all of a message, which is kept", why,
                 broken);
    ++*to->failures;
    decode_emit(to, message_failed(to->arena, broken, STR("_gzipparsefailure"), to->now));
}

const struct plugin codec_gzip_lines = {
    .kind = PLUGIN_CODEC,
    .name = "gzip_lines",
    .summary = "Reads lines of text that are packed by gzip.",
    .size = sizeof(struct gzip_lines),
    .options = gzip_lines_options,
    .open = gzip_lines_open,
    .codec_ops = {.decode = gzip_lines_decode},
};
