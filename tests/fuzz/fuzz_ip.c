/* Addresses against the C library's inet_pton, and any bytes as a network. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "text/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool reference(const char *text, struct ip *out)
{
    unsigned char b[16];

    *out = (struct ip){0};
    if (inet_pton(AF_INET, text, b) == 1) {
        out->low = (uint64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
        return true;
    }
    if (inet_pton(AF_INET6, text, b) != 1) return false;
    out->v6 = true;
    for (int i = 0; i < 8; i++)
        out->high = out->high << 8 | b[i], out->low = out->low << 8 | b[i + 8];
    if (out->high == 0 && out->low >> 32 == 0xFFFF)
        *out = (struct ip){.low = out->low & 0xFFFFFFFF};
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str        text = {(const char *)data, size};
    struct ip_network n;
    struct ip         ip, expected;
    char              z[128];

    if (ip_network_parse(text, &n) &&
        (ip_compare(&n.first, &n.last) > 0 || !ip_network_contains(&n, &n.last)))
        abort();
    if (size >= sizeof(z) || memchr(data, 0, size) || (size && data[0] == '[')) return 0;
    memcpy(z, data, size);
    z[size] = '\0';
    bool good = ip_parse(text, &ip);
    if (good != reference(z, &expected) || (good && ip_compare(&ip, &expected) != 0)) abort();
    return 0;
}
