/* Any text as CSV in several dialects; a row that is written again reads as the same row. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "text/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct csv_dialect dialects[] = {{{",", 1}, {"\"", 1}},
                                              {{";", 1}, {"'", 1}},
                                              {{"||", 2}, {"\xC2\xAB", 2}},
                                              {{"\t", 1}, {"", 0}}};

/* Of one row; a row of nothing, or of null alone, is no text. */
static void write_and_read(const struct csv_dialect *d, const struct csv_row *row, struct arena *a)
{
    struct buf     out = {0};
    struct csv_row again;
    const char    *problem;
    size_t         at = 0;

    for (uint32_t i = 0; i < row->len; i++) {
        if (i) buf_str(&out, d->separator);
        csv_write(d, row->at[i], &out);
    }
    if (csv_read(d, a, a, buf_view(&out), &at, &again, &problem) != CSV_ROW) abort();
    if (again.len != row->len || at != out.len) abort();
    for (uint32_t i = 0; i < row->len; i++)
        if (!value_eq(row->at[i], again.at[i])) abort();
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str   text = {(const char *)data, size};
    struct arena a = {0};
    const char  *problem = NULL;

    if (!utf8_valid(text)) return 0;
    for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
        struct csv_row  row;
        enum csv_result r;
        for (size_t at = 0;
             (r = csv_read(&dialects[i], &a, &a, text, &at, &row, &problem)) == CSV_ROW;)
            if (row.len > 1 || (row.len == 1 && row.at[0].kind != VALUE_NULL))
                write_and_read(&dialects[i], &row, &a);
        if (r == CSV_MALFORMED && !problem) abort();
    }
    arena_release(&a);
    return 0;
}
