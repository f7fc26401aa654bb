#include "event/template.h"

#include "base/thread.h"
#include "event/json.h"
#include "event/time.h"

/*
 * Source: StringInterpolation.java. A reference goes from "%{" to the next "}"; what is behind
 * decides its kind, see compile_reference().
 */
enum part_kind { PART_TEXT, PART_FIELD, PART_DATE, PART_EPOCH, PART_NOW };

struct part {
    enum part_kind            kind;
    struct str                text; /* as written, with %{ and } */
    const struct field       *field;
    const struct time_format *date;
};

struct template
{
    struct str  source;
    bool        constant;
    uint32_t    len;
    struct part parts[];
};

/* The state of compiling one template. */
struct compiler {
    struct arena    *arena;
    struct template *t;
    const char      *problem; /* the first one */
    size_t           at;
    bool             fatal;
};

/* What stands side by side in the source and needs no work becomes one part. */
static void add_text(struct template *t, struct str text)
{
    struct part *last = t->len ? &t->parts[t->len - 1] : NULL;

    if (text.len == 0) return;
    if (last && last->kind == PART_TEXT)
        last->text.len += text.len;
    else
        t->parts[t->len++] = (struct part){.kind = PART_TEXT, .text = text};
}

static void add_part(struct template *t, struct part p)
{
    t->constant = false;
    t->parts[t->len++] = p;
}

static void report(struct compiler *c, const char *problem, size_t at, bool fatal)
{
    if (c->problem && (c->fatal || !fatal)) return;
    c->problem = problem;
    c->at = at;
    c->fatal = fatal;
}

static void compile_date(struct compiler *c, enum time_style style, struct str pattern,
                         struct str text)
{
    const char *problem;
    struct part p = {.kind = PART_DATE, .text = text};

    p.date = time_format_parse(c->arena, style, pattern, &problem);
    if (p.date) {
        add_part(c->t, p);
    } else {
        report(c, problem, (size_t)(pattern.data - c->t->source.data), true);
        add_text(c->t, text);
    }
}

static void compile_field(struct compiler *c, struct str name, struct str text)
{
    const char *problem;
    size_t      at = 0;
    struct part p = {.kind = PART_FIELD, .text = text};

    p.field = field_parse(c->arena, name, &problem, &at);
    if (p.field) {
        add_part(c->t, p);
    } else {
        report(c, problem, (size_t)(name.data - c->t->source.data) + at, false);
        add_text(c->t, text);
    }
}

/* `text` is "%{…}"; `doubled` says that it begins with "%{{" and ends with "}}". */
static void compile_reference(struct compiler *c, struct str text, bool doubled)
{
    struct str inside = {text.data + 2, text.len - 3};

    if (str_starts(STR("+%s"), inside)) { /* so %{} and %{+} count as well */
        add_part(c->t, (struct part){.kind = PART_EPOCH, .text = text});
    } else if (doubled) {
        struct str pattern = {inside.data + 1, inside.len - 2};
        if (str_is(pattern, "TIME_NOW"))
            add_part(c->t, (struct part){.kind = PART_NOW, .text = text});
        else
            compile_date(c, TIME_JAVA, pattern, text);
    } else if (inside.data[0] == '+') {
        compile_date(c, TIME_JODA, str_from(inside, 1), text);
    } else {
        compile_field(c, inside, text);
    }
}

static size_t count_openings(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i + 1 < s.len; i++)
        n += s.data[i] == '%' && s.data[i + 1] == '{';
    return n;
}

static void compile_all(struct compiler *c)
{
    struct str rest = c->t->source;

    for (;;) {
        ptrdiff_t open = str_find(rest, STR("%{"));
        if (open < 0) break;
        ptrdiff_t close = str_find(str_from(rest, (size_t)open), STR("}"));
        if (close < 0) break;
        struct str text = {rest.data + open, (size_t)close + 1};
        bool       doubled = text.data[2] == '{' && (size_t)(open + close) + 1 < rest.len &&
                       text.data[close + 1] == '}';
        if (doubled) text.len++;
        add_text(c->t, (struct str){rest.data, (size_t)open});
        compile_reference(c, text, doubled);
        rest = str_from(rest, (size_t)open + text.len);
    }
    add_text(c->t, rest);
}

const struct template *template_parse(struct arena *a, struct str text, const char **problem,
                                      size_t *at, bool *fatal)
{
    size_t           parts = 2 * count_openings(text) + 1;
    struct template *t = arena_zalloc(a, sizeof(*t) + parts * sizeof(t->parts[0]));
    struct compiler  c = {.arena = a, .t = t};

    t->source = arena_copy(a, text);
    t->constant = true;
    compile_all(&c);
    if (problem) *problem = c.problem;
    if (at) *at = c.at;
    if (fatal) *fatal = c.fatal;
    return t;
}

static void render_field(const struct part *p, const struct event *ev, struct buf *out)
{
    const struct value *v = event_get(ev, p->field);

    if (v && v->kind == VALUE_STRING)
        buf_put(out, v->as.s, v->len);
    else if (v && v->kind != VALUE_NULL)
        value_text(*v, out);
    else
        buf_str(out, p->text);
}

static void render_now(struct buf *out)
{
    enum { TIME_ROOM = 40 };
    out->len += time_print(clock_now(), buf_room(out, TIME_ROOM));
}

static void render_part(const struct part *p, const struct event *ev, struct buf *out)
{
    struct timestamp t;

    switch (p->kind) {
    case PART_TEXT:
        buf_str(out, p->text);
        break;
    case PART_FIELD:
        render_field(p, ev, out);
        break;
    case PART_DATE:
        if (event_timestamp(ev, &t)) time_format_print(p->date, t, out);
        break;
    case PART_EPOCH:
        if (event_timestamp(ev, &t)) json_encode_int(t.sec, out);
        break;
    case PART_NOW:
        render_now(out);
        break;
    }
}

void template_render(const struct template *t, const struct event *ev, struct buf *out)
{
    for (uint32_t i = 0; i < t->len; i++)
        render_part(&t->parts[i], ev, out);
}

static void release_scratch(void *scratch)
{
    buf_release(scratch);
}

struct str template_str(const struct template *t, struct event *ev)
{
    static _Thread_local struct buf scratch;

    if (t->constant) return t->source;
    if (!scratch.data) thread_at_end(release_scratch, &scratch);
    buf_clear(&scratch);
    template_render(t, ev, &scratch);
    return arena_copy(ev->arena, buf_view(&scratch));
}

bool template_constant(const struct template *t, struct str *text)
{
    if (t->constant && text) *text = t->source;
    return t->constant;
}

struct str template_source(const struct template *t)
{
    return t->source;
}

const struct field *template_field(const struct template *t)
{
    return t->len == 1 && t->parts[0].kind == PART_FIELD ? t->parts[0].field : NULL;
}

struct str template_static_prefix(const struct template *t)
{
    if (t->constant) return t->source;
    return t->parts[0].kind == PART_TEXT ? t->parts[0].text : STR("");
}
