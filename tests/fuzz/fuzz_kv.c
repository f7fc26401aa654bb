/* key=value text: the scanner must find what the regular expression finds. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "text/kv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct kv_rules rules[] = {
    {.field_split = {" ", 1}, .value_split = {"=", 1}, .lenient = true, .brackets = true},
    {.field_split = {"&;", 2}, .value_split = {":=", 2}, .lenient = true, .brackets = true},
    {.field_split = {"\\s", 2}, .value_split = {"=", 1}, .lenient = false, .brackets = true},
    {.field_split = {",", 1}, .value_split = {"= ", 2}, .lenient = false, .brackets = false},
    {.field_split = {"=x", 2}, .value_split = {"=", 1}, .lenient = false, .brackets = true},
};
enum { RULES = sizeof(rules) / sizeof(rules[0]) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kv_syntax syntaxes[RULES];
    static struct arena     arena;
    struct str              text = {(const char *)data, size};
    struct regex_error      error;

    if (!syntaxes[0].pair)
        for (int i = 0; i < RULES; i++)
            if (!kv_compile(&syntaxes[i], &arena, &rules[i], &error) || !syntaxes[i].plain) abort();
    if (!utf8_valid(text) || memchr(text.data, '\\', size)) return 0;
    for (int i = 0; i < RULES; i++) {
        struct kv_reader scanned = {.syntax = &syntaxes[i], .text = text};
        struct kv_reader found = {.syntax = &syntaxes[i], .text = text, .by_regex = true};
        struct str       key, value, want_key, want_value;
        for (;;) {
            int want = kv_next(&found, &want_key, &want_value);
            int got = kv_next(&scanned, &key, &value);
            if (want == REGEX_LIMIT) break;
            if (got != want) abort();
            if (got == REGEX_NO_MATCH) break;
            if (!str_eq(key, want_key) || !str_eq(value, want_value)) abort();
        }
    }
    return 0;
}
