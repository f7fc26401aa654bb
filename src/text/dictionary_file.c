#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/utf8.h"
#include "event/json.h"
#include "text/dictionary.h"
#include "text/yaml.h"

static const size_t FILE_BYTES_MAX = (size_t)2 << 30;

__attribute__((format(printf, 2, 3))) static bool fail(struct dictionary_error *e,
                                                       const char              *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(e->text, sizeof(e->text), format, args);
    va_end(args);
    return false;
}

bool dictionary_format_of(struct str path, enum dictionary_format *out)
{
    if (str_ends(path, STR(".yml")) || str_ends(path, STR(".yaml")))
        *out = DICTIONARY_YAML;
    else if (str_ends(path, STR(".json")))
        *out = DICTIONARY_JSON;
    else if (str_ends(path, STR(".csv")))
        *out = DICTIONARY_CSV;
    else
        return false;
    return true;
}

/* ---- YAML ---- */

struct members {
    struct dictionary *d;
    uint32_t          *passed_over;
};

static bool add_member(void *ctx, struct str key, bool key_is_text, struct value v,
                       struct yaml_problem *problem)
{
    struct members *m = ctx;

    if (!key_is_text) {
        ++*m->passed_over;
        return true;
    }
    if (dictionary_put(m->d, key, v)) return true;
    snprintf(problem->message, sizeof(problem->message), "there are too many entries");
    return false;
}

static bool parse_yaml(struct dictionary *d, struct str text, uint32_t *passed_over,
                       struct dictionary_error *error)
{
    struct members      m = {d, passed_over};
    struct yaml_problem problem;

    if (yaml_read_members(&d->arena, text, add_member, &m, &problem)) return true;
    return fail(error, "line %zu: %s", problem.line, problem.message);
}

/* ---- JSON ---- */

static bool parse_json(struct dictionary *d, struct str text, struct dictionary_error *error)
{
    struct value      v;
    struct json_error e;

    if (!json_decode(&d->arena, text, NULL, &v, &e)) {
        size_t line = 1;
        for (size_t i = 0; i < e.offset && i < text.len; i++)
            line += text.data[i] == '\n';
        return fail(error, "line %zu: %s", line, e.message);
    }
    if (v.kind != VALUE_MAP) return fail(error, "not a JSON object");
    for (uint32_t i = 0; i < v.as.map->len; i++) {
        struct member *m = &v.as.map->members[i];
        if (!dictionary_put(d, key_str(m->key), m->value))
            return fail(error, "there are too many entries");
    }
    return true;
}

/* ---- CSV: RFC 4180 ---- */

struct csv {
    char  *p, *end;
    size_t line;
};

/* A field in quotes, which are taken off where it lies. False: it has no end. */
static bool quoted(struct csv *c, struct str *out)
{
    char *to = ++c->p;

    *out = (struct str){to, 0};
    for (; c->p < c->end; c->p++) {
        if (*c->p == '\n') c->line++;
        if (*c->p == '"') {
            if (c->p + 1 == c->end || c->p[1] != '"') {
                out->len = (size_t)(to - out->data);
                c->p++;
                return true;
            }
            c->p++;
        }
        *to++ = *c->p;
    }
    return false;
}

static bool at_end_of_line(const struct csv *c)
{
    return c->p == c->end || *c->p == '\n' ||
           (*c->p == '\r' && c->p + 1 < c->end && c->p[1] == '\n');
}

/* One field; `*v` is null when nothing stands there. */
static bool csv_field(struct csv *c, struct value *v, struct dictionary_error *error)
{
    struct str text = {c->p, 0};
    size_t     line = c->line;

    if (c->p < c->end && *c->p == '"') {
        if (!quoted(c, &text)) return fail(error, "line %zu: a quote has no end", line);
        if (!at_end_of_line(c) && *c->p != ',')
            return fail(error, "line %zu: text behind a closing quote", line);
        *v = value_string(text);
        return true;
    }
    for (; !at_end_of_line(c) && *c->p != ','; c->p++) {
        if (*c->p == '"') return fail(error, "line %zu: a quote inside a field", line);
    }
    text.len = (size_t)(c->p - text.data);
    *v = text.len ? value_string(text) : value_null();
    return true;
}

/* All fields of a line, of which the first two count. */
static bool csv_line(struct csv *c, struct value columns[2], struct dictionary_error *error)
{
    struct value v;

    columns[0] = columns[1] = value_null();
    for (int i = 0;; i++) {
        if (!csv_field(c, &v, error)) return false;
        if (i < 2) columns[i] = v;
        if (at_end_of_line(c)) break;
        c->p++; /* the comma */
    }
    if (c->p < c->end && *c->p == '\r') c->p++;
    if (c->p < c->end) c->p++;
    c->line++;
    return true;
}

static bool parse_csv(struct dictionary *d, struct str text, struct dictionary_error *error)
{
    struct csv   c = {(char *)(uintptr_t)text.data, NULL, 1};
    struct value columns[2];

    c.end = c.p + text.len;
    if (str_starts(text, STR("\xEF\xBB\xBF"))) c.p += 3;
    while (c.p < c.end) {
        if (!csv_line(&c, columns, error)) return false;
        if (columns[0].kind != VALUE_STRING) continue; /* an empty line, or no key */
        if (!dictionary_put(d, value_str(columns[0]), columns[1]))
            return fail(error, "there are too many entries");
    }
    return true;
}

/* ---- all ---- */

bool dictionary_parse(struct dictionary *d, struct str text, enum dictionary_format format,
                      uint32_t *passed_over, struct dictionary_error *error)
{
    if (!utf8_valid(text)) return fail(error, "not UTF-8, at byte %zu", utf8_valid_prefix(text));
    switch (format) {
    case DICTIONARY_YAML:
        return parse_yaml(d, text, passed_over, error);
    case DICTIONARY_JSON:
        return parse_json(d, text, error);
    case DICTIONARY_CSV:
        break;
    }
    return parse_csv(d, text, error);
}

bool dictionary_read(struct dictionary *d, const char *path, enum dictionary_format format,
                     size_t code_points, uint32_t *passed_over, struct dictionary_error *error)
{
    size_t len;
    char  *bytes = file_read(path, FILE_BYTES_MAX, &len);

    if (!bytes) return fail(error, "%s", strerror(errno));
    /* YAML copies what it keeps; the others keep views. */
    struct str text = {bytes, len};
    if (format != DICTIONARY_YAML) {
        text = arena_copy(&d->arena, text);
        free(bytes);
        bytes = NULL;
    }
    bool good = true;
    if (format == DICTIONARY_YAML && code_points && len > code_points && utf8_valid(text) &&
        utf8_count(text) > code_points)
        good = fail(error, "it has more than %zu characters: see yaml_dictionary_code_point_limit",
                    code_points);
    good = good && dictionary_parse(d, text, format, passed_over, error);
    free(bytes);
    return good;
}
