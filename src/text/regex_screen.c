#include "text/regex_screen.h"

#include <stdlib.h>

#include "base/fatal.h"
#include "text/regex_needs.h"

enum { STATES_MAX = 1 << 20 };

/* A word ends: regex `regex` has found its set `bit`. */
struct ending {
    uint32_t regex, next; /* the next ending of the state + 1, 0: none */
    uint8_t  bit;
};

struct regex_screen {
    uint32_t len, cap;
    uint8_t *masks; /* of each regex: a bit for each of its sets */

    /* The automaton. A state's row of `next` has one column for each class of bytes. */
    uint8_t        classes[256];
    uint32_t       columns;
    uint32_t       states, states_cap;
    uint32_t      *next;
    uint32_t      *endings_of; /* by state: first ending + 1 */
    uint32_t      *behind;     /* by state: the longest suffix state with endings, 0: none */
    uint32_t       endings_len, endings_cap;
    struct ending *endings;

    /* Until it is ready. */
    struct arena        building;
    struct regex_needs *needs;
};

struct regex_screen *regex_screen_new(void)
{
    return xcalloc(1, sizeof(struct regex_screen));
}

static void end_building(struct regex_screen *s)
{
    arena_release(&s->building);
    free(s->needs);
    s->needs = NULL;
}

void regex_screen_free(struct regex_screen *s)
{
    if (!s) return;
    end_building(s);
    free(s->masks);
    free(s->next);
    free(s->endings_of);
    free(s->behind);
    free(s->endings);
    free(s);
}

void regex_screen_add(struct regex_screen *s, struct str pattern, unsigned flags)
{
    if (s->len == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        s->masks = xrealloc(s->masks, s->cap * sizeof(*s->masks));
        s->needs = xrealloc(s->needs, s->cap * sizeof(*s->needs));
    }
    regex_needs(&s->building, pattern, flags, &s->needs[s->len]);
    s->masks[s->len++] = 0;
}

/* ---- the automaton ---- */

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* Bytes that stand in no word share column 0; large letters have that of the small ones. */
static void find_classes(struct regex_screen *s)
{
    s->columns = 1;
    for (uint32_t i = 0; i < s->len; i++) {
        for (uint32_t j = 0; j < s->needs[i].len; j++) {
            const struct regex_words *words = &s->needs[i].sets[j];
            for (uint32_t k = 0; k < words->len; k++) {
                for (size_t n = 0; n < words->at[k].len; n++) {
                    uint8_t *class = &s->classes[(unsigned char)words->at[k].data[n]];
                    if (!*class && s->columns < 256) *class = (uint8_t)s->columns++;
                }
            }
        }
    }
    for (int c = 'A'; c <= 'Z'; c++)
        s->classes[c] = s->classes[lower((unsigned char)c)];
}

static uint32_t add_state(struct regex_screen *s)
{
    if (s->states == s->states_cap) {
        s->states_cap = s->states_cap ? 2 * s->states_cap : 256;
        s->next = xrealloc(s->next, (size_t)s->states_cap * s->columns * sizeof(*s->next));
        s->endings_of = xrealloc(s->endings_of, s->states_cap * sizeof(*s->endings_of));
    }
    memset(s->next + (size_t)s->states * s->columns, 0, s->columns * sizeof(*s->next));
    s->endings_of[s->states] = 0;
    return s->states++;
}

static void add_word(struct regex_screen *s, struct str word, uint32_t regex, uint8_t bit)
{
    uint32_t state = 0;

    for (size_t i = 0; i < word.len; i++) {
        size_t at = (size_t)state * s->columns + s->classes[(unsigned char)word.data[i]];
        if (!s->next[at]) {
            uint32_t new_state = add_state(s); /* may move s->next */
            s->next[at] = new_state;
        }
        state = s->next[at];
    }
    if (s->endings_len == s->endings_cap) {
        s->endings_cap = s->endings_cap ? 2 * s->endings_cap : 256;
        s->endings = xrealloc(s->endings, s->endings_cap * sizeof(*s->endings));
    }
    s->endings[s->endings_len] = (struct ending){regex, s->endings_of[state], bit};
    s->endings_of[state] = ++s->endings_len;
}

static void add_words(struct regex_screen *s, uint32_t regex)
{
    const struct regex_needs *needs = &s->needs[regex];

    for (uint32_t j = 0; j < needs->len && s->states < STATES_MAX; j++) {
        uint8_t bit = (uint8_t)(1 << j);
        s->masks[regex] |= bit;
        for (uint32_t k = 0; k < needs->sets[j].len; k++)
            add_word(s, needs->sets[j].at[k], regex, bit);
    }
}

/* Breadth first: where there is no way on, that of the longest suffix is taken. */
static void link_states(struct regex_screen *s)
{
    uint32_t *queue = xcalloc(s->states, sizeof(*queue)),
             *suffix = xcalloc(s->states, sizeof(*suffix));
    uint32_t from = 0, to = 0;

    s->behind = xcalloc(s->states, sizeof(*s->behind));
    for (uint32_t c = 0; c < s->columns; c++) {
        if (s->next[c]) queue[to++] = s->next[c];
    }
    while (from < to) {
        uint32_t  state = queue[from++], shorter = suffix[state];
        uint32_t *row = s->next + (size_t)state * s->columns;
        s->behind[state] = s->endings_of[shorter] ? shorter : s->behind[shorter];
        for (uint32_t c = 0; c < s->columns; c++) {
            uint32_t instead = s->next[(size_t)shorter * s->columns + c];
            if (!row[c]) {
                row[c] = instead;
                continue;
            }
            suffix[row[c]] = instead;
            queue[to++] = row[c];
        }
    }
    free(queue);
    free(suffix);
}

void regex_screen_ready(struct regex_screen *s)
{
    find_classes(s);
    add_state(s);
    for (uint32_t i = 0; i < s->len; i++)
        add_words(s, i);
    link_states(s);
    end_building(s);
}

/* ---- looking ---- */

static void note(const struct regex_screen *s, uint32_t state, uint8_t *found)
{
    for (; state; state = s->behind[state]) {
        for (uint32_t i = s->endings_of[state]; i; i = s->endings[i - 1].next)
            found[s->endings[i - 1].regex] |= s->endings[i - 1].bit;
    }
}

const uint8_t *regex_screen_look(const struct regex_screen *s, struct str subject,
                                 struct arena *scratch)
{
    uint8_t *found = arena_zalloc(scratch, s->len + 1);
    uint32_t state = 0;

    for (size_t i = 0; i < subject.len; i++) {
        state = s->next[(size_t)state * s->columns + s->classes[(unsigned char)subject.data[i]]];
        if (s->endings_of[state] || s->behind[state]) note(s, state, found);
    }
    return found;
}

bool regex_screen_passes(const struct regex_screen *s, const uint8_t *found, uint32_t regex)
{
    return (found[regex] & s->masks[regex]) == s->masks[regex];
}

uint32_t regex_screen_next(const struct regex_screen *s, const uint8_t *found, uint32_t from,
                           uint32_t to)
{
    while (from < to && !regex_screen_passes(s, found, from))
        from++;
    return from;
}
