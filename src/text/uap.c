#include "text/uap.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "text/regex_set.h"
#include "text/yaml.h"

enum { KINDS = 3, PARTS_MAX = 5, GROUPS_MAX = 10 };

/* How the parts of an answer are made: by default each from the group of its number. */
static const struct kind {
    const char   *list;
    enum uap_part first;
    uint32_t      parts;
    const char   *replacements[PARTS_MAX];
} kinds[KINDS] = {
    {"user_agent_parsers",
     UAP_NAME,
     5,
     {"family_replacement", "v1_replacement", "v2_replacement", "v3_replacement",
      "v4_replacement"}},
    {"os_parsers",
     UAP_OS,
     5,
     {"os_replacement", "os_v1_replacement", "os_v2_replacement", "os_v3_replacement",
      "os_v4_replacement"}},
    {"device_parsers", UAP_DEVICE, 1, {"device_replacement"}},
};

/* What one regex gives; data NULL: the group. */
struct answer {
    struct str replacements[PARTS_MAX];
};

struct uap {
    struct arena      arena;
    struct regex_set *regexes;          /* of all kinds, one after the other */
    uint32_t          first[KINDS + 1]; /* where each kind begins */
    struct answer    *answers;
    uint32_t          cap;
};

/* ---- reading ---- */

static struct str member(const struct map *m, const char *name)
{
    const struct value *v = map_get(m, key_make(str_of(name)));

    return v && v->kind == VALUE_STRING ? value_str(*v) : (struct str){NULL, 0};
}

/* Scalars such as 8 are texts here. */
static struct str replacement(struct uap *u, const struct map *m, const char *name)
{
    const struct value *v = map_get(m, key_make(str_of(name)));
    struct buf          text = {0};

    if (!v || v->kind == VALUE_NULL) return (struct str){NULL, 0};
    value_text(*v, &text);
    struct str s = arena_copy(&u->arena, buf_view(&text));
    buf_release(&text);
    return s;
}

static bool read_entry(struct uap *u, const struct kind *k, const struct value *v, char *error,
                       size_t error_size)
{
    struct regex_error problem;

    if (v->kind != VALUE_MAP || !member(v->as.map, "regex").data) {
        snprintf(error, error_size, "an entry of %s has no regex", k->list);
        return false;
    }
    struct str pattern = member(v->as.map, "regex");
    unsigned   flags = REGEX_JAVA;
    if (str_is(member(v->as.map, "regex_flag"), "i")) flags |= REGEX_CASELESS;
    int64_t i = regex_set_add(u->regexes, pattern, flags, &problem);
    if (i < 0) {
        snprintf(error, error_size, "%s: \"%.*s\": %s", k->list,
                 pattern.len > 60 ? 60 : (int)pattern.len, pattern.data, problem.message);
        return false;
    }
    if (i >= u->cap) {
        u->cap = u->cap ? 2 * u->cap : 64;
        u->answers = xrealloc(u->answers, u->cap * sizeof(*u->answers));
    }
    u->answers[i] = (struct answer){0};
    for (uint32_t j = 0; j < k->parts; j++)
        u->answers[i].replacements[j] = replacement(u, v->as.map, k->replacements[j]);
    return true;
}

static bool read_lists(struct uap *u, const struct map *m, char *error, size_t error_size)
{
    for (int k = 0; k < KINDS; k++) {
        const struct value *list = map_get(m, key_make(str_of(kinds[k].list)));
        u->first[k] = regex_set_len(u->regexes);
        if (!list || list->kind != VALUE_LIST) continue;
        for (uint32_t i = 0; i < list->as.list->len; i++) {
            if (!read_entry(u, &kinds[k], &list->as.list->items[i], error, error_size))
                return false;
        }
    }
    u->first[KINDS] = regex_set_len(u->regexes);
    if (u->first[KINDS] > 0) return true;
    snprintf(error, error_size, "it has no user_agent_parsers, os_parsers or device_parsers");
    return false;
}

struct uap *uap_read(struct str yaml, char *error, size_t error_size)
{
    struct uap         *u = xcalloc(1, sizeof(*u));
    struct arena        scratch = {0};
    struct yaml_problem problem;
    struct value        v;
    bool                good = false;

    u->regexes = regex_set_new();
    if (!yaml_read(&scratch, yaml, &v, &problem))
        snprintf(error, error_size, "line %zu: %s", problem.line, problem.message);
    else if (v.kind != VALUE_MAP)
        snprintf(error, error_size, "not a map");
    else
        good = read_lists(u, v.as.map, error, error_size);
    arena_release(&scratch);
    if (good) {
        regex_set_ready(u->regexes);
        return u;
    }
    uap_free(u);
    return NULL;
}

void uap_free(struct uap *u)
{
    if (!u) return;
    regex_set_free(u->regexes);
    free(u->answers);
    arena_release(&u->arena);
    free(u);
}

/* ---- looking ---- */

static struct str group(struct str text, const struct span *spans, uint32_t groups, uint32_t n)
{
    if (n > groups || n >= GROUPS_MAX || spans[n].start == SIZE_MAX) return (struct str){NULL, 0};
    return (struct str){text.data + spans[n].start, spans[n].end - spans[n].start};
}

static struct str trim(struct str s)
{
    while (s.len && (unsigned char)s.data[0] <= ' ')
        s.data++, s.len--;
    while (s.len && (unsigned char)s.data[s.len - 1] <= ' ')
        s.len--;
    return s;
}

/* $1 to $9 of a replacement by the groups; those that took no part by nothing. */
static struct str fill(struct arena *a, struct str pattern, struct str text,
                       const struct span *spans, uint32_t groups)
{
    size_t max = pattern.len;

    if (!memchr(pattern.data, '$', pattern.len)) return pattern;
    for (size_t i = 0; i + 1 < pattern.len; i++)
        max += pattern.data[i] == '$' ? text.len : 0;
    char  *out = arena_alloc(a, max);
    size_t len = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        char digit = i + 1 < pattern.len ? pattern.data[i + 1] : '\0';
        if (pattern.data[i] != '$' || digit < '1' || digit > '9') {
            out[len++] = pattern.data[i];
            continue;
        }
        struct str s = group(text, spans, groups, (uint32_t)(digit - '0'));
        if (s.len) memcpy(out + len, s.data, s.len);
        len += s.len;
        i++;
    }
    arena_trim(a, out, len);
    return trim((struct str){out, len});
}

static void make_parts(const struct uap *u, const struct kind *k, uint32_t regex, struct str text,
                       const struct span *spans, struct arena *a, struct str *parts)
{
    const struct answer *answer = &u->answers[regex];
    uint32_t             groups = regex_groups(regex_set_at(u->regexes, regex));

    for (uint32_t j = 0; j < k->parts; j++) {
        struct str from = answer->replacements[j];
        struct str s =
            from.data ? fill(a, from, text, spans, groups) : group(text, spans, groups, j + 1);
        parts[k->first + j] = j > 0 && s.len == 0 ? (struct str){NULL, 0} : s;
    }
}

void uap_look(const struct uap *u, struct str text, struct arena *a, struct str *parts)
{
    struct regex_hits hits = regex_set_look(u->regexes, text, a);
    struct span       spans[GROUPS_MAX];

    for (int i = 0; i < UAP_PARTS; i++)
        parts[i] = (struct str){NULL, 0};
    for (int k = 0; k < KINDS; k++) {
        struct str *family = &parts[kinds[k].first];
        uint32_t    from = u->first[k];
        while (!family->data) {
            int64_t i =
                regex_set_find(u->regexes, text, hits, from, u->first[k + 1], spans, GROUPS_MAX);
            if (i < 0) {
                *family = STR("Other");
                break;
            }
            make_parts(u, &kinds[k], (uint32_t)i, text, spans, a, parts);
            from = (uint32_t)i + 1; /* one without a family says nothing */
        }
    }
}
