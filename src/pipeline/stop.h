#ifndef LSC_PIPELINE_STOP_H
#define LSC_PIPELINE_STOP_H

#include "plugin/intake.h"

/* One request to end, seen by any number of threads; see stop_requested() and its friends in
   plugin/intake.h. */
struct stop *stop_new(void);
void         stop_free(struct stop *s);
void         stop_request(struct stop *s); /* any thread, any number of times */

#endif
