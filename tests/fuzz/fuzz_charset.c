/* Any bytes in any charset come out as valid UTF-8, twice the same. The first byte chooses. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "text/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena          keep, a;
    static struct buf            scratch;
    static const struct charset *open[256];
    static int                   names;
    const char                  *problem;

    while (charset_names[names])
        names++;
    if (size == 0) return 0;
    int name = data[0] % names;
    if (!open[name]) open[name] = charset_open(&keep, name, &problem);
    if (!open[name]) return 0;

    struct str from = {(const char *)data + 1, size - 1};
    struct str first = charset_convert(open[name], from, &a, &scratch);
    struct str second = charset_convert(open[name], from, &a, &scratch);
    if (!utf8_valid(first) || !str_eq(first, second)) abort();
    arena_reset(&a);
    return 0;
}
