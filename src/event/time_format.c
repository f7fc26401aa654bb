#include <stdatomic.h>

#include "base/arena.h"
#include "event/time.h"
#include "event/time_letters.h"

/*
 * Date patterns, compiled to a list of pieces, each of which prints one part of a moment. Source:
 * Joda's DateTimeFormat.forPattern and java.time's DateTimeFormatter.ofPattern.
 */
struct time_format {
    uint64_t        id; /* of this process's formats: unlike an address, never used again */
    int             unit;
    enum time_style style;
    uint32_t        len;
    struct piece    pieces[];
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The state of compiling one pattern. */
struct compiler {
    struct arena       *arena;
    struct str          pattern;
    size_t              at;
    struct time_format *format;
    int                 pad;   /* for the next piece */
    int                 depth; /* of java.time's [ ] */
};

enum { WIDTH_MAX = 100 };

static void add_piece(struct compiler *c, struct piece p, int unit)
{
    p.pad = c->pad;
    c->pad = 0;
    if (unit < c->format->unit) c->format->unit = unit;
    c->format->pieces[c->format->len++] = p;
}

/* A run of one letter. NULL, or what is wrong with it. */
static const char *compile_letter(struct compiler *c)
{
    const struct letter *l = c->format->style == TIME_JODA ? time_joda_letters : time_java_letters;
    char                 name = c->pattern.data[c->at];
    int                  count = 0;

    while (c->at < c->pattern.len && c->pattern.data[c->at] == name)
        c->at++, count++;
    if (name == 'p' && c->format->style == TIME_JAVA) {
        if (c->at == c->pattern.len || !is_letter(c->pattern.data[c->at]))
            return "the padding letter p must stand before another letter";
        if (count > WIDTH_MAX) return "a letter of the date pattern stands too often in a row";
        c->pad = count;
        return NULL;
    }
    while (l->letter && l->letter != name)
        l++;
    if (!l->letter) return "unknown letter in the date pattern";
    if (count > WIDTH_MAX || (l->counts && (count > 31 || !(l->counts >> count & 1))))
        return "a letter of the date pattern stands too often or too seldom in a row";
    struct piece p = {.print = l->print, .width = count};
    if (l->fixed) p.text = str_of(l->fixed[count < 5 ? count - 1 : 4]);
    /* Joda has no narrow names. */
    if (c->format->style == TIME_JODA && count > 4 && (name == 'M' || name == 'E')) p.width = 4;
    add_piece(c, p, l->unit);
    return NULL;
}

/* 'text', where '' is a quote. Joda takes the end of the pattern for a closing quote. */
static const char *compile_quoted(struct compiler *c)
{
    const char *p = c->pattern.data;
    char       *text = arena_alloc(c->arena, c->pattern.len - c->at);
    size_t      len = 0;
    bool        closed = false;

    for (c->at++; !closed && c->at < c->pattern.len; c->at++) {
        bool quote = p[c->at] == '\'';
        if (quote && c->at + 1 < c->pattern.len && p[c->at + 1] == '\'')
            c->at++;
        else if (quote)
            closed = true;
        if (!closed) text[len++] = p[c->at];
    }
    if (!closed && c->format->style == TIME_JAVA)
        return "the date pattern ends inside a quoted text";
    if (len == 0 && closed) text[len++] = '\''; /* '' */
    if (len > 0)
        add_piece(c, (struct piece){.print = time_print_text, .text = {text, len}}, UNIT_DAY);
    return NULL;
}

static const char *compile_literal(struct compiler *c)
{
    char x = c->pattern.data[c->at++];

    if (c->format->style == TIME_JAVA) {
        if (x == '[') {
            c->depth++;
            return NULL;
        }
        if (x == ']') return c->depth-- > 0 ? NULL : "the date pattern has a ] without a [";
        if (x == '{' || x == '}' || x == '#') return "{, } and # have no meaning in a date pattern";
    }
    struct str text = {c->pattern.data + c->at - 1, 1};
    add_piece(c, (struct piece){.print = time_print_text, .text = text}, UNIT_DAY);
    return NULL;
}

const struct time_format *time_format_parse(struct arena *a, enum time_style style,
                                            struct str pattern, const char **problem)
{
    static _Atomic uint64_t ids;
    struct str              text = arena_copy(a, pattern);
    struct time_format     *f = arena_zalloc(a, sizeof(*f) + pattern.len * sizeof(f->pieces[0]));
    struct compiler         c = {.arena = a, .pattern = text, .format = f};

    f->id = atomic_fetch_add(&ids, 1) + 1;
    f->unit = UNIT_DAY;
    f->style = style;
    *problem = NULL;
    while (!*problem && c.at < text.len) {
        if (is_letter(text.data[c.at]))
            *problem = compile_letter(&c);
        else if (text.data[c.at] == '\'')
            *problem = compile_quoted(&c);
        else
            *problem = compile_literal(&c);
    }
    if (!*problem && f->len == 0 && style == TIME_JODA) *problem = "the date pattern is empty";
    return *problem ? NULL : f;
}

/* Joda's moments are milliseconds. */
static void print_all(const struct time_format *f, struct timestamp t, struct buf *out)
{
    struct moment m = {.c = time_civil(t.sec), .sec = t.sec, .nsec = t.nsec};

    if (f->style == TIME_JODA) m.nsec -= m.nsec % 1000000;
    for (uint32_t i = 0; i < f->len; i++) {
        const struct piece *p = &f->pieces[i];
        size_t              start = out->len;
        p->print(p, &m, out);
        size_t width = out->len - start;
        if ((size_t)p->pad > width) {
            size_t blanks = (size_t)p->pad - width;
            buf_room(out, blanks);
            memmove(out->data + start + blanks, out->data + start, width);
            memset(out->data + start, ' ', blanks);
            out->len += blanks;
        }
    }
}

/* What this thread printed last, by format: most events of one batch fall on one day. */
struct printed {
    uint64_t id;
    int64_t  from, to; /* right for these seconds */
    uint32_t len;
    char     text[44];
};
enum { PRINTED_SLOTS = 8 };

void time_format_print(const struct time_format *f, struct timestamp t, struct buf *out)
{
    static _Thread_local struct printed slots[PRINTED_SLOTS];
    struct printed                     *kept = &slots[f->id % PRINTED_SLOTS];
    size_t                              start = out->len;

    if (kept->id == f->id && t.sec >= kept->from && t.sec < kept->to) {
        buf_put(out, kept->text, kept->len);
        return;
    }
    print_all(f, t, out);
    if (f->unit == UNIT_FRACTION || out->len == start || out->len - start > sizeof(kept->text))
        return;
    int64_t into = t.sec % f->unit;
    kept->id = f->id;
    kept->from = t.sec - (into < 0 ? into + f->unit : into);
    kept->to = kept->from + f->unit;
    kept->len = (uint32_t)(out->len - start);
    memcpy(kept->text, out->data + start, kept->len);
}
