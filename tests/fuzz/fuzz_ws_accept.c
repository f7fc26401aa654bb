/* Any bytes as a client's request: what is read lies within what was given, and every request gets
   one whole answer. */
#include <stdint.h>
#include <stdlib.h>

#include "net/ws_accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct str      texts[] = {{"v1", 2}, {"https://a.example", 17}};
    static const int       known[] = {101, 400, 401, 403, 404, 405, 426, 505};
    const struct ws_policy policy = {.path = STR("/"),
                                     .allowed_origins = {2, texts},
                                     .subprotocols = {2, texts},
                                     .bearer = size & 1 ? STR("t") : (struct str){0},
                                     .deflate = true,
                                     .headers = STR("")};
    struct str             bytes = {(const char *)data, size};
    struct http_head       head;
    struct ws_verdict      verdict;
    struct buf             out = {0};
    bool                   found = false;

    if (http_request_read(bytes, &head) != 1) return 0;
    if (head.size > bytes.len) abort();
    ws_check_request(&policy, &head, false, &verdict);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        found |= verdict.status == known[i];
    ws_answer(&policy, &verdict, &out);
    if (!found || str_find(buf_view(&out), STR("\r\n\r\n")) < 0) abort();
    buf_release(&out);
    return 0;
}
