#ifndef LSC_AGENT_H
#define LSC_AGENT_H

#include "settings.h"

/*
 * Runs the process: loads the config, runs its pipeline, answers signals (SIGTERM and SIGINT stop,
 * a second SIGINT quits at once, SIGHUP reloads), reloads changed configs when asked to. Returns
 * the exit status: 0 done, 1 configuration or start failed, 255 forced. Call it on the main thread,
 * before any other thread runs.
 */
int agent_run(const struct settings *s);

/* Checks the config as -t does and says so on stdout; with `dump` also prints what was asked for.
   Returns the exit status. */
int agent_check(const struct settings *s);

#endif
