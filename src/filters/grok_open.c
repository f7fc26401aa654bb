/*
 * From grok's settings to compiled patterns.
 *
 * Source: logstash-filter-grok, lib/logstash/filters/grok.rb; jls-grok, lib/grok-pure.rb.
 */
#include <errno.h>

#include "filters/grok.h"
#include "text/grok_compile.h"
#include "text/grok_library.h"

struct builder {
    struct grok         *grok;
    struct plugin_open  *cx;
    struct grok_patterns patterns;
    bool                 failed;
};

/* ---- named patterns ---- */

static bool load_files(struct builder *b)
{
    const struct grok *g = b->grok;
    struct str         culprit;

    for (uint32_t i = 0; i < g->patterns_dir.len; i++) {
        int files = grok_patterns_load_all(&b->patterns, g->patterns_dir.at[i],
                                           g->patterns_files_glob, &culprit);
        if (files < 0)
            return plugin_error(b->cx, "patterns_dir", "cannot read \"%.*s\": %s", STR_ARG(culprit),
                                strerror(errno));
        if (files == 0)
            plugin_warning(b->cx, "patterns_dir", "no pattern files at \"%.*s\"",
                           STR_ARG(g->patterns_dir.at[i]));
    }
    return true;
}

static bool define_patterns(struct builder *b)
{
    const struct pairs *d = &b->grok->pattern_definitions;
    struct str          problem;

    grok_patterns_init(&b->patterns, b->cx->arena);
    b->patterns.base = grok_library(b->grok->ecs_compatibility != ECS_DISABLED, &problem);
    if (!b->patterns.base) return plugin_error(b->cx, "match", "%.*s", STR_ARG(problem));
    if (!load_files(b)) return false;
    for (uint32_t i = 0; i < d->len; i++)
        grok_patterns_add(&b->patterns, d->at[i].key, ast_to_s(b->cx->arena, d->at[i].value));
    return true;
}

/* ---- captures ---- */

static enum capture_type type_of(struct builder *b, const struct ast_value *at, struct str type)
{
    if (str_is(type, "int")) return CAPTURE_INT;
    if (str_is(type, "float")) return CAPTURE_FLOAT;
    if (type.len > 0)
        diag(b->cx->diags, DIAG_WARNING, at->loc,
             "captures become int or float, not \"%.*s\"; this one stays text", STR_ARG(type));
    return CAPTURE_TEXT;
}

/* `name` as a reference, with brackets. */
static struct str bracketed(struct arena *a, struct str name)
{
    if (str_starts(name, STR("[")) && str_ends(name, STR("]"))) return name;
    return arena_printf(a, "[%.*s]", STR_ARG(name));
}

static const struct field *field_of(struct builder *b, const struct ast_value *at, struct str name)
{
    struct arena *a = b->cx->arena;
    struct str    full = name, target = b->grok->target;
    const char   *problem;

    if (target.len > 0) {
        target = bracketed(a, target);
        name = bracketed(a, name);
        full = arena_printf(a, "%.*s%.*s", STR_ARG(target), STR_ARG(name));
    }
    const struct field *f = field_parse(a, full, &problem, NULL);
    if (f) return f;
    diag(b->cx->diags, DIAG_ERROR, at->loc, "the capture \"%.*s\" is not a field reference: %s",
         STR_ARG(full), problem);
    b->failed = true;
    return NULL;
}

static bool is_overwritten(const struct grok *g, struct str name)
{
    for (uint32_t i = 0; i < g->overwrite.len; i++)
        if (str_eq(g->overwrite.at[i], name)) return true;
    return false;
}

/* A plain field of the event itself that none of the captures before it makes. */
static bool is_fresh(const struct pattern *p, const struct field *f)
{
    if (!f || !f->plain || f->metadata) return false;
    for (uint32_t i = 0; i < p->captures_len; i++)
        if (field_same_top(p->captures[i].field, f)) return false;
    return true;
}

/* Only the first group of a name gets its type. Source: compile_captures_func() in grok-pure.rb. */
static void add_capture(struct builder *b, struct pattern *p, const struct ast_value *at,
                        uint32_t group, bool first)
{
    struct str name, type;

    grok_split_group(regex_group_name(p->regex, group), &name, &type);
    if (!first) type = STR("");
    const struct field *field = field_of(b, at, name);
    bool                fresh = is_fresh(p, field);
    p->captures[p->captures_len++] = (struct capture){
        .group = group,
        .type = type_of(b, at, type),
        .overwrite = is_overwritten(b->grok, name),
        .fresh = fresh,
        .field = field,
    };
    if (group >= p->groups) p->groups = group + 1;
}

/* Groups of one name follow one another, in the order in which names appear first. */
static void add_captures(struct builder *b, struct pattern *p, const struct ast_value *at)
{
    uint32_t n = regex_groups(p->regex);

    p->captures = arena_alloc(b->cx->arena, n * sizeof(*p->captures));
    for (uint32_t i = 1; i <= n; i++) {
        struct str name = regex_group_name(p->regex, i);
        if (name.len == 0 || regex_group(p->regex, name) != (int)i) continue;
        if (str_starts(name, STR(GROK_SHARED))) continue;
        for (uint32_t j = i; j <= n; j++)
            if (str_eq(regex_group_name(p->regex, j), name)) add_capture(b, p, at, j, j == i);
    }
    if (p->groups <= SPANS_MAX) return;
    diag(b->cx->diags, DIAG_ERROR, at->loc, "the pattern has more than %d groups", SPANS_MAX - 1);
    b->failed = true;
}

/* ---- patterns ---- */

static bool compile_expanded(struct builder *b, struct pattern *p, const struct ast_value *at,
                             enum grok_captures which, struct str expanded)
{
    struct regex_error error;

    p->regex = grok_compile(&b->patterns, p->source, which, expanded, &error);
    if (!p->regex) {
        diag(b->cx->diags, DIAG_ERROR, at->loc, "not a valid pattern: %s", error.message);
        return false;
    }
    p->literal = needle_make(regex_literal(b->cx->arena, expanded));
    add_captures(b, p, at);
    return true;
}

static void compile(struct builder *b, struct pattern *p, const struct ast_value *at,
                    struct regex_screen *screen)
{
    enum grok_captures which = b->grok->named_captures_only ? GROK_CAPTURE_NAMED : GROK_CAPTURE_ALL;
    struct grok_captures_list list = {0};
    struct grok_error         error;
    struct buf                out = {0};
    bool                      good;

    p->source = ast_to_s(b->cx->arena, at);
    good = grok_expand(&b->patterns, p->source, which, &list, &out, &error);
    if (!good) {
        struct loc loc = ast_loc_at(at, error.offset);
        if (loc.len == 1 && error.len > 0) loc.len = (uint32_t)error.len;
        diag(b->cx->diags, DIAG_ERROR, loc, "%s", error.message);
    }
    if (!good || !compile_expanded(b, p, at, which, buf_view(&out)))
        b->failed = true;
    else if (screen)
        regex_screen_add(screen, buf_view(&out), REGEX_DOTALL);
    buf_release(&out);
}

static void add_rule(struct builder *b, const struct pair *pair)
{
    struct rule            *r = &b->grok->rules[b->grok->rules_len++];
    const struct ast_value *v = pair->value;
    bool                    list = v->kind == AST_LIST;
    const char             *problem;

    r->field = field_parse(b->cx->arena, pair->key, &problem, NULL);
    if (!r->field) {
        diag(b->cx->diags, DIAG_ERROR, pair->key_loc, "\"%.*s\" is not a field reference: %s",
             STR_ARG(pair->key), problem);
        b->failed = true;
        return;
    }
    r->len = list ? v->len : 1;
    r->patterns = arena_zalloc(b->cx->arena, r->len * sizeof(*r->patterns));
    if (r->len >= SCREEN_MIN) r->screen = regex_screen_new();
    for (uint32_t i = 0; i < r->len; i++)
        compile(b, &r->patterns[i], list ? &v->items[i] : v, r->screen);
    if (r->screen) regex_screen_ready(r->screen);
}

bool grok_open(void *self, struct plugin_open *cx)
{
    struct grok   *g = self;
    struct builder b = {.grok = g, .cx = cx};

    if (!define_patterns(&b)) return false;
    g->rules = arena_zalloc(cx->arena, g->match.len * sizeof(*g->rules));
    for (uint32_t i = 0; i < g->match.len; i++)
        add_rule(&b, &g->match.at[i]);
    if (b.failed) grok_close(g);
    return !b.failed;
}

void grok_close(void *self)
{
    struct grok *g = self;

    for (uint32_t i = 0; i < g->rules_len; i++) {
        for (uint32_t j = 0; j < g->rules[i].len; j++)
            regex_free(g->rules[i].patterns[j].regex);
        regex_screen_free(g->rules[i].screen);
    }
    g->rules_len = 0;
}
