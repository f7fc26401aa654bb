/*
 * ws_clients: WebSocket clients that send the lines of a file to a server as fast as it reads, for
 * the benchmark of lsc as a server.
 *
 * usage: ws_clients PORT CLIENTS MESSAGES FILE
 *
 * Connects all clients, prints "open" and waits for a line on stdin; then each sends its share of
 * the messages, a close frame, and reads up to the end. The frames are made and masked before, so
 * that this program is never the limit.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK_MAX = 64 * 1024, READY_MAX = 256 };

static struct {
    unsigned char *bytes;
    size_t        *start; /* of each frame; one more at the end */
    size_t         len;
} frames;

struct client {
    int    fd;
    size_t next, left;  /* frames: the next one, those to send */
    size_t from, until; /* bytes of `frames` being sent */
    bool   closed;      /* the close frame is sent */
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- frames ---- */

static size_t put_frame(unsigned char *out, const char *text, size_t len)
{
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t                     n = 0;

    out[n++] = 0x81;
    if (len < 126) {
        out[n++] = (unsigned char)(0x80 | len);
    } else if (len < 65536) {
        out[n++] = 0x80 | 126;
        out[n++] = (unsigned char)(len >> 8);
        out[n++] = (unsigned char)len;
    } else {
        out[n++] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            out[n++] = (unsigned char)((uint64_t)len >> shift);
    }
    memcpy(out + n, mask, 4);
    n += 4;
    for (size_t i = 0; i < len; i++)
        out[n + i] = (unsigned char)text[i] ^ mask[i % 4];
    return n + len;
}

static void read_lines(const char *path)
{
    FILE   *f = fopen(path, "r");
    char   *line = NULL;
    size_t  cap = 0, room = 0, rows = 0, used = 0;
    ssize_t len;

    if (!f) fail(path);
    while ((len = getline(&line, &cap, f)) > 0) {
        if (line[len - 1] == '\n') len--;
        if (used + (size_t)len + 14 > room)
            frames.bytes = realloc(frames.bytes, room = 2 * room + (size_t)len + 4096);
        if (frames.len + 2 > rows)
            frames.start = realloc(frames.start, (rows = 2 * rows + 64) * sizeof(size_t));
        frames.start[frames.len++] = used;
        used += put_frame(frames.bytes + used, line, (size_t)len);
        frames.start[frames.len] = used;
    }
    fclose(f);
    free(line);
    if (frames.len == 0) exit(1);
}

/* ---- clients ---- */

static void connect_to(struct client *c, uint16_t port)
{
    static const char  request[] = "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
                                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    char               answer[1024];
    size_t             len = 0;
    int                on = 1;

    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0) fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (write(c->fd, request, sizeof(request) - 1) < 0) fail("write");
    do {
        ssize_t n = read(c->fd, answer + len, sizeof(answer) - 1 - len);
        if (n <= 0) fail("handshake");
        answer[len += (size_t)n] = 0;
    } while (!strstr(answer, "\r\n\r\n"));
    if (strncmp(answer, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "%s", answer);
        exit(1);
    }
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

/* The next frames to send: some that lie behind each other. */
static void next_block(struct client *c)
{
    size_t n = 0, from = c->next;

    while (n < c->left && from + n < frames.len &&
           (n == 0 || frames.start[from + n + 1] - frames.start[from] <= BLOCK_MAX))
        n++;
    c->from = frames.start[from];
    c->until = frames.start[from + n];
    c->next = (from + n) % frames.len;
    c->left -= n;
}

static void send_close(struct client *c)
{
    static const unsigned char bytes[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8};

    c->closed = write(c->fd, bytes, sizeof(bytes)) == sizeof(bytes);
}

/* Sends one block, so that all clients get on alike. */
static void send_some(struct client *c)
{
    if (c->from == c->until && c->left > 0) next_block(c);
    if (c->from < c->until) {
        ssize_t n = write(c->fd, frames.bytes + c->from, c->until - c->from);
        if (n < 0 && errno != EAGAIN) fail("write");
        if (n > 0) c->from += (size_t)n;
    } else if (!c->closed) {
        send_close(c);
    }
}

static void play(struct client *clients, size_t len)
{
    int                epoll = epoll_create1(0);
    size_t             open = len;
    struct epoll_event ready[READY_MAX];
    char               heard[4096];

    for (size_t i = 0; i < len; i++) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = &clients[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &e);
    }
    while (open > 0) {
        int n = epoll_wait(epoll, ready, READY_MAX, -1);
        for (int i = 0; i < n; i++) {
            struct client *c = ready[i].data.ptr;
            if (ready[i].events & EPOLLOUT && !c->closed) {
                send_some(c);
                struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
                if (c->closed) epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &e);
            }
            if (ready[i].events & ~(uint32_t)EPOLLOUT && read(c->fd, heard, sizeof(heard)) == 0) {
                close(c->fd);
                open--;
            }
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    size_t         len = strtoul(argv[2], NULL, 10), messages = strtoul(argv[3], NULL, 10);
    struct client *clients = calloc(len, sizeof(*clients));
    struct rlimit  limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    read_lines(argv[4]);
    for (size_t i = 0; i < len; i++) {
        clients[i].left = messages / len + (i < messages % len);
        clients[i].next = i * 7919 % frames.len;
        connect_to(&clients[i], (uint16_t)atoi(argv[1]));
    }
    puts("open");
    fflush(stdout);
    if (getchar() == EOF) return 1;
    play(clients, len);
    return 0;
}
