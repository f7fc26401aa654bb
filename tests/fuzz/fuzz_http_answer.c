/* What an HTTP server may answer to the filter http: a head, an empty line, a body. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "event/json.h"
#include "filters/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct value v)
{
    static struct buf out;

    buf_clear(&out);
    json_encode(v, &out);
    if (!utf8_valid(buf_view(&out))) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena       a;
    static struct http_answer answer = {.status = 200};
    struct http_found         found;
    struct str                text = {(const char *)data, size};
    ptrdiff_t                 end = str_find(text, STR("\r\n\r\n"));
    size_t                    head = end < 0 ? size : (size_t)end + 4;

    buf_clear(&answer.head);
    buf_put(&answer.head, text.data, head);
    buf_clear(&answer.body);
    buf_str(&answer.body, str_from(text, head));
    http_answer_read(&answer, &a, &found);
    check(found.headers);
    check(found.body);
    arena_reset(&a);
    return 0;
}
