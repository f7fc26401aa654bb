#include "net/proxy_protocol.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>

enum { V1_MAX = 107, V2_HEAD = 16 };

static const struct str v1_begin = {"PROXY ", 6};
static const struct str v2_begin = {"\r\n\r\n\0\r\nQUIT\n", 12};

/* True when `bytes` may still become something that begins with `begin`, or does. */
static bool may_begin(struct str bytes, struct str begin)
{
    return memcmp(bytes.data, begin.data, bytes.len < begin.len ? bytes.len : begin.len) == 0;
}

/* The next word of the line, as a C string of limited length. */
static bool word(struct str *rest, char out[INET6_ADDRSTRLEN])
{
    size_t n = 0;

    while (n < rest->len && rest->data[n] != ' ')
        n++;
    if (n == 0 || n >= INET6_ADDRSTRLEN) return false;
    memcpy(out, rest->data, n);
    out[n] = '\0';
    *rest = str_from(*rest, n < rest->len ? n + 1 : n);
    return true;
}

static bool port_of(const char *text, in_port_t *out)
{
    char         *end;
    unsigned long port = strtoul(text, &end, 10);

    *out = htons((uint16_t)port);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && port <= UINT16_MAX;
}

/* "TCP4 source destination port port" */
static bool read_line(struct str line, struct sockaddr_storage *source)
{
    char                 family[INET6_ADDRSTRLEN], from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
    char                 from_port[INET6_ADDRSTRLEN], to_port[INET6_ADDRSTRLEN];
    struct sockaddr_in  *v4 = (struct sockaddr_in *)source;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)source;
    in_port_t            port, other;

    if (!word(&line, family)) return false;
    if (strcmp(family, "UNKNOWN") == 0) return true;
    if (!word(&line, from) || !word(&line, to) || !word(&line, from_port) || !word(&line, to_port))
        return false;
    if (line.len > 0 || !port_of(from_port, &port) || !port_of(to_port, &other)) return false;
    if (strcmp(family, "TCP4") == 0) {
        *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
        return inet_pton(AF_INET, from, &v4->sin_addr) == 1;
    }
    if (strcmp(family, "TCP6") != 0) return false;
    *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
    return inet_pton(AF_INET6, from, &v6->sin6_addr) == 1;
}

static int read_v1(struct str bytes, struct sockaddr_storage *source, size_t *size)
{
    ptrdiff_t end = str_find(bytes, STR("\r\n"));

    if (end < 0) return bytes.len < V1_MAX ? 0 : -1;
    if (end + 2 > V1_MAX) return -1;
    *size = (size_t)end + 2;
    struct str line = {bytes.data + v1_begin.len, (size_t)end - v1_begin.len};
    return read_line(line, source) ? 1 : -1;
}

static int read_v2(struct str bytes, struct sockaddr_storage *source, size_t *size)
{
    const uint8_t *p = (const uint8_t *)bytes.data;

    if (bytes.len < V2_HEAD) return 0;
    uint8_t  command = p[12], family = p[13];
    uint16_t length = (uint16_t)(p[14] << 8 | p[15]);
    if (command != 0x20 && command != 0x21) return -1;
    *size = V2_HEAD + (size_t)length;
    if (bytes.len < *size) return 0;
    if (command == 0x20) return 1; /* LOCAL: a health check of the balancer's own */
    if (family == 0x11 && length >= 12) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)source;
        *v4 = (struct sockaddr_in){.sin_family = AF_INET};
        memcpy(&v4->sin_addr, p + 16, 4);
        memcpy(&v4->sin_port, p + 24, 2);
    } else if (family == 0x21 && length >= 36) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)source;
        *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
        memcpy(&v6->sin6_addr, p + 16, 16);
        memcpy(&v6->sin6_port, p + 48, 2);
    } else if (family == 0x11 || family == 0x21) {
        return -1;
    }
    return 1;
}

int proxy_protocol_read(struct str bytes, struct sockaddr_storage *source, size_t *size)
{
    *source = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    *size = 0;
    if (bytes.len >= v1_begin.len && may_begin(bytes, v1_begin))
        return read_v1(bytes, source, size);
    if (bytes.len >= v2_begin.len && may_begin(bytes, v2_begin))
        return read_v2(bytes, source, size);
    return may_begin(bytes, v1_begin) || may_begin(bytes, v2_begin) ? 0 : -1;
}
