/* A pattern, a newline, a text: any bytes as a date, in a zone with summer time. What is read again
   from the same text must be the same moment. */
#include <stdint.h>
#include <stdlib.h>

#include "text/date_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct timestamp now = {1709971626, 0};
    const char                   *newline = size ? memchr(data, '\n', size) : NULL;
    struct str                    pattern = STR("ISO8601"), text = {(const char *)data, size};
    struct arena                  arena = {0};
    struct zone                   zone = ZONE_UTC;
    const char                   *problem;
    int64_t                       ms, again;

    if (newline) {
        pattern = (struct str){text.data, (size_t)(newline - text.data)};
        text = str_from(text, pattern.len + 1);
    }
    zone_find(STR("Europe/Berlin"), &zone);
    const struct date_format *f = date_format_compile(&arena, pattern, STR("fr"), now, &problem);
    if (!f && !problem) abort();
    if (f && date_parse(f, text, zone, now, &ms))
        if (!date_parse(f, text, zone, now, &again) || again != ms) abort();
    zone_rules_free(zone_rules_parse(text));
    arena_release(&arena);
    return 0;
}
