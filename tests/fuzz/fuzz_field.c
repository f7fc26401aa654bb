/* Any text as a field reference: what is accepted can be set, read and removed again, in an event
   that holds lists and maps. */
#include <stdint.h>
#include <stdlib.h>

#include "event/event.h"
#include "event/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static struct event *make_event(struct arena *a)
{
    struct value v;

    must(json_decode(a, STR("{\"a\":{\"b\":[1,[2],{\"c\":3}]},\"n\":null,\"s\":\"x\"}"), NULL, &v,
                     NULL));
    return event_from_map(a, v.as.map, (struct timestamp){.sec = 0});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena a;
    struct str          text = {(const char *)data, size};
    const char         *problem;
    size_t              at;

    if (names.tags.len == 0) event_names_init();
    for (int escape = FIELD_ESCAPE_NONE; escape <= FIELD_ESCAPE_AMPERSAND; escape++) {
        field_set_escape((enum field_escape)escape);
        const struct field *f = field_parse(&a, text, &problem, &at);
        if (!f) {
            must(problem && at <= size);
            continue;
        }
        must(str_eq(f->text, text) && f->depth <= FIELD_DEPTH_MAX);
        must(f->depth > 0 || f->metadata);
        struct event *ev = make_event(&a);
        struct value *there = event_get(ev, f), old;
        if (event_set(ev, f, value_int(7)) && (there = event_get(ev, f))) {
            must(there->as.i == 7 && event_remove(ev, f, &old) && old.as.i == 7);
        } else if (there) {
            event_remove(ev, f, NULL);
        }
        arena_reset(&a);
    }
    return 0;
}
