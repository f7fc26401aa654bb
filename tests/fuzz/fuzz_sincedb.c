/* Any line: either it makes no sense, or printing it and reading it again gives the same. */
#include <stdlib.h>

#include "base/fatal.h"
#include "inputs/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str            line = {(const char *)data, size}, path, again_path;
    struct sincedb_record r, again;
    struct buf            out = {0};

    if (memchr(data, '\n', size) || memchr(data, '\0', size)) return 0;
    if (!sincedb_parse(line, &r, &path)) return 0;
    r.path = path.len ? xstrndup(path.data, path.len) : NULL;
    sincedb_print(&r, &out);
    check(sincedb_parse((struct str){out.data, out.len - 1}, &again, &again_path));
    check(file_id_eq(r.id, again.id) && r.position == again.position);
    check(path.len == 0 || str_starts(path, again_path)); /* a \r at the end goes */
    free(r.path);
    buf_release(&out);
    return 0;
}
