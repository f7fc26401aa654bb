#include <stdlib.h>

#include "base/fatal.h"
#include "program/lower.h"
#include "program/program.h"

/* Nodes and conditions opened so far; lists grow while the tree is walked. */
struct node_list {
    struct node **at;
    uint32_t      len, cap;
};

struct checking {
    struct plugin_open *cx;
    struct node_list    nodes[AST_OUTPUT + 1];
    struct lowering     filter, output;
    const struct cond **conds;
    uint32_t            conds_len, conds_cap;
    bool                failed;
};

static const enum plugin_kind kind_of[] = {
    [AST_INPUT] = PLUGIN_INPUT, [AST_FILTER] = PLUGIN_FILTER, [AST_OUTPUT] = PLUGIN_OUTPUT};

static void add_node(struct node_list *l, struct node *n)
{
    if (l->len == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->at = xrealloc(l->at, l->cap * sizeof(struct node *));
    }
    n->index = l->len;
    l->at[l->len++] = n;
}

static const struct cond *add_cond(struct checking *k, const struct ast_condition *ast)
{
    const struct cond *c = cond_compile(ast, k->cx);

    if (!c) {
        k->failed = true;
        return NULL;
    }
    if (k->conds_len == k->conds_cap) {
        k->conds_cap = k->conds_cap ? 2 * k->conds_cap : 16;
        k->conds = xrealloc(k->conds, k->conds_cap * sizeof(*k->conds));
    }
    k->conds[k->conds_len++] = c;
    return c;
}

static bool same_id(const struct checking *k, const struct node *n)
{
    for (int kind = AST_INPUT; kind <= AST_OUTPUT; kind++)
        for (uint32_t i = 0; i < k->nodes[kind].len; i++)
            if (str_eq(k->nodes[kind].at[i]->common.id, n->common.id)) return true;
    return false;
}

static void check_plugin(struct checking *k, enum ast_section_kind kind,
                         const struct ast_plugin *ast)
{
    k->cx->id = arena_printf(k->cx->arena, "%s_%.*s_%u", plugin_kind_name(kind_of[kind]),
                             STR_ARG(ast->name), k->nodes[kind].len + 1);
    struct node *n = node_open(kind_of[kind], ast, k->cx);
    if (!n) {
        k->failed = true;
        return;
    }
    if (same_id(k, n)) {
        diag(k->cx->diags, DIAG_ERROR, ast->loc, "two plugins have the id \"%.*s\"",
             STR_ARG(n->common.id));
        k->failed = true;
    }
    add_node(&k->nodes[kind], n);
    if (kind == AST_FILTER) lower_step(&k->filter, (struct step){.op = OP_FILTER, .node = n});
    if (kind == AST_OUTPUT) lower_step(&k->output, (struct step){.op = OP_OUTPUT, .node = n});
}

static void check_block(struct checking *k, enum ast_section_kind kind, const struct ast_block *b);

/* Each arm: jump behind it unless its condition holds, its block, jump to the end of all. */
static void check_branch(struct checking *k, enum ast_section_kind kind,
                         const struct ast_statement *s)
{
    struct lowering *l = kind == AST_FILTER ? &k->filter : &k->output;
    uint32_t        *ends = xcalloc(s->len, sizeof(*ends)), ends_len = 0;

    if (kind == AST_INPUT) {
        diag(k->cx->diags, DIAG_ERROR, s->loc, "an input section cannot have an if");
        k->failed = true;
    }
    for (uint32_t i = 0; i < s->len; i++) {
        const struct ast_arm *arm = &s->arms[i];
        uint32_t              skip = UINT32_MAX;
        if (arm->condition) {
            const struct cond *c = add_cond(k, arm->condition);
            skip = lower_step(l, (struct step){.op = OP_JUMP_UNLESS, .cond = c});
        }
        check_block(k, kind, arm->block);
        if (i + 1 < s->len) ends[ends_len++] = lower_step(l, (struct step){.op = OP_JUMP});
        if (skip != UINT32_MAX) lower_land(l, skip);
    }
    while (ends_len > 0)
        lower_land(l, ends[--ends_len]);
    free(ends);
}

static void check_block(struct checking *k, enum ast_section_kind kind, const struct ast_block *b)
{
    for (uint32_t i = 0; i < b->len; i++) {
        if (b->statements[i].plugin)
            check_plugin(k, kind, b->statements[i].plugin);
        else
            check_branch(k, kind, &b->statements[i]);
    }
}

/* Moves what was found to the plan, in arena memory. */
static void move_nodes(struct checking *k, enum ast_section_kind kind, struct node ***at,
                       uint32_t *len)
{
    struct node_list *l = &k->nodes[kind];

    *len = l->len;
    *at = arena_alloc(k->cx->arena, l->len * sizeof(struct node *));
    if (l->len) memcpy(*at, l->at, l->len * sizeof(struct node *));
    free(l->at);
}

bool program_check(const struct ast_config *config, struct plugin_open *cx,
                   struct pipeline_plan *out)
{
    struct checking k = {.cx = cx};
    int             before = cx->diags->errors;

    for (uint32_t i = 0; i < config->len; i++)
        check_block(&k, config->sections[i].kind, &config->sections[i].block);

    *out = (struct pipeline_plan){.filter = lower_finish(&k.filter, cx->arena),
                                  .output = lower_finish(&k.output, cx->arena),
                                  .conds_len = k.conds_len};
    move_nodes(&k, AST_INPUT, &out->inputs, &out->inputs_len);
    move_nodes(&k, AST_FILTER, &out->filters, &out->filters_len);
    move_nodes(&k, AST_OUTPUT, &out->outputs, &out->outputs_len);
    out->conds = arena_alloc(cx->arena, k.conds_len * sizeof(*out->conds));
    if (k.conds_len) memcpy(out->conds, k.conds, k.conds_len * sizeof(*out->conds));
    free(k.conds);

    if (!k.failed && cx->diags->errors == before) return true;
    plan_close(out);
    return false;
}

void plan_close(struct pipeline_plan *plan)
{
    for (uint32_t i = 0; i < plan->inputs_len; i++)
        node_close(plan->inputs[i]);
    for (uint32_t i = 0; i < plan->filters_len; i++)
        node_close(plan->filters[i]);
    for (uint32_t i = 0; i < plan->outputs_len; i++)
        node_close(plan->outputs[i]);
    for (uint32_t i = 0; i < plan->conds_len; i++)
        cond_free(plan->conds[i]);
    *plan = (struct pipeline_plan){0};
}

static void print_nodes(const char *title, struct node *const *at, uint32_t len, FILE *out)
{
    fprintf(out, "%s\n", title);
    for (uint32_t i = 0; i < len; i++) {
        const struct node *n = at[i];
        fprintf(out, "  %-16s id %.*s", n->plugin->name, STR_ARG(n->common.id));
        if (n->common.codec) fprintf(out, ", codec %s", n->common.codec->plugin->name);
        if (n->loc.source) {
            int line, column;
            loc_position(n->loc, &line, &column);
            fprintf(out, " (%s:%d)", n->loc.source->name, line);
        }
        fputc('\n', out);
    }
}

void plan_print(const struct pipeline_plan *plan, FILE *out)
{
    print_nodes("inputs", plan->inputs, plan->inputs_len, out);
    print_nodes("filters", plan->filters, plan->filters_len, out);
    print_nodes("outputs", plan->outputs, plan->outputs_len, out);
}
