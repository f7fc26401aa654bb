/* Sets of regexes: what a set finds is what its regexes find by themselves. The first line is a
   pattern, the rest the subject. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "text/regex_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(struct str pattern, struct str subject, unsigned flags)
{
    struct regex_set  *s = regex_set_new();
    struct regex_error error;
    struct arena       scratch = {0};

    if (regex_set_add(s, pattern, flags, &error) == 0) {
        regex_set_ready(s);
        struct span       span;
        struct regex_hits hits = regex_set_look(s, subject, &scratch);
        int64_t           found = regex_set_find(s, subject, hits, 0, 1, &span, 1);
        int               alone = regex_find(regex_set_at(s, 0), subject, 0, &span, 1);
        if ((found == 0) != (alone == REGEX_MATCH)) abort();
    }
    arena_release(&scratch);
    regex_set_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);

    if (!end || end - data > 200) return 0;
    struct str pattern = {(const char *)data, (size_t)(end - data)};
    struct str subject = {(const char *)end + 1, size - pattern.len - 1};
    if (!utf8_valid(subject)) return 0;
    compare(pattern, subject, 0);
    compare(pattern, subject, REGEX_CASELESS);
    return 0;
}
