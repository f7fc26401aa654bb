/* Lines of metrics; see fuzz_codec.h. */
#include "tests/fuzz/fuzz_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const configs[] = {
        "graphite { fields_are_metrics => true }",
        "graphite { metrics => { 'a.%{b}' => '%{c}' } metrics_format => '*.x' }",
    };

    return fuzz_codec(configs, 2, data, size);
}
