/* The HTTP client and its module, against a server in the same program that says what it is told
   to. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../modules.h"
#include "net/http_client.h"

/* ---- the server ---- */

enum { ANSWERS_MAX = 4 };

struct server {
    int         fd, stop[2];
    uint16_t    port;
    const char *answers[ANSWERS_MAX]; /* to the requests, one after the other; NULL: none comes */
    size_t      answer_len;           /* of the first, when it is no C string */
    int         answered, connections;
    bool        hangs_up; /* in the place of an answer */
    bool        blunt;    /* answers whatever comes */
    struct buf  requests[ANSWERS_MAX];
    pthread_t   thread;
};

/* False: the test has ended. */
static bool readable(const struct server *s, int fd)
{
    struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = s->stop[0], .events = POLLIN}};

    return poll(p, 2, -1) > 0 && !p[1].revents;
}

static bool whole(struct str request)
{
    struct http_head head;

    if (http_request_read(request, &head) <= 0) return false;
    struct str length = http_field(&head, "Content-Length");
    return !length.data || request.len - head.size >= strtoul(length.data, NULL, 10);
}

static void serve(struct server *s, int fd)
{
    while (s->answered < ANSWERS_MAX) {
        struct buf *request = &s->requests[s->answered];
        while (!whole(buf_view(request)) && !(s->blunt && request->len > 0)) {
            if (!readable(s, fd)) return;
            ssize_t n = read(fd, buf_room(request, 65536), 65536);
            if (n <= 0) return;
            request->len += (size_t)n;
        }
        const char *answer = s->answers[s->answered];
        if (s->hangs_up) return;
        if (!answer) {
            readable(s, s->stop[0]);
            return;
        }
        size_t len = s->answered == 0 && s->answer_len ? s->answer_len : strlen(answer);
        if (write(fd, answer, len) < 0) return;
        s->answered++;
        if (strstr(answer, "Connection: close")) return;
    }
}

static void *server_thread(void *arg)
{
    struct server *s = arg;

    while (readable(s, s->fd)) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0) break;
        s->connections++;
        serve(s, fd);
        close(fd);
    }
    return NULL;
}

static void server_start(struct server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t          len = sizeof(at);

    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(s->fd, 8), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
    s->port = ntohs(at.sin_port);
    assert_int_equal(pipe(s->stop), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, server_thread, s), 0);
}

static void server_stop(struct server *s)
{
    assert_int_equal(write(s->stop[1], "", 1), 1);
    pthread_join(s->thread, NULL);
    close(s->fd);
    close(s->stop[0]);
    close(s->stop[1]);
    for (int i = 0; i < ANSWERS_MAX; i++)
        buf_release(&s->requests[i]);
}

/* ---- a client and what it got ---- */

struct fixture {
    struct server       server;
    struct http_config  config;
    struct http_client *client;
    struct http_answer  answer;
    char                url[128];
};

static void begin(struct fixture *f)
{
    struct buf problem = {0};

    server_start(&f->server);
    snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/path?a=b", f->server.port);
    f->client = http_client_new(&f->config, &problem);
    if (!f->client) fail_msg("%s", buf_cstr(&problem));
}

static enum http_result fetch(struct fixture *f, struct http_request request)
{
    if (!request.url.data) request.url = str_of(f->url);
    return http_fetch(f->client, &request, &f->answer);
}

static void end(struct fixture *f)
{
    http_client_free(f->client);
    http_answer_release(&f->answer);
    server_stop(&f->server);
}

static bool asked(struct fixture *f, int i, const char *text)
{
    return str_find(buf_view(&f->server.requests[i]), str_of(text)) >= 0;
}

#define assert_problem(f, text) assert_non_null(strstr(buf_cstr(&(f).answer.problem), text))

/* ---- tests ---- */

static void test_get(void **state)
{
    struct fixture f = {.server.answers = {"HTTP/1.1 200 Fine\r\nX-A: b\r\nContent-Length: 5\r\n"
                                           "\r\nhello",
                                           "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"}};
    const struct http_line lines[] = {{STR("X-Key"), STR("v w")}, {STR("X-None"), STR("")}};
    struct http_head       head;
    (void)state;

    begin(&f);
    assert_int_equal(fetch(&f, (struct http_request){.headers = lines, .headers_len = 2}),
                     HTTP_ANSWERED);
    assert_int_equal(f.answer.status, 200);
    assert_string_equal(buf_cstr(&f.answer.body), "hello");
    assert_true(http_answer_head(&f.answer, &head));
    assert_true(str_is(http_field(&head, "x-a"), "b"));
    assert_true(asked(&f, 0, "GET /path?a=b HTTP/1.1\r\n"));
    assert_true(asked(&f, 0, "\r\nX-Key: v w\r\n"));
    assert_true(asked(&f, 0, "\r\nX-None:\r\n"));
    assert_true(asked(&f, 0, "\r\nUser-Agent: lsc/"));
    assert_false(asked(&f, 0, "Content-Type"));
    assert_false(asked(&f, 0, "Authorization"));

    /* The connection is used again, and nothing of the last answer stays. */
    assert_int_equal(fetch(&f, (struct http_request){0}), HTTP_ANSWERED);
    assert_int_equal(f.answer.status, 404);
    assert_int_equal(f.answer.body.len, 0);
    assert_false(asked(&f, 1, "X-Key"));
    assert_int_equal(f.server.connections, 1);
    end(&f);
}

static void test_post(void **state)
{
    struct fixture         f = {.config = {.one_shot = true},
                                .server.answers = {"HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n",
                                                   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                                                   "HTTP/1.1 200 OK\r\n\r\n"}};
    const struct http_line type = {STR("Content-Type"), STR("text/plain")};
    (void)state;

    begin(&f);
    assert_int_equal(fetch(&f, (struct http_request){.body = STR("a=b"),
                                                     .headers = &type,
                                                     .headers_len = 1,
                                                     .user = STR("Aladdin"),
                                                     .password = STR("open sesame")}),
                     HTTP_ANSWERED);
    assert_int_equal(f.answer.status, 201);
    assert_true(asked(&f, 0, "POST /path?a=b HTTP/1.1\r\n"));
    assert_true(asked(&f, 0, "\r\nContent-Type: text/plain\r\n"));
    assert_true(asked(&f, 0, "\r\nContent-Length: 3\r\n"));
    assert_true(asked(&f, 0, "\r\n\r\na=b"));
    assert_false(asked(&f, 0, "Expect"));
    /* RFC 7617, section 2 */
    assert_true(asked(&f, 0, "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));

    assert_int_equal(fetch(&f, (struct http_request){.method = "PUT", .body = STR("x")}),
                     HTTP_ANSWERED);
    assert_true(asked(&f, 1, "PUT /path"));
    assert_true(asked(&f, 1, "\r\n\r\nx"));
    assert_false(asked(&f, 1, "Content-Type"));
    assert_false(asked(&f, 1, "Authorization"));

    assert_int_equal(fetch(&f, (struct http_request){.method = "HEAD"}), HTTP_ANSWERED);
    assert_true(asked(&f, 2, "HEAD /path"));
    end(&f);
    assert_int_equal(f.server.connections, 3);
}

static void test_unfit(void **state)
{
    struct fixture         f = {0};
    const struct http_line split = {STR("X-A"), STR("b\r\nX-C: d")}, blank = {STR("X A"), STR("b")};
    (void)state;

    begin(&f);
    assert_int_equal(fetch(&f, (struct http_request){.url = STR("ftp://a/")}), HTTP_UNFIT);
    assert_int_equal(fetch(&f, (struct http_request){.url = STR("ws://a/")}), HTTP_UNFIT);
    assert_problem(f, "http://");
    assert_int_equal(fetch(&f, (struct http_request){.url = STR("http://a/b c")}), HTTP_UNFIT);
    assert_int_equal(fetch(&f, (struct http_request){.url = STR("http://a/\r\nb")}), HTTP_UNFIT);
    assert_int_equal(fetch(&f, (struct http_request){.method = "GET / "}), HTTP_UNFIT);
    assert_int_equal(fetch(&f, (struct http_request){.headers = &split, .headers_len = 1}),
                     HTTP_UNFIT);
    assert_int_equal(fetch(&f, (struct http_request){.headers = &blank, .headers_len = 1}),
                     HTTP_UNFIT);
    end(&f);
    assert_int_equal(f.server.connections, 0);
}

static void test_failures(void **state)
{
    struct fixture f = {.server.hangs_up = true};
    char           url[64];
    (void)state;

    begin(&f);
    assert_int_equal(fetch(&f, (struct http_request){.url = STR("http://nowhere.invalid/")}),
                     HTTP_NO_NAME);
    assert_problem(f, "nowhere.invalid");
    assert_false(f.answer.sent);

    int                free_port = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t          len = sizeof(at);
    assert_int_equal(bind(free_port, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(free_port, (struct sockaddr *)&at, &len), 0);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(at.sin_port));
    assert_int_equal(fetch(&f, (struct http_request){.url = str_of(url)}), HTTP_NO_SERVER);
    assert_problem(f, "Connection refused");
    close(free_port);

    assert_int_equal(fetch(&f, (struct http_request){0}), HTTP_BROKEN);
    assert_true(f.answer.sent);
    end(&f);
}

static void test_no_answer(void **state)
{
    struct fixture f = {.config = {.timeout_ns = 50000000}};
    (void)state;

    begin(&f);
    assert_int_equal(fetch(&f, (struct http_request){0}), HTTP_TIMEOUT);
    assert_problem(f, "timed out");
    assert_true(f.answer.sent);
    end(&f);
}

static void test_no_tls(void **state)
{
    struct fixture f = {.server = {.blunt = true, .answers = {"HTTP/1.1 400 Bad\r\n\r\n"}}};
    char           url[64];
    (void)state;

    begin(&f);
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", f.server.port);
    assert_int_equal(fetch(&f, (struct http_request){.url = str_of(url)}), HTTP_NO_TLS);
    assert_problem(f, "wrong version number");
    end(&f);
}

static void test_too_large(void **state)
{
    struct fixture f = {
        .config = {.max_body = 9},
        .server.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
                           "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n012345678"}};
    (void)state;

    begin(&f);
    assert_int_equal(fetch(&f, (struct http_request){0}), HTTP_TOO_LARGE);
    assert_problem(f, "9 bytes");
    assert_int_equal(fetch(&f, (struct http_request){0}), HTTP_ANSWERED);
    assert_int_equal(f.answer.body.len, 9);
    end(&f);
}

static void test_unpacked(void **state)
{
    /* `printf hello | gzip -n`, hex by od */
    static const char packed[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05"
        "\x00\x00\x00";
    struct fixture f = {.config = {.compressed = true},
                        .server = {.answers = {packed}, .answer_len = sizeof(packed) - 1}};
    (void)state;

    begin(&f);
    assert_int_equal(fetch(&f, (struct http_request){0}), HTTP_ANSWERED);
    assert_string_equal(buf_cstr(&f.answer.body), "hello");
    assert_true(asked(&f, 0, "\r\nAccept-Encoding: gzip, deflate\r\n"));
    end(&f);
}

static void test_chunked(void **state)
{
    struct fixture f = {
        .server.answers = {"HTTP/1.1 100 Go on\r\nX-A: no\r\n\r\n"
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: yes\r\n\r\n"
                           "3\r\nabc\r\n2\r\nde\r\n0\r\nX-B: trailer\r\n\r\n"}};
    struct http_head head;
    (void)state;

    begin(&f);
    assert_int_equal(fetch(&f, (struct http_request){.body = STR("x")}), HTTP_ANSWERED);
    assert_string_equal(buf_cstr(&f.answer.body), "abcde");
    assert_true(http_answer_head(&f.answer, &head));
    assert_int_equal(head.status, 200);
    assert_true(str_is(http_field(&head, "X-A"), "yes"));
    assert_null(http_field(&head, "X-B").data);
    end(&f);
}

static void test_redirects(void **state)
{
    struct fixture f = {.config = {.max_redirects = 1}};
    char           here[128], there[128];
    (void)state;

    begin(&f);
    const char *form = "HTTP/1.1 302 Moved\r\nLocation: http://%s:%u/new\r\nConnection: close\r\n"
                       "Content-Length: 3\r\n\r\nold";
    snprintf(there, sizeof(there), form, "localhost", f.server.port);
    snprintf(here, sizeof(here), form, "127.0.0.1", f.server.port);
    f.server.answers[0] = there;
    f.server.answers[1] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nnew";
    f.server.answers[2] = here;
    f.server.answers[3] = there;

    /* Credentials do not go to another host. */
    const struct http_request with_password = {.user = STR("u"), .password = STR("p")};
    assert_int_equal(fetch(&f, with_password), HTTP_ANSWERED);
    assert_int_equal(f.answer.status, 200);
    assert_string_equal(buf_cstr(&f.answer.body), "new");
    assert_true(asked(&f, 0, "Authorization: Basic"));
    assert_true(asked(&f, 1, "GET /new "));
    assert_false(asked(&f, 1, "Authorization"));

    assert_int_equal(fetch(&f, with_password), HTTP_REDIRECTS);
    assert_true(asked(&f, 3, "Authorization: Basic")); /* the same host */
    end(&f);
}

static void test_redirect_is_an_answer(void **state)
{
    struct fixture f = {.server.answers = {"HTTP/1.1 302 Moved\r\nLocation: http://localhost:1/\r\n"
                                           "Content-Length: 3\r\n\r\nold"}};
    (void)state;

    begin(&f);
    assert_int_equal(fetch(&f, (struct http_request){0}), HTTP_ANSWERED);
    assert_int_equal(f.answer.status, 302);
    assert_string_equal(buf_cstr(&f.answer.body), "old");
    end(&f);
}

static void test_redirect_elsewhere(void **state)
{
    struct fixture f = {.config = {.max_redirects = 5},
                        .server.answers = {"HTTP/1.1 302 Moved\r\nLocation: file:///etc/passwd\r\n"
                                           "Content-Length: 0\r\n\r\n"}};
    (void)state;

    begin(&f);
    assert_int_equal(fetch(&f, (struct http_request){0}), HTTP_REDIRECTS);
    assert_int_equal(f.answer.body.len, 0);
    end(&f);
}

static void test_proxy(void **state)
{
    struct fixture f = {.server.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    struct proxy   proxy = {.url = {.scheme = URL_HTTP,
                                    .host = STR("127.0.0.1"),
                                    .has_userinfo = true,
                                    .user = STR("Aladdin"),
                                    .password = STR("open sesame")},
                            .headers = STR("X-Proxy: yes\r\nX-More: 1\r\n")};
    (void)state;

    f.config.proxy = &proxy;
    begin(&f);
    proxy.url.port = f.server.port;
    assert_int_equal(fetch(&f, (struct http_request){.url = STR("http://far.invalid/x")}),
                     HTTP_ANSWERED);
    assert_true(asked(&f, 0, "GET http://far.invalid/x HTTP/1.1\r\n"));
    assert_true(asked(&f, 0, "\r\nHost: far.invalid\r\n"));
    assert_true(asked(&f, 0, "\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    assert_true(asked(&f, 0, "\r\nX-Proxy: yes\r\n"));
    assert_true(asked(&f, 0, "\r\nX-More: 1\r\n"));
    end(&f);
}

static void *fetch_thread(void *arg)
{
    struct fixture *f = arg;

    return fetch(f, (struct http_request){0}) == HTTP_STOPPED ? f : NULL;
}

/* What of several requests can be sent is; the others do not hold them up. */
static void test_several(void **state)
{
    static const char    closing[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello";
    struct fixture       f = {.server.answers = {closing, closing}};
    struct http_answer   answers[4] = {{.status = 7}, {.status = 7}, {.status = 7}, {.status = 7}};
    struct http_exchange all[4];
    (void)state;

    begin(&f);
    for (int i = 0; i < 4; i++)
        all[i] = (struct http_exchange){.request.url = str_of(f.url), .answer = &answers[i]};
    all[1].request.url = STR("http://127.0.0.1/a b");
    all[3].request.url = STR("http://127.0.0.1:1/");
    http_fetch_all(f.client, all, 4);
    for (int i = 0; i < 4; i++) {
        static const enum http_result wanted[] = {HTTP_ANSWERED, HTTP_UNFIT, HTTP_ANSWERED,
                                                  HTTP_NO_SERVER};
        assert_int_equal(all[i].result, wanted[i]);
        assert_int_equal(answers[i].status, wanted[i] == HTTP_ANSWERED ? 200 : 0);
        assert_int_equal(answers[i].body.len, wanted[i] == HTTP_ANSWERED ? 5 : 0);
        assert_int_equal(answers[i].problem.len > 0, wanted[i] != HTTP_ANSWERED);
        http_answer_release(&answers[i]);
    }
    assert_int_equal(f.server.connections, 2);
    end(&f);
}

static void test_cookies(void **state)
{
    static const char setting[] = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n";
    (void)state;

    for (int on = 0; on < 2; on++) {
        struct fixture f = {.config.cookies = on, .server.answers = {setting, setting, setting}};
        begin(&f);
        for (int i = 0; i < 3; i++)
            assert_int_equal(fetch(&f, (struct http_request){0}), HTTP_ANSWERED);
        assert_false(asked(&f, 0, "Cookie"));
        assert_int_equal(asked(&f, 1, "\r\nCookie: a=b\r\n"), on);
        assert_int_equal(asked(&f, 2, "\r\nCookie: a=b\r\n"), on);
        end(&f);
    }
}

static void test_cancelled(void **state)
{
    struct fixture f = {0};
    pthread_t      thread;
    void          *stopped;
    (void)state;

    begin(&f);
    assert_int_equal(pthread_create(&thread, NULL, fetch_thread, &f), 0);
    http_client_cancel(f.client);
    pthread_join(thread, &stopped);
    assert_ptr_equal(stopped, &f);
    assert_string_equal(buf_cstr(&f.answer.problem), "stopped");
    assert_int_equal(fetch(&f, (struct http_request){0}), HTTP_STOPPED);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_post),
        cmocka_unit_test(test_unfit),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_no_tls),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_unpacked),
        cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_redirect_is_an_answer),
        cmocka_unit_test(test_redirect_elsewhere),
        cmocka_unit_test(test_proxy),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_cancelled),
    };

    modules_of_build_tree();
    const struct http_config config = {0};
    struct buf               problem = {0};
    struct http_client      *client = http_client_new(&config, &problem);
    if (!client && strstr(buf_cstr(&problem), "it is built where")) return 77; /* skipped */
    http_client_free(client);
    buf_release(&problem);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
