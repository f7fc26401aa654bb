/* Authorization headers. Expected texts: RFC 7617 section 2, RFC 5849 section 1.2, RFC 7519. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basic),
        cmocka_unit_test(oauth1_of_the_rfc),
        cmocka_unit_test(a_token_without_a_fitting_key_is_refused),
        cmocka_unit_test(the_form_of_a_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
