#include "net/auth.h"

#include <openssl/hmac.h>
#include <stdlib.h>
#include <time.h>

#include "base/random.h"

static void put_base64(struct buf *out, const void *data, size_t len)
{
    char *room = buf_room(out, len / 3 * 4 + 8);

    out->len += (size_t)EVP_EncodeBlock((unsigned char *)room, data, (int)len);
}

static void wipe(struct buf *b)
{
    if (b->data) OPENSSL_cleanse(b->data, b->cap);
    buf_release(b);
}

void auth_basic(struct str user, struct str password, struct buf *out)
{
    struct buf plain = {0};

    buf_str(&plain, user);
    buf_char(&plain, ':');
    buf_str(&plain, password);
    buf_str(out, STR("Basic "));
    put_base64(out, plain.data, plain.len);
    wipe(&plain);
}

/* ---- OAuth 1 ---- */

struct parameter {
    struct str name, value; /* escaped */
};

struct parameters {
    struct arena     *a;
    struct parameter *at;
    size_t            len, cap;
};

static struct str escaped(struct arena *a, struct str s, bool plus)
{
    struct buf out = {0};

    url_escape(&out, s, plus);
    struct str copy = arena_copy(a, buf_view(&out));
    buf_release(&out);
    return copy;
}

static void add(struct parameters *p, struct str name, struct str value, bool plus)
{
    if (p->len == p->cap) {
        struct parameter *bigger = arena_alloc(p->a, (p->cap * 2 + 16) * sizeof(*bigger));
        if (p->len) memcpy(bigger, p->at, p->len * sizeof(*bigger));
        p->at = bigger;
        p->cap = p->cap * 2 + 16;
    }
    p->at[p->len++] = (struct parameter){escaped(p->a, name, plus), escaped(p->a, value, plus)};
}

/* Undoes form encoding (section 3.4.1.3.1). */
static struct str form_decode(struct arena *a, struct str s)
{
    char  *text = arena_alloc(a, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        bool coded = s.data[i] == '%' && i + 2 < s.len && hex_digit(s.data[i + 1]) >= 0 &&
                     hex_digit(s.data[i + 2]) >= 0;
        if (coded) {
            text[n++] = (char)(hex_digit(s.data[i + 1]) << 4 | hex_digit(s.data[i + 2]));
            i += 2;
        } else {
            text[n++] = s.data[i] == '+' ? ' ' : s.data[i];
        }
    }
    return (struct str){text, n};
}

static struct str until(struct str *rest, char separator)
{
    const char *at = rest->len ? memchr(rest->data, separator, rest->len) : NULL;
    struct str  part = {rest->data, at ? (size_t)(at - rest->data) : rest->len};

    *rest = str_from(*rest, at ? part.len + 1 : part.len);
    return part;
}

static void add_query(struct parameters *p, struct str query)
{
    while (query.len > 0) {
        struct str pair = until(&query, '&');
        if (pair.len == 0) continue;
        struct str name = until(&pair, '=');
        add(p, form_decode(p->a, name), form_decode(p->a, pair), false);
    }
}

static int compare(struct str a, struct str b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *x, const void *y)
{
    const struct parameter *a = x, *b = y;
    int                     order = compare(a->name, b->name);

    return order ? order : compare(a->value, b->value);
}

/* Section 3.4.1: the text that is signed. */
static void base_string(const struct oauth1 *o, const struct url *u, struct str whole,
                        const struct parameters *p, struct buf *out)
{
    struct buf uri = {0}, list = {0};
    struct str target = u->target;

    if (o->benthos) {
        buf_str(&uri, whole);
    } else {
        buf_str(&uri, u->tls ? STR("https://") : STR("http://"));
        url_authority(u, &uri);
        for (size_t i = 0; i < uri.len; i++)
            if (uri.data[i] >= 'A' && uri.data[i] <= 'Z') uri.data[i] += 'a' - 'A';
        buf_str(&uri, until(&target, '?'));
        buf_str(out, STR("GET"));
    }
    for (size_t i = 0; i < p->len; i++)
        buf_printf(&list, "%s%.*s=%.*s", i ? "&" : "", STR_ARG(p->at[i].name),
                   STR_ARG(p->at[i].value));
    buf_char(out, '&');
    url_escape(out, buf_view(&uri), o->benthos);
    buf_char(out, '&');
    url_escape(out, buf_view(&list), o->benthos);
    buf_release(&uri);
    buf_release(&list);
}

static void sign(const struct oauth1 *o, struct str text, struct buf *out)
{
    struct buf    key = {0};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int  len = 0;

    url_escape(&key, o->consumer_secret, o->benthos);
    buf_char(&key, '&');
    url_escape(&key, o->access_token_secret, o->benthos);
    if (o->method == OAUTH1_PLAINTEXT && !o->benthos) {
        buf_str(out, buf_view(&key));
    } else {
        const EVP_MD *md =
            o->method == OAUTH1_HMAC_SHA256 && !o->benthos ? EVP_sha256() : EVP_sha1();
        HMAC(md, key.data, (int)key.len, (const unsigned char *)text.data, text.len, digest, &len);
        put_base64(out, digest, len);
    }
    wipe(&key);
}

static struct str fresh_nonce(const struct oauth1 *o, struct arena *a)
{
    unsigned char bytes[16];
    uint64_t      number;

    random_bytes(bytes, sizeof(bytes));
    if (!o->benthos) {
        struct buf out = {0};
        for (size_t i = 0; i < sizeof(bytes); i++)
            buf_printf(&out, "%02x", bytes[i]);
        struct str copy = arena_copy(a, buf_view(&out));
        buf_release(&out);
        return copy;
    }
    memcpy(&number, bytes, sizeof(number));
    return arena_printf(a, "%llu", (unsigned long long)(number >> 1));
}

void auth_oauth1(const struct oauth1 *o, const struct url *url, struct str whole_url,
                 struct str nonce, struct str timestamp, struct buf *out)
{
    static const char *const methods[] = {"HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"};
    struct arena             a = {0};
    struct parameters        p = {.a = &a};
    struct buf               base = {0}, signature = {0};
    struct str               query = url->target;
    const char              *method = methods[o->benthos ? OAUTH1_HMAC_SHA1 : o->method];

    if (!nonce.data) nonce = fresh_nonce(o, &a);
    if (!timestamp.data) timestamp = arena_printf(&a, "%lld", (long long)time(NULL));
    add(&p, STR("oauth_consumer_key"), o->consumer_key, o->benthos);
    add(&p, STR("oauth_nonce"), nonce, o->benthos);
    add(&p, STR("oauth_signature_method"), str_of(method), o->benthos);
    add(&p, STR("oauth_timestamp"), timestamp, o->benthos);
    if (o->access_token.len > 0 || o->benthos)
        add(&p, STR("oauth_token"), o->access_token, o->benthos);
    if (o->benthos) add(&p, STR("oauth_version"), STR("1.0"), true); /* optional in the standard */
    size_t own = p.len;
    until(&query, '?');
    if (!o->benthos) add_query(&p, query);

    struct parameters sorted = {.at = arena_alloc(&a, p.len * sizeof(*p.at)), .len = p.len};
    memcpy(sorted.at, p.at, p.len * sizeof(*p.at));
    qsort(sorted.at, sorted.len, sizeof(*sorted.at), by_name);
    base_string(o, url, whole_url, &sorted, &base);
    sign(o, buf_view(&base), &signature);

    if (!o->benthos) buf_str(out, STR("OAuth "));
    for (size_t i = 0; i < own; i++) {
        buf_printf(out, "%s%.*s=\"%.*s\"", i ? ", " : "", STR_ARG(p.at[i].name),
                   STR_ARG(p.at[i].value));
        if (!str_is(p.at[i].name, "oauth_nonce")) continue;
        buf_str(out, STR(", oauth_signature=\"")); /* by name, as Benthos has it */
        url_escape(out, buf_view(&signature), o->benthos);
        buf_char(out, '"');
    }
    buf_release(&base);
    wipe(&signature);
    arena_release(&a);
}
