/* Bytes as packets of collectd; see fuzz_codec.h. */
#include "tests/fuzz/fuzz_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const configs[] = {
        "collectd",
        "collectd { prune_intervals => false nan_value => 1.5 nan_handling => drop }",
    };

    return fuzz_codec(configs, 2, data, size);
}
