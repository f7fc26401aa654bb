/* What reads many bytes at a time gives what a loop over bytes gives: see tests/scan_checks.h. */
#include <stdlib.h>

#include "../unit/scan_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t skipped[] = {0, 1, 3, 7, 15};

    for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]) && skipped[i] <= size; i++)
        if (!scans_agree((struct str){(const char *)data + skipped[i], size - skipped[i]})) abort();
    return 0;
}
