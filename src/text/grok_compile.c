#include "text/grok_compile.h"

enum { LARGE = 4096 }; /* a shorter text is never too large */

struct regex *grok_compile(struct grok_patterns *p, struct str pattern, enum grok_captures which,
                           struct str expanded, struct regex_error *error)
{
    struct regex             *r = regex_compile(p->arena, expanded, REGEX_DOTALL, error);
    struct grok_captures_list list = {0};
    struct grok_error         unknown;
    struct regex_error        again;
    struct buf                out = {0};

    if (r || expanded.len < LARGE) return r;
    if (grok_expand_shared(p, pattern, which, &list, &out, &unknown))
        r = regex_compile(p->arena, buf_view(&out), REGEX_DOTALL, &again);
    buf_release(&out);
    return r;
}
