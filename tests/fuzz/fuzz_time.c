/* What is read as a timestamp prints to a text that is read as the same; any date pattern compiles
   or is refused, and prints the same twice. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "event/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_timestamp(struct str text)
{
    struct timestamp t, again;
    char             out[40];

    if (!time_parse(text, &t)) return;
    size_t n = time_print(t, out);
    /* A zone can carry the last day of the last year into a year of ten digits. */
    if (n > sizeof(out)) abort();
    if (!time_parse((struct str){out, n}, &again)) {
        if (time_civil(t.sec).year > -999999999 && time_civil(t.sec).year < 999999999) abort();
        return;
    }
    if (t.sec != again.sec || t.nsec != again.nsec) abort();
}

static void check_pattern(struct str pattern, enum time_style style, struct timestamp t)
{
    static struct arena       a;
    static struct buf         first, second;
    const char               *problem;
    const struct time_format *f = time_format_parse(&a, style, pattern, &problem);

    buf_clear(&first);
    buf_clear(&second);
    if (!f && !problem) abort();
    if (f) time_format_print(f, t, &first);
    if (f) time_format_print(f, t, &second);
    if (!str_eq(buf_view(&first), buf_view(&second))) abort();
    arena_reset(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str       text = {(const char *)data, size};
    struct timestamp t = {0, 0};

    if (size > 4096) return 0;
    check_timestamp(text);
    for (size_t i = 0; i < size && i < 4; i++)
        t.sec = t.sec * 256 * 16 + data[i];
    check_pattern(text, TIME_JODA, t);
    check_pattern(text, TIME_JAVA, t);
    return 0;
}
