#include "net/ws_frame.h"

#include <openssl/evp.h>

/* The length field of the header: 7 bits, or 126 and 16 bits, or 127 and 64 bits. */
static int read_length(const uint8_t *p, size_t len, struct ws_frame *f, const char **problem)
{
    uint8_t first = p[1] & 0x7f;
    int     bytes = first == 126 ? 2 : first == 127 ? 8 : 0;

    if (ws_is_control(f->opcode) && bytes > 0) {
        *problem = "control frame longer than 125 bytes";
        return -1;
    }
    if (len < 2 + (size_t)bytes) return 0;
    f->length = bytes ? 0 : first;
    for (int i = 0; i < bytes; i++)
        f->length = f->length << 8 | p[2 + i];
    f->header = (uint8_t)(2 + bytes);
    if ((bytes == 2 && f->length < 126) || (bytes == 8 && f->length <= UINT16_MAX)) {
        *problem = "length not written in the shortest form";
        return -1;
    }
    if (f->length >> 63) {
        *problem = "length with its highest bit set";
        return -1;
    }
    return 1;
}

int ws_frame_read(struct str bytes, struct ws_frame *f, const char **problem)
{
    const uint8_t *p = (const uint8_t *)bytes.data;

    if (bytes.len < 2) return 0;
    *f = (struct ws_frame){.final = p[0] & 0x80,
                           .compressed = p[0] & 0x40,
                           .masked = p[1] & 0x80,
                           .opcode = p[0] & 0x0f};
    *problem = NULL;
    if (p[0] & 0x30) *problem = "reserved bit set";
    if ((f->opcode > WS_BINARY && f->opcode < WS_CLOSE) || f->opcode > WS_PONG)
        *problem = "unknown opcode";
    if (ws_is_control(f->opcode) && !f->final) *problem = "fragmented control frame";
    if (ws_is_control(f->opcode) && f->compressed) *problem = "reserved bit set";
    if (*problem) return -1;

    int n = read_length(p, bytes.len, f, problem);
    if (n != 1 || !f->masked) return n;
    if (bytes.len < f->header + 4u) return 0;
    memcpy(f->mask, p + f->header, 4);
    f->header = (uint8_t)(f->header + 4);
    return 1;
}

void ws_mask(char *data, size_t len, const uint8_t mask[4], uint64_t offset)
{
    uint8_t  turned[8];
    uint64_t wide;
    size_t   i = 0;

    for (int k = 0; k < 8; k++)
        turned[k] = mask[(offset + (uint64_t)k) & 3];
    memcpy(&wide, turned, 8);
    for (; i + 8 <= len; i += 8) {
        uint64_t word;
        memcpy(&word, data + i, 8);
        word ^= wide;
        memcpy(data + i, &word, 8);
    }
    for (; i < len; i++)
        data[i] = (char)((uint8_t)data[i] ^ turned[i & 7]);
}

void ws_frame_write(struct buf *out, uint8_t opcode, bool final, bool compressed,
                    const uint8_t *mask, struct str payload)
{
    uint8_t  head[WS_HEADER_MAX];
    uint8_t  masked = mask ? 0x80 : 0;
    size_t   n = 2;
    uint64_t length = payload.len;

    head[0] = (uint8_t)((final ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode);
    head[1] = (uint8_t)(masked | (length < 126 ? length : length <= UINT16_MAX ? 126 : 127));
    int bytes = length < 126 ? 0 : length <= UINT16_MAX ? 2 : 8;
    for (int i = bytes - 1; i >= 0; i--)
        head[n++] = (uint8_t)(length >> (8 * i));
    if (mask) {
        memcpy(head + n, mask, 4);
        n += 4;
    }
    buf_put(out, (const char *)head, n);
    buf_str(out, payload);
    if (mask) ws_mask(out->data + out->len - payload.len, payload.len, mask, 0);
}

bool ws_status_valid(uint16_t status)
{
    if (status >= 3000 && status <= 4999) return true;
    return status >= 1000 && status <= 1014 && status != 1004 && status != WS_NO_STATUS &&
           status != WS_ABNORMAL;
}

void ws_accept(struct str key, char out[29])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char     digest[EVP_MAX_MD_SIZE];
    struct buf        text = {0};

    buf_str(&text, key);
    buf_put(&text, guid, sizeof(guid) - 1);
    EVP_Digest(text.data, text.len, digest, NULL, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)out, digest, 20);
    buf_release(&text);
}
