/* Text as EDN; see fuzz_codec.h. */
#include "tests/fuzz/fuzz_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const configs[] = {
        "edn",
        "edn_lines { target => '[x]' }",
    };

    return fuzz_codec(configs, 2, data, size);
}
