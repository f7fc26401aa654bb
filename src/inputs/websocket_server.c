/*
 * The websocket input in mode server: any number of clients, each with a stream of its own.
 *
 * When the pipeline has no room, a client's connection is not read until its turn comes: those that
 * wait stand in a row.
 *
 * Threads: all of it runs on the event loop.
 */
#include <stdlib.h>

#include "base/fatal.h"
#include "inputs/websocket.h"
#include "net/address.h"

enum { UNREAD_ACKS_MAX = 256 * 1024 }; /* bytes that a client may leave unread */

struct client {
    struct websocket *w;
    struct ws_conn   *ws; /* NULL: it has ended */
    struct reader     reader;
    struct client    *next, **link;
    struct client    *next_waiting, *next_to_ack;
    bool              waits;
    uint32_t          acks; /* that it will get when the batch has been handed over */
    struct buf        request;
};

/* ---- the end ---- */

static void end_if_done(struct websocket *w)
{
    struct server *s = &w->serving;

    if (s->stopped && !s->clients) intake_end(w->to);
}

static void forget_acks(struct server *s, struct client *c)
{
    struct client **at = &s->to_ack;

    if (c->acks == 0) return;
    while (*at != c)
        at = &(*at)->next_to_ack;
    *at = c->next_to_ack;
}

/* There is room for what the codec holds back. */
static void finish(struct client *c)
{
    reader_flush(&c->reader);
    reader_free(&c->reader);
    *c->link = c->next;
    if (c->next) c->next->link = c->link;
    buf_release(&c->request);
    free(c);
}

/* ---- waiting for room ---- */

static void wait_for_turn(struct client *c)
{
    struct server *s = &c->w->serving;

    if (c->waits) return;
    c->waits = true;
    c->next_waiting = NULL;
    *s->last_waiting = c;
    s->last_waiting = &c->next_waiting;
}

static struct client *next_in_turn(struct server *s)
{
    struct client *c = s->waiting;

    s->waiting = c->next_waiting;
    if (!s->waiting) s->last_waiting = &s->waiting;
    c->waits = false;
    return c;
}

void server_resume(struct websocket *w)
{
    struct server *s = &w->serving;

    if (s->resuming) return; /* a client has come to its end in the loop below */
    s->resuming = true;
    while (s->waiting && intake_ready(w->to, websocket_wake, w)) {
        struct client *c = next_in_turn(s);
        if (c->ws)
            ws_conn_resume(c->ws);
        else
            finish(c);
    }
    s->resuming = false;
    end_if_done(w);
}

/* ---- where a message came from ---- */

/* As the http input names them. Source: logstash-input-http. */
static struct str header_name(struct arena *a, struct str name)
{
    static const char *const prefixed[] = {"host", "user-agent", "accept"};
    const char              *prefix = "";

    for (size_t i = 0; i < sizeof(prefixed) / sizeof(prefixed[0]); i++)
        if (http_same(name, prefixed[i])) prefix = "http_";
    struct str out = arena_printf(a, "%s%.*s", prefix, STR_ARG(name));
    char      *p = (char *)(uintptr_t)out.data;
    for (size_t i = 0; i < out.len; i++)
        if (p[i] == '-')
            p[i] = '_';
        else if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] | 0x20);
    return out;
}

static struct value headers_of(struct client *c)
{
    struct arena    *a = intake_arena(c->w->to);
    struct map      *m = map_new(a, 16);
    struct str       rest, name, value;
    struct http_head head;

    if (http_request_read(buf_view(&c->request), &head) != 1) return value_map(m);
    reader_add(&c->reader, m, "request_method", head.method);
    reader_add(&c->reader, m, "request_path", head.target);
    reader_add(&c->reader, m, "http_version", head.version);
    rest = head.fields;
    while (http_next_field(&rest, &name, &value)) {
        if (http_same(name, "Authorization") || http_same(name, "Proxy-Authorization")) continue;
        *map_add(m, a, key_make(header_name(a, name))) = value_string(arena_copy(a, value));
    }
    return value_map(m);
}

static struct str path_of(const struct client *c)
{
    struct str rest = buf_view(&c->request);

    http_take(&rest, ' ');
    return http_take(&rest, ' ');
}

static void add_field(struct origin *o, const struct field *field, struct value value)
{
    o->fields[o->len++] = (struct origin_field){.field = field, .value = value, .always = true};
}

static const struct origin *origin_of(struct client *c, enum ws_opcode opcode)
{
    const struct websocket *w = c->w;
    struct arena           *a = intake_arena(w->to);
    uint32_t                more =
        (w->remote_host_target_field != NULL) + (w->request_headers_target_field != NULL);
    bool           fresh;
    struct origin *o = reader_origin(&c->reader, opcode, c->ws, path_of(c), more, &fresh);

    if (!fresh) return o;
    if (w->remote_host_target_field)
        add_field(o, w->remote_host_target_field,
                  value_string(arena_copy(a, address_host(ws_conn_peer(c->ws)))));
    if (w->request_headers_target_field)
        add_field(o, w->request_headers_target_field, headers_of(c));
    return o;
}

/* ---- messages ---- */

static bool on_message(void *ctx, enum ws_opcode opcode, struct str bytes)
{
    struct client    *c = ctx;
    struct websocket *w = c->w;
    struct server    *s = &w->serving;

    do {
        if (!intake_ready(w->to, websocket_wake, w)) {
            wait_for_turn(c);
            return false;
        }
    } while (!reader_take(&c->reader, bytes, origin_of(c, opcode)));
    if (w->ack_message.data && c->acks++ == 0) {
        c->next_to_ack = s->to_ack;
        s->to_ack = c;
    }
    return true;
}

static void acknowledge(struct client *c)
{
    struct websocket *w = c->w;
    uint64_t          missed;

    ws_conn_send(c->ws, WS_TEXT, w->ack_message, c->acks);
    c->acks = 0;
    if (ws_conn_unsent(c->ws) < UNREAD_ACKS_MAX) return;
    log_context(w->pipeline_id, w->id);
    if (log_limit_pass(&w->serving.deaf, &missed))
        log_warn(COMPONENT, "client closed: it does not read its acks",
                 LOG_CSTR("remote", ws_conn_peer(c->ws)), LOG_INT("not_shown", (int64_t)missed));
    ws_conn_close(c->ws, WS_POLICY);
}

void server_handed_over(struct websocket *w)
{
    struct client *c;

    while ((c = w->serving.to_ack)) {
        w->serving.to_ack = c->next_to_ack;
        acknowledge(c);
    }
}

/* ---- connections ---- */

static void *on_client(void *ctx, struct ws_conn *ws, const struct http_head *request)
{
    struct websocket *w = ctx;
    struct server    *s = &w->serving;
    struct client    *c = xcalloc(1, sizeof(*c));

    c->w = w;
    c->ws = ws;
    c->next = s->clients;
    c->link = &s->clients;
    if (c->next) c->next->link = &c->next;
    s->clients = c;
    buf_put(&c->request, request->method.data, request->size);
    reader_begin(&c->reader, w);
    return c;
}

static void on_opened(void *ctx)
{
    const struct client *c = ctx;

    log_context(c->w->pipeline_id, c->w->id);
    log_debug(COMPONENT, "client connected", LOG_CSTR("remote", ws_conn_peer(c->ws)));
}

static void log_end(struct client *c, const struct ws_end *end)
{
    uint64_t missed;
    bool     fault = end->kind == WS_END_PROTOCOL || end->kind == WS_END_BROKEN;

    log_context(c->w->pipeline_id, c->w->id);
    if (!fault)
        log_debug(COMPONENT, "client disconnected", LOG_CSTR("remote", ws_conn_peer(c->ws)),
                  LOG_INT("code", end->status), LOG_STR("reason", end->text));
    else if (log_limit_pass(&c->w->serving.lost, &missed))
        log_warn(COMPONENT, "client lost", LOG_CSTR("remote", ws_conn_peer(c->ws)),
                 LOG_CSTR("failed", end->what), LOG_STR("exception", end->text),
                 LOG_INT("not_shown", (int64_t)missed));
}

static void on_ended(void *ctx, const struct ws_end *end)
{
    struct client *c = ctx;

    log_end(c, end);
    forget_acks(&c->w->serving, c);
    c->ws = NULL;
    wait_for_turn(c);
    server_resume(c->w);
}

static void on_stopped(void *ctx)
{
    struct websocket *w = ctx;

    w->serving.stopped = true;
    end_if_done(w);
}

/* ---- start and stop ---- */

void server_listen(struct websocket *w)
{
    static const struct ws_conn_ops   connection = {on_opened, on_message, on_ended, NULL};
    static const struct ws_server_ops ops = {on_client, &connection, on_stopped};
    struct ws_server_config           config = {.component = COMPONENT};

    config.rules.net = w->net;
    config.rules.metrics = &w->metrics;
    config.pipeline_id = w->pipeline_id;
    config.id = w->id;
    w->serving.last_waiting = &w->serving.waiting;
    ws_server_settings_config(&w->server, &w->client, &config);
    w->serving.listening = ws_server_start(&config, &ops, w);
}

void server_unlisten(struct websocket *w)
{
    w->serving.resuming = true;
    for (struct client *c = w->serving.clients; c; c = c->next)
        if (c->ws) ws_conn_close(c->ws, WS_GOING_AWAY);
    w->serving.resuming = false;
    ws_server_stop(w->serving.listening);
    server_resume(w);
}
