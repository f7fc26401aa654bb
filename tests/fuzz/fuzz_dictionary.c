/* Dictionaries: no file makes reading one crash. The first byte chooses the format. */
#include <stdint.h>

#include "text/dictionary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dictionary_error error;
    uint32_t                passed_over = 0;

    if (size == 0) return 0;
    struct dictionary *d = dictionary_new();
    struct str         text = arena_copy(&d->arena, (struct str){(const char *)data + 1, size - 1});
    dictionary_parse(d, text, (enum dictionary_format)(data[0] % 3), &passed_over, &error);
    dictionary_free(d);
    return 0;
}
