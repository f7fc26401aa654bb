/* The server's side of the handshake and the PROXY protocol. Expected bytes: RFC 6455, sections 1.3
   and 4.2; RFC 7692, section 7.1; haproxy.org, doc/proxy-protocol.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "net/address.h"
#include "net/proxy_protocol.h"
#include "net/ws_accept.h"
#include "net/ws_deflate.h"

#define LINES                                                                                      \
    "Host: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                    \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

static struct ws_policy policy;
static struct buf       answer;

/* The status of the answer to a request; its text is in `answer`. */
static int ask(const char *text, bool full)
{
    struct http_head  head;
    struct ws_verdict verdict;

    if (http_request_read(str_of(text), &head) != 1) return -1;
    ws_check_request(&policy, &head, full, &verdict);
    buf_clear(&answer);
    ws_answer(&policy, &verdict, &answer);
    return verdict.status;
}

static bool answered(const char *line)
{
    return str_find(buf_view(&answer), str_of(line)) >= 0;
}

static int setup(void **state)
{
    (void)state;
    policy = (struct ws_policy){.path = STR("/chat"), .headers = STR("X-A: b\r\n")};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_release(&answer);
    return 0;
}

static void the_example_of_the_rfc(void **state)
{
    (void)state;
    assert_int_equal(ask("GET /chat HTTP/1.1\r\n" LINES "\r\n", false), 101);
    assert_true(answered("HTTP/1.1 101 Switching Protocols\r\n"));
    assert_true(answered("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_true(answered("\r\nX-A: b\r\n"));
    assert_false(answered("Protocol:"));
    assert_int_equal(ask("GET /chat?a=/b HTTP/1.1\r\n" LINES "\r\n", false), 101);
    assert_int_equal(ask("GET http://h:1/chat HTTP/1.1\r\n" LINES "\r\n", false), 101);
}

static void what_is_refused(void **state)
{
    (void)state;
    assert_int_equal(ask("GET /chat HTTP/1.1\r\n" LINES "\r\n", true), 503);
    assert_int_equal(ask("GET /chatx HTTP/1.1\r\n" LINES "\r\n", false), 404);
    assert_int_equal(ask("GET http://chat HTTP/1.1\r\n" LINES "\r\n", false), 404);
    assert_int_equal(ask("POST /chat HTTP/1.1\r\n" LINES "\r\n", false), 405);
    assert_int_equal(ask("GET /chat HTTP/1.0\r\n" LINES "\r\n", false), 505);
    assert_int_equal(ask("GET /chat HTTP/1.1\r\n\r\n", false), 400);
    assert_int_equal(ask("GET /chat HTTP/1.1\r\nHost: x\r\n\r\n", false), 426);
    assert_true(answered("\r\nSec-WebSocket-Version: 13\r\n"));
    assert_int_equal(ask("GET /chat HTTP/1.1\r\nHost: again\r\n" LINES "\r\n", false), 400);
}

/* RFC 7692, section 7.1: parameters, their values, and what is not asked for. */
static void offers_of_compression(void **state)
{
    struct ws_deflate_terms t;

    (void)state;
    assert_true(ws_deflate_read(STR("permessage-deflate"), true, &t));
    assert_true(ws_deflate_read(STR("permessage-deflate; client_max_window_bits"), true, &t));
    assert_true(t.names_client_bits && t.client_bits == 0);
    assert_false(ws_deflate_read(STR("permessage-deflate; client_max_window_bits"), false, &t));
    assert_true(ws_deflate_read(STR("permessage-deflate ;server_no_context_takeover; "
                                    "server_max_window_bits=\"8\";client_max_window_bits=15"),
                                true, &t));
    assert_true(t.server_no_context && !t.client_no_context);
    assert_true(t.server_bits == 8 && t.client_bits == 15);
    static const char *const wrong[] = {
        "deflate-frame",
        "permessage-deflate; x",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=08",
        "permessage-deflate; server_max_window_bits=1x",
        "permessage-deflate; server_max_window_bits=100",
        "permessage-deflate; client_max_window_bits=\"\"",
        "permessage-deflate; server_no_context_takeover=true",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(ws_deflate_read(str_of(wrong[i]), true, &t));
}

static void what_is_no_request(void **state)
{
    struct http_head head;

    (void)state;
    assert_int_equal(http_request_read(STR("GET / HT"), &head), 0);
    assert_int_equal(http_request_read(STR("\x16\x03\x01 "), &head), -1);
    assert_int_equal(http_request_read(STR("GET  HTTP/1.1\r\n\r\n"), &head), -1);
    assert_int_equal(http_request_read(STR("GET / HTTP/2.0\r\n\r\n"), &head), -1);
    assert_int_equal(http_request_read(STR("GET / HTTP/1.1\r\nno colon\r\n\r\n"), &head), -1);
    assert_int_equal(http_request_read(STR("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"), &head), -1);
    assert_int_equal(http_request_read(STR("GET / HTTP/1.1\r\nA : b\r\n\r\n"), &head), -1);
    assert_int_equal(http_request_read(STR("GET / HTTP/1.1\r\nA: \0b\r\n\r\n"), &head), -1);
}

static void who_may_come(void **state)
{
    struct str origins[] = {STR("https://a.example"), STR("*")};

    (void)state;
    policy.basic = STR("dTpw");
    policy.bearer = STR("token");
    assert_int_equal(ask("GET /chat HTTP/1.1\r\n" LINES "\r\n", false), 401);
    assert_true(answered("\r\nWWW-Authenticate: Basic realm=\"lsc\"\r\n"));
    assert_int_equal(
        ask("GET /chat HTTP/1.1\r\n" LINES "Authorization: basic  dTpw\r\n\r\n", false), 101);
    assert_int_equal(
        ask("GET /chat HTTP/1.1\r\n" LINES "Authorization: Bearer token\r\n\r\n", false), 101);
    assert_int_equal(
        ask("GET /chat HTTP/1.1\r\n" LINES "Authorization: Bearer dTpw\r\n\r\n", false), 401);
    policy.basic = policy.bearer = (struct str){0};

    policy.allowed_origins = (struct strings){1, origins};
    assert_int_equal(ask("GET /chat HTTP/1.1\r\n" LINES "\r\n", false), 403);
    assert_int_equal(ask("GET /chat HTTP/1.1\r\n" LINES "Origin: https://a.example\r\n\r\n", false),
                     101);
    assert_int_equal(
        ask("GET /chat HTTP/1.1\r\n" LINES "Origin: https://a.example.net\r\n\r\n", false), 403);
    policy.allowed_origins.len = 2;
    assert_int_equal(ask("GET /chat HTTP/1.1\r\n" LINES "Origin: null\r\n\r\n", false), 101);
    assert_int_equal(ask("GET /chat HTTP/1.1\r\n" LINES "\r\n", false), 403);
}

static void what_is_agreed_on(void **state)
{
    struct str protocols[] = {STR("v1"), STR("v2")};

    (void)state;
    policy.subprotocols = (struct strings){2, protocols};
    ask("GET /chat HTTP/1.1\r\n" LINES "Sec-WebSocket-Protocol: v3, v2\r\n"
        "Sec-WebSocket-Protocol: v1\r\n\r\n",
        false);
    assert_true(answered("\r\nSec-WebSocket-Protocol: v2\r\n"));

    policy.deflate = true;
    ask("GET /chat HTTP/1.1\r\n" LINES
        "Sec-WebSocket-Extensions: x, permessage-deflate; client_max_window_bits\r\n\r\n",
        false);
    assert_true(answered("\r\nSec-WebSocket-Extensions: permessage-deflate; "
                         "client_no_context_takeover; server_no_context_takeover\r\n"));
    ask("GET /chat HTTP/1.1\r\n" LINES
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n\r\n",
        false);
    assert_true(answered("; server_max_window_bits=10\r\n"));
    ask("GET /chat HTTP/1.1\r\n" LINES
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7, "
        "permessage-deflate\r\n\r\n",
        false);
    assert_true(answered("; server_no_context_takeover\r\n"));
}

/* ---- the PROXY protocol ---- */

static void proxy(const char *bytes, size_t len, const char *expected)
{
    struct sockaddr_storage source;
    size_t                  size;
    char                    text[ADDRESS_TEXT];

    for (size_t n = 0; n < len; n++)
        assert_int_equal(proxy_protocol_read((struct str){bytes, n}, &source, &size), 0);
    assert_int_equal(proxy_protocol_read((struct str){bytes, len}, &source, &size), 1);
    assert_int_equal(size, len);
    address_print((struct sockaddr *)&source, text);
    assert_string_equal(text, expected);
}
#define PROXY(literal, expected) proxy(literal, sizeof(literal) - 1, expected)

static int refused(const char *text)
{
    struct sockaddr_storage source;
    size_t                  size;

    return proxy_protocol_read(str_of(text), &source, &size);
}

static void headers_of_balancers(void **state)
{
    (void)state;
    PROXY("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535");
    PROXY("PROXY TCP6 ffff::1 ffff::2 1 65535\r\n", "[ffff::1]:1");
    PROXY("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "");
    PROXY("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x12\x34\0\x50", "192.0.2.1:4660");
    PROXY("\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24"
          "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\1\0\2",
          "[2001:db8::1]:1");
    PROXY("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", "");
    assert_int_equal(refused("PROXY TCP4 1.2.3.4 1.2.3.4 70000 1\r\n"), -1);
    assert_int_equal(refused("PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n"), -1);
    assert_int_equal(refused("PROXY TCP4 ::1 ::1 1 1\r\n"), -1);
    assert_int_equal(refused("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), -1);
    assert_int_equal(refused("GET / HTTP/1.1\r\n"), -1);
}

static void addresses_as_text(void **state)
{
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
    char                text[ADDRESS_TEXT];

    (void)state;
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.sin6_addr);
    address_print((struct sockaddr *)&mapped, text);
    assert_string_equal(text, "192.0.2.1:80");
    assert_true(str_is(address_host("192.0.2.1:80"), "192.0.2.1"));
    assert_true(str_is(address_host("[2001:db8::1]:443"), "2001:db8::1"));
    assert_true(str_is(address_host(""), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_example_of_the_rfc, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_refused, setup, teardown),
        cmocka_unit_test(offers_of_compression),
        cmocka_unit_test(what_is_no_request),
        cmocka_unit_test_setup_teardown(who_may_come, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_agreed_on, setup, teardown),
        cmocka_unit_test(headers_of_balancers),
        cmocka_unit_test(addresses_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
