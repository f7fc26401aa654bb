/* Threads: Ruby's only. What is cached lives as long as the process: events refer to its names. */
#include "filters/ruby_cache.h"

enum { SLOTS = 8192, CACHED_MAX = 4096, TEXT_MAX = 256 };

/* Open addressing; a slot without `parsed` is free. */
struct cache {
    struct arena arena;
    uint32_t     len;
    struct slot {
        struct str  text;
        const void *parsed;
    } slots[SLOTS];
};

static struct slot *find(struct cache *c, struct str text)
{
    uint32_t at = (uint32_t)hash_keyed(text.data, text.len);

    while (c->slots[at % SLOTS].parsed && !str_eq(c->slots[at % SLOTS].text, text))
        at++;
    return &c->slots[at % SLOTS];
}

static const void *parse_field(struct arena *a, struct str text)
{
    return field_parse(a, text, NULL, NULL);
}

static const void *parse_template(struct arena *a, struct str text)
{
    bool fatal;

    return template_parse(a, arena_copy(a, text), NULL, NULL, &fatal);
}

static const void *look_up(struct cache *c, struct str text, struct arena *a,
                           const void *(*parse)(struct arena *a, struct str text))
{
    if (text.len > TEXT_MAX) return parse(a, text);
    struct slot *s = find(c, text);
    if (s->parsed) return s->parsed;
    if (c->len == CACHED_MAX) return parse(a, text);
    s->parsed = parse(&c->arena, text);
    if (!s->parsed) return NULL;
    s->text = arena_copy(&c->arena, text);
    c->len++;
    return s->parsed;
}

const struct field *ruby_cache_field(struct str text, struct arena *a)
{
    static struct cache fields;

    return look_up(&fields, text, a, parse_field);
}

const struct template *ruby_cache_template(struct str text, struct arena *a)
{
    static struct cache templates;

    return look_up(&templates, text, a, parse_template);
}
