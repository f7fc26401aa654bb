/* CEF messages; see fuzz_codec.h. */
#include "tests/fuzz/fuzz_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const configs[] = {
        "cef { raw_data_field => 'raw' fields => ['message', 'name', '[a][0]'] }",
        "cef { ecs_compatibility => v8 delimiter => '\\n' device => host reverse_mapping => true "
        "fields => ['message', '[source][ip]', '@timestamp'] }",
    };

    return fuzz_codec(configs, 2, data, size);
}
