/*
 * The loop's side of the websocket output: what goes to whom.
 *
 * Threads: all of it runs on the event loop; `lock` guards what workers look at.
 */
#include <stdlib.h>

#include "base/fatal.h"
#include "outputs/websocket.h"

/* A client of mode server. */
struct peer {
    struct hub      *hub;
    struct ws_conn  *ws;
    struct ws_outbox box;
    struct peer     *next, **link;
    bool             closing;
};

static void speak(const struct hub *h)
{
    log_context(h->w->pipeline_id, h->w->id);
}

/* ---- workers' writes ---- */

static bool has_room(const struct hub *h)
{
    uint32_t most = (uint32_t)h->w->queue_size;

    if (!h->w->serves) return h->box.len < most;
    if (h->w->slow_client != SLOW_BLOCK) return true;
    for (const struct peer *p = h->peers; p; p = p->next)
        if (ws_conn_is_open(p->ws) && p->box.len >= most) return false;
    return true;
}

static void log_lost(struct hub *h, const struct peer *p)
{
    uint64_t missed;

    speak(h);
    if (!log_limit_pass(&h->slow, &missed)) return;
    log_warn(COMPONENT, "messages dropped: a client is too slow",
             LOG_CSTR("remote", ws_conn_peer(p->ws)), LOG_INT("dropped", (int64_t)h->lost));
    h->lost = 0;
}

static void count_lost(struct hub *h, uint32_t n)
{
    h->lost += n;
    ws_metrics_add(h->metrics, WS_DROPPED_SLOW_CLIENT, n);
}

static void pump(struct peer *p)
{
    ws_metrics_add(p->hub->metrics, WS_MESSAGES_OUT, ws_outbox_pump(&p->box, p->ws));
}

/* The client's queue is full. False: it gets no more. */
static bool make_room(struct peer *p)
{
    struct hub *h = p->hub;

    if (h->w->slow_client == SLOW_DROP_OLDEST) {
        if (!ws_outbox_drop(&p->box)) return true;
        count_lost(h, 1);
        log_lost(h, p);
        return true;
    }
    count_lost(h, p->box.len);
    ws_outbox_release(&p->box);
    log_lost(h, p);
    p->closing = true;
    ws_conn_close(p->ws, WS_POLICY);
    return false;
}

static void send_to(struct peer *p, struct ws_frames *f)
{
    const struct websocket *w = p->hub->w;

    for (uint32_t i = 0; i < f->len && ws_conn_is_open(p->ws); i++) {
        if (p->box.len >= w->queue_size) pump(p);
        if (p->box.len >= w->queue_size && w->slow_client != SLOW_BLOCK && !make_room(p)) return;
        ws_outbox_push(&p->box, f, i);
    }
    pump(p);
}

/* Nobody is there: the newest are kept. */
static void keep(struct hub *h, struct ws_frames *f)
{
    uint32_t dropped = 0;

    for (uint32_t i = 0; i < f->len; i++) {
        ws_outbox_push(&h->box, f, i);
        if (h->box.len > h->w->buffer_when_no_client) dropped += ws_outbox_drop(&h->box);
    }
    ws_metrics_add(h->metrics, WS_DROPPED_NO_CLIENT, dropped);
    if (dropped == 0 || h->told) return;
    h->told = true;
    speak(h);
    log_info(COMPONENT, "no client is connected: messages are dropped",
             LOG_INT("buffer_when_no_client", h->w->buffer_when_no_client));
}

static void count_sent(struct hub *h, uint32_t n)
{
    h->dialer.passed += n;
    ws_metrics_add(h->metrics, WS_MESSAGES_OUT, n);
}

static void pump_client(struct hub *h)
{
    if (h->connected) count_sent(h, ws_outbox_pump(&h->box, h->dialer.connection));
}

static void distribute(struct hub *h, struct ws_frames *f)
{
    if (!h->w->serves) {
        for (uint32_t i = 0; i < f->len; i++)
            ws_outbox_push(&h->box, f, i);
        pump_client(h);
    } else if (h->peers_len == 0) {
        keep(h, f);
    } else {
        for (struct peer *p = h->peers; p; p = p->next)
            send_to(p, f);
    }
    ws_frames_unref(f);
}

static void tell(struct hub *h, bool *flag)
{
    pthread_mutex_lock(&h->lock);
    *flag = true;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

/* Takes the writes that there is room for. */
static void admit(struct hub *h)
{
    if (h->admitting) return;
    h->admitting = true;
    while (h->tickets && has_room(h)) {
        struct ticket *t = h->tickets;
        h->tickets = t->next;
        if (!h->tickets) h->last_ticket = &h->tickets;
        distribute(h, t->frames);
        tell(h, &t->done);
    }
    h->admitting = false;
}

void hub_take(void *ctx)
{
    struct ticket *t = ctx;
    struct hub    *h = t->hub;

    t->next = NULL;
    *h->last_ticket = t;
    h->last_ticket = &t->next;
    admit(h);
}

void hub_withdraw(void *ctx)
{
    struct ticket  *t = ctx;
    struct ticket **at = &t->hub->tickets;

    while (*at && *at != t)
        at = &(*at)->next;
    if (!*at) return;
    *at = t->next;
    if (!*at) t->hub->last_ticket = at;
    ws_frames_unref(t->frames);
}

/* ---- stop ---- */

static void end_if_done(struct hub *h)
{
    bool over = h->w->serves ? h->server_ended && h->peers_len == 0
                             : h->dialer.stopping && !h->dialer.connection;

    if (h->stopping && over) tell(h, &h->ended);
}

static bool all_sent(const struct peer *p)
{
    return p->box.len == 0 && ws_conn_unsent(p->ws) == 0;
}

/* While stopping: closes what has nothing left to send. */
static void close_drained(struct hub *h)
{
    if (!h->stopping) return;
    for (struct peer *p = h->peers; p; p = p->next) {
        if (p->closing || !all_sent(p)) continue;
        p->closing = true;
        ws_conn_close(p->ws, WS_GOING_AWAY);
    }
    if (!h->w->serves && h->box.len == 0 && !h->dialer.stopping) ws_dial_stop(&h->dialer);
    end_if_done(h);
}

static void go_on(struct hub *h)
{
    admit(h);
    close_drained(h);
}

void hub_begin_stop(void *ctx)
{
    struct hub *h = ctx;

    h->stopping = true;
    if (h->server) ws_server_stop(h->server);
    h->server = NULL;
    close_drained(h);
}

void hub_end(void *ctx)
{
    struct hub *h = ctx;

    speak(h);
    if (h->lost > 0)
        log_warn(COMPONENT, "messages dropped: a client is too slow",
                 LOG_INT("dropped", (int64_t)h->lost));
    ws_outbox_release(&h->box);
    ws_dial_release(&h->dialer);
}

/* How many messages nobody will get. */
static uint64_t drop_all(struct hub *h)
{
    uint64_t lost = h->w->serves ? 0 : h->box.len;

    for (struct peer *p = h->peers; p; p = p->next) {
        lost += p->box.len;
        ws_outbox_release(&p->box);
    }
    ws_outbox_release(&h->box);
    return lost;
}

void hub_abort(void *ctx)
{
    struct hub *h = ctx;
    uint64_t    lost = drop_all(h);

    speak(h);
    if (lost > 0) log_error(COMPONENT, "messages were not sent", LOG_INT("lost", (int64_t)lost));
    while (h->peers)
        ws_conn_abort(h->peers->ws);
    if (!h->w->serves) ws_dial_abort(&h->dialer);
    end_if_done(h);
}

/* ---- mode client ---- */

static void client_opened(void *ctx)
{
    struct hub *h = ctx;

    h->connected = true;
    pump_client(h);
    go_on(h);
}

static bool ignore_message(void *ctx, enum ws_opcode opcode, struct str bytes)
{
    (void)ctx, (void)opcode, (void)bytes;
    return true;
}

static void client_drained(void *ctx)
{
    struct hub *h = ctx;

    pump_client(h);
    go_on(h);
}

static void client_ended(void *ctx, const struct ws_conn *last)
{
    struct hub *h = ctx;

    if (h->connected) count_sent(h, ws_outbox_rewind(&h->box, last));
    h->connected = false;
    ws_dial_again(&h->dialer);
    go_on(h);
}

static void begin_client(struct hub *h)
{
    static const struct ws_dial_ops ops = {.opened = client_opened,
                                           .message = ignore_message,
                                           .drained = client_drained,
                                           .ended = client_ended};

    h->dialer = (struct ws_dial){.net = h->net,
                                 .settings = &h->w->dial,
                                 .client = &h->w->client,
                                 .ops = &ops,
                                 .ctx = h,
                                 .component = COMPONENT,
                                 .pipeline_id = h->w->pipeline_id,
                                 .id = h->w->id,
                                 .metrics = h->metrics};
    ws_dial_start(&h->dialer);
}

/* ---- mode server ---- */

static void *on_client(void *ctx, struct ws_conn *ws, const struct http_head *request)
{
    struct hub  *h = ctx;
    struct peer *p = xcalloc(1, sizeof(*p));

    (void)request;
    p->hub = h;
    p->ws = ws;
    p->next = h->peers;
    p->link = &h->peers;
    if (p->next) p->next->link = &p->next;
    h->peers = p;
    h->peers_len++;
    h->told = false;
    return p;
}

static void peer_opened(void *ctx)
{
    struct peer *p = ctx;

    speak(p->hub);
    log_debug(COMPONENT, "client connected", LOG_CSTR("remote", ws_conn_peer(p->ws)));
    ws_outbox_move(&p->hub->box, &p->box);
    pump(p);
}

static void peer_drained(void *ctx)
{
    struct peer *p = ctx;

    pump(p);
    go_on(p->hub);
}

static void log_end(const struct peer *p, const struct ws_end *end)
{
    bool     fault = end->kind == WS_END_PROTOCOL || end->kind == WS_END_BROKEN;
    uint64_t missed;

    speak(p->hub);
    if (!fault)
        log_debug(COMPONENT, "client disconnected", LOG_CSTR("remote", ws_conn_peer(p->ws)),
                  LOG_INT("code", end->status), LOG_STR("reason", end->text));
    else if (log_limit_pass(&p->hub->broken, &missed))
        log_warn(COMPONENT, "client lost", LOG_CSTR("remote", ws_conn_peer(p->ws)),
                 LOG_CSTR("failed", end->what), LOG_STR("exception", end->text),
                 LOG_INT("not_sent", p->box.len), LOG_INT("not_shown", (int64_t)missed));
}

static void peer_ended(void *ctx, const struct ws_end *end)
{
    struct peer *p = ctx;
    struct hub  *h = p->hub;

    log_end(p, end);
    *p->link = p->next;
    if (p->next) p->next->link = p->link;
    h->peers_len--;
    ws_outbox_release(&p->box);
    free(p);
    go_on(h);
}

static void on_stopped(void *ctx)
{
    struct hub *h = ctx;

    h->server_ended = true;
    end_if_done(h);
}

static void begin_server(struct hub *h)
{
    static const struct ws_conn_ops   connection = {peer_opened, ignore_message, peer_ended,
                                                    peer_drained};
    static const struct ws_server_ops ops = {on_client, &connection, on_stopped};
    struct ws_server_config           config = {.rules = {.net = h->net, .metrics = h->metrics},
                                                .component = COMPONENT,
                                                .pipeline_id = h->w->pipeline_id,
                                                .id = h->w->id};

    ws_server_settings_config(&h->w->server, &h->w->client, &config);
    h->server = ws_server_start(&config, &ops, h);
}

void hub_begin(void *ctx)
{
    struct hub *h = ctx;

    h->last_ticket = &h->tickets;
    if (h->w->serves)
        begin_server(h);
    else
        begin_client(h);
}
