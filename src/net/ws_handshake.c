#include "net/ws_handshake.h"

#include <openssl/evp.h>
#include <strings.h>

#include "base/random.h"
#include "net/ws_deflate.h"
#include "net/ws_frame.h"

void ws_request(const struct ws_offer *offer, char key[WS_KEY_SIZE], struct buf *out)
{
    unsigned char nonce[16];

    random_bytes(nonce, sizeof(nonce));
    EVP_EncodeBlock((unsigned char *)key, nonce, sizeof(nonce));
    buf_printf(out, "GET %.*s HTTP/1.1\r\n", STR_ARG(offer->url->target));
    if (!offer->own_host) {
        buf_str(out, STR("Host: "));
        url_authority(offer->url, out);
        buf_str(out, STR("\r\n"));
    }
    buf_printf(out,
               "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: %s\r\n",
               key);
    if (offer->protocols.len > 0)
        buf_printf(out, "Sec-WebSocket-Protocol: %.*s\r\n", STR_ARG(offer->protocols));
    if (offer->deflate)
        buf_str(out, STR("Sec-WebSocket-Extensions: permessage-deflate; "
                         "client_no_context_takeover; server_no_context_takeover\r\n"));
    buf_str(out, offer->headers);
    buf_str(out, STR("\r\n"));
}

static const char *check_protocol(const struct ws_offer *offer, struct str chosen,
                                  struct ws_agreement *agreed)
{
    struct str rest = offer->protocols;

    agreed->protocol = chosen;
    if (!chosen.data)
        return rest.len ? "answer without one of the subprotocols that were offered" : NULL;
    while (rest.len > 0)
        if (str_eq(http_take(&rest, ','), chosen)) return NULL;
    return "answer with a subprotocol that was not offered";
}

/* RFC 7692, section 7.1: what a server may say to our offer, which names no client_max_window_bits.
 */
static const char *check_extension(const struct ws_offer *offer, struct str given,
                                   struct ws_agreement *agreed)
{
    struct ws_deflate_terms terms;

    if (!offer->deflate || agreed->deflate) return "answer with an extension that was not offered";
    if (!ws_deflate_read(given, false, &terms) || terms.names_client_bits)
        return "answer with an extension or a parameter that was not offered";
    agreed->deflate = true;
    agreed->peer_context = !terms.server_no_context;
    return NULL;
}

static const char *check_extensions(const struct ws_offer *offer, const struct http_head *head,
                                    struct ws_agreement *agreed)
{
    struct str  rest = head->fields, given;
    const char *problem = NULL;

    while (!problem && http_next_value(&rest, "Sec-WebSocket-Extensions", &given))
        while (!problem && given.len > 0)
            problem = check_extension(offer, http_take(&given, ','), agreed);
    return problem;
}

const char *ws_check_answer(const struct ws_offer *offer, const char *key,
                            const struct http_head *head, struct ws_agreement *agreed)
{
    char        accept[29];
    const char *problem;

    *agreed = (struct ws_agreement){0};
    ws_accept(str_of(key), accept);
    if (!http_has_token(head, "Upgrade", "websocket")) return "answer without Upgrade: websocket";
    if (!http_has_token(head, "Connection", "upgrade")) return "answer without Connection: Upgrade";
    if (!str_eq(http_field(head, "Sec-WebSocket-Accept"), str_of(accept)))
        return "answer with a wrong Sec-WebSocket-Accept";
    problem = check_protocol(offer, http_field(head, "Sec-WebSocket-Protocol"), agreed);
    if (problem) return problem;
    return check_extensions(offer, head, agreed);
}
