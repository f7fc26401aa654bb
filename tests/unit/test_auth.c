/* Authorization headers. Expected texts: RFC 7617 section 2, RFC 5849 section 1.2, RFC 7519;
   signatures: RFC 7515, appendix A.1 to A.3, RFC 8037, appendix A.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "net/auth.h"

static void basic(void **state)
{
    struct buf out = {0};

    (void)state;
    auth_basic(STR("Aladdin"), STR("open sesame"), &out);
    assert_string_equal(buf_cstr(&out), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    buf_clear(&out);
    auth_basic(STR("test"), STR("123\xC2\xA3"), &out);
    assert_string_equal(buf_cstr(&out), "Basic dGVzdDoxMjPCow==");
    buf_release(&out);
}

/* "http://photos.example.net/photos?file=vacation.jpg&size=original": ws counts as http. */
static void oauth1_of_the_rfc(void **state)
{
    const struct oauth1 o = {.method = OAUTH1_HMAC_SHA1,
                             .consumer_key = STR("dpf43f3p2l4k3l03"),
                             .consumer_secret = STR("kd94hf93k423kf44"),
                             .access_token = STR("nnch734d00sl2jdk"),
                             .access_token_secret = STR("pfkkdhi9sl3r4s00")};
    const struct str text = STR("ws://photos.example.net/photos?file=vacation.jpg&size=original");
    struct arena     a = {0};
    struct buf       out = {0};
    struct url       u;
    const char      *problem;

    (void)state;
    assert_true(url_parse(&a, text, &u, &problem));
    auth_oauth1(&o, &u, text, STR("chapoH"), STR("137131202"), &out);
    assert_memory_equal(buf_cstr(&out), "OAuth ", 6);
    assert_non_null(strstr(out.data, "oauth_consumer_key=\"dpf43f3p2l4k3l03\""));
    assert_non_null(strstr(out.data, "oauth_token=\"nnch734d00sl2jdk\""));
    assert_non_null(strstr(out.data, "oauth_signature=\"MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D\""));
    buf_release(&out);
    arena_release(&a);
}

static void a_token_without_a_fitting_key_is_refused(void **state)
{
    struct buf problem = {0};

    (void)state;
    for (int i = 0; jwt_algorithms[i]; i++) {
        const struct jwt j = {.algorithm = jwt_algorithms[i]};
        assert_false(jwt_key_fits(&j, &problem));
    }
    assert_true(problem.len > 0);
    buf_release(&problem);
}

/* Three parts of base64url without padding; the header says HS256. */
static void the_form_of_a_token(void **state)
{
    const struct jwt j = {.algorithm = "HS256", .secret = STR("secret")};
    struct buf       out = {0}, problem = {0};

    (void)state;
    assert_true(auth_jwt(&j, 0, &out, &problem));
    /* {"alg":"HS256","typ":"JWT"} . {} */
    assert_memory_equal(buf_cstr(&out), "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.",
                        strlen("Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30."));
    assert_null(strpbrk(out.data + 7, "+/="));
    buf_release(&out);
}

/* ---- signatures of RFC 7515 and RFC 8037 ---- */

/* {"iss":"joe", "exp":1300819380, "http://example.com/is_root":true} */
#define JOE                                                                                        \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"

static struct str unbase64url(const char *text, unsigned char *out)
{
    size_t   n = 0;
    uint32_t held = 0;
    int      bits = 0;

    for (; *text; text++) {
        static const char digits[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        held = held << 6 | (uint32_t)(strchr(digits, *text) - digits);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out[n++] = (unsigned char)(held >> bits);
    }
    return (struct str){(const char *)out, n};
}

static BIGNUM  *numbers[4];
static unsigned numbers_len;

/* The builder only refers to the number until made_of(). */
static void put_number(OSSL_PARAM_BLD *b, const char *name, const char *text)
{
    unsigned char bytes[512];
    struct str    s = unbase64url(text, bytes);
    BIGNUM       *n = BN_bin2bn(bytes, (int)s.len, NULL);

    numbers[numbers_len++] = n;
    assert_true(OSSL_PARAM_BLD_push_BN(b, name, n));
}

static EVP_PKEY *made_of(const char *kind, OSSL_PARAM_BLD *b)
{
    EVP_PKEY_CTX *cx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    OSSL_PARAM   *params = OSSL_PARAM_BLD_to_param(b);
    EVP_PKEY     *key = NULL;

    assert_int_equal(EVP_PKEY_fromdata_init(cx), 1);
    assert_int_equal(EVP_PKEY_fromdata(cx, &key, EVP_PKEY_KEYPAIR, params), 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    EVP_PKEY_CTX_free(cx);
    while (numbers_len > 0)
        BN_free(numbers[--numbers_len]);
    return key;
}

static void signs(const struct jwt *j, const char *input, const char *signature)
{
    struct buf out = {0};

    assert_true(jwt_sign(j, str_of(input), &out));
    assert_string_equal(buf_cstr(&out), signature);
    buf_release(&out);
}

static void hs256_of_the_rfc(void **state)
{
    unsigned char    key[64];
    const struct jwt j = {
        .algorithm = "HS256",
        .secret = unbase64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4h"
                              "cgUuTwjAzZr1Z9CAow",
                              key)};

    (void)state;
    signs(&j, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." JOE,
          "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

static void rs256_of_the_rfc(void **state)
{
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();

    (void)state;
    put_number(b, OSSL_PKEY_PARAM_RSA_N,
               "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPM"
               "EzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"
               "bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3"
               "qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9g"
               "b54h4FRWyuXpoQ");
    put_number(b, OSSL_PKEY_PARAM_RSA_E, "AQAB");
    put_number(b, OSSL_PKEY_PARAM_RSA_D,
               "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-"
               "7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzub"
               "Su3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1j"
               "uUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91"
               "p1DhOVRuOopznQ");
    const struct jwt j = {.algorithm = "RS256", .key = made_of("RSA", b)};
    signs(&j, "eyJhbGciOiJSUzI1NiJ9." JOE,
          "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W"
          "2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS"
          "jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv"
          "Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
    EVP_PKEY_free(j.key);
}

static void eddsa_of_the_rfc(void **state)
{
    unsigned char d[32];
    struct jwt    j = {.algorithm = "EdDSA"};

    (void)state;
    unbase64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", d);
    j.key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, d, sizeof(d));
    signs(&j, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
          "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    EVP_PKEY_free(j.key);
}

/* A signature of ECDSA is another one each time: the key of the RFC verifies it. */
static void es256_of_the_rfc(void **state)
{
    const struct str input = STR("eyJhbGciOiJFUzI1NiJ9." JOE);
    OSSL_PARAM_BLD  *b = OSSL_PARAM_BLD_new();
    unsigned char    point[65] = {4}, raw[64], der[80], *end = der;
    struct buf       out = {0};

    (void)state;
    unbase64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", point + 1);
    unbase64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", point + 33);
    OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
    put_number(b, OSSL_PKEY_PARAM_PRIV_KEY, "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    const struct jwt j = {.algorithm = "ES256", .key = made_of("EC", b)};
    assert_true(jwt_sign(&j, input, &out));
    assert_int_equal(unbase64url(buf_cstr(&out), raw).len, 64);

    ECDSA_SIG *sig = ECDSA_SIG_new();
    ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
    int         len = i2d_ECDSA_SIG(sig, &end);
    EVP_MD_CTX *cx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(cx, NULL, EVP_sha256(), NULL, j.key), 1);
    const unsigned char *bytes = (const unsigned char *)input.data;
    assert_int_equal(EVP_DigestVerify(cx, der, (size_t)len, bytes, input.len), 1);
    EVP_MD_CTX_free(cx);
    ECDSA_SIG_free(sig);
    EVP_PKEY_free(j.key);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basic),
        cmocka_unit_test(oauth1_of_the_rfc),
        cmocka_unit_test(a_token_without_a_fitting_key_is_refused),
        cmocka_unit_test(the_form_of_a_token),
        cmocka_unit_test(hs256_of_the_rfc),
        cmocka_unit_test(rs256_of_the_rfc),
        cmocka_unit_test(eddsa_of_the_rfc),
        cmocka_unit_test(es256_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
