#ifndef LSC_BASE_THREAD_H
#define LSC_BASE_THREAD_H

#include <stdbool.h>

/* Runs run(arg) on a thread that nobody waits for and no signal reaches. False: there is none. */
bool thread_detached(void *(*run)(void *arg), void *arg);

/*
 * Calls `release(data)` when the calling thread ends: for memory that a _Thread_local variable
 * holds. The latest registered goes first. Threads that end with the process (the main thread) may
 * not call it.
 */
void thread_at_end(void (*release)(void *data), void *data);

#endif
