/* Lines of bulk requests; see fuzz_codec.h. */
#include "tests/fuzz/fuzz_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const configs[] = {
        "es_bulk",
        "es_bulk { target => '[x]' ecs_compatibility => v8 }",
    };

    return fuzz_codec(configs, 2, data, size);
}
