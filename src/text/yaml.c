#include "text/yaml.h"

#include <yaml.h>

enum { DEPTH_MAX = 64, ANCHORS_MAX = 1000 };

struct anchor {
    struct str   name;
    struct value value;
};

struct reading {
    struct arena        *a;
    yaml_parser_t        parser;
    yaml_event_t         event; /* the next one, owned */
    struct yaml_problem *problem;
    struct anchor       *anchors;
    uint32_t             anchors_len;
};

static bool fail(struct reading *r, const char *message)
{
    snprintf(r->problem->message, sizeof(r->problem->message), "%s", message);
    r->problem->line = r->event.start_mark.line + 1;
    return false;
}

static bool next(struct reading *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event)) return true;
    memset(&r->event, 0, sizeof(r->event));
    r->event.start_mark = r->parser.problem_mark;
    return fail(r, r->parser.problem ? r->parser.problem : "not YAML");
}

static struct str text_of(const yaml_char_t *z)
{
    return str_of((const char *)z);
}

static bool keep_anchor(struct reading *r, const yaml_char_t *name, struct value v)
{
    if (!name) return true;
    if (r->anchors_len == ANCHORS_MAX) return fail(r, "there are too many anchors");
    if (!r->anchors) r->anchors = arena_alloc(r->a, ANCHORS_MAX * sizeof(*r->anchors));
    r->anchors[r->anchors_len++] = (struct anchor){arena_copy(r->a, text_of(name)), v};
    return true;
}

/* Lists and maps are not repeated: a few lines could stand for more than memory holds. */
static bool read_alias(struct reading *r, struct value *out)
{
    struct str name = text_of(r->event.data.alias.anchor);

    for (uint32_t i = r->anchors_len; i-- > 0;) {
        if (!str_eq(r->anchors[i].name, name)) continue;
        *out = r->anchors[i].value;
        if (out->kind == VALUE_LIST || out->kind == VALUE_MAP)
            return fail(r, "an alias may not stand for a list or map");
        return true;
    }
    return fail(r, "the anchor of this alias is not there");
}

static bool is_plain(const yaml_event_t *e)
{
    return e->type == YAML_SCALAR_EVENT && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           e->data.scalar.plain_implicit && !e->data.scalar.tag;
}

static bool read_scalar(struct reading *r, struct value *out)
{
    struct str text = {(const char *)r->event.data.scalar.value, r->event.data.scalar.length};

    text = arena_copy(r->a, text);
    *out = is_plain(&r->event) ? yaml_scalar(r->a, text) : value_string(text);
    return keep_anchor(r, r->event.data.scalar.anchor, *out);
}

static bool read_value(struct reading *r, int depth, struct value *out);

static bool read_list(struct reading *r, int depth, struct value *out)
{
    struct list *l = list_new(r->a, 4);
    struct value item;

    *out = value_list(l);
    if (!keep_anchor(r, r->event.data.sequence_start.anchor, *out)) return false;
    while (next(r)) {
        if (r->event.type == YAML_SEQUENCE_END_EVENT) return true;
        if (!read_value(r, depth + 1, &item)) return false;
        list_push(l, r->a, item);
    }
    return false;
}

/* A key as text: what it says, whatever it means. */
static bool read_key(struct reading *r, struct str *key, bool *is_text)
{
    struct value v;

    if (r->event.type == YAML_ALIAS_EVENT) {
        if (!read_alias(r, &v)) return false;
    } else if (r->event.type != YAML_SCALAR_EVENT) {
        return fail(r, "a list or map cannot be a key");
    } else if (!read_scalar(r, &v)) {
        return false;
    }
    *is_text = v.kind == VALUE_STRING && !(is_plain(&r->event) && yaml_is_date(value_str(v)));
    *key = v.kind == VALUE_STRING
               ? value_str(v)
               : arena_copy(r->a, (struct str){(const char *)r->event.data.scalar.value,
                                               r->event.type == YAML_SCALAR_EVENT
                                                   ? r->event.data.scalar.length
                                                   : 0});
    return true;
}

static bool read_map(struct reading *r, int depth, struct value *out)
{
    struct map  *m = map_new(r->a, 4);
    struct value v;
    struct str   key;
    bool         is_text;

    *out = value_map(m);
    if (!keep_anchor(r, r->event.data.mapping_start.anchor, *out)) return false;
    while (next(r)) {
        if (r->event.type == YAML_MAPPING_END_EVENT) return true;
        if (!read_key(r, &key, &is_text) || !next(r) || !read_value(r, depth + 1, &v)) return false;
        *map_add(m, r->a, key_make(key)) = v;
    }
    return false;
}

static bool read_value(struct reading *r, int depth, struct value *out)
{
    if (depth > DEPTH_MAX) return fail(r, "lists and maps are nested too deeply");
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, out);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(r, depth, out);
    case YAML_MAPPING_START_EVENT:
        return read_map(r, depth, out);
    case YAML_ALIAS_EVENT:
        return read_alias(r, out);
    default:
        return fail(r, "not a value");
    }
}

/* Up to the first event of the first document; `*empty` when there is none. */
static bool begin(struct reading *r, struct arena *a, struct str text, bool *empty,
                  struct yaml_problem *problem)
{
    *r = (struct reading){.a = a, .problem = problem};
    *problem = (struct yaml_problem){.line = 0};
    *empty = false;
    if (!yaml_parser_initialize(&r->parser)) return fail(r, "out of memory");
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text.data, text.len);
    do {
        if (!next(r)) return false;
        *empty = r->event.type == YAML_STREAM_END_EVENT;
    } while (r->event.type == YAML_STREAM_START_EVENT ||
             r->event.type == YAML_DOCUMENT_START_EVENT);
    return true;
}

static bool end(struct reading *r, bool good)
{
    yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
    return good;
}

bool yaml_read(struct arena *a, struct str text, struct value *out, struct yaml_problem *problem)
{
    struct reading r;
    bool           empty;

    *out = value_null();
    bool good = begin(&r, a, text, &empty, problem) && (empty || read_value(&r, 0, out));
    return end(&r, good);
}

static bool is_nothing(const yaml_event_t *e)
{
    return e->type == YAML_SCALAR_EVENT && e->data.scalar.length == 0;
}

bool yaml_read_members(struct arena *a, struct str text,
                       bool (*member)(void *ctx, struct str key, bool key_is_text, struct value v,
                                      struct yaml_problem *problem),
                       void *ctx, struct yaml_problem *problem)
{
    struct reading r;
    struct value   v;
    struct str     key;
    bool           empty, is_text;

    if (!begin(&r, a, text, &empty, problem)) return end(&r, false);
    if (empty || is_nothing(&r.event)) return end(&r, true);
    if (r.event.type != YAML_MAPPING_START_EVENT) return end(&r, fail(&r, "not a map"));
    while (next(&r)) {
        if (r.event.type == YAML_MAPPING_END_EVENT) return end(&r, true);
        if (!read_key(&r, &key, &is_text) || !next(&r) || !read_value(&r, 1, &v) ||
            !member(ctx, key, is_text, v, problem))
            break;
    }
    return end(&r, false);
}
