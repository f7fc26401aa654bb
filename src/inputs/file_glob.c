#include <dirent.h>
#include <stdlib.h>

#include "inputs/file.h"

/* Limits of one pattern, so that a slip of the pen cannot eat the machine. */
enum { BRACES_MAX = 1024, DEPTH_MAX = 128 };

/* Does `c` belong to the set that begins behind '['? `*end` gets the place behind ']', or NULL when
   the set never ends and '[' stands for itself. */
static bool in_set(const char *p, const char *limit, char c, const char **end)
{
    bool negate = false, hit = false, first = true;

    if (p < limit && (*p == '!' || *p == '^')) negate = true, p++;
    for (; p < limit && (first || *p != ']'); first = false) {
        if (*p == '\\' && p + 1 < limit) p++;
        unsigned char low = (unsigned char)*p++, high = low;
        if (p + 1 < limit && *p == '-' && p[1] != ']') {
            p++;
            if (*p == '\\' && p + 1 < limit) p++;
            high = (unsigned char)*p++;
        }
        hit |= (unsigned char)c >= low && (unsigned char)c <= high;
    }
    *end = p < limit ? p + 1 : NULL;
    return hit != negate;
}

/* Does the one element of a pattern at `p` (not a star) match `c`? `*next` gets the place behind
   it. */
static bool match_one(const char *p, const char *limit, char c, const char **next)
{
    const char *end;

    *next = p + 1;
    if (*p == '?') return true;
    if (*p == '[') {
        bool hit = in_set(p + 1, limit, c, &end);
        if (end) {
            *next = end;
            return hit;
        }
    }
    if (*p == '\\' && p + 1 < limit) {
        *next = p + 2;
        return p[1] == c;
    }
    return *p == c;
}

/* Going back to the last star only is enough, and keeps this from being exponential. */
bool glob_match(struct str pattern, struct str name)
{
    const char *p = pattern.data, *limit = pattern.data + pattern.len;
    const char *s = name.data, *end = name.data + name.len;
    const char *star = NULL, *retry = NULL, *next;

    if (name.len > 0 && *s == '.' && !(p < limit && *p == '.') &&
        !(p + 1 < limit && *p == '\\' && p[1] == '.'))
        return false;
    while (s < end) {
        if (p < limit && *p == '*') {
            star = ++p;
            retry = s;
        } else if (p < limit && match_one(p, limit, *s, &next)) {
            p = next;
            s++;
        } else if (star) {
            p = star;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (p < limit && *p == '*')
        p++;
    return p == limit;
}

static bool has_magic(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (strchr("*?[\\", s.data[i])) return true;
    return false;
}

struct walk {
    struct buf path;
    void (*found)(void *ctx, const char *path);
    void *ctx;
};

static void walk(struct walk *w, struct str pattern, int depth);

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* A directory that "**" may enter. */
static bool is_plain_directory(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Appends "/name" to the path, goes on with the rest of the pattern, and takes it off again. */
static void walk_into(struct walk *w, struct str name, struct str rest, int depth)
{
    size_t before = w->path.len;

    buf_char(&w->path, '/');
    buf_str(&w->path, name);
    walk(w, rest, depth + 1);
    w->path.len = before;
}

/* Every entry of the directory that matches `element`; for "**" every directory below, with the
   same pattern again. */
static void walk_directory(struct walk *w, struct str element, struct str rest, struct str again,
                           int depth)
{
    struct dirent **list = NULL;
    bool            any_depth = again.len > 0;
    size_t          before = w->path.len;
    int             n = scandir(w->path.len ? buf_cstr(&w->path) : "/", &list, NULL, by_name);

    for (int i = 0; i < n; i++) {
        struct str name = str_of(list[i]->d_name);
        if (!str_is(name, ".") && !str_is(name, "..") && glob_match(element, name)) {
            if (any_depth) {
                buf_printf(&w->path, "/%s", list[i]->d_name);
                bool enter = is_plain_directory(buf_cstr(&w->path));
                w->path.len = before;
                if (enter) walk_into(w, name, again, depth);
            } else {
                walk_into(w, name, rest, depth);
            }
        }
        free(list[i]);
    }
    free(list);
}

/* `pattern` is what is left: "/element/element". */
static void walk(struct walk *w, struct str pattern, int depth)
{
    struct stat st;

    while (pattern.len > 0 && *pattern.data == '/')
        pattern = str_from(pattern, 1);
    if (depth > DEPTH_MAX) return;
    if (pattern.len == 0) {
        if (stat(buf_cstr(&w->path), &st) == 0) w->found(w->ctx, buf_cstr(&w->path));
        return;
    }
    const char *slash = memchr(pattern.data, '/', pattern.len);
    struct str  element = {pattern.data, slash ? (size_t)(slash - pattern.data) : pattern.len};
    struct str  rest = str_from(pattern, element.len);

    if (str_is(element, "**") && rest.len > 0) {
        while (str_starts(rest, STR("/**/")))
            rest = str_from(rest, 3); /* says nothing new */
        walk(w, rest, depth + 1);
        walk_directory(w, STR("*"), rest, pattern, depth);
    } else if (has_magic(element)) {
        walk_directory(w, element, rest, (struct str){"", 0}, depth);
    } else {
        walk_into(w, element, rest, depth);
    }
}

/* The '}' that closes the '{' at `from`, or NULL. */
static const char *closing_brace(const char *from, const char *limit)
{
    int level = 0;

    for (const char *p = from; p < limit; p++) {
        if (*p == '\\' && p + 1 < limit)
            p++;
        else if (*p == '{')
            level++;
        else if (*p == '}' && --level == 0)
            return p;
    }
    return NULL;
}

/* Replaces the first {a,b} by each of its alternatives in turn, until there is none. */
static void expand_braces(struct walk *w, struct str pattern, int *budget)
{
    const char *limit = pattern.data + pattern.len;
    const char *open = memchr(pattern.data, '{', pattern.len);
    const char *close = open ? closing_brace(open, limit) : NULL;

    if (!close) {
        if ((*budget)-- > 0) walk(w, pattern, 0);
        return;
    }
    const char *from = open + 1;
    int         level = 0;
    for (const char *p = from; p <= close && *budget > 0; p++) {
        if (*p == '{') level++;
        if (*p == '}' && p < close) level--;
        if (p != close && !(*p == ',' && level == 0)) continue;
        struct buf one = {0};
        buf_put(&one, pattern.data, (size_t)(open - pattern.data));
        buf_put(&one, from, (size_t)(p - from));
        buf_put(&one, close + 1, (size_t)(limit - close - 1));
        expand_braces(w, buf_view(&one), budget);
        buf_release(&one);
        from = p + 1;
    }
}

void glob_expand(struct str pattern, void (*found)(void *ctx, const char *path), void *ctx)
{
    struct walk w = {.found = found, .ctx = ctx};
    int         budget = BRACES_MAX;

    expand_braces(&w, pattern, &budget);
    buf_release(&w.path);
}
