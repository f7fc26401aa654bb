#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

void address_print(const struct sockaddr *address, char out[ADDRESS_TEXT])
{
    char text[INET6_ADDRSTRLEN] = "";

    out[0] = '\0';
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)(const void *)address;
        inet_ntop(AF_INET6, &a->sin6_addr, text, sizeof(text));
        bool is_v4 = IN6_IS_ADDR_V4MAPPED(&a->sin6_addr);
        if (is_v4) inet_ntop(AF_INET, a->sin6_addr.s6_addr + 12, text, sizeof(text));
        snprintf(out, ADDRESS_TEXT, is_v4 ? "%s:%u" : "[%s]:%u", text, ntohs(a->sin6_port));
    } else if (address->sa_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)(const void *)address;
        inet_ntop(AF_INET, &a->sin_addr, text, sizeof(text));
        snprintf(out, ADDRESS_TEXT, "%s:%u", text, ntohs(a->sin_port));
    }
}

struct str address_host(const char *text)
{
    const char *colon = strrchr(text, ':');
    struct str  host = {text, colon ? (size_t)(colon - text) : strlen(text)};

    if (host.len > 1 && host.data[0] == '[') host = (struct str){text + 1, host.len - 2};
    return host;
}

struct addrinfo *address_local(const char *host, uint16_t port, struct buf *problem)
{
    struct addrinfo  hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char             number[8];

    snprintf(number, sizeof(number), "%u", port);
    int status = getaddrinfo(host, number, &hints, &found);
    if (status) buf_printf(problem, "%s: %s", host, gai_strerror(status));
    return status ? NULL : found;
}
