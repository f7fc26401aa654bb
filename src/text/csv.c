#include "text/csv.h"

#include "text/rubytext.h"

struct reader {
    const struct csv_dialect *dialect;
    struct arena             *arena;
    struct str                text, newline;
    size_t                    at;
    const char               *problem;
};

static struct str rest_of(const struct reader *r)
{
    return str_from(r->text, r->at);
}

static bool take(struct reader *r, struct str what)
{
    if (what.len == 0 || !str_starts(rest_of(r), what)) return false;
    r->at += what.len;
    return true;
}

static bool at_end(const struct reader *r)
{
    return r->at == r->text.len;
}

/* What ends the first line of the text, whether quoted or not. */
static struct str find_newline(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n') return STR("\n");
        if (text.data[i] != '\r') continue;
        return i + 1 < text.len && text.data[i + 1] == '\n' ? STR("\r\n") : STR("\r");
    }
    return STR("\n");
}

/* Between quotes: `raw` without the second of two quotes. */
static struct str undouble(struct reader *r, struct str raw)
{
    struct str quote = r->dialect->quote;
    char      *out = arena_alloc(r->arena, raw.len);
    size_t     len = 0;

    for (size_t i = 0; i < raw.len;) {
        bool   is_quote = str_starts(str_from(raw, i), quote);
        size_t n = is_quote ? quote.len : 1;
        memcpy(out + len, raw.data + i, n);
        len += n;
        i += is_quote ? 2 * n : n;
    }
    return (struct str){out, len};
}

static bool read_quoted(struct reader *r, struct value *v)
{
    size_t start = r->at;
    bool   doubled = false;

    for (;;) {
        ptrdiff_t end = str_find(rest_of(r), r->dialect->quote);
        if (end < 0) {
            r->problem = "a quoted value is not closed";
            return false;
        }
        struct str raw = {r->text.data + start, r->at + (size_t)end - start};
        r->at += (size_t)end + r->dialect->quote.len;
        if (take(r, r->dialect->quote)) {
            doubled = true;
            continue;
        }
        *v = value_string(doubled ? undouble(r, raw) : raw);
        return true;
    }
}

static bool read_plain(struct reader *r, struct value *v)
{
    struct str quote = r->dialect->quote, separator = r->dialect->separator;
    size_t     start = r->at;

    for (; !at_end(r); r->at++) {
        char c = r->text.data[r->at];
        if (c == '\n' || c == '\r') break;
        if (c == separator.data[0] && str_starts(rest_of(r), separator)) break;
        if (quote.len && c == quote.data[0] && str_starts(rest_of(r), quote)) {
            r->problem = "a quote stands inside a value";
            return false;
        }
    }
    struct str s = {r->text.data + start, r->at - start};
    *v = s.len ? value_string(s) : value_null();
    return true;
}

static bool read_values(struct reader *r, struct arena *scratch, struct csv_row *row)
{
    uint32_t cap = 0;

    for (bool more = true; more;) {
        if (row->len == cap) {
            struct value *larger = arena_alloc(scratch, (cap = 2 * cap + 16) * sizeof(*larger));
            if (row->len) memcpy(larger, row->at, row->len * sizeof(*larger));
            row->at = larger;
        }
        struct value *v = &row->at[row->len++];
        bool          quoted = take(r, r->dialect->quote);
        if (!(quoted ? read_quoted(r, v) : read_plain(r, v))) return false;
        more = take(r, r->dialect->separator);
        if (more || at_end(r) || take(r, r->newline)) continue;
        r->problem = quoted ? "text stands behind a closing quote" : "a line ends inside a row";
        return false;
    }
    return true;
}

enum csv_result csv_read(const struct csv_dialect *d, struct arena *a, struct arena *scratch,
                         struct str text, size_t *at, struct csv_row *row, const char **problem)
{
    struct reader r = {.dialect = d, .arena = a, .text = text, .at = *at};

    *row = (struct csv_row){.len = 0};
    if (at_end(&r)) return CSV_END;
    r.newline = find_newline(text);
    bool good = take(&r, r.newline) || read_values(&r, scratch, row);
    *at = r.at;
    *problem = r.problem;
    return good ? CSV_ROW : CSV_MALFORMED;
}

/* The end of the text and the separator behind it must not read as a separator further ahead. */
static bool ends_in_separator(struct str s, struct str separator)
{
    for (size_t n = 1; n < separator.len && n <= s.len; n++)
        if (str_starts(separator, (struct str){s.data + s.len - n, n})) return true;
    return false;
}

static bool needs_quotes(const struct csv_dialect *d, struct str s)
{
    if (ends_in_separator(s, d->separator)) return true;
    if (s.len == 0 || memchr(s.data, '\n', s.len) || memchr(s.data, '\r', s.len)) return true;
    return str_find(s, d->separator) >= 0 || str_find(s, d->quote) >= 0;
}

/* The text is put behind itself with quotes, and then moved to where it began. */
void csv_write(const struct csv_dialect *d, struct value v, struct buf *out)
{
    size_t start = out->len, quote_len = d->quote.len;

    if (v.kind == VALUE_NULL) return;
    ruby_to_s(v, out);
    size_t     end = out->len;
    struct str text = str_from(buf_view(out), start);
    if (quote_len == 0 || !needs_quotes(d, text)) return;
    buf_str(out, d->quote);
    for (size_t i = start; i < end; i++) {
        struct str rest = {out->data + i, end - i};
        if (str_starts(rest, d->quote)) buf_str(out, d->quote);
        buf_char(out, out->data[i]);
    }
    buf_str(out, d->quote);
    memmove(out->data + start, out->data + end, out->len - end);
    out->len -= end - start;
}
