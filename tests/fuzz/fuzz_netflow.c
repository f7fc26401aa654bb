/* Bytes as flows; see fuzz_codec.h. Templates stay from one input to the next. */
#include "tests/fuzz/fuzz_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const configs[] = {
        "netflow",
        "netflow { target => '[x][y]' include_flowset_id => true versions => ['9', '10'] }",
    };

    return fuzz_codec(configs, 2, data, size);
}
