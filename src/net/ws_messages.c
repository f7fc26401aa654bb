/*
 * Frames and messages of a WebSocket connection: what step by step becomes of the bytes that were
 * read.
 *
 * Threads: all of it belongs to the loop's thread.
 */

#include "base/clock.h"
#include "base/random.h"
#include "base/utf8.h"
#include "net/ws_conn_parts.h"

enum {
    UNSENT_PONGS_MAX = 64 * 1024, /* a peer that does not read its pongs gets no more */
    RATIO_FROM = 64 * 1024,       /* inflated messages up to here may have any ratio */
};

/* ---- sending ---- */

void ws_conn_write(struct ws_conn *c, struct str bytes)
{
    ws_metrics_add(c->rules.metrics, WS_BYTES_OUT, bytes.len);
    conn_send(c->conn, bytes);
}

static void put_frame(struct ws_conn *c, uint8_t opcode, struct str payload)
{
    uint8_t mask[4];

    if (c->side->masks) random_bytes(mask, sizeof(mask));
    ws_frame_write(&c->out, opcode, true, false, c->side->masks ? mask : NULL, payload);
}

void ws_send_frame(struct ws_conn *c, uint8_t opcode, struct str payload)
{
    buf_clear(&c->out);
    put_frame(c, opcode, payload);
    ws_conn_write(c, buf_view(&c->out));
}

void ws_send_close(struct ws_conn *c, uint16_t status, struct str reason)
{
    char   payload[WS_CONTROL_MAX] = {(char)(status >> 8), (char)(status & 0xff)};
    size_t n = utf8_floor(reason, sizeof(payload) - 2);

    memcpy(payload + 2, reason.data, n);
    ws_send_frame(c, WS_CLOSE, (struct str){payload, status == WS_NO_STATUS ? 0 : n + 2});
}

bool ws_conn_send(struct ws_conn *c, enum ws_opcode opcode, struct str bytes, uint32_t times)
{
    if (c->state != OPEN || c->over) return false;
    buf_clear(&c->out);
    for (uint32_t i = 0; i < times; i++)
        put_frame(c, (uint8_t)opcode, bytes);
    ws_conn_write(c, buf_view(&c->out));
    ws_metrics_add(c->rules.metrics, WS_MESSAGES_OUT, times);
    return true;
}

bool ws_conn_send_frames(struct ws_conn *c, struct str frames)
{
    if (c->state != OPEN || c->over) return false;
    ws_conn_write(c, frames);
    return true;
}

size_t ws_conn_sent(const struct ws_conn *c)
{
    return conn_sent(c->conn);
}

size_t ws_conn_unsent(const struct ws_conn *c)
{
    return conn_unsent(c->conn);
}

static void pong(struct ws_conn *c, struct str payload)
{
    ws_metrics_add(c->rules.metrics, WS_PINGS_IN, 1);
    if (c->state != OPEN || conn_unsent(c->conn) >= UNSENT_PONGS_MAX) return;
    ws_send_frame(c, WS_PONG, payload);
    ws_metrics_add(c->rules.metrics, WS_PONGS_OUT, 1);
}

/* ---- messages ---- */

/* RFC 6455, section 7.1.7: Fail the WebSocket Connection. */
static bool break_protocol(struct ws_conn *c, uint16_t status, const char *problem)
{
    ws_set_end(c,
               status == WS_INVALID_PAYLOAD ? WS_BY_INVALID_DATA
               : status == WS_TOO_BIG       ? WS_BY_SIZE
                                            : WS_BY_PROTOCOL,
               problem);
    if (c->state == OPEN) ws_send_close(c, status, str_of(problem));
    ws_discard_rest(c);
    return false;
}

static struct str rest_of_input(const struct ws_conn *c, size_t from)
{
    return str_from(buf_view(&c->in), from);
}

/*
 * The payload of a frame that is there whole at `from`, unmasked where it lies. The mask becomes
 * zero, so that a frame that is looked at again stays what it is.
 */
static struct str payload_at(struct ws_conn *c, size_t from, const struct ws_frame *f)
{
    char *at = c->in.data + from + f->header;

    if (f->masked) {
        ws_mask(at, f->length, f->mask, 0);
        memset(at - sizeof(f->mask), 0, sizeof(f->mask));
    }
    return (struct str){at, f->length};
}

static bool not_utf8(struct ws_conn *c)
{
    return break_protocol(c, WS_INVALID_PAYLOAD, "text that is not UTF-8");
}

/* Hands a message over, which has been looked at up to `checked`. False: the owner does not take it
   now, or the connection failed. */
static bool give(struct ws_conn *c, uint8_t opcode, struct str message, size_t checked)
{
    if (opcode == WS_TEXT && !utf8_valid(str_from(message, checked))) return not_utf8(c);
    if (c->rules.pong_message.data && str_eq(message, c->rules.pong_message)) {
        ws_metrics_add(c->rules.metrics, WS_PONGS_IN, 1);
        return true;
    }
    if (c->rules.idle_timeout_ns) c->message_ns = clock_monotonic_ns();
    c->paused = !c->ops->message(c->ctx, (enum ws_opcode)opcode, message);
    if (c->paused) return false;
    ws_metrics_add(c->rules.metrics, WS_MESSAGES_IN, 1);
    return true;
}

/* Decompresses `message` to c->inflated, which is as yet empty. */
static bool inflate_message(struct ws_conn *c, struct str message)
{
    size_t max = RATIO_FROM;

    if (message.len < SIZE_MAX / c->rules.max_ratio && message.len * c->rules.max_ratio > max)
        max = message.len * c->rules.max_ratio;
    if (max > c->rules.max_message) max = c->rules.max_message;
    switch (ws_inflate(&c->inflate, message, c->agreed.peer_context, max, &c->inflated)) {
    case WS_INFLATE_TOO_BIG:
        return break_protocol(c, WS_TOO_BIG, "message too big when decompressed");
    case WS_INFLATE_CORRUPT:
        return break_protocol(c, WS_INVALID_PAYLOAD, "compressed message that is corrupt");
    case WS_INFLATED:
        break;
    }
    return true;
}

static bool give_inflated(struct ws_conn *c, uint8_t opcode, struct str message)
{
    if (!c->inflated_waits && !inflate_message(c, message)) return false;
    c->inflated_waits = !give(c, opcode, buf_view(&c->inflated), 0);
    if (c->inflated_waits) return false;
    buf_clear(&c->inflated);
    if (c->inflated.cap > WS_KEEP_MAX) buf_release(&c->inflated);
    return true;
}

static bool give_joined(struct ws_conn *c)
{
    struct str message = buf_view(&c->message);

    if (c->compressed ? !give_inflated(c, c->opcode, message)
                      : !give(c, c->opcode, message, c->checked))
        return false;
    c->whole = false;
    c->checked = 0;
    buf_clear(&c->message);
    if (c->message.cap > WS_KEEP_MAX) buf_release(&c->message);
    return true;
}

/* Text is looked at as it comes: what cannot become UTF-8 fails before the message is whole. */
static bool check_piece(struct ws_conn *c)
{
    struct str message = buf_view(&c->message);

    if (c->opcode != WS_TEXT || c->compressed) return true;
    c->checked += utf8_valid_prefix(str_from(message, c->checked));
    return utf8_begun(str_from(message, c->checked)) || not_utf8(c);
}

/* More of a frame that is read in pieces. */
static bool take_piece(struct ws_conn *c)
{
    struct str piece = rest_of_input(c, c->at);

    if (piece.len == 0) return false;
    if (piece.len > c->left) piece.len = c->left;
    buf_str(&c->message, piece);
    if (c->frame.masked)
        ws_mask(c->message.data + c->message.len - piece.len, piece.len, c->frame.mask,
                c->frame.length - c->left);
    c->at += piece.len;
    c->left -= piece.len;
    if (c->left == 0 && c->frame.final) c->in_message = false, c->whole = true;
    return check_piece(c);
}

static bool begin_piece(struct ws_conn *c, const struct ws_frame *f)
{
    if (!c->in_message) c->opcode = f->opcode, c->compressed = f->compressed;
    c->in_message = true;
    c->frame = *f;
    c->left = f->length;
    c->at += f->header;
    if (c->left == 0 && f->final) c->in_message = false, c->whole = true;
    return true;
}

static bool closed_by_peer(struct ws_conn *c, struct str payload)
{
    uint16_t status = WS_NO_STATUS;

    if (payload.len == 1) return break_protocol(c, WS_PROTOCOL_ERROR, "close frame of one byte");
    if (payload.len >= 2) {
        status = (uint16_t)((uint8_t)payload.data[0] << 8 | (uint8_t)payload.data[1]);
        payload = str_from(payload, 2);
        if (!ws_status_valid(status))
            return break_protocol(c, WS_PROTOCOL_ERROR, "close frame with an invalid status");
        if (!utf8_valid(payload))
            return break_protocol(c, WS_INVALID_PAYLOAD, "close reason that is not UTF-8");
    }
    if (c->state == CLOSING) {
        c->over = true;
        return false;
    }
    c->end.status = status;
    ws_set_end(c, WS_BY_PEER, "");
    buf_str(&c->end_text, payload);
    ws_send_close(c, status, STR(""));
    ws_discard_rest(c);
    return false;
}

/* A control frame that is there whole, at c->at. */
static bool control(struct ws_conn *c, const struct ws_frame *f)
{
    struct str payload = payload_at(c, c->at, f);
    bool       answered = c->at < c->ahead;

    c->at += f->header + f->length;
    if (f->opcode == WS_CLOSE) return closed_by_peer(c, payload);
    if (f->opcode == WS_PING && !answered) pong(c, payload);
    if (f->opcode == WS_PONG) ws_metrics_add(c->rules.metrics, WS_PONGS_IN, 1);
    return true;
}

/* What RFC 6455 demands of a frame at this place; NULL when all is well. */
static const char *misplaced(const struct ws_conn *c, const struct ws_frame *f, bool in_message)
{
    if (f->masked == c->side->masks) return c->side->wrong_mask;
    if (f->compressed && (!c->agreed.deflate || f->opcode == WS_CONTINUATION))
        return "reserved bit set";
    if (ws_is_control(f->opcode)) return NULL;
    if (f->opcode == WS_CONTINUATION && !in_message) return "continuation of nothing";
    if (f->opcode != WS_CONTINUATION && in_message) return "message within a message";
    return NULL;
}

bool ws_step(struct ws_conn *c)
{
    struct ws_frame f;
    const char     *problem;

    if (c->whole) return give_joined(c);
    if (c->left > 0) return take_piece(c);

    struct str bytes = rest_of_input(c, c->at);
    int        n = ws_frame_read(bytes, &f, &problem);
    if (n == 0) return false;
    if (n > 0) problem = misplaced(c, &f, c->in_message);
    if (problem) return break_protocol(c, WS_PROTOCOL_ERROR, problem);

    bool here = bytes.len - f.header >= f.length;
    if (ws_is_control(f.opcode)) return here && control(c, &f);
    if (f.length > c->rules.max_message - c->message.len)
        return break_protocol(c, WS_TOO_BIG, "message too big");
    if (here && f.final && !c->in_message) { /* by far the most frequent case: nothing is copied */
        struct str message = payload_at(c, c->at, &f);
        if (f.compressed ? !give_inflated(c, f.opcode, message) : !give(c, f.opcode, message, 0))
            return false;
        c->at += f.header + f.length;
        return true;
    }
    return begin_piece(c, &f);
}

void ws_answer_ahead(struct ws_conn *c)
{
    struct ws_frame f;
    const char     *problem;
    size_t          from = c->at + c->left;

    if (c->ahead <= from) {
        c->ahead = from;
        c->ahead_in_message = c->in_message && !(c->left > 0 && c->frame.final);
    }
    while (c->ahead < c->in.len) {
        struct str bytes = rest_of_input(c, c->ahead);
        if (ws_frame_read(bytes, &f, &problem) != 1) return;
        /* Behind what will end the connection nothing is answered. */
        if (misplaced(c, &f, c->ahead_in_message) || f.opcode == WS_CLOSE) return;
        if (ws_is_control(f.opcode) && bytes.len - f.header < f.length) return;
        if (f.opcode == WS_PING) pong(c, payload_at(c, c->ahead, &f));
        if (!ws_is_control(f.opcode)) c->ahead_in_message = !f.final;
        if (f.length > SIZE_MAX / 2) return;
        c->ahead += f.header + f.length;
    }
}
