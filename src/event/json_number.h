#ifndef LSC_EVENT_JSON_NUMBER_H
#define LSC_EVENT_JSON_NUMBER_H

#include "event/value.h"

/* Reads the JSON number at `start`. Returns what stands behind it; NULL when there is none. A
   NUMBER is a view into the text. Internal to event/json_*.c. */
const char *json_read_number(const char *start, const char *end, struct value *out);

extern const char json_digit_pairs[201]; /* 000102…99 */

/* How many digits `u` has. */
static inline unsigned json_count_digits(uint64_t u)
{
    unsigned n = 1;

    for (; u >= 10000; u /= 10000)
        n += 4;
    return n + (u >= 10) + (u >= 100) + (u >= 1000);
}

/* Writes the digits of `u`, 20 at most; returns what stands behind them. */
static inline char *json_put_uint(char *to, uint64_t u)
{
    char *behind = to + json_count_digits(u), *p = behind;

    for (; u >= 100; u /= 100)
        memcpy(p -= 2, json_digit_pairs + 2 * (u % 100), 2);
    if (u >= 10)
        memcpy(p - 2, json_digit_pairs + 2 * u, 2);
    else
        p[-1] = (char)('0' + u);
    return behind;
}

/* Writes `f` as json_encode_float() does; returns what stands behind it. `hint` is the decimals
   that it was read with: it saves the search for them. 0, or a wrong one: it is done. */
char *json_put_float(char *to, double f, uint32_t hint);
enum { JSON_FLOAT_MAX = 48 }; /* bytes it needs */

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 json_u128;
#endif

/* Powers of ten that a double holds exactly. */
enum { JSON_EXACT_POWER = 22 };
extern const double json_power_of_ten[JSON_EXACT_POWER + 1];

#endif
