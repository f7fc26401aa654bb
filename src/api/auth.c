#include "api/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <strings.h>

enum { HEADER_MAX = 2048 };

/* Digests are compared, so that not even a length shows in the time. */
static bool same(struct str a, struct str b)
{
    unsigned char x[SHA256_DIGEST_LENGTH], y[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)a.data, a.len, x);
    SHA256((const unsigned char *)b.data, b.len, y);
    return CRYPTO_memcmp(x, y, sizeof(x)) == 0;
}

/* "user:password" out of base64; the length, or -1. */
static int decode(struct str base64, unsigned char *out)
{
    while (base64.len && base64.data[0] == ' ')
        base64 = str_from(base64, 1);
    if (base64.len == 0 || base64.len % 4) return -1;
    int len = EVP_DecodeBlock(out, (const unsigned char *)base64.data, (int)base64.len);
    if (len < 0) return -1;
    for (size_t i = base64.len; i > base64.len - 2 && base64.data[i - 1] == '='; i--)
        len--; /* EVP_DecodeBlock counts what = stands for */
    return len;
}

bool auth_passes(const struct settings *s, struct str header)
{
    unsigned char text[HEADER_MAX];
    struct str    scheme = STR("basic ");

    if (s->api_auth_type == API_AUTH_NONE) return true;
    if (header.len <= scheme.len || header.len > HEADER_MAX ||
        strncasecmp(header.data, scheme.data, scheme.len) != 0)
        return false;
    int        len = decode(str_from(header, scheme.len), text);
    struct str given = {(const char *)text, len < 0 ? 0 : (size_t)len};
    ptrdiff_t  colon = len < 0 ? -1 : str_find(given, STR(":"));
    if (colon < 0) return false;
    bool user = same((struct str){given.data, (size_t)colon}, s->api_auth_basic_username);
    bool password = same(str_from(given, (size_t)colon + 1), s->api_auth_basic_password.secret);
    OPENSSL_cleanse(text, sizeof(text));
    return user & password;
}
