#ifndef LSC_TEXT_DATE_EPOCH_H
#define LSC_TEXT_DATE_EPOCH_H

#include "base/str.h"

/* Moments as numbers, in milliseconds since 1970 UTC. Shared by the date files only. False when the
   text or number is not one. */

/* Digits, with a sign perhaps, in 64 bits. */
bool date_integer(struct str text, int64_t *out);

/* Seconds, up to 2038. A fraction counts to the millisecond. */
bool date_epoch_seconds(int64_t seconds, int64_t *ms);
bool date_epoch_text(struct str text, int64_t *ms);
bool date_epoch_float(double seconds, int64_t *ms);

/* "@4000000050d506482dbdf024": D. J. Bernstein's TAI64N. */
bool date_tai64n(struct str text, int64_t *ms);

#endif
