/*
 * Tokens of OAuth 2.
 *
 * Source: RFC 6749, sections 2.3.1, 4.4, 5.1, 5.2.
 * Threads: the token belongs to the loop's thread. A request's thread reads the settings and writes
 * its own request before it posts to the loop; o->lock guards o->busy and a request's `cancelled`.
 */
#include "net/oauth2.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/thread.h"
#include "event/json.h"
#include "event/value.h"

enum { ANSWER_MAX = 256 * 1024, BODY_SHOWN = 200 };

static const int64_t second_ns = 1000000000;
/* A token that lives longer is asked for again all the same: after ten years. */
static const int64_t lifetime_max_s = 315360000;

struct oauth2 {
    struct oauth2_settings settings;
    struct http_client    *http;
    struct buf             token;
    int64_t                renew_ns; /* monotonic; 0: it is not known when the token expires */
    pthread_mutex_t        lock;
    pthread_cond_t         idle;
    bool                   busy; /* a thread fetches */
};

struct oauth2_request {
    struct oauth2 *oauth2;
    struct net    *net;
    void (*done)(void *ctx, const char *problem);
    void      *ctx;
    bool       cancelled;
    struct buf token, problem;
    int64_t    renew_ns;
};

/* ---- what the server says ---- */

static void wipe(struct buf *b)
{
    if (b->data) OPENSSL_cleanse(b->data, b->cap);
    buf_release(b);
}

/* Appends the beginning of a body, without the secret, should the server repeat it. */
static void show_body(struct str body, struct str secret, struct buf *out)
{
    ptrdiff_t at;

    if (body.len > 0) buf_str(out, STR(": "));
    if (body.len > BODY_SHOWN + secret.len) body.len = BODY_SHOWN + secret.len;
    size_t most = out->len + BODY_SHOWN;
    while (secret.len > 0 && (at = str_find(body, secret)) >= 0) {
        buf_put(out, body.data, (size_t)at);
        buf_str(out, STR("***"));
        body = str_from(body, (size_t)at + secret.len);
    }
    buf_str(out, body);
    if (out->len > most) out->len = most;
}

/* Text of digits counts as a number: some servers quote it. */
static int64_t lifetime_s(const struct value *v)
{
    double s = 0;

    if (v && v->kind == VALUE_INT) s = (double)v->as.i;
    if (v && v->kind == VALUE_FLOAT) s = v->as.f;
    if (v && v->kind == VALUE_STRING && v->len > 0 && v->len < 16) {
        char text[16] = "";
        memcpy(text, v->as.s, v->len);
        s = strtod(text, NULL);
    }
    return s > 0 && s < (double)lifetime_max_s ? (int64_t)s : 0;
}

static struct value *member(const struct value *v, const char *name)
{
    return v->kind == VALUE_MAP ? map_get(v->as.map, key_make(str_of(name))) : NULL;
}

/* Section 5.1. NULL, or what is wrong with the answer. */
static const char *read_token(struct oauth2_request *r, struct arena *a, struct str body,
                              int64_t asked_ns)
{
    struct value whole;

    if (!json_decode(a, body, NULL, &whole, NULL)) return "the token server's answer is not JSON";
    const struct value *token = member(&whole, "access_token"),
                       *type = member(&whole, "token_type");
    if (!token || token->kind != VALUE_STRING || token->len == 0)
        return "the token server's answer has no access_token";
    if (!http_is_line(value_str(*token))) return "the token has a line end in it";
    if (type && (type->kind != VALUE_STRING || !http_same(value_str(*type), "bearer")))
        return "the token server gives tokens that are no Bearer tokens";
    buf_str(&r->token, value_str(*token));
    int64_t lifetime = lifetime_s(member(&whole, "expires_in"));
    if (lifetime)
        r->renew_ns = asked_ns + lifetime * second_ns - r->oauth2->settings.expiry_buffer_ns;
    return NULL;
}

static void take_answer(struct oauth2_request *r, const struct http_answer *answer,
                        int64_t asked_ns)
{
    struct arena a = {0};

    if (answer->status == 200) {
        const char *problem = read_token(r, &a, buf_view(&answer->body), asked_ns);
        if (problem) buf_str(&r->problem, str_of(problem));
    } else {
        buf_printf(&r->problem, "the token server answers %d", answer->status);
        show_body(buf_view(&answer->body), r->oauth2->settings.client_secret, &r->problem);
    }
    arena_release(&a);
}

/* ---- the request ---- */

/* Section 2.3.1: both are encoded as forms are before they become user and password. */
static void ask(struct oauth2_request *r)
{
    const struct http_line lines[] = {
        {STR("Content-Type"), STR("application/x-www-form-urlencoded")},
        {STR("Accept"), STR("application/json")},
    };
    const struct oauth2_settings *s = &r->oauth2->settings;
    struct buf                    id = {0}, secret = {0}, body = {0};
    struct http_answer            answer = {0};
    int64_t                       asked_ns = clock_monotonic_ns();

    url_escape(&id, s->client_id, true);
    url_escape(&secret, s->client_secret, true);
    buf_printf(&body, "grant_type=client_credentials%s%.*s", s->parameters.len ? "&" : "",
               STR_ARG(s->parameters));
    const struct http_request request = {
        .url = s->token_url,
        .headers = lines,
        .headers_len = sizeof(lines) / sizeof(lines[0]),
        .body = buf_view(&body),
        .user = buf_view(&id),
        .password = buf_view(&secret),
    };
    if (http_fetch(r->oauth2->http, &request, &answer) == HTTP_ANSWERED)
        take_answer(r, &answer, asked_ns);
    else
        buf_printf(&r->problem, "no answer from the token server: %s", buf_cstr(&answer.problem));
    wipe(&answer.body);
    http_answer_release(&answer);
    wipe(&id);
    wipe(&secret);
    wipe(&body);
}

static void request_free(struct oauth2_request *r)
{
    wipe(&r->token);
    buf_release(&r->problem);
    free(r);
}

static void report(void *ctx)
{
    struct oauth2_request *r = ctx;

    if (!r->cancelled) {
        struct oauth2 *o = r->oauth2;
        bool           failed = r->problem.len > 0;
        oauth2_forget(o);
        if (!failed) buf_str(&o->token, buf_view(&r->token));
        o->renew_ns = r->renew_ns;
        r->done(r->ctx, failed ? buf_cstr(&r->problem) : NULL);
    }
    request_free(r);
}

static void *request_thread(void *arg)
{
    struct oauth2_request *r = arg;
    struct oauth2         *o = r->oauth2;

    ask(r);
    pthread_mutex_lock(&o->lock);
    bool cancelled = r->cancelled;
    /* While the lock is held the request cannot be cancelled, so the loop still runs. */
    if (!cancelled) net_post(r->net, report, r);
    o->busy = false;
    pthread_cond_signal(&o->idle);
    pthread_mutex_unlock(&o->lock); /* the last that this thread does with `o` */
    if (cancelled) request_free(r);
    return NULL;
}

struct oauth2_request *oauth2_fetch(struct oauth2 *o, struct net                       *n,
                                    void (*done)(void *ctx, const char *problem), void *ctx)
{
    struct oauth2_request *r = xcalloc(1, sizeof(*r));

    r->oauth2 = o;
    r->net = n;
    r->done = done;
    r->ctx = ctx;
    pthread_mutex_lock(&o->lock);
    o->busy = true;
    pthread_mutex_unlock(&o->lock);
    if (thread_detached(request_thread, r)) return r;
    o->busy = false;
    buf_str(&r->problem, STR("the system has no thread for the token server"));
    net_post(n, report, r);
    return r;
}

void oauth2_cancel(struct oauth2_request *r)
{
    struct oauth2 *o = r->oauth2;

    pthread_mutex_lock(&o->lock);
    r->cancelled = true;
    http_client_cancel(o->http);
    pthread_mutex_unlock(&o->lock);
}

/* ---- the token ---- */

struct str oauth2_token(const struct oauth2 *o)
{
    return o->token.len > 0 ? buf_view(&o->token) : (struct str){0};
}

struct str oauth2_fresh(const struct oauth2 *o)
{
    bool old = o->renew_ns && clock_monotonic_ns() >= o->renew_ns;

    return old ? (struct str){0} : oauth2_token(o);
}

void oauth2_forget(struct oauth2 *o)
{
    wipe(&o->token);
}

struct oauth2 *oauth2_new(const struct oauth2_settings *settings, const struct http_config *http,
                          struct buf *problem)
{
    struct http_config config = *http;

    config.max_body = ANSWER_MAX;
    config.max_redirects = 0;
    config.one_shot = true; /* the next token is wanted in an hour or so */
    struct http_client *client = http_client_new(&config, problem);
    if (!client) return NULL;
    struct oauth2 *o = xcalloc(1, sizeof(*o));
    o->settings = *settings;
    o->http = client;
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->idle, NULL);
    return o;
}

void oauth2_free(struct oauth2 *o)
{
    if (!o) return;
    pthread_mutex_lock(&o->lock);
    while (o->busy)
        pthread_cond_wait(&o->idle, &o->lock);
    pthread_mutex_unlock(&o->lock);
    http_client_free(o->http);
    wipe(&o->token);
    pthread_mutex_destroy(&o->lock);
    pthread_cond_destroy(&o->idle);
    free(o);
}
