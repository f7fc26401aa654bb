/* Any bytes as the answers of an HTTP or SOCKS 5 proxy, and as a load balancer's PROXY protocol
   header. Cut anywhere they mean the same, and no password shows in what is logged. */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/proxy.h"
#include "net/proxy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOCKS = 1, PASSWORD = 2, SENT_MAX = 4096 };

/* Talks to a proxy that sends `bytes`, up to `cut` and then one by one; cut 0: those of a SOCKS
   proxy would be answers to nothing. Returns what came of it. */
static int talk(uint8_t switches, struct str bytes, size_t cut)
{
    struct proxy p = {
        .url = {.scheme = switches & SOCKS ? URL_SOCKS5 : URL_HTTP,
                .has_userinfo = switches & PASSWORD,
                .user = STR("user"),
                .password = STR("secret")},
        .headers = STR(""),
    };
    struct proxy_talk t = {0};
    struct buf        out = {0}, problem = {0};
    int               result = 0;

    proxy_begin(&t, &p, switches & 4 ? "2001:db8::1" : "host.example", 443, &out);
    if (cut > 0) result = proxy_take(&t, (struct str){bytes.data, cut}, &out, &problem);
    for (size_t i = cut; i < bytes.len && result == 0; i++)
        result = proxy_take(&t, (struct str){bytes.data + i, 1}, &out, &problem);
    if (result < -1 || result > 1 || (result < 0) != (problem.len > 0)) abort();
    if (out.len > SENT_MAX) abort();
    if (str_find(buf_view(&problem), STR("secret")) >= 0 && str_find(bytes, STR("secret")) < 0)
        abort();
    proxy_end(&t);
    buf_release(&out);
    buf_release(&problem);
    return result;
}

/* The header is found as soon as it is there, and not before. */
static void read_header(struct str bytes)
{
    struct sockaddr_storage source, again;
    size_t                  size = 0, same = 0;
    int                     whole = proxy_protocol_read(bytes, &source, &size);

    if (whole < -1 || whole > 1) abort();
    if (whole != 1) return;
    if (size == 0 || size > bytes.len || size > PROXY_PROTOCOL_MAX) abort();
    for (size_t n = 0; n < size; n++)
        if (proxy_protocol_read((struct str){bytes.data, n}, &again, &same) != 0) abort();
    if (proxy_protocol_read((struct str){bytes.data, size}, &again, &same) != 1) abort();
    if (same != size || again.ss_family != source.ss_family) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    struct str bytes = {(const char *)data + 1, size - 1};

    int by_bytes = talk(data[0], bytes, 0);
    int at_once = talk(data[0], bytes, bytes.len);
    if (!(data[0] & SOCKS) && by_bytes != at_once) abort();
    read_header(bytes);
    return 0;
}
