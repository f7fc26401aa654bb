#ifndef LSC_TEXT_CSV_H
#define LSC_TEXT_CSV_H

#include "event/value.h"

/* Rows of CSV, read and written as Ruby's CSV library does it. */
struct csv_dialect {
    struct str separator; /* at least one byte */
    struct str quote;     /* one character; empty: none */
};

struct csv_row {
    uint32_t      len;
    struct value *at; /* strings, or null where nothing stands between two separators */
};

enum csv_result {
    CSV_ROW,
    CSV_END,       /* the text is empty */
    CSV_MALFORMED, /* `*problem` says why */
};

/*
 * Reads the row at `*at` of `text`, and moves `*at` behind it. What first ends a line in the text
 * (\n, \r\n or \r) ends rows; an empty line is a row of nothing. Strings are views into the text,
 * or, where a quote was doubled, new ones in `a`; the row's array lies in `scratch`.
 */
enum csv_result csv_read(const struct csv_dialect *d, struct arena *a, struct arena *scratch,
                         struct str text, size_t *at, struct csv_row *row, const char **problem);

/* Appends one value with quotes where it needs them. Null is nothing, an empty text "". */
void csv_write(const struct csv_dialect *d, struct value v, struct buf *out);

#endif
