#ifndef LSC_TESTS_UNIT_TABLE_H
#define LSC_TESTS_UNIT_TABLE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

/* Calls `row` with each line of tests/unit/expected/NAME, split at tabs; lines with # are comments.
   Returns the number of rows. */
enum { TABLE_COLUMNS = 8 };

static int table_read(const char *name, void (*row)(struct str *columns, int len))
{
    const char *src = getenv("srcdir");
    char        path[4096], *line = NULL;
    size_t      cap = 0;
    ssize_t     n;
    int         rows = 0;

    snprintf(path, sizeof(path), "%s/tests/unit/expected/%s", src ? src : ".", name);
    FILE *f = fopen(path, "r");
    if (!f) {
        perror(path);
        return 0;
    }
    while ((n = getline(&line, &cap, f)) > 0) {
        struct str columns[TABLE_COLUMNS] = {{line, 0}};
        int        len = 1;
        if (line[n - 1] == '\n') n--;
        if (n > 0 && line[0] == '#') continue;
        for (char *p = line; p < line + n; p++) {
            if (*p == '\t' && len < TABLE_COLUMNS)
                columns[len++] = (struct str){p + 1, 0};
            else
                columns[len - 1].len++;
        }
        row(columns, len);
        rows++;
    }
    free(line);
    fclose(f);
    return rows;
}

#endif
