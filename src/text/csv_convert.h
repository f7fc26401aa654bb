#ifndef LSC_TEXT_CSV_CONVERT_H
#define LSC_TEXT_CSV_CONVERT_H

#include "text/csv_columns.h"

/* The formats that dates in CSV may have. */
const struct csv_dates *csv_dates_open(struct arena *a, struct timestamp now);

/* A value as its type; what is not of that type stays, but for the case of booleans. */
struct value csv_convert(enum csv_type type, const struct csv_dates *dates, struct value v,
                         struct arena *a, struct buf *buf);

#endif
