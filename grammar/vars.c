#include <stdlib.h>

#include "base/buf.h"
#include "grammar/parse.h"

/*
 * ${NAME} and ${NAME:default} in settings and conditions.
 *
 * Source: logstash-core/lib/logstash/util/substitution_variables.rb, ConfigVariableExpander.java.
 */
struct variable {
    size_t     len; /* of the whole reference */
    struct str name, preset;
    bool       has_preset;
};

static bool is_name(char c, bool first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '.' ||
           (!first && c >= '0' && c <= '9');
}

/* Reads the reference that `s` begins with. */
static bool read_variable(struct str s, struct variable *v)
{
    size_t      i = 2;
    const char *end;

    if (!str_starts(s, STR("${"))) return false;
    while (i < s.len && is_name(s.data[i], i == 2))
        i++;
    if (i == 2 || i == s.len || (s.data[i] != ':' && s.data[i] != '}')) return false;
    end = memchr(s.data + i, '}', s.len - i);
    if (!end) return false;

    v->name = (struct str){s.data + 2, i - 2};
    v->has_preset = s.data[i] == ':';
    v->preset = (struct str){s.data + i + 1, v->has_preset ? (size_t)(end - s.data) - i - 1 : 0};
    v->len = (size_t)(end - s.data) + 1;
    return true;
}

static bool look_up(const struct parse_options *options, const struct variable *v, struct str *out)
{
    if (options->variable && options->variable(options->variable_ctx, v->name, out)) return true;
    if (v->has_preset) *out = v->preset;
    return v->has_preset;
}

bool expand_text(struct arena *a, struct str text, const struct parse_options *options,
                 struct str *out, struct str *missing)
{
    struct buf      result = {0};
    struct variable v;
    bool            ok = true;

    *out = text;
    if (text.len == 0 || str_find(text, STR("${")) < 0) return true;
    for (struct str rest = text; ok && rest.len > 0;) {
        ptrdiff_t at = str_find(rest, STR("${"));
        size_t    plain = at < 0 ? rest.len : (size_t)at;
        buf_put(&result, rest.data, plain);
        rest = str_from(rest, plain);
        if (read_variable(rest, &v)) {
            struct str value;
            ok = look_up(options, &v, &value);
            if (ok)
                buf_str(&result, value);
            else
                *missing = v.name;
            rest = str_from(rest, v.len);
        } else if (rest.len > 0) {
            buf_char(&result, rest.data[0]);
            rest = str_from(rest, 1);
        }
    }
    if (ok) *out = arena_copy(a, buf_view(&result));
    buf_release(&result);
    return ok;
}

bool parse_environment(void *ctx, struct str name, struct str *out)
{
    struct buf  z = {0};
    const char *value;

    (void)ctx;
    buf_str(&z, name);
    value = getenv(buf_cstr(&z));
    buf_release(&z);
    if (value) *out = str_of(value);
    return value != NULL;
}

/* ---- the tree ---- */

struct expansion {
    struct arena               *arena;
    const struct parse_options *options;
    struct diags               *diags;
};

static void expand_string(struct expansion *x, struct str *text, struct loc at)
{
    struct str missing;

    if (expand_text(x->arena, *text, x->options, text, &missing)) return;
    diag(x->diags, DIAG_ERROR, at,
         "the variable \"%.*s\" is not set, and there is no default (${%.*s:default})",
         STR_ARG(missing), STR_ARG(missing));
}

static void expand_plugin(struct expansion *x, struct ast_plugin *plugin);

static void expand_value(struct expansion *x, struct ast_value *v)
{
    if (v->kind == AST_STRING || v->kind == AST_BAREWORD) expand_string(x, &v->text, v->loc);
    if (v->kind == AST_PLUGIN) expand_plugin(x, v->plugin);
    if (v->kind == AST_LIST)
        for (uint32_t i = 0; i < v->len; i++)
            expand_value(x, &v->items[i]);
    if (v->kind == AST_HASH)
        for (uint32_t i = 0; i < v->len; i++) /* keys stay as they are, in Logstash too */
            expand_value(x, &v->entries[i].value);
}

static void expand_plugin(struct expansion *x, struct ast_plugin *plugin)
{
    for (uint32_t i = 0; i < plugin->len; i++)
        expand_value(x, &plugin->settings[i].value);
}

/* In conditions only a string that is nothing but one reference is replaced. */
static void expand_operand(struct expansion *x, struct ast_value *v)
{
    struct variable whole;

    if (v->kind == AST_STRING && read_variable(v->text, &whole) && whole.len == v->text.len)
        expand_string(x, &v->text, v->loc);
    if (v->kind == AST_LIST)
        for (uint32_t i = 0; i < v->len; i++)
            expand_operand(x, &v->items[i]);
}

static void expand_condition(struct expansion *x, struct ast_condition *c)
{
    if (!c) return;
    expand_condition(x, c->left);
    expand_condition(x, c->right);
    if (c->a.kind == AST_OPERAND_VALUE) expand_operand(x, &c->a.value);
    if (c->b.kind == AST_OPERAND_VALUE) expand_operand(x, &c->b.value);
}

static void expand_block(struct expansion *x, struct ast_block *block)
{
    for (uint32_t i = 0; i < block->len; i++) {
        struct ast_statement *s = &block->statements[i];
        if (s->plugin) expand_plugin(x, s->plugin);
        for (uint32_t j = 0; j < s->len; j++) {
            expand_condition(x, s->arms[j].condition);
            expand_block(x, s->arms[j].block);
        }
    }
}

bool ast_expand(struct arena *a, struct ast_config *c, const struct parse_options *options,
                struct diags *d)
{
    struct expansion x = {a, options, d};
    int              errors = d->errors;

    for (uint32_t i = 0; i < c->len; i++)
        expand_block(&x, &c->sections[i].block);
    return d->errors == errors;
}
