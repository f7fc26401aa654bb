#include <stdio.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "filters/translate.h"
#include "text/regex_set.h"
#include "text/rubytext.h"

/* How the translate filter finds things in a dictionary. Source: filters/fetch_strategy/. */

struct lookup {
    struct dictionary *words;
    enum lookup_mode   mode;
    struct regex_set  *regexes; /* REGEX: one for each entry, in their order */
    uint32_t          *lengths; /* WITHIN: those that keys have, ascending */
    uint32_t           lengths_len;
    bool               first[256]; /* WITHIN: bytes that keys begin with */
};

void lookup_free(void *lookup)
{
    struct lookup *l = lookup;

    if (!l) return;
    regex_set_free(l->regexes);
    free(l->lengths);
    dictionary_free(l->words);
    free(l);
}

const struct dictionary *lookup_dictionary(const struct lookup *l)
{
    return l->words;
}

static bool compile(struct lookup *l, struct dictionary_error *error)
{
    struct regex_error problem;

    l->regexes = regex_set_new();
    for (uint32_t i = 0; i < l->words->len; i++) {
        struct str key = key_str(l->words->entries[i].key);
        if (regex_set_add(l->regexes, key, 0, &problem) >= 0) continue;
        snprintf(error->text, sizeof(error->text), "the key \"%.*s\" is not a regex: %s",
                 key.len > 60 ? 60 : (int)key.len, key.data, problem.message);
        return false;
    }
    regex_set_ready(l->regexes);
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void measure(struct lookup *l)
{
    uint32_t n = 0;

    l->lengths = xcalloc(l->words->len + 1, sizeof(*l->lengths));
    for (uint32_t i = 0; i < l->words->len; i++) {
        const struct key *key = &l->words->entries[i].key;
        if (key->len == 0) continue;
        l->lengths[n++] = key->len;
        l->first[(unsigned char)key->name[0]] = true;
    }
    qsort(l->lengths, n, sizeof(*l->lengths), by_number);
    for (uint32_t i = 0; i < n; i++) {
        if (l->lengths_len && l->lengths[i] == l->lengths[l->lengths_len - 1]) continue;
        l->lengths[l->lengths_len++] = l->lengths[i];
    }
}

struct lookup *lookup_new(struct dictionary *d, enum lookup_mode mode,
                          struct dictionary_error *error)
{
    struct lookup *l = xcalloc(1, sizeof(*l));

    l->words = d;
    l->mode = mode;
    if (mode == LOOKUP_WITHIN) measure(l);
    if (mode != LOOKUP_REGEX || compile(l, error)) return l;
    lookup_free(l);
    return NULL;
}

/* The first entry, in their order, whose key stands at the start of `text`; -1: none. */
static int64_t entry_at(const struct lookup *l, struct str text)
{
    int64_t best = -1;

    if (!l->first[(unsigned char)text.data[0]]) return -1;
    for (uint32_t i = 0; i < l->lengths_len && l->lengths[i] <= text.len; i++) {
        int64_t at = dictionary_find(l->words, (struct str){text.data, l->lengths[i]});
        if (at >= 0 && (best < 0 || at < best)) best = at;
    }
    return best;
}

/* Ruby's gsub with a union of the keys and the dictionary as a hash. */
static bool replace_within(const struct lookup *l, struct str source, struct arena *a,
                           struct buf *buf, struct value *out)
{
    buf_clear(buf);
    for (size_t i = 0; i < source.len;) {
        int64_t at = entry_at(l, str_from(source, i));
        if (at < 0) {
            buf_char(buf, source.data[i++]);
            continue;
        }
        ruby_to_s(l->words->entries[at].value, buf);
        i += l->words->entries[at].key.len;
    }
    if (str_eq(buf_view(buf), source)) return false;
    *out = value_string(arena_copy(a, buf_view(buf)));
    return true;
}

bool lookup_fetch(const struct lookup *l, struct str source, struct arena *a, struct buf *buf,
                  struct value *out)
{
    if (l->mode == LOOKUP_WITHIN) return replace_within(l, source, a, buf, out);
    if (l->mode == LOOKUP_EXACT) {
        const struct value *found = dictionary_get(l->words, source);
        if (found) *out = *found;
        return found != NULL;
    }
    struct regex_hits hits = regex_set_look(l->regexes, source, a);
    struct span       whole;
    int64_t           at = regex_set_find(l->regexes, source, hits, 0, l->words->len, &whole, 1);
    if (at >= 0) *out = l->words->entries[at].value;
    return at >= 0;
}
