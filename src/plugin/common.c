#include "plugin/common.h"

const struct ast_setting *plugin_setting(const struct plugin_open *cx, const char *name)
{
    const struct ast_setting *last = NULL;

    for (uint32_t i = 0; cx->ast && i < cx->ast->len; i++)
        if (str_is(cx->ast->settings[i].name, name)) last = &cx->ast->settings[i];
    return last;
}

static struct loc setting_loc(const struct plugin_open *cx, const char *name)
{
    const struct ast_setting *s = name ? plugin_setting(cx, name) : NULL;

    if (s) return s->value.loc;
    return cx->ast ? cx->ast->loc : (struct loc){0};
}

bool plugin_error(const struct plugin_open *cx, const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diag_v(cx->diags, DIAG_ERROR, setting_loc(cx, name), format, args);
    va_end(args);
    return false;
}

void plugin_warning(const struct plugin_open *cx, const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diag_v(cx->diags, DIAG_WARNING, setting_loc(cx, name), format, args);
    va_end(args);
}

/* The plugin of that name, or NULL after saying which name was meant perhaps. */
static const struct plugin *find_plugin(enum plugin_kind kind, struct str name, struct loc loc,
                                        struct plugin_open *cx)
{
    const struct plugin *p = plugin_find(kind, name);
    const char          *word = plugin_kind_name(kind);

    if (p) return p;
    if (plugin_problem(kind, name)) {
        diag(cx->diags, DIAG_ERROR, loc, "cannot use the %s \"%.*s\": %s", word, STR_ARG(name),
             plugin_problem(kind, name));
        return NULL;
    }
    if (plugin_later(kind, name)) {
        diag(cx->diags, DIAG_ERROR, loc, "lsc does not have the %s \"%.*s\" yet", word,
             STR_ARG(name));
        return NULL;
    }
    const char *near = plugin_nearest(kind, name);
    for (int other = PLUGIN_INPUT; !near && other <= PLUGIN_OUTPUT; other++)
        if (plugin_find((enum plugin_kind)other, name)) {
            diag(cx->diags, DIAG_ERROR, loc, "no %s is called \"%.*s\", but there is the %s %.*s",
                 word, STR_ARG(name), plugin_kind_name((enum plugin_kind)other), STR_ARG(name));
            return NULL;
        }
    diag(cx->diags, DIAG_ERROR, loc, "no %s is called \"%.*s\"%s%s%s", word, STR_ARG(name),
         near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return NULL;
}

/* The id in force: as given, or the one that was made up for it. */
static void choose_id(struct plugin_open *cx)
{
    const struct ast_setting *given = plugin_setting(cx, "id");

    if (given && ast_text(&given->value).len) cx->id = ast_to_s(cx->arena, &given->value);
}

/* What is bound and opened alike for all kinds. */
struct opening {
    const struct plugin *plugin;
    void                *self;
    struct common       *common;
};

static bool open_plugin(struct opening *o, const struct ast_plugin *ast, struct plugin_open *cx)
{
    cx->ast = ast;
    choose_id(cx);
    o->self = arena_zalloc(cx->arena, o->plugin->size ? o->plugin->size : 1);
    return options_bind(o->plugin->options, o->self, plugin_common_options(o->plugin->kind),
                        o->common, ast, cx);
}

static void close_plugin(const struct plugin *p, void *self)
{
    if (p->close) p->close(self);
    options_release(p->options, self);
}

struct codec *codec_open(const struct ast_value *value, const char *preset, struct plugin_open *cx)
{
    struct plugin_open inner = *cx;
    struct codec      *codec = arena_zalloc(cx->arena, sizeof(*codec));
    struct common     *common = arena_zalloc(cx->arena, sizeof(*common));
    struct ast_plugin  bare = {.loc = cx->ast ? cx->ast->loc : (struct loc){0}};

    if (value && value->kind != AST_PLUGIN) {
        bare.loc = value->loc;
        if (value->kind != AST_STRING && value->kind != AST_BAREWORD) {
            diag(cx->diags, DIAG_ERROR, value->loc, "a codec is a name, or a name and { … }");
            return NULL;
        }
    }
    bare.name = value && value->kind != AST_PLUGIN ? value->text : str_of(preset ? preset : "");
    struct ast_plugin *ast = arena_alloc(cx->arena, sizeof(*ast));
    *ast = value && value->kind == AST_PLUGIN ? *value->plugin : bare;
    codec->plugin = find_plugin(PLUGIN_CODEC, ast->name, ast->loc, cx);
    if (!codec->plugin) return NULL;

    struct opening o = {codec->plugin, NULL, common};
    inner.id = arena_printf(cx->arena, "%.*s_%s", STR_ARG(cx->id), codec->plugin->name);
    bool good = open_plugin(&o, ast, &inner);
    codec->self = o.self;
    codec->id = inner.id;
    codec->metrics = arena_zalloc(cx->arena, sizeof(*codec->metrics));
    codec->metrics->enabled = common->enable_metric;
    if (good && (!o.plugin->open || o.plugin->open(o.self, &inner))) return codec;
    options_release(o.plugin->options, o.self);
    return NULL;
}

void codec_close(struct codec *c)
{
    if (c) close_plugin(c->plugin, c->self);
}

/* Inputs and outputs have a codec even when none was named. */
static bool default_codec(struct node *n, struct plugin_open *cx)
{
    if (n->plugin->kind != PLUGIN_INPUT && n->plugin->kind != PLUGIN_OUTPUT) return true;
    if (n->common.codec) return true;
    n->common.codec = codec_open(NULL, n->plugin->codec ? n->plugin->codec : "plain", cx);
    return n->common.codec != NULL;
}

/* Whether the codec can do what its input or output needs; then it is told what that is. */
static bool codec_serves(struct node *n, struct plugin_open *cx)
{
    const struct codec     *c = n->common.codec;
    const struct codec_ops *ops;

    if (!c) return true;
    ops = &c->plugin->codec_ops;
    if (n->plugin->kind == PLUGIN_OUTPUT) {
        if (ops->encode) return true;
        return plugin_error(cx, "codec", "the codec %s only reads", c->plugin->name);
    }
    if (!ops->decode && !ops->feed)
        return plugin_error(cx, "codec", "the codec %s only writes", c->plugin->name);
    if (ops->read_streams && !n->plugin->input.whole_messages) ops->read_streams(c->self);
    return true;
}

struct node *node_open(enum plugin_kind kind, const struct ast_plugin *ast, struct plugin_open *cx)
{
    const struct plugin *p = find_plugin(kind, ast->name, ast->loc, cx);
    struct plugin_open   inner = *cx;

    if (!p) return NULL;
    struct node   *n = arena_zalloc(cx->arena, sizeof(*n));
    struct opening o = {p, NULL, &n->common};
    bool           good = open_plugin(&o, ast, &inner);
    n->plugin = p;
    n->self = o.self;
    n->loc = ast->loc;
    n->common.id = inner.id;
    n->metrics.enabled = n->common.enable_metric;
    good = good && default_codec(n, &inner) && codec_serves(n, &inner);
    decoration_open(n, &inner);
    good = good && (!p->open || p->open(n->self, &inner));
    if (good) return n;
    options_release(p->options, n->self);
    codec_close(n->common.codec);
    return NULL;
}

void node_close(struct node *n)
{
    if (!n) return;
    close_plugin(n->plugin, n->self);
    codec_close(n->common.codec);
    n->common.codec = NULL;
}
