/* Questions to name servers. Expected: RFC 1035 section 4 (messages and their example), RFC 3596;
   a server of this test, on a port of its own, for waiting and trying again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/dns.h"
#include "tests/unit/filter_checks.h"

#define BYTES(literal) ((struct str){literal, sizeof(literal) - 1})

/* ---- messages ---- */

static const char question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
                               "\x03www\x07"
                               "example\x03org\x00\x00\x01\x00\x01";
#define QUESTION BYTES(question)

/* The header with a code and a number of answers, the question again, then `records`. */
static int answer(struct str to, unsigned char code, unsigned char answers, struct str records,
                  struct arena *a, struct str *out)
{
    struct buf b = {0};

    buf_str(&b, to);
    b.data[2] = (char)0x81, b.data[3] = (char)(0x80 | code), b.data[7] = (char)answers;
    buf_str(&b, records);
    int result = dns_answer(to, buf_view(&b), a, out);
    buf_release(&b);
    return result;
}

static void writes_questions(void **state)
{
    unsigned char out[512];
    char          longest[300];

    (void)state;
    size_t len = dns_question(out, 0x1234, STR("www.example.org"), DNS_A);
    assert_int_equal(len, sizeof(question) - 1);
    assert_memory_equal(out, question, len);
    assert_int_equal(dns_question(out, 0x1234, STR("www.example.org."), DNS_A), len);
    assert_int_equal(dns_question(out, 1, STR(""), DNS_A), 0);
    assert_int_equal(dns_question(out, 1, STR("."), DNS_A), 0);
    assert_int_equal(dns_question(out, 1, STR("a..b"), DNS_A), 0);
    assert_int_equal(dns_question(out, 1, STR("a b"), DNS_A), 0);
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(dns_question(out, 1, (struct str){longest, 64}, DNS_A), 0);
    for (int i = 63; i < 300; i += 64)
        longest[i] = '.';
    assert_int_equal(dns_question(out, 1, (struct str){longest, 253}, DNS_A), 12 + 255 + 4);
    assert_int_equal(dns_question(out, 1, (struct str){longest, 254}, DNS_A), 0);
}

static void reads_answers(void **state)
{
    struct arena a = {0};
    struct str   out;

    (void)state;
    /* An alias, then the address of what it stands for, whose name is compressed. */
    struct str records = BYTES("\xC0\x0C\x00\x05\x00\x01\x00\x00\x00\x3C\x00\x06\x03web\xC0\x10"
                               "\xC0\x2D\x00\x01\x00\x01\x00\x00\x00\x3C\x00\x04\xC0\x00\x02\x01");
    assert_int_equal(answer(QUESTION, 0, 2, records, &a, &out), DNS_FOUND);
    assert_string_equal(arena_cstr(&a, out), "192.0.2.1");
    assert_int_equal(answer(QUESTION, 3, 0, STR(""), &a, &out), DNS_NOT_FOUND);
    assert_int_equal(answer(QUESTION, 0, 0, STR(""), &a, &out), DNS_NOT_FOUND);
    assert_int_equal(answer(QUESTION, 2, 0, STR(""), &a, &out), DNS_FAILED);
    for (size_t len = 0; len < records.len; len++) /* cut anywhere */
        assert_int_equal(answer(QUESTION, 0, 2, (struct str){records.data, len}, &a, &out),
                         DNS_NOT_FOUND);
    assert_int_equal(dns_answer(QUESTION, QUESTION, &a, &out), DNS_NOT_MINE); /* no answer */
    assert_int_equal(dns_answer(QUESTION, STR("\x12\x34"), &a, &out), DNS_NOT_MINE);
    /* A name that goes on at itself. */
    assert_int_equal(answer(QUESTION, 0, 1, BYTES("\xC0\x21\x00\x01"), &a, &out), DNS_NOT_FOUND);
    arena_release(&a);
}

static void reads_names(void **state)
{
    unsigned char q[512];
    struct arena  a = {0};
    struct str    out;
    struct ip     ip;

    (void)state;
    ip_parse(STR("192.0.2.1"), &ip);
    assert_string_equal(arena_cstr(&a, dns_reverse_name(&a, &ip)), "1.2.0.192.in-addr.arpa");
    size_t     len = dns_question(q, 7, dns_reverse_name(&a, &ip), DNS_PTR);
    struct str to = {(char *)q, len};
    assert_int_equal(answer(to, 0, 1,
                            BYTES("\xC0\x0C\x00\x0C\x00\x01\x00\x00\x00\x3C\x00\x07\x01h\x03"
                                  "a\nb\x00"),
                            &a, &out),
                     DNS_FOUND);
    assert_string_equal(arena_cstr(&a, out), "h.a?b");
    ip_parse(STR("4321:0:1:2:3:4:567:89ab"), &ip);
    assert_string_equal(arena_cstr(&a, dns_reverse_name(&a, &ip)),
                        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa");
    arena_release(&a);
}

/* ---- a server ---- */

struct server {
    int         fd;
    int         port;
    _Atomic int silent; /* questions that are not answered first */
    _Atomic int asked;
    pthread_t   thread;
};

/* Answers A questions for names with "four" with 192.0.2.4, AAAA for others with ::1, PTR with
   h.test; "none" does not exist. Ends on a message that is no question. */
static void *serve(void *ctx)
{
    struct server     *s = ctx;
    unsigned char      m[512];
    struct sockaddr_in from;

    for (;;) {
        socklen_t size = sizeof(from);
        ssize_t   n = recvfrom(s->fd, m, 400, 0, (struct sockaddr *)&from, &size);
        if (n < 17) return NULL;
        s->asked++;
        if (s->silent > 0) {
            s->silent--;
            continue;
        }
        struct str text = {(char *)m, (size_t)n}, record = {NULL, 0};
        m[2] |= 0x80;
        if (m[n - 3] == DNS_A && str_find(text, STR("four")) >= 0)
            record = BYTES("\xC0\x0C\x00\x01\x00\x01\x00\x00\x00\x3C\x00\x04\xC0\x00\x02\x04");
        if (m[n - 3] == DNS_AAAA && str_find(text, STR("six")) >= 0)
            record = BYTES("\xC0\x0C\x00\x1C\x00\x01\x00\x00\x00\x3C\x00\x10"
                           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1");
        if (m[n - 3] == DNS_PTR)
            record = BYTES("\xC0\x0C\x00\x0C\x00\x01\x00\x00\x00\x3C\x00\x08\x01h\x04test\x00");
        if (!record.data) m[3] |= 3;
        m[7] = record.data != NULL;
        if (record.data) memcpy(m + n, record.data, record.len);
        sendto(s->fd, m, (size_t)n + record.len, 0, (struct sockaddr *)&from, size);
    }
}

static void server_start(struct server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t          size = sizeof(at);

    *s = (struct server){.fd = socket(AF_INET, SOCK_DGRAM, 0)};
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, size), 0);
    getsockname(s->fd, (struct sockaddr *)&at, &size);
    s->port = ntohs(at.sin_port);
    pthread_create(&s->thread, NULL, serve, s);
}

static void server_stop(struct server *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)s->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int                fd = socket(AF_INET, SOCK_DGRAM, 0);

    sendto(fd, "end", 3, 0, (struct sockaddr *)&to, sizeof(to));
    pthread_join(s->thread, NULL);
    close(fd);
    close(s->fd);
}

static void asks_a_server(void **state)
{
    struct server         s;
    struct filter_fixture f;
    char                  config[400];

    (void)state;
    server_start(&s);
    snprintf(config, sizeof(config),
             "dns { resolve => \"n\" reverse => \"i\" action => \"replace\" timeout => 20 "
             "hit_cache_size => 10 failed_cache_size => 10 failed_cache_ttl => 1000 "
             "nameserver => { \"address\" => \"127.0.0.1:%d\" \"search\" => [\"four\"] } }",
             s.port);
    assert_true(filter_fixture_open(&f, config, ECS_V8));
    gives(&f, "{\"n\":\"four.test\",\"i\":\"192.0.2.1\"}",
          "{\"n\":\"192.0.2.4\",\"i\":\"h.test\"}");
    gives(&f, "{\"n\":\"six.test\"}", "{\"n\":\"::1\"}");
    gives(&f, "{\"n\":\"short\"}", "{\"n\":\"192.0.2.4\"}"); /* short.four */
    int asked = s.asked;
    gives(&f, "{\"n\":\"four.test\",\"i\":\"192.0.2.1\"}",
          "{\"n\":\"192.0.2.4\",\"i\":\"h.test\"}");
    assert_int_equal(s.asked, asked); /* remembered */
    gives(&f, "{\"i\":\"2001:db8::1\"}", "{\"i\":\"h.test\"}");
    filter_fixture_close(&f);
    server_stop(&s);
}

static void tries_again(void **state)
{
    struct server         s;
    struct filter_fixture f;
    char                  config[300];

    (void)state;
    server_start(&s);
    s.silent = 2;
    snprintf(config, sizeof(config),
             "dns { resolve => \"n\" timeout => 0.05 max_retries => 1 failed_cache_size => 0 "
             "nameserver => \"127.0.0.1:%d\" add_tag => \"ok\" }",
             s.port);
    assert_true(filter_fixture_open(&f, config, ECS_V8));
    gives(&f, "{\"n\":\"four.test\"}", "{\"n\":\"four.test\",\"tags\":[\"_dnstimeout\"]}");
    assert_int_equal(f.failures, 1);
    filter_fixture_close(&f);
    server_stop(&s);
    assert_int_equal(s.asked, 2);
}

static void refuses(void **state)
{
    (void)state;
    refused("dns { resolve => \"n\" nameserver => \"ns.example.org\" }");
    refused("dns { resolve => \"n\" nameserver => { \"search\" => \"a\" } }");
    refused("dns { resolve => \"n\" nameserver => { \"address\" => \"::1\" \"port\" => 53 } }");
    refused("dns { resolve => \"n\" nameserver => { \"address\" => \"::1\" \"ndots\" => 0 } }");
    refused("dns { resolve => \"n\" hostsfile => \"/nowhere/hosts\" }");
    refused("dns { resolve => \"n\" timeout => 0 }");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_questions), cmocka_unit_test(reads_answers),
        cmocka_unit_test(reads_names),      cmocka_unit_test(asks_a_server),
        cmocka_unit_test(tries_again),      cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
