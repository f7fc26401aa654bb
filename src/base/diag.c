#include "base/diag.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/fatal.h"
#include "base/secret.h"
#include "base/utf8.h"

enum {
    LINE_WINDOW = 110, /* characters of a line that are shown */
    LINE_BEFORE = 50,  /* of them before the caret, when the line is longer */
    WORD_MAX = 63,     /* bytes of a word that nearest() looks at */
};

static bool continues(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Counts characters without trusting the text to be UTF-8: a config may be refused for that. */
static size_t count_chars(const char *from, const char *to)
{
    size_t n = 0;

    for (; from < to; from++)
        n += !continues(*from);
    return n;
}

/* `p` moved by up to `n` characters, not beyond `end`. */
static const char *skip_chars(const char *p, const char *end, size_t n)
{
    for (; n > 0 && p < end; n--) {
        p++;
        while (p < end && continues(*p))
            p++;
    }
    return p;
}

/* The line that `at` stands in, without its line end. */
static struct str line_of(struct loc at)
{
    struct str  text = at.source->text;
    const char *here = text.data + at.offset, *end = text.data + text.len;
    const char *start = here, *stop = here;

    while (start > text.data && start[-1] != '\n')
        start--;
    while (stop < end && *stop != '\n')
        stop++;
    if (stop > start && stop[-1] == '\r') stop--;
    return (struct str){start, (size_t)(stop - start)};
}

static struct loc within_source(struct loc at)
{
    if (at.offset > at.source->text.len) at.offset = (uint32_t)at.source->text.len;
    return at;
}

void loc_position(struct loc at, int *line, int *column)
{
    at = within_source(at);
    const char *text = at.source->text.data, *here = text + at.offset, *start = here;

    while (start > text && start[-1] != '\n')
        start--;
    *line = 1;
    for (const char *p = text; p < start; p++)
        *line += *p == '\n';
    *column = (int)count_chars(start, here) + 1;
}

/* Control characters would let a config steer the terminal. A secret has stars in the place of its
   characters, so that the caret stays where it belongs. */
static void put_visible(struct buf *out, const char *from, const char *to, const bool *secret)
{
    for (; from < to; from++, secret++) {
        bool control = ((unsigned char)*from < ' ' && *from != '\t') || *from == 0x7F;
        if (!*secret)
            buf_char(out, control ? '?' : *from);
        else if (!continues(*from))
            buf_char(out, '*');
    }
}

/* The line and below it the caret, both cut to a window when the line is long. */
static void put_line(struct buf *out, struct loc at, int number)
{
    struct str  line = line_of(at);
    const char *end = line.data + line.len, *here = at.source->text.data + at.offset;
    const char *from = line.data, *to = end;

    if (here > end) here = end;
    if (count_chars(line.data, end) > LINE_WINDOW) {
        size_t before = count_chars(line.data, here);
        if (before > LINE_BEFORE) from = skip_chars(from, end, before - LINE_BEFORE);
        to = skip_chars(from, end, LINE_WINDOW);
    }

    buf_printf(out, "%5d | %s", number, from > line.data ? "…" : "");
    bool *secret = xcalloc(line.len + 1, sizeof(*secret));
    secret_mark(line, secret);
    put_visible(out, from, to, secret + (from - line.data));
    free(secret);
    buf_printf(out, "%s\n      | %s", to < end ? "…" : "", from > line.data ? " " : "");
    for (const char *p = from; p < here; p++)
        if (!continues(*p)) buf_char(out, *p == '\t' ? '\t' : ' ');
    buf_char(out, '^');
    const char *last = at.len < (size_t)(to - here) ? here + at.len : to;
    for (size_t i = count_chars(here, last); i > 1; i--)
        buf_char(out, '~');
    buf_char(out, '\n');
}

static void put_message(struct diags *d, enum severity s, struct loc at, const char *format,
                        va_list args)
{
    struct buf out = {0};

    if (at.source) {
        int line, column;
        at = within_source(at);
        loc_position(at, &line, &column);
        buf_printf(&out, "%s:%d:%d: ", at.source->name, line, column);
        buf_printf(&out, "%s: ", s == DIAG_ERROR ? "error" : "warning");
        buf_vprintf(&out, format, args);
        buf_char(&out, '\n');
        put_line(&out, at, line);
    } else {
        buf_printf(&out, "%s: ", s == DIAG_ERROR ? "error" : "warning");
        buf_vprintf(&out, format, args);
        buf_char(&out, '\n');
    }
    fwrite(out.data, 1, out.len, d->out ? d->out : stderr);
    buf_release(&out);
}

void diag_v(struct diags *d, enum severity s, struct loc at, const char *format, va_list args)
{
    if (s == DIAG_ERROR)
        d->errors++;
    else
        d->warnings++;
    if (d->quiet || (s == DIAG_ERROR && d->errors > DIAG_LIMIT)) return;
    put_message(d, s, at, format, args);
}

void diag(struct diags *d, enum severity s, struct loc at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diag_v(d, s, at, format, args);
    va_end(args);
}

void diag_end(struct diags *d)
{
    int more = d->errors - DIAG_LIMIT;

    if (more > 0 && !d->quiet)
        fprintf(d->out ? d->out : stderr, "%d more error%s\n", more, more == 1 ? "" : "s");
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

/* Edits from `a` to `b`; swapped neighbours are one edit, another case none. Source: Damerau's
   optimal string alignment. */
static int distance(struct str a, struct str b)
{
    int row[3][WORD_MAX + 1];

    if (a.len > WORD_MAX || b.len > WORD_MAX) return WORD_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[0][j] = (int)j;
    for (size_t i = 1; i <= a.len; i++) {
        int *now = row[i % 3], *up = row[(i - 1) % 3], *up2 = row[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = fold(a.data[i - 1]), y = fold(b.data[j - 1]);
            now[j] = min(up[j - 1] + (x != y), min(up[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && x == fold(b.data[j - 2]) && y == fold(a.data[i - 2]))
                now[j] = min(now[j], up2[j - 2] + 1);
        }
    }
    return row[a.len % 3][b.len];
}

const char *nearest(struct str  word, const char *(*candidate)(const void *ctx, int i),
                    const void *ctx)
{
    const char *best = NULL, *name;
    int         least = 1 + (int)(word.len < WORD_MAX ? word.len : WORD_MAX) / 3;

    for (int i = 0; (name = candidate(ctx, i)); i++) {
        struct str s = str_of(name);
        int        n = distance(word, s);
        if (n <= least && (size_t)n < s.len) {
            best = name;
            least = n - 1;
        }
    }
    return best;
}
