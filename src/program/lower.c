#include "program/lower.h"

#include <stdlib.h>

#include "base/fatal.h"

uint32_t lower_step(struct lowering *l, struct step s)
{
    if (l->len == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->steps = xrealloc(l->steps, l->cap * sizeof(*l->steps));
    }
    l->steps[l->len] = s;
    return l->len++;
}

void lower_land(struct lowering *l, uint32_t at)
{
    l->steps[at].target = l->len;
}

struct program lower_finish(struct lowering *l, struct arena *a)
{
    lower_step(l, (struct step){.op = OP_END});
    struct program p = {.steps = arena_alloc(a, l->len * sizeof(*p.steps)), .len = l->len};
    memcpy(p.steps, l->steps, l->len * sizeof(*p.steps));
    free(l->steps);
    *l = (struct lowering){0};
    return p;
}

void program_print(const struct program *p, FILE *out)
{
    for (uint32_t i = 0; i < p->len; i++) {
        const struct step *s = &p->steps[i];
        switch (s->op) {
        case OP_FILTER:
        case OP_OUTPUT:
            fprintf(out, "%4u  %-11s %s (%.*s)\n", i, s->op == OP_FILTER ? "filter" : "output",
                    s->node->plugin->name, STR_ARG(s->node->common.id));
            break;
        case OP_JUMP:
            fprintf(out, "%4u  %-11s %u\n", i, "jump", s->target);
            break;
        case OP_JUMP_UNLESS:
            fprintf(out, "%4u  %-11s %-4u if %.*s\n", i, "jump-unless", s->target,
                    STR_ARG(cond_source(s->cond)));
            break;
        case OP_END:
            fprintf(out, "%4u  end\n", i);
            break;
        }
    }
}
