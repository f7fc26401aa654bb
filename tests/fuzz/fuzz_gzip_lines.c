/* Packed lines; see fuzz_codec.h. */
#include "tests/fuzz/fuzz_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const configs[] = {
        "gzip_lines",
        "gzip_lines { charset => 'ISO-8859-1' }",
    };

    return fuzz_codec(configs, 2, data, size);
}
