/* Any text is a template; rendered for an event it gives the same twice. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "event/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct event *sample(struct arena *a)
{
    struct event *ev = event_blank(a, (struct timestamp){1709971626, 543000000});

    event_set(ev, field_parse(a, STR("[a][b]"), NULL, NULL), value_string(STR("text")));
    event_set(ev, field_parse(a, STR("n"), NULL, NULL), value_float(1.5));
    return ev;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena a;
    static struct buf   out;
    static bool         ready;
    struct str          text = {(const char *)data, size}, fixed;
    const char         *problem;
    size_t              at;
    bool                fatal;

    if (!ready) event_names_init();
    ready = true;
    if (size > 4096 || !utf8_valid(text)) return 0;
    const struct template *t = template_parse(&a, text, &problem, &at, &fatal);
    struct event          *ev = sample(&a);

    clock_fix((struct timestamp){0, 0});
    buf_clear(&out);
    template_render(t, ev, &out);
    if (!str_eq(template_str(t, ev), buf_view(&out))) abort();
    if (template_constant(t, &fixed) && !str_eq(fixed, text)) abort();
    if (!utf8_valid(buf_view(&out)) || at > size || (fatal && !problem)) abort();
    arena_reset(&a);
    return 0;
}
