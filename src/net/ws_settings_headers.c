/* Header lines that a WebSocket client adds to its handshake, and those a server adds to its own.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/fatal.h"
#include "base/file.h"
#include "net/http_head.h"
#include "net/ws_settings_parts.h"

bool ws_has_header(const struct ws_settings *s, const char *name)
{
    for (uint32_t i = 0; i < s->headers.len; i++)
        if (http_same(s->headers.at[i].key, name)) return true;
    return false;
}

/* Those that nobody but the handshake sets. */
static bool of_handshake(struct str name)
{
    static const char *const ours[] = {"Upgrade",
                                       "Connection",
                                       "Sec-WebSocket-Key",
                                       "Sec-WebSocket-Version",
                                       "Sec-WebSocket-Extensions",
                                       "Sec-WebSocket-Protocol",
                                       "Content-Length",
                                       "Transfer-Encoding"};

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (http_same(name, ours[i])) return true;
    return false;
}

static bool check_header(const struct pair *p, const char *setting, struct plugin_open *cx)
{
    struct str value = ast_text(p->value);

    if (!http_is_token(p->key))
        return plugin_error(cx, setting, "\"%.*s\" is no name of a header", STR_ARG(p->key));
    if (!value.data || !http_is_line(value))
        return plugin_error(cx, setting, "the header \"%.*s\" takes one line of text",
                            STR_ARG(p->key));
    if (of_handshake(p->key))
        return plugin_error(cx, setting,
                            "the header \"%.*s\" belongs to the handshake and cannot be set",
                            STR_ARG(p->key));
    return true;
}

bool ws_check_headers(const struct pairs *headers, const char *setting, struct plugin_open *cx)
{
    bool good = true;

    for (uint32_t i = 0; i < headers->len; i++)
        good = check_header(&headers->at[i], setting, cx) && good;
    return good;
}

/* ---- a connection ---- */

/* NULL, or why the line of `headers_file` cannot be sent. The line itself may be secret. */
static const char *line_problem(const struct ws_settings *s, struct str name, struct str value)
{
    if (!http_is_token(name) || !http_is_line(value)) return "is no header line";
    if (of_handshake(name)) return "belongs to the handshake";
    if (http_same(name, "Host") || http_same(name, "Origin")) return "belongs into \"headers\"";
    if (http_same(name, "Authorization") && s->auth != WS_AUTH_NONE)
        return "is a second kind of authentication";
    return NULL;
}

static bool put_lines(const struct ws_settings *s, struct str rest, struct buf *out,
                      struct buf *problem)
{
    for (uint32_t number = 1; rest.len > 0; number++) {
        struct str line = http_take(&rest, '\n');
        if (line.len == 0 || line.data[0] == '#') continue;
        bool        whole = memchr(line.data, ':', line.len);
        struct str  name = http_take(&line, ':'), value = http_take(&line, '\n');
        const char *wrong = whole ? line_problem(s, name, value) : "is no header line";
        if (wrong) {
            buf_printf(problem, "%.*s, line %u, %s", STR_ARG(s->headers_file), number, wrong);
            return false;
        }
        buf_printf(out, "%.*s: %.*s\r\n", STR_ARG(name), STR_ARG(value));
    }
    return true;
}

bool ws_read_small_file(struct str path, struct buf *out, struct buf *problem)
{
    char  *name = xstrndup(path.data, path.len);
    size_t len = 0;
    char  *text = file_read(name, WS_SMALL_FILE_MAX, &len);

    if (text) {
        buf_put(out, text, len);
        OPENSSL_cleanse(text, len);
    } else {
        buf_printf(problem, "%.*s cannot be read: %s", STR_ARG(path), strerror(errno));
    }
    free(text);
    free(name);
    return text != NULL;
}

bool ws_put_headers(const struct ws_settings *s, struct buf *out, struct buf *problem)
{
    struct buf text = {0};
    bool       good = true;

    for (uint32_t i = 0; i < s->headers.len; i++)
        buf_printf(out, "%.*s: %.*s\r\n", STR_ARG(s->headers.at[i].key),
                   STR_ARG(ast_text(s->headers.at[i].value)));
    if (!s->headers_file.data) return true;
    good = ws_read_small_file(s->headers_file, &text, problem) &&
           put_lines(s, buf_view(&text), out, problem);
    if (text.data) OPENSSL_cleanse(text.data, text.cap);
    buf_release(&text);
    return good;
}
