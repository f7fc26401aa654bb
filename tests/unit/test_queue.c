#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the headers above. */
#include <cmocka.h>
#include <stdatomic.h>
#include <time.h>

#include "queue/queue.h"

enum { BATCHES = 6, REFILL = 3, ROUNDS = 20000, WORKERS = 2 };

static _Atomic uint64_t waited_ns; /* by queue_empty() */

static struct batch *numbered(struct queue *q, int64_t n)
{
    struct batch *b = queue_empty(q, &waited_ns);

    if (b) batch_push(b, (struct item){.message = {"", (size_t)n}});
    return b;
}

static struct batch *take(struct queue *q)
{
    bool timed_out;

    return queue_take(q, INT64_MAX, &timed_out);
}

static void full_batches_come_in_order_and_empty(void **state)
{
    struct queue *q = queue_new(BATCHES, REFILL);

    (void)state;
    for (int64_t i = 1; i <= 3; i++)
        queue_fill(q, numbered(q, i));
    assert_int_equal(queue_depth(q), 3);
    for (size_t i = 1; i <= 3; i++) {
        struct batch *b = take(q);
        assert_int_equal(b->items[0].message.len, i);
        queue_return(q, b);
    }
    assert_int_equal(queue_depth(q), 0);
    struct batch *again = queue_empty(q, &waited_ns);
    assert_int_equal(again->len, 0);
    queue_return(q, again);
    queue_free(q);
}

static void wake(void *ctx)
{
    ++*(int *)ctx;
}

static void who_cannot_wait_is_woken_once_half_are_empty(void **state)
{
    struct queue       *q = queue_new(BATCHES, REFILL);
    struct batch       *held[BATCHES];
    int                 woken = 0;
    struct queue_waiter w = {0};

    (void)state;
    for (int i = 0; i < BATCHES; i++)
        held[i] = queue_empty(q, &waited_ns);
    assert_null(queue_try_empty(q, &w, wake, &woken));
    assert_null(queue_try_empty(q, &w, wake, &woken));
    queue_return(q, held[0]);
    queue_return(q, held[1]);
    assert_int_equal(woken, 0);
    queue_return(q, held[2]);
    queue_return(q, held[3]);
    assert_int_equal(woken, 1);
    assert_non_null(held[0] = queue_try_empty(q, &w, wake, &woken));
    queue_free(q);
}

static void one_who_is_forgotten_is_not_woken(void **state)
{
    struct queue       *q = queue_new(1, 1);
    int                 woken = 0;
    struct queue_waiter w = {0};
    struct batch       *b = queue_empty(q, &waited_ns);

    (void)state;
    assert_null(queue_try_empty(q, &w, wake, &woken));
    queue_forget(q, &w);
    queue_return(q, b);
    assert_int_equal(woken, 0);
    queue_free(q);
}

static void *return_later(void *arg)
{
    void **args = arg;

    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    queue_return(args[0], args[1]);
    return NULL;
}

static void waiting_for_a_batch_is_counted(void **state)
{
    struct queue *q = queue_new(1, 1);
    pthread_t     thread;

    (void)state;
    waited_ns = 0;
    struct batch *b = queue_empty(q, &waited_ns);
    assert_int_equal(waited_ns, 0);
    int64_t start = clock_monotonic_ns();
    for (int i = 0; i < 1000 && waited_ns == 0; i++) { /* the other thread may be the faster one */
        void *args[] = {q, b};
        assert_int_equal(pthread_create(&thread, NULL, return_later, args), 0);
        assert_non_null(b = queue_empty(q, &waited_ns));
        pthread_join(thread, NULL);
    }
    assert_true(waited_ns > 0 && (int64_t)waited_ns <= clock_monotonic_ns() - start);
    queue_free(q);
}

static void a_closed_queue_is_drained_first(void **state)
{
    struct queue *q = queue_new(BATCHES, REFILL);

    (void)state;
    queue_fill(q, numbered(q, 1));
    queue_close(q);
    struct batch *b = take(q);
    assert_non_null(b);
    queue_return(q, b);
    assert_null(take(q));
    queue_free(q);
}

static void taking_ends_at_its_deadline(void **state)
{
    struct queue *q = queue_new(BATCHES, REFILL);
    bool          timed_out = false;

    (void)state;
    assert_null(queue_take(q, clock_monotonic_ns() + 1000, &timed_out));
    assert_true(timed_out);
    queue_free(q);
}

static void an_aborted_queue_gives_no_more_batches(void **state)
{
    struct queue *q = queue_new(BATCHES, REFILL);

    (void)state;
    queue_abort(q);
    assert_null(queue_empty(q, &waited_ns));
    queue_free(q);
}

struct race {
    struct queue    *q;
    _Atomic uint64_t sum;
};

static void *input(void *arg)
{
    struct race *r = arg;

    for (int64_t i = 1; i <= ROUNDS; i++)
        queue_fill(r->q, numbered(r->q, i));
    return NULL;
}

static void *worker(void *arg)
{
    struct race  *r = arg;
    struct batch *b;

    while ((b = take(r->q))) {
        atomic_fetch_add(&r->sum, b->items[0].message.len);
        queue_return(r->q, b);
    }
    return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
    struct race r = {.q = queue_new(BATCHES, REFILL)};
    pthread_t   inputs[2], workers[WORKERS];

    (void)state;
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, worker, &r);
    for (int i = 0; i < 2; i++)
        pthread_create(&inputs[i], NULL, input, &r);
    for (int i = 0; i < 2; i++)
        pthread_join(inputs[i], NULL);
    queue_close(r.q);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    assert_int_equal(r.sum, (uint64_t)ROUNDS * (ROUNDS + 1));
    queue_free(r.q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_batches_come_in_order_and_empty),
        cmocka_unit_test(who_cannot_wait_is_woken_once_half_are_empty),
        cmocka_unit_test(one_who_is_forgotten_is_not_woken),
        cmocka_unit_test(waiting_for_a_batch_is_counted),
        cmocka_unit_test(a_closed_queue_is_drained_first),
        cmocka_unit_test(taking_ends_at_its_deadline),
        cmocka_unit_test(an_aborted_queue_gives_no_more_batches),
        cmocka_unit_test(nothing_is_lost_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
