#ifndef LSC_ARGS_H
#define LSC_ARGS_H

#include "settings.h"

/*
 * Reads the command line and logstash.yml into `s`; flags win. Everything lives in `a`, as long as
 * `s` is used. False after at least one diag to `d`.
 */
bool args_parse(int argc, char *const argv[], struct arena *a, struct settings *s, struct diags *d);

void args_help(FILE *out);    /* --help */
void args_version(FILE *out); /* --version */

#endif
