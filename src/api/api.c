#include "api/api.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/listen.h"
#include "api/server.h"
#include "base/fatal.h"
#include "base/log.h"

struct api {
    struct state   state;
    struct pkcs12  tls;
    struct server *server;
    int            fd; /* listening; of the server once it runs */
};

static const struct port_range default_range = {9600, 9700};

/* Whoever has TLS and a password may be asked from everywhere, as in Logstash. */
static struct str host_of(const struct settings *s)
{
    if (s->api_http_host.len) return s->api_http_host;
    if (s->api_ssl_enabled && s->api_auth_type == API_AUTH_BASIC) return STR("0.0.0.0");
    return STR("127.0.0.1");
}

static bool open_keystore(struct api *a, const struct settings *s)
{
    struct buf problem = {0};
    bool       good = true;

    if (s->api_ssl_enabled) {
        good = pkcs12_read(s->api_ssl_keystore_path, s->api_ssl_keystore_password.secret, &a->tls,
                           &problem);
        if (good && (!a->tls.key || !a->tls.certificate)) {
            buf_str(&problem, STR("it holds no key with its certificate"));
            good = false;
        }
    }
    if (!good)
        log_error("api", "the keystore of the API cannot be used",
                  LOG_STR("api.ssl.keystore.path", s->api_ssl_keystore_path),
                  LOG_STR("exception", buf_view(&problem)));
    buf_release(&problem);
    return good;
}

static void write_address(struct state *s, const char *host, uint16_t port)
{
    const char *form = strchr(host, ':') ? "[%s]:%u" : "%s:%u";

    snprintf(s->http_address, sizeof(s->http_address), form, host, port);
}

static bool bind_address(struct api *a, const struct settings *s)
{
    char              host[256];
    struct port_range range = default_range;
    struct buf        problem = {0};
    uint16_t          port;

    snprintf(host, sizeof(host), "%.*s", STR_ARG(host_of(s)));
    if (s->api_http_port.data) listen_range(s->api_http_port, &range);
    a->fd = listen_open(host, range, &port, &problem);
    if (a->fd >= 0)
        write_address(&a->state, host, port);
    else
        log_error("api", "the monitoring API cannot listen", LOG_CSTR("api.http.host", host),
                  LOG_INT("first_port", range.first), LOG_INT("last_port", range.last),
                  LOG_STR("exception", buf_view(&problem)));
    buf_release(&problem);
    return a->fd >= 0;
}

static void release(struct api *a)
{
    X509_free(a->tls.certificate);
    EVP_PKEY_free(a->tls.key);
    sk_X509_pop_free(a->tls.chain, X509_free);
    state_release(&a->state);
    free(a);
}

bool api_open(const struct settings *s, struct api **out)
{
    *out = NULL;
    if (!s->api_enabled) return true;

    struct api *a = xcalloc(1, sizeof(*a));
    a->fd = -1;
    state_init(&a->state, s);
    if (open_keystore(a, s) && bind_address(a, s)) {
        *out = a;
        return true;
    }
    bool asked_for = s->api_http_port.data || s->api_http_host.data || s->api_ssl_enabled;
    release(a);
    return !asked_for;
}

void api_start(struct api *a)
{
    if (!a) return;
    a->server = server_start(&a->state, a->fd, &a->tls);
    a->fd = -1;
    if (a->server)
        log_info("api", "monitoring API started", LOG_CSTR("http_address", a->state.http_address));
}

void api_stop(struct api *a)
{
    if (!a) return;
    server_stop(a->server);
    if (a->fd >= 0) close(a->fd);
    release(a);
}

void api_pipeline_started(struct api *a, struct pipeline *p, uint64_t config_hash)
{
    if (a) state_started(&a->state, p, config_hash);
}

void api_pipeline_ended(struct api *a)
{
    if (a) state_ended(&a->state);
}

void api_reloaded(struct api *a, const char *error)
{
    if (a) state_reloaded(&a->state, error);
}
