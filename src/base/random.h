#ifndef LSC_BASE_RANDOM_H
#define LSC_BASE_RANDOM_H

#include <stddef.h>

/*
 * Bytes that nobody can guess, from the kernel: good for keys as well. A few at a time are cheap,
 * as they come from a store of the thread. OpenSSL's RAND_bytes() would do as well, but its first
 * call reads openssl.cnf, sets up providers and touches two megabytes. Any thread.
 */
void random_bytes(void *to, size_t len);

#endif
