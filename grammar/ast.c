#include "grammar/ast.h"

#include "base/secret.h"

/* Prints with the depth of the tree as indentation. */
struct printer {
    FILE *out;
    int   depth;
};

static void print_line(struct printer *p, const char *what, struct str text)
{
    fprintf(p->out, "%*s%s%.*s\n", 2 * p->depth, "", what, STR_ARG(text));
}

static void print_quoted(struct printer *p, struct str s)
{
    fputc('"', p->out);
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\n')
            fputs("\\n", p->out);
        else if (s.data[i] == '"' || s.data[i] == '\\')
            fprintf(p->out, "\\%c", s.data[i]);
        else
            fputc(s.data[i], p->out);
    }
    fputc('"', p->out);
}

/* A text without the passwords of the URLs in it. */
static void print_shown(struct printer *p, struct str s)
{
    struct buf shown = {0};

    secret_mask_urls(s, &shown);
    print_quoted(p, buf_view(&shown));
    buf_release(&shown);
}

static void print_settings(struct printer *p, const struct ast_plugin *plugin);

static void print_value(struct printer *p, const struct ast_value *v, bool secret)
{
    switch (v->kind) {
    case AST_STRING:
    case AST_BAREWORD:
    case AST_NUMBER:
        if (secret)
            fputs("<password>", p->out);
        else if (v->kind == AST_STRING)
            print_shown(p, v->text);
        else
            fprintf(p->out, "%.*s", STR_ARG(v->text));
        return;
    case AST_LIST:
        fputc('[', p->out);
        for (uint32_t i = 0; i < v->len; i++) {
            if (i > 0) fputs(", ", p->out);
            print_value(p, &v->items[i], secret);
        }
        fputc(']', p->out);
        return;
    case AST_HASH:
        fputc('{', p->out);
        for (uint32_t i = 0; i < v->len; i++) {
            fputc(' ', p->out);
            print_value(p, &v->entries[i].key, false);
            fputs(" => ", p->out);
            print_value(p, &v->entries[i].value, secret || secret_name(v->entries[i].key.text));
        }
        fputs(" }", p->out);
        return;
    case AST_PLUGIN:
        fprintf(p->out, "%.*s", STR_ARG(v->plugin->name));
        print_settings(p, v->plugin);
        return;
    }
}

static void print_settings(struct printer *p, const struct ast_plugin *plugin)
{
    fputs(" {", p->out);
    p->depth++;
    for (uint32_t i = 0; i < plugin->len; i++) {
        const struct ast_setting *s = &plugin->settings[i];
        fprintf(p->out, "\n%*s%.*s => ", 2 * p->depth, "", STR_ARG(s->name));
        print_value(p, &s->value, secret_name(s->name));
    }
    p->depth--;
    if (plugin->len > 0)
        fprintf(p->out, "\n%*s}", 2 * p->depth, "");
    else
        fputs(" }", p->out);
}

static const char *operator_text(enum ast_operator op)
{
    static const char *const texts[] = {"or", "and", "xor", "nand", "!",  "==", "!=",     "<",
                                        "<=", ">",   ">=",  "=~",   "!~", "in", "not in", ""};
    return texts[op];
}

static void print_operand(struct printer *p, const struct ast_operand *o)
{
    if (o->kind == AST_OPERAND_VALUE)
        print_value(p, &o->value, false);
    else if (o->kind == AST_OPERAND_REGEX)
        fprintf(p->out, "/%.*s/", STR_ARG(o->text));
    else
        fprintf(p->out, "%.*s", STR_ARG(o->text));
}

/* With every parenthesis, so that the precedence is seen. */
static void print_condition(struct printer *p, const struct ast_condition *c)
{
    if (c->op == AST_TRUTH) {
        print_operand(p, &c->a);
    } else if (c->op == AST_NOT) {
        fputs("!(", p->out);
        print_condition(p, c->left);
        fputc(')', p->out);
    } else if (c->left) {
        fputc('(', p->out);
        print_condition(p, c->left);
        fprintf(p->out, " %s ", operator_text(c->op));
        print_condition(p, c->right);
        fputc(')', p->out);
    } else {
        print_operand(p, &c->a);
        fprintf(p->out, " %s ", operator_text(c->op));
        print_operand(p, &c->b);
    }
}

static void print_block(struct printer *p, const struct ast_block *block);

static void print_arm(struct printer *p, const struct ast_arm *arm, bool first)
{
    fprintf(p->out, "%*s%s", 2 * p->depth, "",
            first            ? "if "
            : arm->condition ? "else if "
                             : "else");
    if (arm->condition) print_condition(p, arm->condition);
    fputs(" {\n", p->out);
    print_block(p, arm->block);
    print_line(p, "}", STR(""));
}

static void print_block(struct printer *p, const struct ast_block *block)
{
    p->depth++;
    for (uint32_t i = 0; i < block->len; i++) {
        const struct ast_statement *s = &block->statements[i];
        if (s->plugin) {
            fprintf(p->out, "%*s%.*s", 2 * p->depth, "", STR_ARG(s->plugin->name));
            print_settings(p, s->plugin);
            fputc('\n', p->out);
        }
        for (uint32_t j = 0; j < s->len; j++)
            print_arm(p, &s->arms[j], j == 0);
    }
    p->depth--;
}

void ast_print(const struct ast_config *c, FILE *out)
{
    static const char *const kinds[] = {"input {", "filter {", "output {"};
    struct printer           p = {out, 0};

    for (uint32_t i = 0; i < c->len; i++) {
        print_line(&p, kinds[c->sections[i].kind], STR(""));
        print_block(&p, &c->sections[i].block);
        print_line(&p, "}", STR(""));
    }
}
