#include "net/http_head.h"

#include <strings.h>

static bool same(struct str a, const char *b)
{
    return a.len == strlen(b) && strncasecmp(a.data, b, a.len) == 0;
}

static struct str trim(struct str s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
        s = str_from(s, 1);
    while (s.len > 0 && strchr(" \t\r", s.data[s.len - 1]))
        s.len--;
    return s;
}

/* Takes the part before `separator`, or all of it. */
static struct str take(struct str *rest, char separator)
{
    const char *at = rest->len ? memchr(rest->data, separator, rest->len) : NULL;
    struct str  part = {rest->data, at ? (size_t)(at - rest->data) : rest->len};

    *rest = str_from(*rest, at ? part.len + 1 : part.len);
    return part;
}

static bool read_status_line(struct str line, struct http_head *out)
{
    if (line.len < 12 || !str_starts(line, STR("HTTP/1.")) || line.data[8] != ' ') return false;
    out->status = 0;
    for (int i = 9; i < 12; i++) {
        if (line.data[i] < '0' || line.data[i] > '9') return false;
        out->status = out->status * 10 + (line.data[i] - '0');
    }
    out->reason = trim(str_from(line, 12));
    return line.len == 12 || strchr(" \r", line.data[12]);
}

/* Bytes up to and including the empty line; 0: there is none yet. */
static size_t find_end(struct str bytes)
{
    ptrdiff_t crlf = str_find(bytes, STR("\r\n\r\n"));

    return crlf < 0 ? 0 : (size_t)crlf + 4;
}

int http_head_read(struct str bytes, struct http_head *out)
{
    static const struct str begin = {"HTTP/1.", 7};
    size_t                  n = bytes.len < begin.len ? bytes.len : begin.len;

    if (memcmp(bytes.data, begin.data, n) != 0) return -1;
    out->size = find_end(bytes);
    if (out->size == 0) return bytes.len > HTTP_HEAD_MAX ? -1 : 0;
    if (out->size > HTTP_HEAD_MAX) return -1;
    out->fields = (struct str){bytes.data, out->size - 2};
    return read_status_line(take(&out->fields, '\n'), out) ? 1 : -1;
}

/* The next field called `name` in `*rest`. */
static bool next_field(struct str *rest, const char *name, struct str *value)
{
    while (rest->len > 0) {
        struct str line = take(rest, '\n');
        struct str key = take(&line, ':');
        if (!same(key, name)) continue;
        *value = trim(line);
        return true;
    }
    return false;
}

struct str http_field(const struct http_head *h, const char *name)
{
    struct str rest = h->fields, value;

    return next_field(&rest, name, &value) ? value : (struct str){0};
}

bool http_has_token(const struct http_head *h, const char *name, const char *token)
{
    struct str rest = h->fields, value;

    while (next_field(&rest, name, &value))
        while (value.len > 0)
            if (same(trim(take(&value, ',')), token)) return true;
    return false;
}
