#include "base/random.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { STORE = 1024 };

static void from_kernel(unsigned char *to, size_t len)
{
    while (len > 0) {
        ssize_t n = getrandom(to, len, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            fprintf(stderr, "lsc: the kernel gives no random bytes: %s\n", strerror(errno));
            abort();
        }
        to += n;
        len -= (size_t)n;
    }
}

void random_bytes(void *to, size_t len)
{
    static _Thread_local struct {
        size_t        left;
        unsigned char bytes[STORE];
    } store;

    if (len > STORE / 8) {
        from_kernel(to, len);
        return;
    }
    if (store.left < len) {
        from_kernel(store.bytes, STORE);
        store.left = STORE;
    }
    store.left -= len;
    memcpy(to, store.bytes + store.left, len);
    memset(store.bytes + store.left, 0, len); /* what was given out is nobody else's */
}
