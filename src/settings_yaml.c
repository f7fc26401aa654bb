#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <yaml.h>

#include "base/buf.h"
#include "grammar/parse.h"
#include "plugin/plugin.h"

/*
 * logstash.yml by libyaml: nested or flat keys come to the same thing, a.b.c. Its texts are kept as
 * a source, so that a wrong value is shown with its place like one of a config.
 */
enum { FILE_MAX = 1 << 20, DEPTH_MAX = 16 };

struct reading {
    struct settings    *settings;
    struct plugin_open *cx;
    struct source      *source;
    yaml_document_t     document;
    bool                good;
};

/* libyaml counts characters, a loc bytes. */
static uint32_t byte_offset(struct str text, size_t characters)
{
    size_t at = 0;

    while (characters > 0 && at < text.len) {
        at++;
        while (at < text.len && ((unsigned char)text.data[at] & 0xC0) == 0x80)
            at++;
        characters--;
    }
    return (uint32_t)at;
}

static struct loc loc_of(const struct reading *r, const yaml_mark_t *start, const yaml_mark_t *end)
{
    uint32_t from = byte_offset(r->source->text, start->index);
    uint32_t to = byte_offset(r->source->text, end->index);

    return (struct loc){r->source, from, to > from ? to - from : 1};
}

static struct loc node_loc(const struct reading *r, const yaml_node_t *n)
{
    return loc_of(r, &n->start_mark, &n->end_mark);
}

static void problem(struct reading *r, struct loc loc, const char *message)
{
    diag(r->cx->diags, DIAG_ERROR, loc, "%s", message);
    r->good = false;
}

static bool is_null(const yaml_node_t *n)
{
    struct str text = {(const char *)n->data.scalar.value, n->data.scalar.length};

    if (n->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
    return text.len == 0 || str_is(text, "~") || str_is(text, "null");
}

static bool scalar_value(struct reading *r, const yaml_node_t *n, struct ast_value *out)
{
    struct parse_options how = {.variable = parse_environment};
    struct str text = {(const char *)n->data.scalar.value, n->data.scalar.length}, missing;

    *out = (struct ast_value){.kind = AST_STRING, .loc = node_loc(r, n)};
    if (expand_text(r->cx->arena, arena_copy(r->cx->arena, text), &how, &out->text, &missing))
        return true;
    diag(r->cx->diags, DIAG_ERROR, out->loc, "the variable %.*s is not set and has no default",
         STR_ARG(missing));
    return r->good = false;
}

static bool list_value(struct reading *r, const yaml_node_t *n, struct ast_value *out)
{
    size_t len = (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);

    *out = (struct ast_value){.kind = AST_LIST, .loc = node_loc(r, n)};
    out->items = arena_zalloc(r->cx->arena, (len + 1) * sizeof(*out->items));
    for (size_t i = 0; i < len; i++) {
        yaml_node_t *item = yaml_document_get_node(&r->document, n->data.sequence.items.start[i]);
        if (!item || item->type != YAML_SCALAR_NODE) {
            problem(r, out->loc, "a list of settings holds single values only");
            return false;
        }
        if (!scalar_value(r, item, &out->items[out->len++])) return false;
    }
    return true;
}

static void set_key(struct reading *r, struct str key, struct loc loc, const yaml_node_t *value)
{
    const struct setting *row = settings_row(key);
    struct ast_value     *v = arena_zalloc(r->cx->arena, sizeof(*v));

    if (!row || (row->own && !str_is(key, "path.settings"))) {
        const char *near = settings_nearest(key, false);
        diag(r->cx->diags, DIAG_ERROR, loc, "unknown setting \"%.*s\"%s%s%s", STR_ARG(key),
             near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        r->good = false;
        return;
    }
    if (row->own || (value->type == YAML_SCALAR_NODE && is_null(value))) return;
    bool read =
        value->type == YAML_SEQUENCE_NODE ? list_value(r, value, v) : scalar_value(r, value, v);
    if (!read || !settings_set(r->settings, row, v, r->cx)) r->good = false;
}

static void read_mapping(struct reading *r, const yaml_node_t *map, struct str prefix, int depth);

static void read_pair(struct reading *r, const yaml_node_pair_t *pair, struct str prefix, int depth)
{
    yaml_node_t *key = yaml_document_get_node(&r->document, pair->key);
    yaml_node_t *value = yaml_document_get_node(&r->document, pair->value);

    if (!key || !value || key->type != YAML_SCALAR_NODE) {
        problem(r, node_loc(r, key ? key : value), "a key must be a name");
        return;
    }
    struct str name =
        arena_printf(r->cx->arena, "%.*s%s%.*s", STR_ARG(prefix), prefix.len ? "." : "",
                     (int)key->data.scalar.length, (const char *)key->data.scalar.value);
    if (value->type != YAML_MAPPING_NODE)
        set_key(r, name, node_loc(r, key), value);
    else if (depth == DEPTH_MAX)
        problem(r, node_loc(r, key), "too many levels of keys");
    else
        read_mapping(r, value, name, depth + 1);
}

static void read_mapping(struct reading *r, const yaml_node_t *map, struct str prefix, int depth)
{
    const yaml_node_pair_t *end = map->data.mapping.pairs.top;

    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < end; p++)
        read_pair(r, p, prefix, depth);
}

static void read_document(struct reading *r, yaml_parser_t *parser)
{
    if (!yaml_parser_load(parser, &r->document)) {
        struct loc loc = loc_of(r, &parser->problem_mark, &parser->problem_mark);
        diag(r->cx->diags, DIAG_ERROR, loc, "not YAML: %s",
             parser->problem ? parser->problem : "unreadable");
        r->good = false;
        return;
    }
    yaml_node_t *root = yaml_document_get_root_node(&r->document);
    if (root && root->type == YAML_MAPPING_NODE)
        read_mapping(r, root, STR(""), 0);
    else if (root && !(root->type == YAML_SCALAR_NODE && is_null(root)))
        problem(r, node_loc(r, root), "expected settings, each a key and a value");
    yaml_document_delete(&r->document);
}

/* Reads the file whole. False with errno. */
static bool read_file(struct arena *a, const char *name, struct str *out)
{
    FILE *f = fopen(name, "re");

    if (!f) return false;
    char  *data = arena_alloc(a, FILE_MAX);
    size_t len = fread(data, 1, FILE_MAX, f);
    bool   failed = ferror(f) != 0;
    fclose(f);
    if (failed) return errno = EIO, false;
    if (len == FILE_MAX) return errno = EFBIG, false;
    arena_trim(a, data, len);
    *out = (struct str){data, len};
    return true;
}

bool settings_read_yaml(struct settings *s, bool asked_for, struct plugin_open *cx)
{
    struct reading r = {.settings = s, .cx = cx, .good = true};
    yaml_parser_t  parser;

    r.source = arena_zalloc(cx->arena, sizeof(*r.source));
    r.source->name = arena_printf(cx->arena, "%.*s/logstash.yml", STR_ARG(s->path_settings)).data;
    if (!read_file(cx->arena, r.source->name, &r.source->text)) {
        if (errno == ENOENT && !asked_for) return true;
        diag(cx->diags, errno == ENOENT ? DIAG_WARNING : DIAG_ERROR, (struct loc){0}, "%s: %s",
             r.source->name, strerror(errno));
        return errno == ENOENT;
    }
    if (!yaml_parser_initialize(&parser)) return false;
    yaml_parser_set_input_string(&parser, (const unsigned char *)r.source->text.data,
                                 r.source->text.len);
    read_document(&r, &parser);
    yaml_parser_delete(&parser);
    return r.good;
}
