/*
 * i18n: replaces letters outside of ASCII by letters that look alike.
 *
 * Source: logstash-filter-i18n, lib/logstash/filters/i18n.rb; the gem i18n, backend/transliterator.
 * Threads: keeps no state, so any number of workers may run it.
 */
#include "base/utf8.h"
#include "plugin/failure.h"

struct i18n {
    struct fields transliterate;
};

static const struct option i18n_options[] = {
    OPT(struct i18n, OPT_FIELDS, transliterate, .preset = "[]",
        .doc = "Fields with texts, or lists of texts: letters of European languages lose their "
               "accents (\xC3\xA9 becomes e, \xC3\x9F ss, \xC5\x92 OE); what has no likeness in "
               "ASCII becomes a question mark."),
    OPT_END,
};

enum { FIRST = 0xC0, LAST = 0x17E, SHARP_S = 0x1E9E };

/* U+00C0 to U+017E, in their order. */
static const char *const likenesses[LAST - FIRST + 1] = {
    "A", "A", "A",  "A",  "A", "A", "AE", "C", "E", "E",  "E",  "E",  "I", "I", "I",  "I",  /* C0 */
    "D", "N", "O",  "O",  "O", "O", "O",  "x", "O", "U",  "U",  "U",  "U", "Y", "Th", "ss", /* D0 */
    "a", "a", "a",  "a",  "a", "a", "ae", "c", "e", "e",  "e",  "e",  "i", "i", "i",  "i",  /* E0 */
    "d", "n", "o",  "o",  "o", "o", "o",  "?", "o", "u",  "u",  "u",  "u", "y", "th", "y",  /* F0 */
    "A", "a", "A",  "a",  "A", "a", "C",  "c", "C", "c",  "C",  "c",  "C", "c", "D",  "d", /* 100 */
    "D", "d", "E",  "e",  "E", "e", "E",  "e", "E", "e",  "E",  "e",  "G", "g", "G",  "g", /* 110 */
    "G", "g", "G",  "g",  "H", "h", "H",  "h", "I", "i",  "I",  "i",  "I", "i", "I",  "i", /* 120 */
    "I", "i", "IJ", "ij", "J", "j", "K",  "k", "k", "L",  "l",  "L",  "l", "L", "l",  "L", /* 130 */
    "l", "L", "l",  "N",  "n", "N", "n",  "N", "n", "'n", "NG", "ng", "O", "o", "O",  "o", /* 140 */
    "O", "o", "OE", "oe", "R", "r", "R",  "r", "R", "r",  "S",  "s",  "S", "s", "S",  "s", /* 150 */
    "S", "s", "T",  "t",  "T", "t", "T",  "t", "U", "u",  "U",  "u",  "U", "u", "U",  "u", /* 160 */
    "U", "u", "U",  "u",  "W", "w", "Y",  "y", "Y", "Z",  "z",  "Z",  "z", "Z", "z",       /* 170 */
};

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.data[i] >= 0x80) return false;
    }
    return true;
}

static struct value transliterate(struct value v, struct arena *a, struct buf *b)
{
    struct str s = value_str(v);
    uint32_t   c;

    if (is_ascii(s)) return v;
    buf_clear(b);
    while (s.len) {
        size_t len = utf8_get(s, &c);
        if (c < 0x80)
            buf_char(b, (char)c);
        else if (c >= FIRST && c <= LAST)
            buf_str(b, str_of(likenesses[c - FIRST]));
        else
            buf_str(b, c == SHARP_S ? STR("SS") : STR("?"));
        s = str_from(s, len);
    }
    return value_string(arena_copy(a, buf_view(b)));
}

static enum verdict i18n_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct i18n      *n = self;

    for (uint32_t i = 0; i < n->transliterate.len; i++) {
        const struct field *f = n->transliterate.at[i];
        struct value       *v = event_get(ev, f);
        if (v && v->kind == VALUE_STRING) {
            if (!event_set(ev, f, transliterate(*v, ev->arena, cx->buf)))
                filter_failed(cx, &limit, "filter.i18n", "cannot set the field", f->text);
        } else if (v && v->kind == VALUE_LIST) {
            for (uint32_t j = 0; j < v->as.list->len; j++) {
                struct value *item = &v->as.list->items[j];
                if (item->kind == VALUE_STRING) *item = transliterate(*item, ev->arena, cx->buf);
            }
        }
    }
    return FILTER_MATCH;
}

const struct plugin filter_i18n = {
    .kind = PLUGIN_FILTER,
    .name = "i18n",
    .summary = "Replaces letters outside of ASCII by letters that look alike.",
    .size = sizeof(struct i18n),
    .options = i18n_options,
    .filter = {.run = i18n_run},
};
