#include "text/regex_set.h"

#include <stdlib.h>

#include "base/fatal.h"
#include "text/regex_screen.h"

struct regex_set {
    struct arena         arena;
    uint32_t             len, cap;
    struct regex       **regexes;
    struct regex_screen *screen;
};

struct regex_set *regex_set_new(void)
{
    struct regex_set *s = xcalloc(1, sizeof(*s));

    s->screen = regex_screen_new();
    return s;
}

void regex_set_free(struct regex_set *s)
{
    if (!s) return;
    regex_screen_free(s->screen);
    for (uint32_t i = 0; i < s->len; i++)
        regex_free(s->regexes[i]);
    free(s->regexes);
    arena_release(&s->arena);
    free(s);
}

int64_t regex_set_add(struct regex_set *s, struct str pattern, unsigned flags,
                      struct regex_error *error)
{
    struct regex *r = regex_compile(&s->arena, pattern, flags, error);

    if (!r) return -1;
    if (s->len == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        s->regexes = xrealloc(s->regexes, s->cap * sizeof(struct regex *));
    }
    regex_screen_add(s->screen, pattern, flags);
    s->regexes[s->len] = r;
    return s->len++;
}

void regex_set_ready(struct regex_set *s)
{
    regex_screen_ready(s->screen);
}

uint32_t regex_set_len(const struct regex_set *s)
{
    return s->len;
}

const struct regex *regex_set_at(const struct regex_set *s, uint32_t i)
{
    return s->regexes[i];
}

struct regex_hits regex_set_look(const struct regex_set *s, struct str subject,
                                 struct arena *scratch)
{
    return (struct regex_hits){regex_screen_look(s->screen, subject, scratch)};
}

int64_t regex_set_find(const struct regex_set *s, struct str subject, struct regex_hits hits,
                       uint32_t from, uint32_t to, struct span *spans, uint32_t count)
{
    for (; (from = regex_screen_next(s->screen, hits.found, from, to)) < to; from++)
        if (regex_find(s->regexes[from], subject, 0, spans, count) == REGEX_MATCH) return from;
    return -1;
}
