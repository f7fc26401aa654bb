#include "plugin/option.h"

#include "plugin/common.h"
#include "plugin/option_parts.h"

/* Both tables of one plugin: its own rows hide common ones of the same name. */
struct tables {
    const struct option *own, *common;
    void                *self, *common_self;
};

static const struct option *row_of(const struct option *o, struct str name)
{
    for (; o && o->name; o++)
        if (str_is(name, o->name)) return o;
    return NULL;
}

static void *member_of(const struct option *o, void *self)
{
    return o->offset == SIZE_MAX ? NULL : (char *)self + o->offset;
}

/* Names worth proposing: those that are not refused. */
static const char *row_name(const void *ctx, int i)
{
    const struct tables *t = ctx;
    const struct option *tables[] = {t->own, t->common};

    for (int k = 0; k < 2; k++)
        for (const struct option *o = tables[k]; o && o->name; o++)
            if (!o->obsolete && !o->not_built && i-- == 0) return o->name;
    return NULL;
}

static void unknown_setting(const struct ast_setting *s, const struct tables *t,
                            struct plugin_open *cx)
{
    const char *near = nearest(s->name, row_name, t);

    diag(cx->diags, DIAG_ERROR, s->loc, "unknown setting \"%.*s\"%s%s%s", STR_ARG(s->name),
         near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* Says what there is to say about using the row at all. False: the setting is refused. */
static bool accept_setting(const struct option *o, const struct ast_setting *s,
                           struct plugin_open *cx)
{
    if (o->obsolete) {
        diag(cx->diags, DIAG_ERROR, s->loc, "the setting \"%s\" is gone: %s", o->name, o->obsolete);
        return false;
    }
    if (o->not_built) {
        diag(cx->diags, DIAG_ERROR, s->loc, "lsc does not have the setting \"%s\" yet: %s", o->name,
             o->not_built);
        return false;
    }
    if (o->deprecated)
        diag(cx->diags, DIAG_WARNING, s->loc, "the setting \"%s\" is deprecated: %s", o->name,
             o->deprecated);
    if (o->no_effect)
        diag(cx->diags, DIAG_WARNING, s->loc, "the setting \"%s\" has no effect in lsc: %s",
             o->name, o->no_effect);
    return true;
}

static bool given_before(const struct ast_plugin *ast, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (str_eq(ast->settings[k].name, ast->settings[i].name)) return true;
    return false;
}

/* The value of setting `i` with all its later repeats merged in. NULL after a diag. */
static const struct ast_value *whole_value(const struct option *o, uint32_t i,
                                           struct plugin_open *cx)
{
    const struct ast_plugin *ast = cx->ast;
    const struct ast_value  *v = &ast->settings[i].value;

    for (uint32_t k = i + 1; k < ast->len; k++) {
        const struct ast_setting *s = &ast->settings[k];
        if (!str_eq(s->name, ast->settings[i].name)) continue;
        if (o->type == OPT_CODEC) {
            diag(cx->diags, DIAG_ERROR, s->loc, "a second \"%s\": a plugin has one", o->name);
            return NULL;
        }
        v = ast_merge(cx->arena, v, &s->value);
    }
    return v;
}

static void bind_setting(uint32_t i, const struct tables *t, struct plugin_open *cx)
{
    const struct ast_setting *s = &cx->ast->settings[i];
    const struct option      *o = row_of(t->own, s->name);
    void                     *self = t->self;

    if (!o) {
        o = row_of(t->common, s->name);
        self = t->common_self;
    }
    if (!o) {
        unknown_setting(s, t, cx);
    } else if (accept_setting(o, s, cx) && member_of(o, self)) {
        const struct ast_value *v = whole_value(o, i, cx);
        if (v) option_convert(o, ast_in_order(cx->arena, v), member_of(o, self), cx);
    }
}

static void bind_presets(const struct option *rows, void *self, const struct option *hidden_by,
                         struct plugin_open *cx)
{
    for (const struct option *o = rows; o && o->name; o++) {
        bool given = plugin_setting(cx, o->name) != NULL;

        if (o->offset == SIZE_MAX || row_of(hidden_by, str_of(o->name))) continue;
        if (o->type == OPT_ECS) *(int *)member_of(o, self) = cx->ecs;
        if (given) continue;
        const struct ast_value *preset = option_preset(o, cx);
        if (preset) option_convert(o, preset, member_of(o, self), cx);
        if (o->required)
            diag(cx->diags, DIAG_ERROR, cx->ast->loc, "\"%.*s\" needs the setting \"%s\"",
                 STR_ARG(cx->ast->name), o->name);
    }
}

bool options_bind(const struct option *options, void *self, const struct option *common,
                  void *common_self, const struct ast_plugin *ast, struct plugin_open *cx)
{
    struct tables            t = {options, common, self, common_self};
    const struct ast_plugin *outer = cx->ast;
    int                      before = cx->diags->errors;

    cx->ast = ast;
    bind_presets(options, self, NULL, cx);
    bind_presets(common, common_self, options, cx);
    for (uint32_t i = 0; i < ast->len; i++)
        if (!given_before(ast, i)) bind_setting(i, &t, cx);
    cx->ast = outer;
    return cx->diags->errors == before;
}

void options_release(const struct option *options, void *self)
{
    for (const struct option *o = options; o && o->name; o++) {
        if (o->offset == SIZE_MAX) continue;
        if (o->type == OPT_REGEX) {
            struct regex **r = member_of(o, self);
            if (*r) regex_free(*r);
            *r = NULL;
        } else if (o->type == OPT_CODEC) {
            struct codec **c = member_of(o, self);
            codec_close(*c);
            *c = NULL;
        }
    }
}
