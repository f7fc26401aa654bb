#include "net/ws_outbox.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/fatal.h"
#include "base/random.h"

enum {
    CHUNK_MIN = 64 * 1024, /* bytes given to a connection at a time, or one message */
    PACK_LEVEL = 3,        /* of zlib: speed counts more than the last percent */
};

/* ---- frames ---- */

struct ws_frames *ws_frames_new(uint32_t cap, bool deflate)
{
    struct ws_frames *f = xcalloc(1, sizeof(*f));

    f->refs = 1;
    f->cap = cap;
    f->deflate = deflate;
    f->at = xcalloc(cap ? cap : 1, sizeof(*f->at));
    return f;
}

void ws_frames_unref(struct ws_frames *f)
{
    if (--f->refs > 0) return;
    buf_release(&f->bytes);
    free(f->at);
    free(f);
}

/* RFC 7692, section 7.2.1: each message by itself, without the empty block at its end. */
static void pack(struct str message, struct buf *out)
{
    z_stream z = {0};

    if (deflateInit2(&z, PACK_LEVEL, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        fatal_memory();
    /* The bound is for a stream that ends; a flush adds its empty block. */
    size_t room = deflateBound(&z, message.len) + 16;
    z.next_in = (unsigned char *)(uintptr_t)message.data;
    z.avail_in = (uInt)message.len;
    z.next_out = (unsigned char *)buf_room(out, room);
    z.avail_out = (uInt)room;
    deflate(&z, Z_SYNC_FLUSH);
    out->len += room - z.avail_out - 4;
    deflateEnd(&z);
}

static size_t add_frame(struct ws_frames *f, enum ws_opcode opcode, bool compressed,
                        struct str payload, bool mask)
{
    uint8_t key[4];
    size_t  before = f->bytes.len;

    if (mask) random_bytes(key, sizeof(key));
    ws_frame_write(&f->bytes, (uint8_t)opcode, true, compressed, mask ? key : NULL, payload);
    return f->bytes.len - before;
}

void ws_frames_add(struct ws_frames *f, enum ws_opcode opcode, struct str message, bool mask)
{
    struct ws_frame_pair *p = &f->at[f->len++];

    p->len = message.len;
    p->plain = f->bytes.len;
    p->plain_len = add_frame(f, opcode, false, message, mask);
    if (!f->deflate) return;
    struct buf packed = {0};
    pack(message, &packed);
    p->packed = f->bytes.len;
    p->packed_len = add_frame(f, opcode, true, buf_view(&packed), mask);
    buf_release(&packed);
}

/* ---- the queue ---- */

static struct ws_outgoing *entry(const struct ws_outbox *o, uint32_t n)
{
    return &o->ring[(o->first + n) % o->cap];
}

static void grow(struct ws_outbox *o)
{
    uint32_t            cap = o->cap ? 2 * o->cap : 64;
    struct ws_outgoing *ring = xcalloc(cap, sizeof(*ring));

    for (uint32_t i = 0; i < o->len; i++)
        ring[i] = *entry(o, i);
    free(o->ring);
    o->ring = ring;
    o->cap = cap;
    o->first = 0;
}

void ws_outbox_push(struct ws_outbox *o, struct ws_frames *f, uint32_t i)
{
    if (o->len == o->cap) grow(o);
    f->refs++;
    *entry(o, o->len++) = (struct ws_outgoing){f, i};
}

static void pop(struct ws_outbox *o)
{
    ws_frames_unref(entry(o, 0)->of);
    o->first = (o->first + 1) % o->cap;
    o->len--;
}

bool ws_outbox_drop(struct ws_outbox *o)
{
    if (o->len == o->in_flight) return false;
    struct ws_frames *gone = entry(o, o->in_flight)->of;
    for (uint32_t i = o->in_flight; i > 0; i--)
        *entry(o, i) = *entry(o, i - 1);
    o->first = (o->first + 1) % o->cap;
    o->len--;
    ws_frames_unref(gone);
    return true;
}

static struct str frame_of(const struct ws_outgoing *m, size_t pack_max)
{
    const struct ws_frame_pair *p = &m->of->at[m->i];

    if (p->packed_len && pack_max > 0 && p->len <= pack_max)
        return (struct str){m->of->bytes.data + p->packed, p->packed_len};
    return (struct str){m->of->bytes.data + p->plain, p->plain_len};
}

static uint32_t sent(struct ws_outbox *o, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        pop(o);
    o->in_flight = 0;
    return n;
}

uint32_t ws_outbox_pump(struct ws_outbox *o, struct ws_conn *c)
{
    uint32_t done = 0;

    while (ws_conn_unsent(c) == 0) {
        done += sent(o, o->in_flight);
        if (o->len == 0) break;
        o->pack_max = ws_conn_deflate_max(c);
        buf_clear(&o->chunk);
        while (o->in_flight < o->len && o->chunk.len < CHUNK_MIN)
            buf_str(&o->chunk, frame_of(entry(o, o->in_flight++), o->pack_max));
        if (!ws_conn_send_frames(c, buf_view(&o->chunk))) {
            o->in_flight = 0;
            break;
        }
        if (o->chunk.cap > 16 * CHUNK_MIN) buf_release(&o->chunk);
    }
    return done;
}

uint32_t ws_outbox_rewind(struct ws_outbox *o, const struct ws_conn *c)
{
    size_t   taken = ws_conn_unsent(c) == 0 ? SIZE_MAX : ws_conn_sent(c);
    uint32_t n = 0;

    for (; n < o->in_flight; n++) {
        size_t size = frame_of(entry(o, n), o->pack_max).len;
        if (size > taken) break;
        taken -= size;
    }
    return sent(o, n);
}

void ws_outbox_move(struct ws_outbox *from, struct ws_outbox *to)
{
    for (; from->len > 0; pop(from))
        ws_outbox_push(to, entry(from, 0)->of, entry(from, 0)->i);
}

void ws_outbox_release(struct ws_outbox *o)
{
    sent(o, o->len);
    free(o->ring);
    buf_release(&o->chunk);
    *o = (struct ws_outbox){0};
}
