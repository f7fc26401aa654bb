/* The heap of timers, against what a sorted list would say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/timers.h"

enum { MANY = 500 };

static struct net_timer timers[MANY];

static const struct net_timer *earliest(void)
{
    const struct net_timer *first = NULL;

    for (int i = 0; i < MANY; i++)
        if (timers[i].armed && (!first || timers[i].due_ns < first->due_ns)) first = &timers[i];
    return first;
}

static void the_first_is_the_earliest(void **state)
{
    struct net_timers h = {0};
    uint32_t          dice = 1;
    uint32_t          armed = 0;

    (void)state;
    assert_null(net_timers_first(&h));
    for (int i = 0; i < 20 * MANY; i++) {
        dice = dice * 1664525 + 1013904223;
        struct net_timer *t = &timers[(dice >> 8) % MANY];
        if (t->armed) {
            net_timers_remove(&h, t);
            armed--;
        } else {
            t->due_ns = (int64_t)(dice >> 16) * MANY + (t - timers); /* no two are equal */
            net_timers_add(&h, t);
            armed++;
        }
        assert_int_equal(h.len, armed);
        assert_ptr_equal(net_timers_first(&h), earliest());
    }
    for (int64_t last = INT64_MIN; h.len > 0;) {
        struct net_timer *t = net_timers_first(&h);
        assert_true(t->due_ns > last);
        last = t->due_ns;
        net_timers_remove(&h, t);
        assert_false(t->armed);
    }
    net_timers_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_first_is_the_earliest)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
