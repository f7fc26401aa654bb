#include "text/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "base/fatal.h"

struct digest {
    EVP_MD     *md;
    EVP_MAC    *mac; /* NULL: no key */
    const char *name;
    char       *key;
    size_t      key_len;
};

/* One of them. */
struct context {
    EVP_MD_CTX  *md;
    EVP_MAC_CTX *mac;
};

struct digest *digest_new(const char *name, struct str key)
{
    struct digest *d = xcalloc(1, sizeof(*d));

    d->name = name;
    d->md = EVP_MD_fetch(NULL, name, NULL);
    if (key.data) {
        d->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
        d->key = xstrndup(key.data, key.len);
        d->key_len = key.len;
    }
    if (d->md && (d->mac || !key.data)) return d;
    digest_free(d);
    return NULL;
}

void digest_free(struct digest *d)
{
    if (!d) return;
    EVP_MD_free(d->md);
    EVP_MAC_free(d->mac);
    if (d->key) OPENSSL_cleanse(d->key, d->key_len);
    free(d->key);
    free(d);
}

void *digest_context_new(const struct digest *d)
{
    struct context *c = xcalloc(1, sizeof(*c));

    if (!d->mac) {
        c->md = EVP_MD_CTX_new();
        if (!c->md) fatal_memory();
        return c;
    }
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)d->name, 0),
        OSSL_PARAM_construct_end(),
    };
    c->mac = EVP_MAC_CTX_new(d->mac);
    if (!c->mac) fatal_memory();
    /* The key stays in the context: later it is started again without one. */
    if (!EVP_MAC_init(c->mac, (const unsigned char *)d->key, d->key_len, params)) fatal_memory();
    return c;
}

void digest_context_free(void *context)
{
    struct context *c = context;

    EVP_MD_CTX_free(c->md);
    EVP_MAC_CTX_free(c->mac);
    free(c);
}

size_t digest_run(const struct digest *d, void *context, struct str data,
                  unsigned char out[DIGEST_MAX])
{
    struct context      *c = context;
    const unsigned char *bytes = (const unsigned char *)data.data;
    unsigned             short_len = 0;
    size_t               len = 0;

    if (!d->mac)
        return EVP_DigestInit_ex2(c->md, d->md, NULL) && EVP_DigestUpdate(c->md, bytes, data.len) &&
                       EVP_DigestFinal_ex(c->md, out, &short_len)
                   ? short_len
                   : 0;
    return EVP_MAC_init(c->mac, NULL, 0, NULL) && EVP_MAC_update(c->mac, bytes, data.len) &&
                   EVP_MAC_final(c->mac, out, &len, DIGEST_MAX)
               ? len
               : 0;
}

struct str text_of_hex(struct arena *a, const unsigned char *bytes, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    char             *text = arena_alloc(a, 2 * len);

    for (size_t i = 0; i < len; i++) {
        text[2 * i] = hex[bytes[i] >> 4];
        text[2 * i + 1] = hex[bytes[i] & 15];
    }
    return (struct str){text, 2 * len};
}

struct str text_of_base64(struct arena *a, const unsigned char *bytes, size_t len)
{
    char *text = arena_alloc(a, (len + 2) / 3 * 4 + 1); /* and a NUL */

    return (struct str){text, (size_t)EVP_EncodeBlock((unsigned char *)text, bytes, (int)len)};
}

/* The value of a digit; -1: none. */
static int digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_read(struct arena *a, struct str text, struct str *out)
{
    size_t pad = str_ends(text, STR("==")) ? 2 : str_ends(text, STR("=")) ? 1 : 0;
    char  *bytes = arena_alloc(a, text.len / 4 * 3), *p = bytes;

    if (text.len % 4 != 0) return false;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t   digits = i + 4 == text.len ? 4 - pad : 4;
        uint32_t x = 0;
        for (size_t j = 0; j < digits; j++) {
            int d = digit(text.data[i + j]);
            if (d < 0) return false;
            x |= (uint32_t)d << (18 - 6 * j);
        }
        if ((digits == 2 && x & 0xFFFF) || (digits == 3 && x & 0xFF)) return false;
        for (size_t j = 0; j + 1 < digits; j++)
            *p++ = (char)(x >> (16 - 8 * j));
    }
    *out = (struct str){bytes, (size_t)(p - bytes)};
    return true;
}
