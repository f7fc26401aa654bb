/* A mapping, a newline, a text: any dissection of any text; and the text as a number. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "text/dissect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char  *newline = size ? memchr(data, '\n', size) : NULL;
    struct str   text = {(const char *)data, size};
    struct arena a = {0}, scratch = {0};
    struct buf   buf = {0};
    const char  *problem = NULL;
    struct value number;

    if (!newline || !utf8_valid(text)) return 0;
    struct str mapping = {text.data, (size_t)(newline - text.data)};
    text = str_from(text, mapping.len + 1);
    event_names_init();
    const struct dissect *d = dissect_compile(&a, mapping, &problem);
    if (!d && !problem) abort();
    if (d) {
        struct event *ev = event_blank(&a, (struct timestamp){0});
        uint32_t      before = ev->data.len;
        if (dissect_run(d, text, ev, &scratch, &buf) == DISSECT_NO_MATCH && ev->data.len != before)
            abort();
    }
    dissect_number(DISSECT_INT, text, &a, &buf, &number);
    dissect_number(DISSECT_FLOAT, text, &a, &buf, &number);
    buf_release(&buf);
    arena_release(&a);
    arena_release(&scratch);
    return 0;
}
