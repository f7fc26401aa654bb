#include "text/date_names.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "text/date_parse.h"

struct date_locale {
    const char *tags; /* with a blank between them */
    /* With | between the names. */
    const char *months, *short_months, *weekdays, *short_weekdays, *halves, *eras;
};

static const struct date_locale locales[] = {
#define DATE_LOCALE(tags, months, short_months, weekdays, short_weekdays, halves, eras)            \
    {tags, months, short_months, weekdays, short_weekdays, halves, eras},
#include "text/date_names.def"
#undef DATE_LOCALE
};

enum { LOCALES = sizeof(locales) / sizeof(locales[0]), TAG_MAX = 16 };

/* The next piece of `*rest` up to `separator`. False at the end. */
static bool next_piece(const char **rest, char separator, struct str *piece)
{
    if (!*rest) return false;
    const char *end = strchr(*rest, separator);
    *piece = end ? (struct str){*rest, (size_t)(end - *rest)} : str_of(*rest);
    *rest = end ? end + 1 : NULL;
    return true;
}

static bool same_tag(struct str a, struct str b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if ((a.data[i] | 0x20) != (b.data[i] | 0x20)) return false;
    return true;
}

static const struct date_locale *find_exact(struct str tag)
{
    for (int i = 0; i < LOCALES; i++) {
        const char *rest = locales[i].tags;
        for (struct str t; next_piece(&rest, ' ', &t);)
            if (same_tag(t, tag)) return &locales[i];
    }
    return NULL;
}

const struct date_locale *date_locale_find(struct str tag)
{
    char   text[TAG_MAX];
    size_t len = 0;

    while (len < tag.len && tag.data[len] != '.' && tag.data[len] != '@')
        len++;
    if (len == 0 || len > sizeof(text)) return NULL;
    for (size_t i = 0; i < len; i++)
        text[i] = tag.data[i] == '_' ? '-' : tag.data[i];
    for (;;) {
        const struct date_locale *l = find_exact((struct str){text, len});
        if (l) return l;
        const char *dash = memrchr(text, '-', len);
        if (!dash) return NULL;
        len = (size_t)(dash - text);
    }
}

bool date_locale_known(struct str tag)
{
    return date_locale_find(tag) != NULL;
}

struct str date_locale_list(struct arena *a)
{
    struct str list = STR("");

    for (int i = 0; i < LOCALES; i++) {
        const char *rest = locales[i].tags;
        struct str  tag = {0};
        next_piece(&rest, ' ', &tag);
        if (tag.len == 0 || memchr(tag.data, '-', tag.len)) continue; /* a region */
        list = arena_printf(a, "%.*s%s%.*s", STR_ARG(list), list.len ? ", " : "", STR_ARG(tag));
    }
    return list;
}

/* ---- looking up ---- */

struct name {
    struct str text;
    int32_t    value;
};

/* Sorted by first byte, then longest first, so that the first that fits is the longest. */
struct date_names {
    uint32_t    len;
    struct name at[144]; /* 12 months, long and short, in three cases, twice */
    uint8_t     first[257];
};

static int by_first_byte(const void *a, const void *b)
{
    const struct name  *x = a, *y = b;
    const unsigned char c = (unsigned char)x->text.data[0], d = (unsigned char)y->text.data[0];

    if (c != d) return c < d ? -1 : 1;
    if (x->text.len != y->text.len) return x->text.len > y->text.len ? -1 : 1;
    return memcmp(x->text.data, y->text.data, x->text.len);
}

static void add_name(struct date_names *n, struct str text, int32_t value)
{
    for (uint32_t i = 0; i < n->len; i++)
        if (str_eq(n->at[i].text, text)) return;
    if (text.len && n->len < sizeof(n->at) / sizeof(n->at[0]))
        n->at[n->len++] = (struct name){text, value};
}

static void add_names(struct date_names *n, struct arena *a, const char *list, int32_t value)
{
    struct buf changed = {0};

    for (struct str name; next_piece(&list, '|', &name); value++) {
        add_name(n, name, value);
        buf_clear(&changed);
        utf8_lower(&changed, name);
        add_name(n, arena_copy(a, buf_view(&changed)), value);
        buf_clear(&changed);
        utf8_upper(&changed, name);
        add_name(n, arena_copy(a, buf_view(&changed)), value);
    }
    buf_release(&changed);
}

const struct date_names *date_names_of(struct arena *a, const struct date_locale *l,
                                       enum date_field field)
{
    struct date_names *n = arena_zalloc(a, sizeof(*n));

    if (field == DATE_MONTH) {
        add_names(n, a, l->months, 1);
        add_names(n, a, l->short_months, 1);
    } else if (field == DATE_WEEKDAY) {
        add_names(n, a, l->weekdays, 1);
        add_names(n, a, l->short_weekdays, 1);
    } else if (field == DATE_HALFDAY) {
        add_names(n, a, l->halves, 0);
    } else {
        add_names(n, a, l->eras, 0);
        if (strncmp(l->tags, "en", 2) == 0) add_names(n, a, "BCE|CE", 0);
    }
    qsort(n->at, n->len, sizeof(n->at[0]), by_first_byte);
    for (uint32_t i = 0, byte = 0; byte < 256; n->first[++byte] = (uint8_t)i)
        while (i < n->len && (unsigned char)n->at[i].text.data[0] == byte)
            i++;
    return n;
}

/* Names are short: a call of memcmp() would cost more than the bytes. */
static bool starts(struct str text, struct str name)
{
    if (text.len < name.len) return false;
    for (size_t i = 1; i < name.len; i++) /* the first byte is known to fit */
        if (text.data[i] != name.data[i]) return false;
    return true;
}

size_t date_names_match(const struct date_names *n, struct str text, int32_t *value)
{
    if (text.len == 0) return 0;
    unsigned char byte = (unsigned char)text.data[0];
    for (uint32_t i = n->first[byte]; i < n->first[byte + 1]; i++) {
        const struct name *name = &n->at[i];
        if (!starts(text, name->text)) continue;
        *value = name->value;
        return name->text.len;
    }
    return 0;
}
