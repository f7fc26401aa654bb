#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/random.h"
#include "event/json.h"
#include "net/auth.h"

/* The algorithms of RFC 7518, section 3.1, and RFC 8037. */
enum family { HMAC_SHA, RSA_PKCS1, RSA_PSS, ECDSA, EDDSA };

const char *const jwt_algorithms[] = {"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256",
                                      "PS384", "PS512", "EdDSA", "HS256", "HS384", "HS512", NULL};

static enum family family_of(const char *algorithm)
{
    switch (algorithm[0]) {
    case 'R':
        return RSA_PKCS1;
    case 'P':
        return RSA_PSS;
    case 'H':
        return HMAC_SHA;
    default:
        return algorithm[1] == 'S' ? ECDSA : EDDSA;
    }
}

static const EVP_MD *digest_of(const char *algorithm)
{
    switch (algorithm[2]) {
    case '2':
        return EVP_sha256();
    case '3':
        return EVP_sha384();
    default:
        return EVP_sha512();
    }
}

/* Bits of the curve that an ES algorithm is bound to. */
static int curve_bits(const char *algorithm)
{
    return algorithm[2] == '2' ? 256 : algorithm[2] == '3' ? 384 : 521;
}

bool jwt_key_fits(const struct jwt *j, struct buf *problem)
{
    int  kind = j->key ? EVP_PKEY_get_base_id(j->key) : EVP_PKEY_NONE;
    bool fits = true;

    switch (family_of(j->algorithm)) {
    case HMAC_SHA:
        if (j->secret.len > 0) return true;
        buf_printf(problem, "%s needs a secret", j->algorithm);
        return false;
    case RSA_PKCS1:
        fits = kind == EVP_PKEY_RSA;
        break;
    case RSA_PSS:
        fits = kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
        break;
    case ECDSA:
        fits = kind == EVP_PKEY_EC && EVP_PKEY_get_bits(j->key) == curve_bits(j->algorithm);
        break;
    case EDDSA:
        fits = kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448;
        break;
    }
    if (!fits) buf_printf(problem, "the private key is not one for %s", j->algorithm);
    return fits;
}

/* RFC 7515, section 2: URL-safe and without padding. */
static void put_base64url(struct buf *out, const void *data, size_t len)
{
    char  *room = buf_room(out, len / 3 * 4 + 8);
    size_t n = (size_t)EVP_EncodeBlock((unsigned char *)room, data, (int)len);

    while (n > 0 && room[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        if (room[i] == '+') room[i] = '-';
        if (room[i] == '/') room[i] = '_';
    }
    out->len += n;
}

static void set(struct arena *a, struct map *m, struct str name, struct value v)
{
    *map_add(m, a, key_make(name)) = v;
}

/* Adds the members of the map in `from` to `m`. */
static void add_all(struct arena *a, struct map *m, struct value from)
{
    if (from.kind != VALUE_MAP) return;
    for (uint32_t i = 0; i < from.as.map->len; i++)
        *map_add(m, a, from.as.map->members[i].key) = from.as.map->members[i].value;
}

static void put_part(struct buf *out, struct map *m)
{
    struct buf json = {0};

    json_encode(value_map(m), &json);
    put_base64url(out, json.data, json.len);
    buf_release(&json);
}

static void add_times(struct arena *a, struct map *claims, int64_t now_s, int64_t lifetime_s)
{
    unsigned char id[16];
    struct buf    text = {0};

    random_bytes(id, sizeof(id));
    put_base64url(&text, id, sizeof(id));
    struct str jti = arena_copy(a, buf_view(&text));
    buf_release(&text);
    set(a, claims, STR("iat"), value_int(now_s));
    set(a, claims, STR("nbf"), value_int(now_s));
    set(a, claims, STR("exp"), value_int(now_s + lifetime_s));
    set(a, claims, STR("jti"), value_string(jti));
}

/* RFC 7518, section 3.4: the two numbers one behind the other, not OpenSSL's DER. */
static void put_ecdsa(struct buf *out, const unsigned char *der, size_t len, const char *algorithm)
{
    int           size = (curve_bits(algorithm) + 7) / 8;
    unsigned char raw[132];
    ECDSA_SIG    *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);

    if (!sig) return;
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, size);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + size, size);
    put_base64url(out, raw, (size_t)size * 2);
    ECDSA_SIG_free(sig);
}

static bool sign_with_key(const struct jwt *j, struct str text, struct buf *out)
{
    enum family    family = family_of(j->algorithm);
    const EVP_MD  *md = family == EDDSA ? NULL : digest_of(j->algorithm);
    EVP_MD_CTX    *cx = EVP_MD_CTX_new();
    EVP_PKEY_CTX  *how = NULL;
    unsigned char  signature[4096];
    size_t         len = sizeof(signature);
    const uint8_t *bytes = (const uint8_t *)text.data;

    bool done = EVP_DigestSignInit(cx, &how, md, NULL, j->key) == 1;
    if (done && family == RSA_PSS)
        done = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
    done = done && EVP_DigestSign(cx, signature, &len, bytes, text.len) == 1;
    EVP_MD_CTX_free(cx);
    if (done && family == ECDSA)
        put_ecdsa(out, signature, len, j->algorithm);
    else if (done)
        put_base64url(out, signature, len);
    return done;
}

static void sign_with_secret(const struct jwt *j, struct str text, struct buf *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int  len = 0;

    HMAC(digest_of(j->algorithm), j->secret.data, (int)j->secret.len,
         (const unsigned char *)text.data, text.len, digest, &len);
    put_base64url(out, digest, len);
}

bool jwt_sign(const struct jwt *j, struct str signing_input, struct buf *out)
{
    if (family_of(j->algorithm) != HMAC_SHA) return sign_with_key(j, signing_input, out);
    sign_with_secret(j, signing_input, out);
    return true;
}

bool auth_jwt(const struct jwt *j, int64_t now_s, struct buf *out, struct buf *problem)
{
    struct arena a = {0};
    struct map  *header = map_new(&a, 8), *claims = map_new(&a, 8);
    struct buf   text = {0};

    set(&a, header, STR("alg"), value_string(str_of(j->algorithm)));
    set(&a, header, STR("typ"), value_string(STR("JWT")));
    add_all(&a, header, j->headers);
    add_all(&a, claims, j->claims);
    if (j->lifetime_s > 0) add_times(&a, claims, now_s, j->lifetime_s);
    put_part(&text, header);
    buf_char(&text, '.');
    put_part(&text, claims);
    struct str signing_input = arena_copy(&a, buf_view(&text));
    buf_char(&text, '.');
    bool done = jwt_sign(j, signing_input, &text);
    if (done) {
        buf_str(out, STR("Bearer "));
        buf_str(out, buf_view(&text));
    } else {
        const char *why = ERR_reason_error_string(ERR_peek_error());
        buf_printf(problem, "the token cannot be signed: %s", why ? why : "unknown reason");
    }
    ERR_clear_error();
    OPENSSL_cleanse(text.data, text.len);
    buf_release(&text);
    arena_release(&a);
    return done;
}
