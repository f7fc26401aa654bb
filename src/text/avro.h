#ifndef LSC_TEXT_AVRO_H
#define LSC_TEXT_AVRO_H

#include "event/value.h"

/* Avro's binary encoding of single values under a schema. Source: Avro specification 1.11. */

struct avro_schema;

/*
 * Reads a schema, JSON text that lives as long as `a`, into `a`; constant then, any thread. NULL
 * with `*why` (in `a`) set when it is not valid.
 */
const struct avro_schema *avro_schema_read(struct arena *a, struct str json, const char **why);

/*
 * Reads the value at the start of `bytes`, which live as long as `a`; what is behind it is not
 * looked at. Bytes and fixed become strings; timestamp-millis and timestamp-micros times, date a
 * string. False with `*why` set when the bytes do not fit the schema.
 */
bool avro_read(const struct avro_schema *s, struct arena *a, struct str bytes, struct value *out,
               const char **why);

/* Appends `v`. False, and nothing appended, when it does not fit the schema. Members that a record
   lacks get their default, else null; those it does not have are left out. */
bool avro_write(const struct avro_schema *s, struct value v, struct buf *out);

#endif
