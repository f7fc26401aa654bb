#include "net/ws_deflate.h"

#include "net/http_head.h"

static bool flag(bool *seen, struct str value)
{
    bool again = *seen;

    *seen = true;
    return !again && !value.data;
}

/* 8 to 15, without a leading zero; the value may stand in quotes. */
static bool bits(uint8_t *out, struct str value)
{
    unsigned n = 0;

    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
        value = (struct str){value.data + 1, value.len - 2};
    if (*out || value.len < 1 || value.len > 2 || value.data[0] == '0') return false;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') return false;
        n = 10 * n + (unsigned)(value.data[i] - '0');
    }
    *out = (uint8_t)n;
    return n >= 8 && n <= 15;
}

static bool client_bits(struct ws_deflate_terms *t, struct str value, bool offer)
{
    bool again = t->names_client_bits;

    t->names_client_bits = true;
    if (again) return false;
    return value.data ? bits(&t->client_bits, value) : offer;
}

static bool read_parameter(struct str parameter, bool offer, struct ws_deflate_terms *t)
{
    bool       valued = parameter.len && memchr(parameter.data, '=', parameter.len);
    struct str name = http_take(&parameter, '=');
    struct str value = valued ? http_take(&parameter, ';') : (struct str){0};

    if (str_is(name, "server_no_context_takeover")) return flag(&t->server_no_context, value);
    if (str_is(name, "client_no_context_takeover")) return flag(&t->client_no_context, value);
    if (str_is(name, "server_max_window_bits")) return bits(&t->server_bits, value);
    if (str_is(name, "client_max_window_bits")) return client_bits(t, value, offer);
    return false;
}

bool ws_deflate_read(struct str text, bool offer, struct ws_deflate_terms *out)
{
    *out = (struct ws_deflate_terms){0};
    if (!str_is(http_take(&text, ';'), "permessage-deflate")) return false;
    while (text.len > 0)
        if (!read_parameter(http_take(&text, ';'), offer, out)) return false;
    return true;
}
