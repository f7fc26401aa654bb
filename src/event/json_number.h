#ifndef LSC_EVENT_JSON_NUMBER_H
#define LSC_EVENT_JSON_NUMBER_H

#include "event/value.h"

/* Reads the JSON number at `p`. Returns what stands behind it; NULL when there is none. A NUMBER
   is a view into the text. Internal to event/json_*.c. */
const char *json_read_number(const char *p, const char *end, struct value *out);

/* Writes `f` as json_encode_float() does; returns what stands behind it. */
char *json_put_float(char *to, double f);
enum { JSON_FLOAT_MAX = 48 }; /* bytes it needs */

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 json_u128;
#endif

/* Powers of ten that a double holds exactly. */
enum { JSON_EXACT_POWER = 22 };
extern const double json_power_of_ten[JSON_EXACT_POWER + 1];

#endif
