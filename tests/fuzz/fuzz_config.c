/* Any text as a config: parsed with and without escapes, expanded and printed. An error is reported
   exactly when the parser says so. */
#include <stdint.h>
#include <stdlib.h>

#include "grammar/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE  *nowhere;
    struct source source = {"fuzz", {(const char *)data, size}};

    if (!nowhere) nowhere = fopen("/dev/null", "w");
    for (int escapes = 0; escapes < 2; escapes++) {
        struct parse_options options = {.support_escapes = escapes};
        struct arena         a = {0};
        struct ast_config    config = {0};
        struct diags         d = {.out = nowhere};
        bool                 parsed = parse_source(&a, &source, &options, &config, &d);
        if (parsed != (d.errors == 0)) abort();
        if (ast_expand(&a, &config, &options, &d) != (parsed ? d.errors == 0 : true) && parsed)
            abort();
        ast_print(&config, nowhere);
        diag_end(&d);
        arena_release(&a);
    }
    return 0;
}
