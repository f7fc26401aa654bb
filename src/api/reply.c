#include "api/reply.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "event/time.h"

const char *request_arg(const struct request *r, const char *name)
{
    size_t len = strlen(name);

    for (size_t at = 0; at < r->args.len; at += strlen(r->args.data + at) + 1) {
        const char *arg = r->args.data + at;
        if (strncmp(arg, name, len) != 0) continue;
        if (arg[len] == '=') return arg + len + 1;
        if (arg[len] == '\0') return arg + len;
    }
    return NULL;
}

json_t *reply_str(struct str s)
{
    if (!s.data) s = STR("");
    json_t *text = json_stringn(s.data, s.len);
    if (text) return text;

    struct buf b = {0};
    while (s.len) {
        size_t valid = utf8_valid_prefix(s);
        buf_put(&b, s.data, valid);
        if (valid < s.len) buf_char(&b, '?');
        s = str_from(s, valid + 1);
    }
    text = json_stringn(b.data, b.len);
    buf_release(&b);
    return text;
}

json_t *reply_int(uint64_t n)
{
    return json_integer((json_int_t)n);
}

json_t *reply_ms(uint64_t ns)
{
    return json_integer((json_int_t)(ns / 1000000));
}

json_t *reply_time(struct timestamp t)
{
    if (t.sec == 0) return json_null();

    char text[40];
    return json_stringn(text, time_print(t, text));
}

/* Time that is counted while it passes may seem to go back a little. */
static double gain(uint64_t now, uint64_t before)
{
    return now > before ? (double)(now - before) : 0;
}

static bool rate_over(const struct rate *r, const uint64_t *since, int64_t then,
                      const uint64_t *row, int64_t now, double *value)
{
    double gained = gain(row[r->column], since[r->column]);
    double base = r->per == RATE_TIME ? (double)(now - then) : gain(row[r->per], since[r->per]);

    gained *= r->scale;
    if (r->most > 0 && gained > r->most * base) gained = r->most * base;
    return flow_rate(gained, base, value);
}

json_t *reply_rate(const struct flow *f, const uint64_t *row, const struct rate *r)
{
    json_t *out = json_object();
    int64_t now = clock_monotonic_ns();

    for (int w = 0; w < FLOW_WINDOWS; w++) {
        int64_t         then;
        double          value;
        const uint64_t *since = flow_since(f, (enum flow_window)w, now, &then);
        if (since && rate_over(r, since, then, row, now, &value))
            json_object_set_new(out, flow_window_name((enum flow_window)w), json_real(value));
    }
    return out;
}

json_t *reply_rates(const struct flow *f, const uint64_t *row, const struct rate *rates, size_t len)
{
    json_t *out = json_object();

    for (size_t i = 0; i < len; i++)
        json_object_set_new(out, rates[i].name, reply_rate(f, row, &rates[i]));
    return out;
}
