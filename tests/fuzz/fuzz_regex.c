/* Any pattern is translated and compiled or refused with a place in it; what compiles runs on any
   subject within the limits, and replaces. The first line is the pattern; the byte before it the
   flags. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "text/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct regex *r, struct str subject)
{
    struct span       spans[8];
    static struct buf out;
    int               found = regex_find(r, subject, 0, spans, 8);

    for (uint32_t i = 0; found == REGEX_MATCH && i < 8; i++)
        if (spans[i].start != SIZE_MAX && spans[i].end > subject.len) abort();
    if (found != REGEX_LIMIT && regex_test(r, subject) != (found == REGEX_MATCH)) abort();
    buf_clear(&out);
    if (found != REGEX_LIMIT) regex_gsub(r, subject, STR("<\\0\\1\\k<a>>"), &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena a;
    struct regex_error  error;

    if (size < 2 || size > 4096) return 0;
    struct str    text = {(const char *)data + 1, size - 1};
    ptrdiff_t     end = str_find(text, STR("\n"));
    struct str    pattern = {text.data, end < 0 ? text.len : (size_t)end};
    struct str    subject = str_from(text, end < 0 ? text.len : (size_t)end + 1);
    struct regex *r = regex_compile(&a, pattern, data[0] & 7, &error);

    if (!r && error.offset > pattern.len) abort();
    subject.len = utf8_valid_prefix(subject);
    if (r) run(r, subject);
    regex_free(r);
    arena_reset(&a);
    return 0;
}
