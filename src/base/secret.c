#include "base/secret.h"

#include <strings.h>

static bool has_word(struct str name, const char *const *words)
{
    for (; *words; words++) {
        size_t len = strlen(*words);
        for (size_t i = 0; i + len <= name.len; i++)
            if (strncasecmp(name.data + i, *words, len) == 0) return true;
    }
    return false;
}

bool secret_name(struct str name)
{
    static const char *const words[] = {"password", "passwd",  "passphrase", "secret",
                                        "token",    "key",     "credential", "cloud_auth",
                                        "auth",     "headers", NULL};

    return has_word(name, words);
}

/* ---- URLs ---- */

/* The bytes up to the first blank, or one that is `quote` or of `stops`. */
static size_t until(struct str s, char quote, const char *stops)
{
    size_t n = 0;

    while (n < s.len && (unsigned char)s.data[n] > ' ' && s.data[n] != quote &&
           !strchr(stops, s.data[n]))
        n++;
    return n;
}

static bool is_port(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < '0' || s.data[i] > '9') return false;
    return true;
}

/* How long the user and password are with which `s`, what stands behind "://", begins; without the
   @. False: there are none. A slash in a password that should have been escaped does not bring it
   to light. */
static bool userinfo(struct str s, char quote, size_t *len)
{
    size_t      authority = until(s, quote, "/?");
    const char *at = authority ? memrchr(s.data, '@', authority) : NULL;
    const char *colon = authority ? memrchr(s.data, ':', authority) : NULL;

    if (!at && colon && s.data[0] != '[' &&
        !is_port((struct str){colon + 1, (size_t)(s.data + authority - colon - 1)}))
        at = memrchr(s.data, '@', until(s, quote, ""));
    if (at) *len = (size_t)(at - s.data);
    return at != NULL;
}

/* The quote that the text at `i` of a line stands in, as far as can be seen; else a blank. */
static char quote_before(struct str line, size_t i)
{
    while (i-- > 0)
        if (line.data[i] == '"' || line.data[i] == '\'') return line.data[i];
    return ' ';
}

/* The next user and password of a URL in `text` from byte `from` on; false: there is none. In a
   config (`quoted`) they end with the text that they stand in. */
static bool next_userinfo(struct str text, bool quoted, size_t *from, size_t *len)
{
    ptrdiff_t scheme;

    while ((scheme = str_find(str_from(text, *from), STR("://"))) >= 0) {
        *from += (size_t)scheme + 3;
        if (userinfo(str_from(text, *from), quoted ? quote_before(text, *from) : ' ', len))
            return true;
    }
    return false;
}

void secret_mask_urls(struct str text, struct buf *out)
{
    size_t shown = 0, at = 0, len;

    while (next_userinfo(text, false, &at, &len)) {
        buf_put(out, text.data + shown, at - shown);
        buf_str(out, STR("***:***"));
        shown = at += len;
    }
    buf_str(out, str_from(text, shown));
}

/* ---- a line of a config ---- */

/* Narrower than secret_name(): what is hidden in a message cannot be seen to be wrong. */
static bool holds_secret(struct str name)
{
    static const char *const words[] = {
        "password", "passwd", "passphrase", "secret",     "token",         "api_key", "api-key",
        "apikey",   "cookie", "credential", "cloud_auth", "authorization", NULL};
    static const char *const places[] = {"_url", "_file", "_path", "_type", "_buffer"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (str_ends(name, str_of(places[i]))) return false;
    return has_word(name, words);
}

/* The word or quoted text that ends before `end`, blanks skipped. */
static struct str name_before(struct str line, size_t end)
{
    while (end > 0 && line.data[end - 1] == ' ')
        end--;
    size_t start = end;
    while (start > 0 && (unsigned char)line.data[start - 1] > ' ' &&
           !strchr("{[,", line.data[start - 1]))
        start--;
    return (struct str){line.data + start, end - start};
}

/* Marks what is quoted from `i` on, and returns where that ends. */
static size_t mark_quoted(struct str line, size_t i, bool *marks)
{
    char quote = line.data[i++];

    for (; i < line.len && line.data[i] != quote; i++) {
        marks[i] = true;
        if (line.data[i] == '\\' && i + 1 < line.len) marks[++i] = true;
    }
    return i;
}

/* Marks the value that begins behind `i`: a text, a word, or all texts of a list or hash. */
static void mark_value(struct str line, size_t i, bool *marks)
{
    int depth = 0;

    for (; i < line.len; i++) {
        char c = line.data[i];
        if (c == ' ' || c == '\t') continue;
        if (c == '"' || c == '\'') {
            i = mark_quoted(line, i, marks);
        } else if (strchr("[{", c)) {
            depth++;
            continue;
        } else if (strchr("]}", c)) {
            depth--;
        } else if (depth == 0) {
            for (; i < line.len && !strchr(" \t]},", line.data[i]); i++)
                marks[i] = true;
        }
        if (depth <= 0) return;
    }
}

void secret_mark(struct str line, bool *marks)
{
    size_t    from = 0, len;
    ptrdiff_t key = str_find(line, STR("PRIVATE KEY-----"));

    while (next_userinfo(line, true, &from, &len)) {
        memset(marks + from, true, len);
        from += len;
    }
    for (size_t i = 0; i + 1 < line.len; i++)
        if (line.data[i] == '=' && line.data[i + 1] == '>' && holds_secret(name_before(line, i)))
            mark_value(line, i + 2, marks);
    if (key >= 0) memset(marks + key, true, line.len - (size_t)key);
}
