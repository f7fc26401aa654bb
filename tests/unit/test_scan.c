/* Code that looks at many bytes at a time, at every length and alignment and up to the very end of
   the memory there is. test_scan_portable is the same with LSC_PORTABLE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "scan_checks.h"

enum { LENGTHS = 200, ALIGNMENTS = 64 };

/* Two pages, and behind them nothing that could be read. */
static char *memory, *memory_end;

static int map_memory(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    (void)state;
    memory = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -1;
    memory_end = memory + 2 * page;
    return mprotect(memory_end, page, PROT_NONE);
}

/* A small generator, so that a failure comes again. */
static uint32_t next_random(void)
{
    static uint32_t x = 2463534242u;

    x ^= x << 13, x ^= x >> 17, x ^= x << 5;
    return x;
}

static void check(const char *p, size_t len)
{
    if (!scans_agree((struct str){p, len}))
        fail_msg("%zu bytes, %zu before the end", len, (size_t)(memory_end - p));
}

/* Plain text with one other thing in it, at every place of strings up to 40 bytes. */
static void one_special_byte(void **state)
{
    static const char *const things[] = {"\"",   "\\",   "\n",       "\x1f",
                                         "\x7f", "\x80", "\xc3\xbc", "\xf0\x9f\x98\x80"};

    (void)state;
    for (size_t len = 1; len <= 40; len++) {
        for (size_t at = 0; at < len; at++) {
            for (size_t t = 0; t < sizeof(things) / sizeof(things[0]); t++) {
                char  *p = memory_end - len;
                size_t n = strlen(things[t]);
                memset(p, 'x', len);
                memcpy(p + at, things[t], n < len - at ? n : len - at);
                check(p, len);
            }
        }
    }
}

/* Random text, few of whose bytes are special, at every length, alignment, and distance from the
   end of a page. */
static void fill(char *p, size_t len)
{
    static const char others[] = "\"\\\n\x01\xc3\xbc\xe6\x97\xa5\xf0\x9f\x98\x80\xff\xed\xa0\x80";
    uint32_t          seldom = 1u << (next_random() % 8);

    for (size_t i = 0; i < len; i++) {
        uint32_t r = next_random();
        p[i] = r % 64 < 64 / seldom && seldom < 64 ? others[(r >> 8) % (sizeof(others) - 1)]
                                                   : (char)(' ' + (r >> 8) % 95);
    }
    for (size_t i = 0; i + 3 < len; i += 7)
        if (next_random() % 8 == 0) memcpy(p + i, "\xe6\x97\xa5", 3);
}

static void every_length_and_alignment(void **state)
{
    (void)state;
    for (size_t len = 0; len <= LENGTHS; len++) {
        for (size_t shift = 0; shift < ALIGNMENTS; shift++) {
            char *inside = memory + shift, *last = memory_end - len - shift;
            fill(inside, len);
            check(inside, len);
            fill(last, len);
            check(last, len);
        }
    }
}

static void across_pages(void **state)
{
    char *border = memory + (memory_end - memory) / 2;

    (void)state;
    for (size_t before = 0; before <= 40; before++) {
        for (size_t len = 0; len <= 80; len++) {
            fill(border - before, len);
            check(border - before, len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_special_byte),
        cmocka_unit_test(every_length_and_alignment),
        cmocka_unit_test(across_pages),
    };

    return cmocka_run_group_tests(tests, map_memory, NULL);
}
