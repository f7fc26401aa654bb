#include "api/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64 };

static bool port_of(struct str text, uint16_t *out)
{
    uint32_t port = 0;

    if (text.len == 0 || text.len > 5) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        port = port * 10 + (uint32_t)(text.data[i] - '0');
    }
    *out = (uint16_t)port;
    return port > 0 && port < 65536;
}

bool listen_range(struct str text, struct port_range *out)
{
    ptrdiff_t  dash = str_find(text, STR("-"));
    struct str first = text, last = text;

    if (dash >= 0) {
        first.len = (size_t)dash;
        last = str_from(text, (size_t)dash + 1);
    }
    return port_of(first, &out->first) && port_of(last, &out->last) && out->first <= out->last;
}

/* -1 with errno. */
static int listen_at(const struct addrinfo *at)
{
    int on = 1, fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* -1 with errno, or with 0 and the reason in `problem`. */
static int listen_port(const char *host, uint16_t port, struct buf *problem)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    char            service[8];

    snprintf(service, sizeof(service), "%u", port);
    int failed = getaddrinfo(host, service, &hints, &list);
    if (failed) {
        buf_str(problem, str_of(gai_strerror(failed)));
        errno = 0;
        return -1;
    }
    int fd = listen_at(list), saved = errno;
    freeaddrinfo(list);
    errno = saved;
    return fd;
}

int listen_open(const char *host, struct port_range range, uint16_t *port, struct buf *problem)
{
    for (uint32_t p = range.first; p <= range.last; p++) {
        *port = (uint16_t)p;
        int fd = listen_port(host, *port, problem);
        if (fd >= 0) return fd;
        if (errno == EADDRINUSE) continue;
        if (errno) buf_str(problem, str_of(strerror(errno)));
        return -1;
    }
    buf_str(problem, str_of(strerror(EADDRINUSE)));
    return -1;
}
