#include "net/http_head.h"

#include <strings.h>

enum { METHOD_MAX = 32 };

bool http_same(struct str a, const char *b)
{
    return a.len == strlen(b) && strncasecmp(a.data, b, a.len) == 0;
}

bool http_is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] <= ' ' || s.data[i] > '~' || strchr("\"(),/:;<=>?@[\\]{}", s.data[i]))
            return false;
    return s.len > 0;
}

bool http_is_line(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.data[i] < ' ' && s.data[i] != '\t') || s.data[i] == 0x7f)
            return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct str trim(struct str s)
{
    while (s.len > 0 && is_blank(s.data[0]))
        s = str_from(s, 1);
    while (s.len > 0 && is_blank(s.data[s.len - 1]))
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

struct str http_take(struct str *rest, char separator)
{
    return trim(take(rest, separator));
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

/* Where the head ends, and what there is between its first line and the empty one. */
static int read_head(struct str bytes, struct http_head *out)
{
    *out = (struct http_head){.size = find_end(bytes)};
    if (out->size == 0) return bytes.len > HTTP_HEAD_MAX ? -1 : 0;
    if (out->size > HTTP_HEAD_MAX) return -1;
    out->fields = (struct str){bytes.data, out->size - 2};
    return 1;
}

int http_head_read(struct str bytes, struct http_head *out)
{
    static const struct str begin = {"HTTP/1.", 7};
    size_t                  n = bytes.len < begin.len ? bytes.len : begin.len;

    if (memcmp(bytes.data, begin.data, n) != 0) return -1;
    int found = read_head(bytes, out);
    if (found <= 0) return found;
    return read_status_line(take(&out->fields, '\n'), out) ? 1 : -1;
}

static bool read_request_line(struct str line, struct http_head *out)
{
    if (line.len > 0 && line.data[line.len - 1] == '\r') line.len--;
    out->method = take(&line, ' ');
    out->target = take(&line, ' ');
    out->version = line;
    return out->method.len > 0 && out->target.len > 0 && http_is_line(out->target) &&
           str_starts(line, STR("HTTP/1.")) && line.len == 8 && line.data[7] >= '0' &&
           line.data[7] <= '9';
}

/* Each line is "name: value": no folding, no blanks in the name, no controls. */
static bool well_formed(struct str fields)
{
    while (fields.len > 0) {
        struct str line = take(&fields, '\n');
        if (line.len > 0 && line.data[line.len - 1] == '\r') line.len--;
        const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
        size_t      name = colon ? (size_t)(colon - line.data) : 0;
        if (name == 0 || memchr(line.data, ' ', name) || !http_is_line(line) ||
            is_blank(line.data[0]))
            return false;
    }
    return true;
}

int http_request_read(struct str bytes, struct http_head *out)
{
    struct str rest = bytes, method = take(&rest, ' ');

    if (method.len > METHOD_MAX || (method.len > 0 && !http_is_token(method))) return -1;
    int found = read_head(bytes, out);
    if (found <= 0) return found;
    if (!read_request_line(take(&out->fields, '\n'), out)) return -1;
    return well_formed(out->fields) ? 1 : -1;
}

bool http_next_field(struct str *rest, struct str *name, struct str *value)
{
    if (rest->len == 0) return false;
    struct str line = take(rest, '\n');
    *name = take(&line, ':');
    *value = trim(line);
    return true;
}

bool http_next_value(struct str *rest, const char *name, struct str *value)
{
    struct str key;

    while (http_next_field(rest, &key, value))
        if (http_same(key, name)) return true;
    return false;
}

struct str http_field(const struct http_head *h, const char *name)
{
    struct str rest = h->fields, value;

    return http_next_value(&rest, name, &value) ? value : (struct str){0};
}

bool http_has_token(const struct http_head *h, const char *name, const char *token)
{
    struct str rest = h->fields, value;

    while (http_next_value(&rest, name, &value))
        while (value.len > 0)
            if (http_same(http_take(&value, ','), token)) return true;
    return false;
}
