#ifndef LSC_GROK_COMMAND_H
#define LSC_GROK_COMMAND_H

#include <stdio.h>

/*
 * lsc grok PATTERN [FLAG …] < lines: which lines match, what is captured, where a match stops, how
 * long each line takes. `argv` begins behind "grok". Returns the exit status: 0 when each line
 * matches, 1 when one does not, 2 when the pattern or a flag is wrong.
 */
int grok_command(int argc, char *const argv[], FILE *in, FILE *out);

void grok_command_help(FILE *out);

#endif
