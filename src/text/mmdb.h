#ifndef LSC_TEXT_MMDB_H
#define LSC_TEXT_MMDB_H

#include <maxminddb.h>

#include "event/value.h"
#include "text/ip.h"

/*
 * Databases of addresses in MaxMind's format, read by libmaxminddb from a copy in memory: what
 * happens to the file afterwards does no harm. Constant once open; any thread.
 */
struct mmdb;

/* NULL after filling `error`. */
struct mmdb *mmdb_open(const char *path, char *error, size_t error_size);
void         mmdb_close(void *db); /* NULL: nothing */

struct str mmdb_type(const struct mmdb *db); /* "GeoLite2-City" */

/* The record of an address. */
struct mmdb_record {
    MMDB_entry_s entry;
    int          prefix; /* of the network that the record is for, in bits of its family */
};
/* False: the database has none. */
bool mmdb_look(const struct mmdb *db, const struct ip *address, struct mmdb_record *out);

/* The value at `path` (names, and indexes as text; ends with NULL), copied to `a`. Null when there
   is none. Lists and maps are null, too. */
struct value mmdb_get(const struct mmdb_record *r, const char *const *path, struct arena *a);

/* All of the record; null when it cannot be read. Allocates for a moment. */
struct value mmdb_all(const struct mmdb_record *r, struct arena *a);

#endif
