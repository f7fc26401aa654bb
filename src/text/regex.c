#include "text/regex.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "text/onigmo.h"
#include "text/regex_parts.h"

/*
 * A regex has two forms: for UTF-8, and, when the pattern is ASCII, for bytes. The second gives the
 * same matches on subjects that are ASCII, and is quicker, so most subjects take it. What checking
 * a config does not need, the second form and all machine code, is made when first used.
 */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

/* ---- compiling ---- */

static uint32_t options_of(unsigned flags, enum regex_form form)
{
    uint32_t options = PCRE2_NEVER_BACKSLASH_C;

    if (form == REGEX_FORM_SLICED) options |= PCRE2_USE_OFFSET_LIMIT;
    if (form != REGEX_FORM_BYTES) options |= PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK;
    if (!(flags & REGEX_JAVA)) options |= PCRE2_MULTILINE;
    if (flags & REGEX_DOTALL) options |= PCRE2_DOTALL;
    if (flags & REGEX_CASELESS) options |= PCRE2_CASELESS;
    return options;
}

static pcre2_code *compile_text(struct str text, unsigned flags, enum regex_form form, int *code,
                                PCRE2_SIZE *offset)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_code            *compiled;

    if (!context) fatal_memory();
    pcre2_set_newline(context, flags & REGEX_JAVA ? PCRE2_NEWLINE_ANYCRLF : PCRE2_NEWLINE_LF);
    pcre2_set_bsr(context, PCRE2_BSR_UNICODE);
    compiled = pcre2_compile((PCRE2_SPTR)text.data, text.len, options_of(flags, form), code, offset,
                             context);
    pcre2_compile_context_free(context);
    return compiled;
}

/* NULL with `*error` filled when the pattern is not valid. `translated` is to be released. */
static pcre2_code *compile_form(struct arena *scratch, struct str pattern, unsigned flags,
                                enum regex_form form, struct onigmo *translated,
                                struct regex_error *error)
{
    bool        bytes = form == REGEX_FORM_BYTES;
    int         code = 0;
    PCRE2_SIZE  offset = 0;
    pcre2_code *compiled;

    if (!onigmo_translate(scratch, pattern, flags, bytes, translated, error)) return NULL;
    compiled = compile_text(buf_view(&translated->pcre), flags, form, &code, &offset);
    if (compiled) return compiled;
    pcre2_get_error_message(code, (PCRE2_UCHAR *)error->message, sizeof(error->message));
    error->offset = onigmo_source_offset(scratch, pattern, flags, bytes, offset);
    return NULL;
}

/* Compiles the form unless it is there. A pattern whose byte form PCRE2 does not take has its UTF-8
   form still. */
static void make_form(const struct regex *r, enum regex_form form, struct regex_code *c)
{
    struct onigmo      translated = {0};
    struct regex_error unused;
    struct arena       scratch = {0};

    if (!c->code && (form != REGEX_FORM_BYTES || r->ascii))
        c->code = compile_form(&scratch, r->source, r->flags, form, &translated, &unused);
    buf_release(&translated.pcre);
    arena_release(&scratch);
    c->jit = c->code && pcre2_jit_compile(c->code, PCRE2_JIT_COMPLETE) == 0;
}

const struct regex_code *regex_make_code(const struct regex *r, enum regex_form form)
{
    struct regex_code *c = (struct regex_code *)&r->forms[form];

    pthread_mutex_lock(&making);
    if (!atomic_load_explicit(&c->ready, memory_order_relaxed)) {
        make_form(r, form, c);
        atomic_store_explicit(&c->ready, true, memory_order_release);
    }
    pthread_mutex_unlock(&making);
    return c;
}

static void keep_names(struct arena *a, struct regex *r, const struct onigmo *translated)
{
    size_t size = translated->names_len * sizeof(*r->names);

    r->groups = translated->groups;
    r->ascii = translated->ascii;
    r->names_len = translated->names_len;
    r->names = arena_alloc(a, size);
    if (size) memcpy(r->names, translated->names, size);
}

struct regex *regex_compile(struct arena *a, struct str pattern, unsigned flags,
                            struct regex_error *error)
{
    struct onigmo      translated = {0};
    struct regex      *r = arena_zalloc(a, sizeof(*r));
    struct regex_code *utf = &r->forms[REGEX_FORM_UTF];
    struct arena       scratch = {0};

    if (!utf8_valid(pattern)) {
        error->offset = utf8_valid_prefix(pattern);
        snprintf(error->message, sizeof(error->message), "the pattern is not UTF-8");
        return NULL;
    }
    r->source = arena_copy(a, pattern);
    r->flags = flags;
    utf->code = compile_form(&scratch, r->source, flags, REGEX_FORM_UTF, &translated, error);
    if (utf->code) keep_names(a, r, &translated);
    buf_release(&translated.pcre);
    arena_release(&scratch);
    return utf->code ? r : NULL;
}

void regex_free(struct regex *r)
{
    if (!r) return;
    for (int i = 0; i < REGEX_FORMS; i++) {
        pcre2_code_free(r->forms[i].code);
        r->forms[i].code = NULL;
    }
}

/* ---- matching ---- */

static _Thread_local struct regex_matcher matcher;

static void release_matcher(void *p)
{
    struct regex_matcher *m = p;

    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
    pcre2_match_context_free(m->within);
    pcre2_jit_stack_free(m->stack);
    *m = (struct regex_matcher){0};
}

static pcre2_match_context *make_context(pcre2_jit_stack *stack)
{
    pcre2_match_context *context = pcre2_match_context_create(NULL);

    if (!context) fatal_memory();
    pcre2_set_match_limit(context, REGEX_STEPS_MAX);
    pcre2_set_depth_limit(context, REGEX_DEPTH_MAX);
    pcre2_set_heap_limit(context, REGEX_HEAP_MAX_KB);
    pcre2_jit_stack_assign(context, NULL, stack);
    return context;
}

static void make_matcher(struct regex_matcher *m)
{
    thread_at_end(release_matcher, m);
    m->stack = pcre2_jit_stack_create(REGEX_STACK_MIN, REGEX_STACK_MAX, NULL);
    if (!m->stack) fatal_memory();
    m->context = make_context(m->stack);
    m->within = make_context(m->stack);
}

static void make_data(struct regex_matcher *m, uint32_t pairs)
{
    enum { PAIRS_MIN = 32 };

    if (!m->context) make_matcher(m);
    pcre2_match_data_free(m->data);
    m->pairs = pairs < PAIRS_MIN ? PAIRS_MIN : pairs;
    m->data = pcre2_match_data_create(m->pairs, NULL);
    if (!m->data) fatal_memory();
}

struct regex_matcher *regex_matcher(uint32_t pairs)
{
    if (matcher.pairs < pairs) make_data(&matcher, pairs);
    return &matcher;
}

static bool is_ascii(struct str s)
{
    uint64_t all = 0, word;
    size_t   i = 0;

    for (; i + sizeof(word) <= s.len; i += sizeof(word)) {
        memcpy(&word, s.data + i, sizeof(word));
        all |= word;
    }
    for (; i < s.len; i++)
        all |= (unsigned char)s.data[i];
    return (all & 0x8080808080808080u) == 0;
}

/* Which form suits the subject. */
static const struct regex_code *code_for(const struct regex *r, struct str subject)
{
    if (r->ascii && is_ascii(subject)) {
        const struct regex_code *bytes = regex_code(r, REGEX_FORM_BYTES);
        if (bytes->code) return bytes;
    }
    return regex_code(r, REGEX_FORM_UTF);
}

int regex_run(const struct regex_code *c, struct regex_matcher *m, pcre2_match_context *context,
              struct str subject, size_t from)
{
    PCRE2_SPTR text = (PCRE2_SPTR)(subject.data ? subject.data : "");

    if (c->jit) return pcre2_jit_match(c->code, text, subject.len, from, 0, m->data, context);
    return pcre2_match(c->code, text, subject.len, from, PCRE2_NO_UTF_CHECK, m->data, context);
}

/* A span is a pair of PCRE2. */
_Static_assert(sizeof(struct span) == 2 * sizeof(PCRE2_SIZE) && PCRE2_UNSET == SIZE_MAX,
               "spans can be copied");

int regex_result(const struct regex_matcher *m, int found, struct span *spans, uint32_t count)
{
    const PCRE2_SIZE *pairs = pcre2_get_ovector_pointer(m->data);

    if (found < 0) return found == PCRE2_ERROR_NOMATCH ? REGEX_NO_MATCH : REGEX_LIMIT;
    uint32_t there = found == 0 ? m->pairs : (uint32_t)found;
    if (there > count) there = count;
    memcpy(spans, pairs, there * sizeof(*spans));
    for (uint32_t i = there; i < count; i++)
        spans[i] = (struct span){SIZE_MAX, SIZE_MAX};
    return REGEX_MATCH;
}

bool regex_test(const struct regex *r, struct str subject)
{
    struct regex_matcher *m = regex_matcher(1);

    return regex_run(code_for(r, subject), m, m->context, subject, 0) >= 0;
}

static int find(const struct regex *r, const struct regex_code *c, struct str subject, size_t from,
                struct span *spans, uint32_t count)
{
    struct regex_matcher *m = regex_matcher(r->groups + 1);

    if (from > subject.len) return REGEX_NO_MATCH;
    return regex_result(m, regex_run(c, m, m->context, subject, from), spans, count);
}

int regex_find(const struct regex *r, struct str subject, size_t from, struct span *spans,
               uint32_t count)
{
    return find(r, code_for(r, subject), subject, from, spans, count);
}

int regex_find_within(const struct regex *r, struct str subject, struct span *spans, uint32_t count,
                      int64_t limit_ns)
{
    struct regex_matcher *m = regex_matcher(r->groups + 1);
    int                   found;

    if (subject.len <= REGEX_SHORT) {
        pcre2_set_match_limit(m->within, regex_first_steps(subject.len));
        found = regex_run(code_for(r, subject), m, m->within, subject, 0);
        if (found != PCRE2_ERROR_MATCHLIMIT) return regex_result(m, found, spans, count);
    }
    return regex_find_slowly(r, subject, spans, count, limit_ns);
}

uint32_t regex_groups(const struct regex *r)
{
    return r->groups;
}

int regex_group(const struct regex *r, struct str name)
{
    for (uint32_t i = 0; i < r->names_len; i++)
        if (str_eq(r->names[i].name, name)) return (int)r->names[i].group;
    return -1;
}

struct str regex_group_name(const struct regex *r, uint32_t n)
{
    for (uint32_t i = 0; i < r->names_len; i++)
        if (r->names[i].group == n) return r->names[i].name;
    return STR("");
}

struct str regex_source(const struct regex *r)
{
    return r->source;
}

/* ---- gsub ---- */

/* One match of regex_gsub(). */
struct replacing {
    const struct regex *r;
    struct str          subject;
    struct span        *spans;
    struct buf         *out;
};

static void put_span(struct replacing *g, uint32_t group)
{
    if (group > g->r->groups || g->spans[group].start == SIZE_MAX) return;
    buf_put(g->out, g->subject.data + g->spans[group].start,
            g->spans[group].end - g->spans[group].start);
}

/* `s` begins behind "\k". Returns the bytes read, 0 when it is no reference to a group. */
static size_t put_named(struct replacing *g, struct str s)
{
    ptrdiff_t  end = str_starts(s, STR("<")) ? str_find(s, STR(">")) : -1;
    struct str name = {s.data + 1, end > 0 ? (size_t)end - 1 : 0};
    int        last = -1;

    if (end < 0) return 0;
    for (uint32_t i = 0; i < g->r->names_len; i++) {
        uint32_t group = g->r->names[i].group;
        if (str_eq(g->r->names[i].name, name) && g->spans[group].start != SIZE_MAX)
            last = (int)group;
    }
    if (last >= 0) put_span(g, (uint32_t)last);
    return (size_t)end + 1;
}

/* What a backslash and `c` stand for. Source: Ruby's rb_reg_regsub. Returns the bytes read of
   `rest`, which is behind `c`. */
static size_t put_escape(struct replacing *g, char c, struct str rest)
{
    size_t used;

    switch (c) {
    case '0':
    case '&':
        put_span(g, 0);
        return 0;
    case '`':
        buf_put(g->out, g->subject.data, g->spans[0].start);
        return 0;
    case '\'':
        buf_str(g->out, str_from(g->subject, g->spans[0].end));
        return 0;
    case '\\':
        buf_char(g->out, '\\');
        return 0;
    case 'k':
        used = put_named(g, rest);
        if (used) return used;
        break;
    default:
        if (c < '1' || c > '9') break;
        if (g->r->names_len == 0) put_span(g, (uint32_t)(c - '0'));
        return 0;
    }
    buf_char(g->out, '\\');
    buf_char(g->out, c);
    return 0;
}

static void put_replacement(struct replacing *g, struct str s)
{
    for (;;) {
        const char *at = s.len > 1 ? memchr(s.data, '\\', s.len - 1) : NULL;
        if (!at) break;
        buf_put(g->out, s.data, (size_t)(at - s.data));
        s = str_from(s, (size_t)(at - s.data) + 2);
        s = str_from(s, put_escape(g, at[1], s));
    }
    buf_str(g->out, s);
}

/* The matches from one end of the subject to the other. An empty match takes the next character
   along, so that the search goes on. */
static int replace_all(struct replacing *g, struct str replacement)
{
    const struct regex_code *c = code_for(g->r, g->subject);
    size_t                   at = 0;
    int                      count = 0, found = 0;

    while (at <= g->subject.len) {
        found = find(g->r, c, g->subject, at, g->spans, g->r->groups + 1);
        if (found != REGEX_MATCH) break;
        buf_put(g->out, g->subject.data + at, g->spans[0].start - at);
        put_replacement(g, replacement);
        at = g->spans[0].end;
        count++;
        if (g->spans[0].start < at) continue;
        if (at == g->subject.len) return count;
        uint32_t unused;
        size_t   step = utf8_get(str_from(g->subject, at), &unused);
        buf_put(g->out, g->subject.data + at, step);
        at += step;
    }
    if (found == REGEX_LIMIT) return -1;
    buf_str(g->out, str_from(g->subject, at));
    return count;
}

int regex_gsub(const struct regex *r, struct str subject, struct str replacement, struct buf *out)
{
    enum { SPANS_FEW = 32 };
    struct span      few[SPANS_FEW];
    struct replacing g = {.r = r, .subject = subject, .spans = few, .out = out};
    size_t           before = out->len;

    if (!subject.data) g.subject = STR("");
    if (r->groups >= SPANS_FEW) g.spans = xcalloc(r->groups + 1, sizeof(*g.spans));
    int count = replace_all(&g, replacement);
    if (count < 0) out->len = before;
    if (g.spans != few) free(g.spans);
    return count;
}
