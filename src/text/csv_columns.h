#ifndef LSC_TEXT_CSV_COLUMNS_H
#define LSC_TEXT_CSV_COLUMNS_H

#include "event/event.h"
#include "text/csv.h"

/* From rows to fields: names, types, what is left out. Shared by filter and codec csv. */

enum csv_type { CSV_TEXT, CSV_INTEGER, CSV_FLOAT, CSV_DATE, CSV_DATE_TIME, CSV_BOOLEAN };

/* The type of that name; CSV_TEXT when there is none. */
enum csv_type csv_type_of(struct str name);

struct csv_dates;

struct csv_column {
    struct str          name;  /* data NULL: none was given */
    const struct field *field; /* below the target; NULL: the name is no reference */
    enum csv_type       type;
};

struct csv_columns {
    uint32_t           len;
    struct csv_column *at;
};

/* What the settings say; constant once csv_schema_open() has run. */
struct csv_schema {
    struct str           target; /* len 0: the top of the event */
    uint32_t             types_len;
    const struct str    *type_names; /* columns that have a type */
    const enum csv_type *types;
    bool                 autogenerate, skip_empty;

    const struct csv_dates *dates;
    struct csv_columns      generated; /* column1 and so on, as far as they are made beforehand */
};

void csv_schema_open(struct csv_schema *s, struct arena *a, struct timestamp now);

/* Columns of these names (null or a string), copied into `a`. */
struct csv_columns csv_columns_make(const struct csv_schema *s, struct arena *a,
                                    const struct value *names_of, uint32_t len);

/* Whether a row repeats the names of the columns. */
bool csv_columns_are(const struct csv_columns *c, const struct csv_row *row);

/* Sets the fields of a row. False at the first that cannot be set. */
bool csv_columns_set(const struct csv_schema *s, const struct csv_columns *c,
                     const struct csv_row *row, struct event *ev, struct buf *buf);

#endif
