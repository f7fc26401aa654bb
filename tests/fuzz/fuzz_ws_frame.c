/* Any bytes as frames and as the head of an HTTP answer: headers lie within what was given, and
   need no more bytes once they were read. */
#include <stdint.h>
#include <stdlib.h>

#include "net/http_head.h"
#include "net/ws_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str       rest = {(const char *)data, size};
    struct ws_frame  f;
    struct http_head head;
    const char      *problem;

    if (http_head_read(rest, &head) == 1) {
        if (head.size > rest.len || head.status > 999) abort();
        http_has_token(&head, "Upgrade", "websocket");
        http_field(&head, "Sec-WebSocket-Accept");
    }
    while (ws_frame_read(rest, &f, &problem) == 1) {
        if (f.header > rest.len || f.header < 2 || f.header > WS_HEADER_MAX) abort();
        if (f.length > rest.len - f.header) break;
        rest = str_from(rest, f.header + f.length);
    }
    return 0;
}
