#include <math.h>

#include "text/date_epoch.h"

/* Moments as numbers. Source: logstash-filter-date, UnixEpochParser.java,
   UnixMillisEpochParser.java, TAI64NParser.java. */

/* Seconds end in 2038 there, so that milliseconds are not taken for seconds. */
enum { SECONDS_MAX = INT32_MAX };

bool date_integer(struct str text, int64_t *out)
{
    bool     minus = text.len && text.data[0] == '-';
    size_t   i = minus || (text.len && text.data[0] == '+');
    uint64_t value = 0;

    if (i == text.len) return false;
    for (; i < text.len; i++) {
        unsigned digit = (unsigned char)text.data[i] - '0';
        if (digit > 9 || value > ((uint64_t)INT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = minus ? -(int64_t)value : (int64_t)value;
    return true;
}

bool date_epoch_seconds(int64_t seconds, int64_t *ms)
{
    if (seconds > SECONDS_MAX || seconds < INT64_MIN / 1000) return false;
    *ms = seconds * 1000;
    return true;
}

bool date_epoch_text(struct str text, int64_t *ms)
{
    const char *point = text.len ? memchr(text.data, '.', text.len) : NULL;
    int64_t     seconds, fraction;

    if (!point) return date_integer(text, &seconds) && date_epoch_seconds(seconds, ms);
    struct str whole = {text.data, (size_t)(point - text.data)};
    struct str digits = str_from(text, whole.len + 1);
    if (digits.len > 3) digits.len = 3;
    if (!date_integer(whole, &seconds) || !date_epoch_seconds(seconds, ms) ||
        !date_integer(digits, &fraction))
        return false;
    /* Added to negative seconds, too, as Logstash does. */
    *ms += fraction * (digits.len == 1 ? 100 : digits.len == 2 ? 10 : 1);
    return true;
}

bool date_epoch_float(double seconds, int64_t *ms)
{
    if (!(fabs(seconds) < SECONDS_MAX + 1.0)) return false;
    *ms = (int64_t)(seconds * 1000);
    return true;
}

static bool take_hex(struct str text, size_t from, size_t len, uint64_t *out)
{
    *out = 0;
    if (text.len < from + len) return false;
    for (size_t i = from; i < from + len; i++) {
        char     c = text.data[i];
        unsigned digit =
            c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
        if (digit > 15 || (digit > 9 && (c | 0x20) < 'a')) return false;
        *out = *out << 4 | digit;
    }
    return *out >> (4 * len - 1) == 0; /* signed there */
}

bool date_tai64n(struct str text, int64_t *ms)
{
    enum { TAI_AHEAD_S = 10 }; /* of UTC in 1970; leap seconds since then do not count there */
    size_t   start = text.len && text.data[0] == '@';
    uint64_t seconds, nanos;

    if (!take_hex(text, start, 16, &seconds) || !take_hex(text, start + 16, 8, &nanos))
        return false;
    seconds &= (UINT64_C(1) << 62) - 1;
    if (seconds > (uint64_t)INT64_MAX / 1000 - 10000) return false;
    *ms = ((int64_t)seconds - TAI_AHEAD_S) * 1000 + (int64_t)(nanos / 1000000);
    return true;
}
