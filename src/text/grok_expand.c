#include "text/grok_expand.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"

enum { FILE_MAX = 16 * 1024 * 1024 };

void grok_patterns_init(struct grok_patterns *p, struct arena *a)
{
    *p = (struct grok_patterns){.arena = a};
}

void grok_patterns_add(struct grok_patterns *p, struct str name, struct str regex)
{
    struct value *v = map_get(&p->regexes, key_make(name));

    if (!v) v = map_add(&p->regexes, p->arena, key_make(arena_copy(p->arena, name)));
    *v = value_string(arena_copy(p->arena, regex));
}

struct str grok_patterns_get(const struct grok_patterns *p, struct str name)
{
    struct key key = key_make(name);

    for (; p; p = p->base) {
        const struct value *v = map_get(&p->regexes, key);
        if (v) return value_str(*v);
    }
    return (struct str){NULL, 0};
}

/* ---- pattern files ---- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str skip_blanks(struct str s)
{
    while (s.len > 0 && is_blank(s.data[0]))
        s = str_from(s, 1);
    return s;
}

/* "NAME REGEX". False for comments and lines that have no regex. */
static bool parse_line(struct grok_patterns *p, struct str line)
{
    if (str_ends(line, STR("\r"))) line.len--;
    line = skip_blanks(line);
    if (line.len == 0 || line.data[0] == '#') return false;

    size_t name = 0;
    while (name < line.len && !is_blank(line.data[name]))
        name++;
    struct str regex = skip_blanks(str_from(line, name));
    if (regex.len == 0) return false;
    grok_patterns_add(p, (struct str){line.data, name}, regex);
    return true;
}

uint32_t grok_patterns_parse(struct grok_patterns *p, struct str text)
{
    uint32_t count = 0;

    while (text.len > 0) {
        ptrdiff_t end = str_find(text, STR("\n"));
        size_t    len = end < 0 ? text.len : (size_t)end;
        count += parse_line(p, (struct str){text.data, len});
        text = str_from(text, len + 1);
    }
    return count;
}

/* The rest of the file into `out`. */
static bool read_all(int fd, struct buf *out)
{
    for (;;) {
        ssize_t n = read(fd, buf_room(out, 65536), 65536);
        if (n == 0) return true;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        out->len += (size_t)n;
        if (out->len > FILE_MAX) {
            errno = EFBIG;
            return false;
        }
    }
}

bool grok_patterns_load(struct grok_patterns *p, const char *path)
{
    struct buf text = {0};
    int        fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) return false;
    bool done = read_all(fd, &text);
    int  why = errno;
    close(fd);
    if (done) grok_patterns_parse(p, buf_view(&text));
    buf_release(&text);
    errno = why;
    return done;
}

static int load_glob(struct grok_patterns *p, const char *pattern, struct str *culprit)
{
    glob_t      found;
    struct stat st;
    int         count = 0;

    if (glob(pattern, 0, NULL, &found) != 0) return 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (stat(found.gl_pathv[i], &st) == 0 && S_ISDIR(st.st_mode)) continue;
        if (grok_patterns_load(p, found.gl_pathv[i])) {
            count++;
            continue;
        }
        *culprit = arena_copy(p->arena, str_of(found.gl_pathv[i]));
        count = -1;
        break;
    }
    globfree(&found);
    return count;
}

int grok_patterns_load_all(struct grok_patterns *p, struct str path, struct str files,
                           struct str *culprit)
{
    const char *pattern = arena_cstr(p->arena, path);
    struct stat st;

    if (stat(pattern, &st) == 0 && S_ISDIR(st.st_mode))
        pattern = arena_printf(p->arena, "%s/%.*s", pattern, STR_ARG(files)).data;
    return load_glob(p, pattern, culprit);
}

/* ---- references ---- */

/* %{name:field:type=definition}; all views. */
struct reference {
    struct str name, field, type, definition;
    struct str group; /* "name:field:type" */
    size_t     len;   /* of all of it, from % to } */
};

/* The characters of names: Ruby's [A-z0-9], which holds [ \ ] ^ _ ` too. */
static bool is_name(char c)
{
    return (c >= 'A' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_field(char c)
{
    return is_name(c) || c == '@' || c == ':' || c == '.' || c == '-';
}

static size_t span_of(struct str s, size_t from, bool (*member)(char))
{
    size_t to = from;

    while (to < s.len && member(s.data[to]))
        to++;
    return to - from;
}

/* Where the definition that starts at `from` ends: at the } that no { opened. */
static size_t definition_end(struct str s, size_t from)
{
    size_t depth = 0;

    for (size_t i = from; i < s.len; i++) {
        if (s.data[i] == '\\') {
            i++;
        } else if (s.data[i] == '{') {
            depth++;
        } else if (s.data[i] == '}') {
            if (depth == 0) return i;
            depth--;
        }
    }
    return s.len;
}

static void split_field(struct reference *r, struct str all)
{
    ptrdiff_t colon = str_find(all, STR(":"));

    r->field = all;
    r->type = (struct str){"", 0};
    if (colon < 0) return;
    r->field.len = (size_t)colon;
    r->type = str_from(all, (size_t)colon + 1);
}

/* Reads the reference that `s` begins with, behind "%{". False when it is not one. */
static bool parse_reference(struct str s, struct reference *r)
{
    size_t name = span_of(s, 2, is_name), at = 2 + name;

    *r = (struct reference){.name = {s.data + 2, name}, .field = {"", 0}, .type = {"", 0}};
    if (name == 0) return false;
    if (at < s.len && s.data[at] == ':') {
        size_t field = span_of(s, at + 1, is_field);
        if (field > 0) {
            split_field(r, (struct str){s.data + at + 1, field});
            at += 1 + field;
        }
    }
    r->group = (struct str){s.data + 2, at - 2};
    if (at < s.len && s.data[at] == '=') {
        size_t end = definition_end(s, at + 1);
        r->definition = (struct str){s.data + at + 1, end - at - 1};
        at = end;
    }
    while (at < s.len && s.data[at] != '}')
        at++;
    r->len = at + 1;
    return at < s.len;
}

void grok_split_group(struct str group, struct str *field, struct str *type)
{
    ptrdiff_t  colon = str_find(group, STR(":"));
    struct str rest = colon < 0 ? STR("") : str_from(group, (size_t)colon + 1);

    *field = group;
    *type = STR("");
    if (rest.len == 0) {
        if (colon >= 0) field->len = (size_t)colon;
        return;
    }
    *field = rest;
    colon = str_find(rest, STR(":"));
    if (colon < 0) return;
    field->len = (size_t)colon;
    *type = str_from(rest, (size_t)colon + 1);
}

/* ---- expanding ---- */

struct expansion {
    struct grok_patterns      *patterns;
    enum grok_captures         which;
    struct grok_captures_list *list;
    struct buf                *out;
    struct grok_error         *error;
    size_t                     start;  /* of out, for the limit */
    struct map                *shared; /* names whose text is in out as a group; or NULL */
};

static const char *pattern_at(const void *ctx, int i)
{
    const struct grok_patterns *p = ctx;
    uint32_t                    at = (uint32_t)i;

    while (p && at >= p->regexes.len) {
        at -= p->regexes.len;
        p = p->base;
    }
    return p ? p->regexes.members[at].key.name : NULL;
}

static bool fail_unknown(struct expansion *x, struct str name)
{
    const char *near = nearest(name, pattern_at, x->patterns);

    if (near)
        snprintf(x->error->message, sizeof(x->error->message),
                 "pattern %%{%.*s} is not defined; did you mean %%{%s}?", STR_ARG(name), near);
    else
        snprintf(x->error->message, sizeof(x->error->message), "pattern %%{%.*s} is not defined",
                 STR_ARG(name));
    return false;
}

static bool fail(struct expansion *x, const char *what, struct str name)
{
    snprintf(x->error->message, sizeof(x->error->message), "pattern %%{%.*s} %s", STR_ARG(name),
             what);
    return false;
}

static void capture(struct expansion *x, const struct reference *r)
{
    struct grok_captures_list *l = x->list;

    if (l->len == l->cap) {
        uint32_t             cap = l->cap ? l->cap * 2 : 8;
        struct grok_capture *at = arena_alloc(x->patterns->arena, cap * sizeof(*at));
        if (l->len) memcpy(at, l->at, l->len * sizeof(*at));
        l->at = at;
        l->cap = cap;
    }
    l->at[l->len++] = (struct grok_capture){r->group, r->name, r->field, r->type};
}

static void open_group(struct expansion *x, const struct reference *r)
{
    bool all = x->which == GROK_CAPTURE_ALL && !str_starts(r->name, STR("LSC_"));
    bool named = all || (x->which != GROK_CAPTURE_NONE && r->field.len > 0);

    if (!named) {
        buf_str(x->out, STR("(?:"));
        return;
    }
    capture(x, r);
    buf_printf(x->out, "(?<%.*s>", STR_ARG(r->group));
}

static bool expand(struct expansion *x, struct str pattern, int depth);

/* Whether what is in `out` from `start` on has a group with a name. */
static bool has_names(const struct buf *out, size_t start)
{
    struct str text = str_from(buf_view(out), start);

    for (ptrdiff_t at; (at = str_find(text, STR("(?<"))) >= 0;) {
        text = str_from(text, (size_t)at + 3);
        if (text.len > 0 && text.data[0] != '=' && text.data[0] != '!') return true;
    }
    return false;
}

/* The text of a pattern, or the call of the group that it is already. */
static bool expand_shared(struct expansion *x, struct str name, struct str text, int depth)
{
    enum { WORTH = 200 };
    struct key    key = key_make(name);
    struct value *group = map_get(x->shared, key);

    if (group) {
        buf_printf(x->out, "\\g<" GROK_SHARED "%lld>", (long long)group->as.i);
        return true;
    }
    size_t start = x->out->len;
    if (!expand(x, text, depth + 1)) return false;
    if (x->out->len - start < WORTH || has_names(x->out, start)) return true;

    struct str    body = arena_copy(x->patterns->arena, str_from(buf_view(x->out), start));
    int64_t       number = x->shared->len;
    struct value *v =
        map_add(x->shared, x->patterns->arena, key_make(arena_copy(x->patterns->arena, name)));
    *v = value_int(number);
    x->out->len = start;
    buf_printf(x->out, "(?<" GROK_SHARED "%lld>%.*s)", (long long)number, STR_ARG(body));
    return true;
}

static bool expand_reference(struct expansion *x, const struct reference *r, int depth)
{
    if (r->definition.len > 0) grok_patterns_add(x->patterns, r->name, r->definition);

    struct str text = grok_patterns_get(x->patterns, r->name);
    if (!text.data) return fail_unknown(x, r->name);
    if (depth >= GROK_DEPTH_MAX) return fail(x, "refers to itself", r->name);

    open_group(x, r);
    bool good = x->shared ? expand_shared(x, r->name, text, depth) : expand(x, text, depth + 1);
    if (!good) return false;
    buf_char(x->out, ')');
    return true;
}

static bool expand(struct expansion *x, struct str pattern, int depth)
{
    struct reference r;
    size_t           at = 0;

    while (at < pattern.len) {
        struct str rest = str_from(pattern, at);
        ptrdiff_t  next = str_find(rest, STR("%{"));
        if (next != 0) {
            size_t text = next < 0 ? rest.len : (size_t)next;
            buf_put(x->out, rest.data, text);
            at += text;
        } else if (!parse_reference(rest, &r)) {
            buf_str(x->out, STR("%{"));
            at += 2;
        } else {
            if (depth == 0) {
                x->error->offset = at;
                x->error->len = r.len;
            }
            if (!expand_reference(x, &r, depth)) return false;
            at += r.len;
            if (x->out->len - x->start > GROK_LENGTH_MAX)
                return fail(x, "makes the expression longer than 1 MiB", r.name);
        }
    }
    return true;
}

bool grok_expand(struct grok_patterns *p, struct str pattern, enum grok_captures which,
                 struct grok_captures_list *list, struct buf *out, struct grok_error *error)
{
    struct expansion x = {
        .patterns = p, .which = which, .list = list, .out = out, .error = error, .start = out->len};

    *error = (struct grok_error){.offset = 0};
    return expand(&x, pattern, 0);
}

bool grok_expand_shared(struct grok_patterns *p, struct str pattern, enum grok_captures which,
                        struct grok_captures_list *list, struct buf *out, struct grok_error *error)
{
    struct map       shared = {0};
    struct expansion x = {.patterns = p,
                          .which = which,
                          .list = list,
                          .out = out,
                          .error = error,
                          .start = out->len,
                          .shared = &shared};

    *error = (struct grok_error){.offset = 0};
    return expand(&x, pattern, 0);
}
