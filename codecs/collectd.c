/*
 * collectd: what collectd's network plugin sends.
 *
 * Source: collectd, «Binary protocol»; logstash-codec-collectd, docs/index.asciidoc,
 * lib/logstash/codecs/collectd.rb.
 * Threads: constant once open, but for the users of collectd_auth.c.
 */
#include "codecs/collectd.h"

#include <math.h>

#include "text/lossy.h"
#include "text/message.h"

enum { SECURITY_NONE, SECURITY_SIGN, SECURITY_ENCRYPT };
enum { NAN_CHANGE, NAN_WARN, NAN_DROP };

enum part {
    PART_HOST = 0,
    PART_TIME = 1,
    PART_PLUGIN = 2,
    PART_PLUGIN_INSTANCE = 3,
    PART_TYPE = 4,
    PART_TYPE_INSTANCE = 5,
    PART_VALUES = 6,
    PART_INTERVAL = 7,
    PART_TIME_HIGH = 8,
    PART_INTERVAL_HIGH = 9,
    PART_MESSAGE = 0x100,
    PART_SEVERITY = 0x101,
    PART_SIGNATURE = 0x200,
    PART_ENCRYPTION = 0x210,
};
enum { NAMES = PART_TYPE_INSTANCE + 1, HEAD = 4, VALUE = 9 };
enum { COUNTER, GAUGE, DERIVE, ABSOLUTE };

struct collectd {
    struct str     authfile;
    int            nan_handling;
    struct str     nan_tag;
    double         nan_value;
    bool           prune_intervals;
    int            security_level;
    struct strings typesdb;

    struct value          nan; /* nan_value, an integer if it is written as one */
    struct collectd_types types;
    struct collectd_auth *auth;
};

static const char *const nan_names[] = {"change_value", "warn", "drop", NULL};
static const char *const security_names[] = {"None", "Sign", "Encrypt", NULL};

static const struct option collectd_options[] = {
    OPT(struct collectd, OPT_PATH, authfile,
        .doc = "A file with a line for each user: the name, a colon, a blank and the password. "
               "Needed for security_level Sign and Encrypt, and to read encrypted packets. It is "
               "read again when it changes."),
    OPT(struct collectd, OPT_ENUM, nan_handling, .preset = "change_value", .choices = nan_names,
        .doc = "What to do with a value that is not a number: change_value puts nan_value in its "
               "place and adds nan_tag, warn logs a warning too, drop drops the event."),
    OPT(struct collectd, OPT_STRING, nan_tag, .preset = "_collectdNaN",
        .doc = "The tag of events in which a value was not a number. None when empty."),
    OPT(struct collectd, OPT_FLOAT, nan_value, .preset = "0",
        .doc = "What takes the place of a value that is not a number."),
    OPT(struct collectd, OPT_BOOL, prune_intervals, .preset = "true",
        .doc = "Makes no events of the intervals that collectd sends along."),
    OPT(struct collectd, OPT_ENUM, security_level, .preset = "None", .choices = security_names,
        .doc = "None reads all packets, Sign only those that are signed or encrypted, and Encrypt "
               "only those that are encrypted, by a user of authfile."),
    OPT(struct collectd, OPT_STRINGS, typesdb,
        .doc = "Files in the form of collectd's types.db, with the names of values; the last one "
               "that has a type counts. For types that no file has, and without files, the names "
               "of collectd's own types are used. A single value is always called value."),
    OPT_END,
};

static bool collectd_open(void *self, struct plugin_open *cx)
{
    struct collectd          *c = self;
    const struct ast_setting *nan = plugin_setting(cx, "nan_value");

    c->nan = nan ? ast_to_value(cx->arena, &nan->value) : value_int(0);
    if (c->nan.kind == VALUE_STRING) c->nan = value_float(c->nan_value);
    if (c->security_level != SECURITY_NONE && c->authfile.len == 0)
        return plugin_error(cx, "security_level", "needs the setting authfile");
    if (!collectd_types_open(&c->types, &c->typesdb, cx)) return false;
    if (c->authfile.len > 0) c->auth = collectd_auth_open(c->authfile, cx);
    return c->authfile.len == 0 || c->auth;
}

static void collectd_close(void *self)
{
    struct collectd *c = self;

    collectd_auth_close(c->auth);
}

/* ---- a packet ---- */

/* What the parts read so far say: they count until others of their kind come. */
struct packet {
    const struct collectd *c;
    struct decode         *to;
    struct str             rest;
    struct str             names[NAMES]; /* data NULL: not told; that of PART_TIME is not used */
    bool                   has_time, has_severity;
    struct timestamp       time;
    uint64_t               severity;
    bool                   is_signed, is_encrypted;
};

static const char *const field_names[NAMES] = {
    [PART_HOST] = "host",
    [PART_PLUGIN] = "plugin",
    [PART_PLUGIN_INSTANCE] = "plugin_instance",
    [PART_TYPE] = "collectd_type",
    [PART_TYPE_INSTANCE] = "type_instance",
};

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t u = 0;

    for (size_t i = 0; i < n; i++)
        u = u << 8 | (unsigned char)p[i];
    return u;
}

static double little_endian_double(const char *p)
{
    uint64_t u = 0;
    double   f;

    for (int i = 7; i >= 0; i--)
        u = u << 8 | (unsigned char)p[i];
    memcpy(&f, &u, sizeof(f));
    return f;
}

static struct value uint_value(struct arena *a, uint64_t u)
{
    if (u <= INT64_MAX) return value_int((int64_t)u);

    struct value v = value_string(arena_printf(a, "%llu", (unsigned long long)u));
    v.kind = VALUE_NUMBER;
    return v;
}

static bool is_instance(int part)
{
    return part == PART_PLUGIN_INSTANCE || part == PART_TYPE_INSTANCE;
}

/* An event with what is known; instances without a name are left out. */
static struct event *new_event(struct packet *p)
{
    struct arena *a = p->to->arena;
    struct event *ev = event_blank(a, p->has_time ? p->time : p->to->now);

    for (int i = 0; i < NAMES; i++)
        if (p->names[i].data && !(is_instance(i) && p->names[i].len == 0))
            *map_add(&ev->data, a, key_make(str_of(field_names[i]))) = value_string(p->names[i]);
    if (p->has_severity)
        *map_add(&ev->data, a, key_make(STR("severity"))) = uint_value(a, p->severity);
    p->has_severity = false;
    return ev;
}

static void put(struct event *ev, struct str name, struct value v)
{
    *map_add(&ev->data, ev->arena, key_make(name)) = v;
}

/* ---- values ---- */

static void warn_of_nan(struct packet *p)
{
    static struct log_limit limit;

    if (p->c->nan_handling == NAN_WARN)
        message_warn(&limit, "codec.collectd", "a value is not a number and was replaced", "NaN",
                     p->names[PART_TYPE].data ? p->names[PART_TYPE] : STR(""));
}

static struct value read_value(struct packet *p, unsigned char type, const char *bytes, bool *nan)
{
    if (type == DERIVE) return value_int((int64_t)big_endian(bytes, 8));
    if (type != GAUGE) return uint_value(p->to->arena, big_endian(bytes, 8));
    double f = little_endian_double(bytes);
    if (!isnan(f)) return value_float(f);
    *nan = true;
    return p->c->nan;
}

/* Values of a type that is not known go to [values], so that none is lost. */
static void put_values(struct packet *p, struct event *ev, const struct value *values, uint32_t n)
{
    struct str   type = p->names[PART_TYPE].data ? p->names[PART_TYPE] : STR("");
    struct list *unknown = NULL;

    if (n == 1) {
        put(ev, STR("value"), values[0]);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct str name = collectd_types_name(&p->c->types, type, i, n);
        if (name.len > 0) {
            put(ev, name, values[i]);
            continue;
        }
        if (!unknown) unknown = list_new(ev->arena, n);
        list_push(unknown, ev->arena, values[i]);
    }
    if (unknown) put(ev, STR("values"), value_list(unknown));
}

static bool read_values(struct packet *p, struct str body)
{
    uint32_t n = body.len >= 2 ? (uint32_t)big_endian(body.data, 2) : 0;
    bool     nan = false;

    if (n == 0 || body.len != 2 + (size_t)n * VALUE) return false;
    const char   *types = body.data + 2, *bytes = types + n;
    struct value *values = arena_alloc(p->to->scratch, n * sizeof(*values));
    for (uint32_t i = 0; i < n; i++) {
        if ((unsigned char)types[i] > ABSOLUTE) return false;
        values[i] = read_value(p, (unsigned char)types[i], bytes + 8 * (size_t)i, &nan);
    }
    if (nan && p->c->nan_handling == NAN_DROP) return true;
    struct event *ev = new_event(p);
    put_values(p, ev, values, n);
    if (nan) warn_of_nan(p);
    if (nan && p->c->nan_tag.len > 0) event_tag(ev, p->c->nan_tag);
    decode_emit(p->to, ev);
    return true;
}

/* ---- the other parts ---- */

/* Text with a zero behind it. */
static bool read_text(struct packet *p, struct str body, struct str *out)
{
    if (body.len == 0 || body.data[body.len - 1] != '\0') return false;
    body.len--;
    *out = lossy_binary(p->to->arena, body);
    return true;
}

/* Times of high resolution count in 2^-30 of a second. */
static bool read_time(struct packet *p, struct str body, bool high)
{
    if (body.len != 8) return false;
    uint64_t u = big_endian(body.data, 8);
    if (!high && u >> 40) return false;
    p->has_time = true;
    p->time = (struct timestamp){.sec = (int64_t)u};
    if (high)
        p->time = (struct timestamp){.sec = (int64_t)(u >> 30),
                                     .nsec = (uint32_t)((u & 0x3FFFFFFF) * 1000000000 >> 30)};
    return true;
}

static bool read_interval(struct packet *p, struct str body, bool high)
{
    if (body.len != 8) return false;
    if (p->c->prune_intervals) return true;
    uint64_t      u = big_endian(body.data, 8);
    struct event *ev = new_event(p);
    put(ev, STR("interval"), uint_value(p->to->arena, high ? u >> 30 : u));
    decode_emit(p->to, ev);
    return true;
}

static bool read_message(struct packet *p, struct str body)
{
    struct str text;

    if (!read_text(p, body, &text)) return false;
    struct event *ev = new_event(p);
    put(ev, STR("message"), value_string(text));
    decode_emit(p->to, ev);
    return true;
}

static bool read_severity(struct packet *p, struct str body)
{
    if (body.len != 8) return false;
    p->severity = big_endian(body.data, 8);
    p->has_severity = true;
    return true;
}

/* With security_level None a signature does not count. */
static bool read_signature(struct packet *p, struct str body)
{
    if (p->c->security_level == SECURITY_NONE) return true;
    if (body.len <= COLLECTD_SIGNATURE) return false;
    p->is_signed =
        collectd_auth_verify(p->c->auth, str_from(body, COLLECTD_SIGNATURE), body.data, p->rest);
    return p->is_signed;
}

/* What is encrypted takes the place of all that follows. */
static bool read_encryption(struct packet *p, struct str body)
{
    size_t user = body.len >= 2 ? (size_t)big_endian(body.data, 2) : 0;

    if (p->is_encrypted || body.len < 2 + user + COLLECTD_IV) return false;
    struct str name = {body.data + 2, user};
    struct str secret = str_from(body, 2 + user + COLLECTD_IV);
    p->is_encrypted = collectd_auth_decrypt(p->c->auth, name, body.data + 2 + user, secret,
                                            p->to->arena, &p->rest);
    return p->is_encrypted;
}

static bool is_allowed(const struct packet *p)
{
    if (p->c->security_level == SECURITY_NONE || p->is_encrypted) return true;
    return p->c->security_level == SECURITY_SIGN && p->is_signed;
}

/* Parts of a kind that is not known are stepped over. */
static bool read_part(struct packet *p, uint32_t type, struct str body)
{
    if (type == PART_SIGNATURE) return read_signature(p, body);
    if (type == PART_ENCRYPTION) return read_encryption(p, body);
    if (!is_allowed(p)) return false;
    switch (type) {
    case PART_HOST:
    case PART_PLUGIN:
    case PART_PLUGIN_INSTANCE:
    case PART_TYPE:
    case PART_TYPE_INSTANCE:
        return read_text(p, body, &p->names[type]);
    case PART_TIME:
    case PART_TIME_HIGH:
        return read_time(p, body, type == PART_TIME_HIGH);
    case PART_INTERVAL:
    case PART_INTERVAL_HIGH:
        return read_interval(p, body, type == PART_INTERVAL_HIGH);
    case PART_VALUES:
        return read_values(p, body);
    case PART_MESSAGE:
        return read_message(p, body);
    case PART_SEVERITY:
        return read_severity(p, body);
    default:
        return true;
    }
}

/* The rest of a packet that is broken or not allowed is dropped, as in Logstash. */
static void collectd_decode(const void *self, struct str bytes, struct decode *to)
{
    static struct log_limit limit;
    struct packet           p = {.c = self, .to = to, .rest = bytes};

    while (p.rest.len > 0) {
        uint32_t type = p.rest.len >= HEAD ? (uint32_t)big_endian(p.rest.data, 2) : 0;
        size_t   len = p.rest.len >= HEAD ? (size_t)big_endian(p.rest.data + 2, 2) : 0;
        bool     good = len >= HEAD && len <= p.rest.len;
        if (good) {
            struct str body = {p.rest.data + HEAD, len - HEAD};
            p.rest = str_from(p.rest, len);
            good = read_part(&p, type, body);
        }
        if (good) continue;
        ++*to->failures;
        message_warn(&limit, "codec.collectd",
                     "the rest of a packet is broken, or not signed or encrypted as it must be, "
                     "and is dropped",
                     "see security_level and authfile", lossy_binary(to->scratch, p.rest));
        return;
    }
}

const struct plugin codec_collectd = {
    .kind = PLUGIN_CODEC,
    .name = "collectd",
    .summary = "Reads packets of collectd's network plugin.",
    .size = sizeof(struct collectd),
    .options = collectd_options,
    .open = collectd_open,
    .close = collectd_close,
    .codec_ops = {.decode = collectd_decode},
};
