#include "net/dns.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "plugin/intake.h"

enum { PORT = 53, FILE_MAX = 1 << 20, NANOSECONDS_PER_MS = 1000000 };

/* ---- settings ---- */

static void put_address(struct sockaddr_storage *to, const struct ip *ip, uint16_t port)
{
    struct sockaddr_in  v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memset(to, 0, sizeof(*to));
    v4.sin_addr.s_addr = htonl((uint32_t)ip->low);
    for (int i = 0; i < 16; i++)
        v6.sin6_addr.s6_addr[i] =
            (unsigned char)((i < 8 ? ip->high : ip->low) >> (56 - 8 * (i % 8)));
    if (ip->v6)
        memcpy(to, &v6, sizeof(v6));
    else
        memcpy(to, &v4, sizeof(v4));
}

/* Takes ":5353" off the end of an address that is otherwise complete. */
static bool take_port(struct str *text, uint16_t *port)
{
    const char *colon = memrchr(text->data, ':', text->len);
    unsigned    n = 0;

    if (!colon) return false;
    struct str digits = str_from(*text, (size_t)(colon - text->data) + 1);
    if (digits.len == 0 || digits.len > 5) return false;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') return false;
        n = n * 10 + (unsigned)(digits.data[i] - '0');
    }
    if (n == 0 || n > UINT16_MAX) return false;
    *port = (uint16_t)n;
    text->len -= digits.len + 1;
    return true;
}

bool dns_add_server(struct dns_config *c, struct str text)
{
    struct ip ip;
    uint16_t  port = PORT;

    if (c->servers_len == DNS_SERVERS_MAX) return false;
    if (!ip_parse(text, &ip) && !(take_port(&text, &port) && ip_parse(text, &ip))) return false;
    put_address(&c->servers[c->servers_len++], &ip, port);
    return true;
}

static struct str word(struct str *line)
{
    while (line->len && (unsigned char)line->data[0] <= ' ')
        *line = str_from(*line, 1);
    size_t len = 0;
    while (len < line->len && (unsigned char)line->data[len] > ' ')
        len++;
    struct str w = {line->data, len};
    *line = str_from(*line, len);
    return w;
}

static void read_line(struct dns_config *c, struct str line, struct arena *a)
{
    struct str first = word(&line);

    if (str_is(first, "nameserver")) {
        dns_add_server(c, word(&line));
    } else if (str_is(first, "search") || str_is(first, "domain")) {
        struct str w;
        c->search_len = 0; /* the last line counts */
        while ((w = word(&line)).len && c->search_len < DNS_SEARCH_MAX)
            c->search[c->search_len++] = arena_copy(a, w);
    } else if (str_is(first, "options")) {
        struct str w;
        while ((w = word(&line)).len) {
            if (str_starts(w, STR("ndots:")) && w.len == 7 && w.data[6] >= '0' && w.data[6] <= '9')
                c->ndots = w.data[6] - '0';
        }
    }
}

bool dns_read_resolv_conf(struct dns_config *c, const char *path, struct arena *a)
{
    size_t len;
    char  *text = file_read(path, FILE_MAX, &len);

    if (!text) return false;
    for (struct str rest = {text, len}; rest.len;) {
        const char *newline = memchr(rest.data, '\n', rest.len);
        struct str  line = {rest.data, newline ? (size_t)(newline - rest.data) : rest.len};
        read_line(c, line, a);
        rest = str_from(rest, line.len + 1);
    }
    free(text);
    return true;
}

/* ---- asking ---- */

/* Waits for the answer to `question` until `deadline`. */
static int receive(int fd, struct str question, int64_t deadline, struct stop *stop,
                   struct arena *a, struct str *out)
{
    char          bytes[DNS_MESSAGE_MAX];
    struct pollfd wait[2] = {{.fd = fd, .events = POLLIN},
                             {.fd = stop ? stop_fd(stop) : -1, .events = POLLIN}};

    for (;;) {
        int64_t left = deadline - clock_monotonic_ns();
        if (left <= 0) return DNS_TIMEOUT;
        int n = poll(wait, 2, (int)(left / NANOSECONDS_PER_MS) + 1);
        if (n < 0 && errno != EINTR) return DNS_FAILED;
        if (wait[1].revents) return DNS_FAILED;
        if (n <= 0 || !wait[0].revents) continue;
        ssize_t len = recv(fd, bytes, sizeof(bytes), 0);
        if (len < 0) return DNS_FAILED; /* nobody listens there */
        int result = dns_answer(question, (struct str){bytes, (size_t)len}, a, out);
        if (result != DNS_NOT_MINE) return result;
    }
}

/* Asks one server once. A socket of its own has a port of its own, which makes forging harder. */
static int ask_server(const struct dns_config *c, const struct sockaddr_storage *server,
                      struct str name, uint16_t type, struct stop *stop, struct arena *a,
                      struct str *out)
{
    unsigned char question[512];
    uint16_t      id;
    int64_t       deadline = clock_monotonic_ns() + c->timeout_ns;
    socklen_t     size =
        server->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    random_bytes(&id, sizeof(id));
    size_t len = dns_question(question, id, name, type);
    if (len == 0) return DNS_NOT_FOUND;
    int fd = socket(server->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return DNS_FAILED;
    int result = DNS_FAILED;
    if (connect(fd, (const struct sockaddr *)(const void *)server, size) == 0 &&
        send(fd, question, len, 0) == (ssize_t)len)
        result = receive(fd, (struct str){(char *)question, len}, deadline, stop, a, out);
    close(fd);
    return result;
}

/* All servers in turn, as often as is allowed. */
static enum dns_result ask(const struct dns_config *c, struct str name, uint16_t type,
                           struct stop *stop, struct arena *a, struct str *out)
{
    int result = DNS_FAILED;

    for (int64_t i = 0; i <= c->retries; i++) {
        for (uint32_t j = 0; j < c->servers_len; j++) {
            if (stop && stop_requested(stop)) return DNS_FAILED;
            int now = ask_server(c, &c->servers[j], name, type, stop, a, out);
            if (now == DNS_FOUND || now == DNS_NOT_FOUND) return (enum dns_result)now;
            if (now == DNS_TIMEOUT || result != DNS_TIMEOUT) result = now;
        }
    }
    return (enum dns_result)result;
}

static enum dns_result ask_both(const struct dns_config *c, struct str name, struct stop *stop,
                                struct arena *a, struct str *out)
{
    enum dns_result result = ask(c, name, DNS_A, stop, a, out);

    return result == DNS_NOT_FOUND ? ask(c, name, DNS_AAAA, stop, a, out) : result;
}

enum dns_result dns_address(const struct dns_config *c, struct str name, struct stop *stop,
                            struct arena *a, struct str *out)
{
    int64_t         dots = 0;
    enum dns_result result = DNS_NOT_FOUND;

    for (size_t i = 0; i < name.len; i++)
        dots += name.data[i] == '.';
    bool complete = str_ends(name, STR(".")), first = complete || dots >= c->ndots;
    if (first) result = ask_both(c, name, stop, a, out);
    for (uint32_t i = 0; !complete && result == DNS_NOT_FOUND && i < c->search_len; i++)
        result = ask_both(c, arena_printf(a, "%.*s.%.*s", STR_ARG(name), STR_ARG(c->search[i])),
                          stop, a, out);
    return !first && result == DNS_NOT_FOUND ? ask_both(c, name, stop, a, out) : result;
}

enum dns_result dns_name(const struct dns_config *c, const struct ip *address, struct stop *stop,
                         struct arena *a, struct str *out)
{
    return ask(c, dns_reverse_name(a, address), DNS_PTR, stop, a, out);
}
