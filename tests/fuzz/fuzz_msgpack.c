/* Bytes as MessagePack; see fuzz_codec.h. */
#include "tests/fuzz/fuzz_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const configs[] = {
        "msgpack",
        "msgpack { target => '[x][y]' format => '%{a}' }",
    };

    return fuzz_codec(configs, 2, data, size);
}
