/*
 * The websocket input in mode client: one connection, made again and again.
 *
 * Threads: all of it runs on the event loop.
 */
#include "inputs/websocket.h"

/* After a connection: empties the codec, then goes on or ends. Comes again when the queue is full.
 */
static void go_on(struct websocket *w)
{
    if (!intake_ready(w->to, websocket_wake, w)) return;
    w->disconnected = false;
    reader_flush(&w->reader);
    if (!w->stopping && ws_dial_again(&w->dialer)) return;
    w->stopping = true;
    reader_free(&w->reader);
    intake_end(w->to);
}

static bool on_message(void *ctx, enum ws_opcode opcode, struct str bytes)
{
    struct websocket *w = ctx;
    bool              fresh;

    if (w->expecting && regex_test(w->open_message_expect, bytes)) {
        w->expecting = false;
        net_timer_cancel(w->net, &w->answer);
        return true;
    }
    do {
        if (!intake_ready(w->to, websocket_wake, w)) return false;
    } while (!reader_take(&w->reader, bytes,
                          reader_origin(&w->reader, opcode, w->dialer.connection,
                                        ws_dial_url(&w->dialer)->masked, 0, &fresh)));
    w->dialer.passed++;
    return true;
}

static void no_answer(void *ctx)
{
    struct websocket *w = ctx;

    log_context(w->pipeline_id, w->id);
    log_warn(COMPONENT, "no answer to the open message",
             LOG_STR("url", ws_dial_url(&w->dialer)->masked));
    if (w->dialer.connection) ws_conn_close(w->dialer.connection, WS_NORMAL);
}

static void send_message(struct websocket *w, struct str text)
{
    ws_conn_send(w->dialer.connection, w->open_message_type == 0 ? WS_TEXT : WS_BINARY, text, 1);
}

static void poll_server(void *ctx)
{
    struct websocket *w = ctx;

    if (!w->dialer.connection) return;
    if (ws_conn_unsent(w->dialer.connection) == 0) send_message(w, w->poll_message);
    net_timer_set(w->net, &w->poll, w->poll_interval.ns, poll_server, w);
}

static void on_opened(void *ctx)
{
    struct websocket *w = ctx;

    if (w->open_message.len > 0) send_message(w, w->open_message);
    for (uint32_t i = 0; i < w->open_messages.len; i++)
        send_message(w, w->open_messages.at[i]);
    w->expecting = w->open_message_expect != NULL;
    if (w->expecting) net_timer_set(w->net, &w->answer, w->open_message_timeout.ns, no_answer, w);
    if (w->poll_message.data) net_timer_set(w->net, &w->poll, w->poll_interval.ns, poll_server, w);
}

static void on_ended(void *ctx, const struct ws_conn *last)
{
    struct websocket *w = ctx;

    (void)last;
    net_timer_cancel(w->net, &w->answer);
    net_timer_cancel(w->net, &w->poll);
    w->expecting = false;
    w->reader.origins[0] = w->reader.origins[1] = NULL;
    w->disconnected = true;
    go_on(w);
}

void client_resume(struct websocket *w)
{
    if (w->dialer.connection)
        ws_conn_resume(w->dialer.connection);
    else if (w->disconnected)
        go_on(w);
}

void client_listen(struct websocket *w)
{
    static const struct ws_dial_ops ops = {
        .opened = on_opened, .message = on_message, .ended = on_ended};

    reader_begin(&w->reader, w);
    w->dialer = (struct ws_dial){.net = w->net,
                                 .settings = &w->dial,
                                 .client = &w->client,
                                 .ops = &ops,
                                 .ctx = w,
                                 .component = COMPONENT,
                                 .pipeline_id = w->pipeline_id,
                                 .id = w->id,
                                 .metrics = &w->metrics};
    ws_dial_start(&w->dialer);
}

void client_unlisten(struct websocket *w)
{
    if (ws_dial_stop(&w->dialer) || w->disconnected) return;
    reader_free(&w->reader);
    intake_end(w->to);
}
