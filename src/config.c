#include "config.h"

#include "base/hash.h"
#include "grammar/parse.h"

/* What -e lacks is added: Source: local.rb, which looks for these words the same way. */
#define DEFAULT_INPUT "input { stdin { type => stdin } }"
#define DEFAULT_OUTPUT "output { stdout { codec => rubydebug } }"

static bool has_section(const struct ast_config *c, enum ast_section_kind kind)
{
    for (uint32_t i = 0; i < c->len; i++)
        if (c->sections[i].kind == kind) return true;
    return false;
}

static bool parse_text(struct arena *a, const char *name, struct str text,
                       const struct parse_options *how, struct ast_config *out, struct diags *d)
{
    struct source *source = arena_zalloc(a, sizeof(*source));

    *source = (struct source){name, text};
    return parse_source(a, source, how, out, d);
}

static bool parse_string(const struct settings *s, struct arena *a, const struct parse_options *how,
                         struct ast_config *out, struct diags *d)
{
    bool good = parse_text(a, "-e", s->config_string, how, out, d);

    if (!good) return false;
    if (!has_section(out, AST_INPUT))
        good = parse_text(a, "default input", STR(DEFAULT_INPUT), how, out, d);
    if (!has_section(out, AST_OUTPUT))
        good = parse_text(a, "default output", STR(DEFAULT_OUTPUT), how, out, d) && good;
    return good;
}

bool config_load(const struct settings *s, struct arena *a, struct ast_config *out, struct diags *d)
{
    struct parse_options how = {.support_escapes = s->config_support_escapes,
                                .variable = parse_environment};
    bool                 parsed = s->config_string.data ? parse_string(s, a, &how, out, d)
                                                        : parse_path(a, s->path_config, &how, out, d);

    return ast_expand(a, out, &how, d) && parsed;
}

/* Of the texts that sections came from; a file without a section changes nothing. */
uint64_t config_hash(const struct settings *s)
{
    struct parse_options how = {.support_escapes = s->config_support_escapes};
    struct diags         quiet = {.quiet = true};
    struct arena         a = {0};
    struct ast_config    c = {0};
    const struct source *last = NULL;
    uint64_t             hash = 0;

    if (s->config_string.data) return hash_keyed(s->config_string.data, s->config_string.len);
    hash = parse_path(&a, s->path_config, &how, &c, &quiet);
    for (uint32_t i = 0; i < c.len; i++) {
        const struct source *source = c.sections[i].loc.source;
        if (source == last) continue;
        hash = hash * 0x9E3779B97F4A7C15u + hash_keyed(source->text.data, source->text.len);
        last = source;
    }
    arena_release(&a);
    return hash;
}
