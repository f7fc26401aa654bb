#ifndef LSC_PROGRAM_LOWER_H
#define LSC_PROGRAM_LOWER_H

#include "base/arena.h"
#include "program/program.h"

/* Builds a program step by step; the steps live in the arena once it is done. */
struct lowering {
    struct step *steps;
    uint32_t     len, cap;
};

/* Adds a step and returns its position. */
uint32_t lower_step(struct lowering *l, struct step s);
/* Lets the jump at `at` go to the next step to be added. */
void lower_land(struct lowering *l, uint32_t at);
/* Adds the END and moves the steps to `a`; `l` is empty and ready again. */
struct program lower_finish(struct lowering *l, struct arena *a);

#endif
