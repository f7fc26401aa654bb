#ifndef LSC_API_LOGGING_H
#define LSC_API_LOGGING_H

#include <jansson.h>

#include "base/str.h"

/* Levels of the log, as /_node/logging shows and sets them. */

/* {"agent": "INFO", …}; "" is the level of all others. A new reference. */
json_t *logging_report(void);
/* {"logger.output.file": "DEBUG"}: all of it or nothing. False with a message in `problem`. */
bool logging_set(struct str body, char *problem, size_t size);

#endif
