#include "text/charset.h"

#include <errno.h>
#include <iconv.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "base/log.h"
#include "base/utf8.h"
#include "text/ruby_inspect.h"

/* How a charset is laid out, and so how much of a broken text one U+FFFD stands for. */
enum charset_kind {
    CHARSET_KIND_NONE,      /* the C library has no tables */
    CHARSET_KIND_UTF8,      /* only checked */
    CHARSET_KIND_SINGLE,    /* one byte a character: by our own table */
    CHARSET_KIND_DOUBLE,    /* lead byte from 80, second byte from 30 */
    CHARSET_KIND_SHIFT_JIS, /* the same; iconv reads \ and ~ as yen and overline, Ruby does not */
    CHARSET_KIND_EUC,       /* all bytes of a long character from A1 */
    CHARSET_KIND_WIDE2,     /* UTF-16 */
    CHARSET_KIND_WIDE4,     /* UTF-32 */
    CHARSET_KIND_STATEFUL,  /* escape sequences */
};

struct charset_name {
    enum charset_kind kind;
    const char       *iconv_name;
};

#define NAME(ruby, k, c) ruby,
const char *const charset_names[] = {
#include "text/charset_names.def"
    NULL,
};
#undef NAME

#define NAME(ruby, k, c) {CHARSET_KIND_##k, c},
static const struct charset_name known[] = {
#include "text/charset_names.def"
};
#undef NAME

enum { CHARSETS = sizeof(known) / sizeof(known[0]) };

struct charset {
    int               name; /* index into charset_names */
    enum charset_kind kind;
    struct {
        uint8_t len;
        char    utf8[4];
    } * table; /* SINGLE: 256 characters */
};

static const struct str replacement = {"\xEF\xBF\xBD", 3};

/* ---- iconv descriptors, kept per thread ---- */

static pthread_key_t  descriptors_key;
static pthread_once_t descriptors_once = PTHREAD_ONCE_INIT;

static void descriptors_close(void *p)
{
    iconv_t *open = p;

    for (int i = 0; i < CHARSETS; i++)
        if (open[i]) iconv_close(open[i]);
    free(open);
}

static void descriptors_init(void)
{
    pthread_key_create(&descriptors_key, descriptors_close);
}

/* This thread's descriptor in its initial state; (iconv_t)-1 when iconv does not know the charset.
 */
static iconv_t descriptor(int name)
{
    pthread_once(&descriptors_once, descriptors_init);
    iconv_t *open = pthread_getspecific(descriptors_key);

    if (!open) {
        open = xcalloc(CHARSETS, sizeof(*open));
        pthread_setspecific(descriptors_key, open);
    }
    if (!open[name]) {
        iconv_t cd = iconv_open("UTF-8", known[name].iconv_name);
        if (cd == (iconv_t)-1) return cd;
        open[name] = cd;
    }
    iconv(open[name], NULL, NULL, NULL, NULL);
    return open[name];
}

/* ---- opening ---- */

static void fill_table(struct charset *c, iconv_t cd)
{
    for (int i = 0; i < 256; i++) {
        char   byte = (char)i;
        char   out[8];
        char  *from = &byte, *to = out;
        size_t from_left = 1, to_left = sizeof(out);

        iconv(cd, NULL, NULL, NULL, NULL);
        size_t failed = iconv(cd, &from, &from_left, &to, &to_left);
        if (failed != (size_t)-1) failed = iconv(cd, NULL, NULL, &to, &to_left);
        size_t len = (size_t)(to - out);
        bool   good = failed != (size_t)-1 && len > 0 && len <= sizeof(c->table[i].utf8);

        c->table[i].len = (uint8_t)(good ? len : replacement.len);
        memcpy(c->table[i].utf8, good ? out : replacement.data, c->table[i].len);
    }
}

const struct charset *charset_open(struct arena *a, int name, const char **problem)
{
    struct charset *c = arena_zalloc(a, sizeof(*c));

    c->name = name;
    c->kind = known[name].kind;
    if (c->kind == CHARSET_KIND_UTF8) return c;

    iconv_t cd = c->kind == CHARSET_KIND_NONE ? (iconv_t)-1 : descriptor(name);
    if (cd == (iconv_t)-1) {
        *problem = "the C library (iconv) cannot convert it";
        return NULL;
    }
    if (c->kind == CHARSET_KIND_SINGLE) {
        c->table = arena_zalloc(a, 256 * sizeof(*c->table));
        fill_table(c, cd);
    }
    return c;
}

/* ---- converting ---- */

static struct str inspected(const struct charset *c, struct str bytes, struct arena *a,
                            struct buf *scratch)
{
    static struct log_limit limit;
    uint64_t                missed;

    buf_clear(scratch);
    ruby_inspect(scratch, bytes);
    struct str text = arena_copy(a, buf_view(scratch));
    if (log_limit_pass(&limit, &missed))
        log_warn("charset", "received text in another character encoding than configured",
                 LOG_STR("text", text), LOG_CSTR("expected_charset", charset_names[c->name]),
                 LOG_INT("not_shown", (int64_t)missed));
    return text;
}

static struct str by_table(const struct charset *c, struct str bytes, struct arena *a)
{
    char *out = arena_alloc(a, bytes.len * sizeof(c->table->utf8) + 1);
    char *to = out;

    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        memcpy(to, c->table[byte].utf8, sizeof(c->table->utf8));
        to += c->table[byte].len;
    }
    arena_trim(a, out, (size_t)(to - out));
    return (struct str){out, (size_t)(to - out)};
}

/* Bytes of the broken sequence at the start of `s`, which is not empty. */
static size_t broken_length(enum charset_kind kind, struct str s)
{
    unsigned char lead = (unsigned char)s.data[0];
    unsigned char second = s.len > 1 ? (unsigned char)s.data[1] : 0;
    size_t        len = 1;

    if (kind == CHARSET_KIND_WIDE2) len = 2;
    if (kind == CHARSET_KIND_WIDE4) len = 4;
    if (kind == CHARSET_KIND_EUC && lead >= 0x80 && second >= 0xA1) len = 2;
    if ((kind == CHARSET_KIND_DOUBLE || kind == CHARSET_KIND_SHIFT_JIS) && lead >= 0x80 &&
        second >= 0x80)
        len = 2;
    return len < s.len ? len : s.len;
}

static void by_iconv(const struct charset *c, struct str bytes, struct buf *out)
{
    iconv_t cd = descriptor(c->name);
    char   *from = (char *)(uintptr_t)bytes.data;
    size_t  left = bytes.len;

    buf_clear(out);
    while (left > 0) {
        size_t room = left * 3 + 16;
        char  *to = buf_room(out, room);
        size_t failed = iconv(cd, &from, &left, &to, &room);

        out->len = (size_t)(to - out->data);
        if (failed != (size_t)-1 || errno == E2BIG) continue;
        size_t broken = errno == EINVAL ? left /* cut off at the end */
                                        : broken_length(c->kind, (struct str){from, left});
        buf_str(out, replacement);
        from += broken;
        left -= broken;
    }
    char  *to = buf_room(out, 16);
    size_t room = 16;
    iconv(cd, NULL, NULL, &to, &room);
    out->len = (size_t)(to - out->data);
}

/* Writes every `from` of the buf as the one byte `to`. */
static void replace_all(struct buf *b, struct str from, char to)
{
    size_t used = 0;

    for (size_t i = 0; i < b->len;) {
        if (str_starts((struct str){b->data + i, b->len - i}, from)) {
            b->data[used++] = to;
            i += from.len;
        } else {
            b->data[used++] = b->data[i++];
        }
    }
    b->len = used;
}

/* RFC 2781: UTF-16 without a byte order mark is big-endian; so here for UTF-32. iconv would take
   the order of this machine. */
static struct str with_mark(const struct charset *c, struct str bytes, struct buf *scratch)
{
    static const char mark[] = {0, 0, (char)0xFE, (char)0xFF};
    size_t            unit = c->kind == CHARSET_KIND_WIDE2 ? 2 : 4;
    struct str        big = {mark + 4 - unit, unit};
    struct str        little = unit == 2 ? STR("\xFF\xFE") : STR("\xFF\xFE\0\0");

    if (known[c->name].iconv_name[6] != '\0') return bytes; /* UTF-16BE and such */
    if (str_starts(bytes, big) || str_starts(bytes, little)) return bytes;
    buf_clear(scratch);
    buf_str(scratch, big);
    buf_str(scratch, bytes);
    return buf_view(scratch);
}

struct str charset_convert(const struct charset *c, struct str bytes, struct arena *a,
                           struct buf *scratch)
{
    if (c->kind == CHARSET_KIND_UTF8)
        return utf8_valid(bytes) ? bytes : inspected(c, bytes, a, scratch);
    if (c->kind == CHARSET_KIND_SINGLE) return by_table(c, bytes, a);

    if (c->kind == CHARSET_KIND_WIDE2 || c->kind == CHARSET_KIND_WIDE4) {
        struct str marked = with_mark(c, bytes, scratch);
        if (marked.data != bytes.data) bytes = arena_copy(a, marked);
    }
    by_iconv(c, bytes, scratch);
    if (c->kind == CHARSET_KIND_SHIFT_JIS) {
        replace_all(scratch, STR("\xC2\xA5"), '\\');
        replace_all(scratch, STR("\xE2\x80\xBE"), '~');
    }
    return arena_copy(a, buf_view(scratch));
}
