/* Frame headers and the handshake's key. Expected bytes: RFC 6455, sections 1.3, 5.2 and 5.7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/http_head.h"
#include "net/ws_frame.h"

static struct ws_frame frame;

static int read_bytes(const char *bytes, size_t len)
{
    const char *problem;

    return ws_frame_read((struct str){bytes, len}, &frame, &problem);
}
#define READ(literal) read_bytes("" literal, sizeof(literal) - 1)

static void examples_of_the_rfc(void **state)
{
    (void)state;
    assert_int_equal(READ("\x81\x05Hello"), 1);
    assert_true(frame.final && !frame.masked && frame.opcode == WS_TEXT);
    assert_int_equal(frame.length, 5);
    assert_int_equal(frame.header, 2);

    char hello[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    assert_int_equal(read_bytes(hello, sizeof(hello) - 1), 1);
    assert_true(frame.masked);
    assert_int_equal(frame.header, 6);
    ws_mask(hello + 6, 5, frame.mask, 0);
    assert_memory_equal(hello + 6, "Hello", 5);

    assert_int_equal(READ("\x01\x03Hel"), 1);
    assert_false(frame.final);
    assert_int_equal(READ("\x80\x02lo"), 1);
    assert_int_equal(frame.opcode, WS_CONTINUATION);
    assert_int_equal(READ("\x82\x7e\x01\x00"), 1);
    assert_int_equal(frame.length, 256);
    assert_int_equal(READ("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"), 1);
    assert_int_equal(frame.length, 65536);
}

static void a_header_may_come_in_pieces(void **state)
{
    const char bytes[] = "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00mask";

    (void)state;
    for (size_t n = 0; n < sizeof(bytes) - 1; n++)
        assert_int_equal(read_bytes(bytes, n), 0);
    assert_int_equal(read_bytes(bytes, sizeof(bytes) - 1), 1);
    assert_int_equal(frame.header, 14);
}

static void what_breaks_the_protocol(void **state)
{
    (void)state;
    for (int opcode = 0; opcode < 16; opcode++) {
        const char bytes[] = {(char)(0x80 | opcode), 0};
        bool       known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
        assert_int_equal(read_bytes(bytes, 2), known ? 1 : -1);
    }
    assert_int_equal(READ("\xa1\x00"), -1);                                 /* RSV2 */
    assert_int_equal(READ("\x91\x00"), -1);                                 /* RSV3 */
    assert_int_equal(READ("\xc9\x00"), -1);                                 /* RSV1 on a ping */
    assert_int_equal(READ("\x09\x00"), -1);                                 /* fragmented ping */
    assert_int_equal(READ("\x89\x7e\x00\x7e"), -1);                         /* long ping */
    assert_int_equal(READ("\x81\x7e\x00\x7d"), -1);                         /* not shortest */
    assert_int_equal(READ("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), -1); /* not shortest */
    assert_int_equal(READ("\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), -1); /* highest bit */
}

static void what_is_written_can_be_read(void **state)
{
    const size_t  lengths[] = {0, 1, 125, 126, 65535, 65536, 100000};
    const uint8_t mask[] = {1, 2, 3, 0xff};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct buf payload = {0}, out = {0};
        memset(buf_room(&payload, lengths[i] + 1), 'x', lengths[i]);
        payload.len = lengths[i];
        ws_frame_write(&out, WS_BINARY, true, false, i % 2 ? mask : NULL, buf_view(&payload));
        assert_int_equal(read_bytes(out.data, out.len), 1);
        assert_int_equal(frame.length, lengths[i]);
        assert_int_equal(frame.header + frame.length, out.len);
        if (frame.masked) ws_mask(out.data + frame.header, frame.length, frame.mask, 0);
        assert_memory_equal(out.data + frame.header, payload.data, lengths[i]);
        buf_release(&payload);
        buf_release(&out);
    }
}

static void masking_goes_on_in_the_middle(void **state)
{
    const uint8_t mask[] = {0x11, 0x22, 0x33, 0x44};
    char          whole[64] = {0}, pieces[64] = {0};

    (void)state;
    ws_mask(whole, sizeof(whole), mask, 0);
    for (size_t i = 0; i < sizeof(whole); i++)
        assert_int_equal((uint8_t)whole[i], mask[i % 4]);
    for (size_t cut = 0; cut <= sizeof(pieces); cut++) {
        memset(pieces, 0, sizeof(pieces));
        ws_mask(pieces, cut, mask, 0);
        ws_mask(pieces + cut, sizeof(pieces) - cut, mask, cut);
        assert_memory_equal(pieces, whole, sizeof(whole));
    }
}

static void statuses(void **state)
{
    (void)state;
    for (int status = 0; status <= 5001; status++) {
        bool valid = (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014) ||
                     (status >= 3000 && status <= 4999);
        assert_int_equal(ws_status_valid((uint16_t)status), valid);
    }
}

static void accept_of_the_rfc(void **state)
{
    char out[29];

    (void)state;
    ws_accept(STR("dGhlIHNhbXBsZSBub25jZQ=="), out);
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void answers(void **state)
{
    struct http_head h;

    (void)state;
    assert_int_equal(http_head_read(STR(""), &h), 0);
    assert_int_equal(http_head_read(STR("HTT"), &h), 0);
    assert_int_equal(http_head_read(STR("HTTP/1.1 101 Switching\r\nA: b\r\n"), &h), 0);
    assert_int_equal(http_head_read(STR("SSH-2.0"), &h), -1);
    assert_int_equal(http_head_read(STR("HTTP/1.1 1x1 no\r\n\r\n"), &h), -1);
    assert_int_equal(http_head_read(STR("HTTP/1.1 404\r\n\r\nbody"), &h), 1);
    assert_int_equal(h.status, 404);
    assert_int_equal(h.size, 16);
    assert_int_equal(http_head_read(STR("HTTP/1.1 101 Switching Protocols\r\nUPGRADE:WebSocket\r\n"
                                        "Connection: keep-alive, upgrade \r\nX-A:  1 2 \r\n\r\n"),
                                    &h),
                     1);
    assert_true(http_has_token(&h, "Upgrade", "websocket"));
    assert_true(http_has_token(&h, "connection", "Upgrade"));
    assert_false(http_has_token(&h, "connection", "close"));
    assert_true(str_is(http_field(&h, "x-a"), "1 2"));
    assert_null(http_field(&h, "x-b").data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_rfc),
        cmocka_unit_test(a_header_may_come_in_pieces),
        cmocka_unit_test(what_breaks_the_protocol),
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(masking_goes_on_in_the_middle),
        cmocka_unit_test(statuses),
        cmocka_unit_test(accept_of_the_rfc),
        cmocka_unit_test(answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
