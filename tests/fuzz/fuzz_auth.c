/*
 * Any text as the PEM of keys and certificates, and as the claims of a token. What cannot be read
 * is refused with a reason that does not repeat it; a token says what was claimed.
 *
 * Input: the algorithm's number, then the PEM text and, behind a NUL, the claims as JSON. From 128
 * on there is no PEM text, which takes OpenSSL by far the most time: all of it is claims.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "event/json.h"
#include "net/auth.h"
#include "net/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A key is encrypted by many rounds of hashing; as many as its text says. Old texts have one. */
static struct str passphrase_for(struct str pem)
{
    return str_find(pem, STR("DEK-Info")) >= 0 ? STR("secret") : (struct str){0};
}

static void read_certificates(struct str pem)
{
    STACK_OF(X509) * chain;
    X509_STORE *store = X509_STORE_new();
    struct buf  problem = {0};
    X509       *first = pem_certificate(pem, &chain, &problem);

    if ((first == NULL) != (problem.len > 0) || (first == NULL) != (chain == NULL)) abort();
    if (pem_authorities(pem, store, &problem) != (first != NULL)) abort();
    if (str_find(buf_view(&problem), STR("BEGIN")) >= 0) abort();
    X509_free(first);
    sk_X509_pop_free(chain, X509_free);
    X509_STORE_free(store);
    buf_release(&problem);
}

/* A part of a token as it was before base64url. */
static void decode_part(struct str part, struct buf *out)
{
    struct buf text = {0};

    for (size_t i = 0; i < part.len; i++) {
        char c = part.data[i];
        if (strchr("+/=", c)) abort();
        buf_char(&text, (char)(c == '-' ? '+' : c == '_' ? '/' : c));
    }
    while (text.len % 4)
        buf_char(&text, '=');
    int padding = (int)(text.len - part.len);
    int n = EVP_DecodeBlock((unsigned char *)buf_room(out, text.len), (unsigned char *)text.data,
                            (int)text.len);
    if (n < padding || padding > 2) abort();
    out->len += (size_t)(n - padding);
    buf_release(&text);
}

static struct str part_of(struct str *token)
{
    const char *dot = memchr(token->data, '.', token->len);
    struct str  part = {token->data, dot ? (size_t)(dot - token->data) : token->len};

    *token = str_from(*token, dot ? part.len + 1 : part.len);
    return part;
}

/* The token's second part is the claims as JSON; the first names the algorithm. */
static void check_token(struct str token, const struct jwt *j)
{
    struct buf head = {0}, payload = {0}, wanted = {0};

    if (!str_starts(token, STR("Bearer "))) abort();
    token = str_from(token, 7);
    decode_part(part_of(&token), &head);
    decode_part(part_of(&token), &payload);
    if (token.len == 0 || memchr(token.data, '.', token.len)) abort();
    buf_printf(&wanted, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", j->algorithm);
    if (!str_eq(buf_view(&head), buf_view(&wanted))) abort();
    buf_clear(&wanted);
    json_encode(j->claims, &wanted);
    if (!str_eq(buf_view(&payload), buf_view(&wanted))) abort();
    buf_release(&head);
    buf_release(&payload);
    buf_release(&wanted);
}

static void make_token(struct jwt *j, struct arena *a, struct str json)
{
    struct buf out = {0}, problem = {0};

    if (!json_decode(a, json, NULL, &j->claims, NULL) || j->claims.kind != VALUE_MAP) return;
    if (!jwt_key_fits(j, &problem)) {
        if (problem.len == 0) abort();
    } else if (auth_jwt(j, 1000000000, &out, &problem)) {
        check_token(buf_view(&out), j);
    } else if (problem.len == 0) {
        abort();
    }
    buf_release(&out);
    buf_release(&problem);
}

/* The key in `text`, NULL: none. What does not say that it is PEM would be the path of a file. */
static EVP_PKEY *read_pem(struct str text)
{
    struct buf pem = {0}, problem = {0};

    if (str_find(text, STR("-----BEGIN")) < 0) buf_str(&pem, STR("-----BEGIN"));
    buf_str(&pem, text);
    EVP_PKEY *key = pem_key(buf_view(&pem), passphrase_for(text), &problem);
    if ((key == NULL) != (problem.len > 0)) abort();
    read_certificates(buf_view(&pem));
    buf_release(&pem);
    buf_release(&problem);
    return key;
}

static struct str take_pem(struct str *rest)
{
    const char *end = memchr(rest->data, 0, rest->len);
    struct str  pem = {rest->data, end ? (size_t)(end - rest->data) : rest->len};

    *rest = str_from(*rest, end ? pem.len + 1 : pem.len);
    return pem;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct jwt   j = {.secret = STR("secret")};
    int          algorithms = 0;

    if (size < 1) return 0;
    while (jwt_algorithms[algorithms])
        algorithms++;
    struct str rest = {(const char *)data + 1, size - 1};
    j.algorithm = jwt_algorithms[data[0] % 128 % algorithms];
    if (data[0] < 128) j.key = read_pem(take_pem(&rest));
    make_token(&j, &a, rest);
    EVP_PKEY_free(j.key);
    arena_release(&a);
    return 0;
}
