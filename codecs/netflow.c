/*
 * netflow: flows as Cisco's NetFlow 5 and 9 and IPFIX export them.
 *
 * Source: RFC 3954 (version 9), RFC 7011 (IPFIX); logstash-codec-netflow, docs/index.asciidoc,
 * lib/logstash/codecs/netflow.rb.
 * Threads: templates are shared by the streams of a codec, under the mutexes of their stores.
 */
#include "codecs/netflow.h"

#include "base/log.h"

enum {
    V5_HEADER = 24,
    V5_RECORD = 48,
    V5_RECORDS_MAX = 30,
    V9_HEADER = 20,
    IPFIX_HEADER = 16,
    EVENTS_MAX = 16384, /* of one message */
};

struct netflow_stores {
    struct netflow_definitions definitions[2];
    struct netflow_store       v9, ipfix;
};

struct netflow {
    struct str             cache_save_path;
    int64_t                cache_ttl;
    bool                   include_flowset_id;
    struct str             ipfix_definitions;
    struct str             netflow_definitions;
    const struct field    *target;
    struct strings         versions;
    struct netflow_stores *stores;
    bool                   accepts[11];
};

static const struct option netflow_options[] = {
    OPT(struct netflow, OPT_PATH, cache_save_path,
        .doc = "A folder in which templates are kept, so that flows can be read at once after a "
               "restart: in netflow_templates.cache and ipfix_templates.cache. None when not "
               "given."),
    OPT(struct netflow, OPT_INT, cache_ttl, .preset = "4000", .min = 1, .max = 1000000000,
        .doc = "How many seconds a template counts after it was sent."),
    OPT(struct netflow, OPT_BOOL, include_flowset_id, .preset = "false",
        .doc = "Adds flowset_id to flows of IPFIX. Those of version 9 always have it."),
    OPT(struct netflow, OPT_PATH, ipfix_definitions,
        .doc = "A YAML file that defines fields of IPFIX, besides and before those that are built "
               "in: a map of enterprise numbers, each with a map of fields. A field is a number "
               "with a list of its type (:uintN, :intN, :floatN, :ip4_addr, :ip6_addr, :mac_addr, "
               ":string, "
               ":octetarray, :double or :skip) and its name."),
    OPT(struct netflow, OPT_PATH, netflow_definitions,
        .doc = "The same for version 9: a map of fields. A length in bytes may take the place of "
               "the type."),
    OPT(struct netflow, OPT_FIELD, target, .preset = "netflow",
        .doc = "The field for what a flow says."),
    OPT(struct netflow, OPT_STRINGS, versions,
        .doc = "The versions that are read, of 5, 9 and 10 (IPFIX). All three when not given; "
               "messages of others are dropped."),
    OPT_END,
};

/* ---- opening ---- */

static bool open_versions(struct netflow *n, struct plugin_open *cx)
{
    static struct str all[] = {{"5", 1}, {"9", 1}, {"10", 2}};

    if (n->versions.len == 0) n->versions = (struct strings){3, all};
    for (uint32_t i = 0; i < n->versions.len; i++) {
        int64_t version;
        if (!option_int(n->versions.at[i], &version) ||
            (version != 5 && version != 9 && version != 10))
            return plugin_error(cx, "versions", "takes 5, 9 and 10, not \"%.*s\"",
                                STR_ARG(n->versions.at[i]));
        n->accepts[version] = true;
    }
    return true;
}

static void open_store(const struct netflow *n, struct netflow_store *s, bool v9, const char *file,
                       struct plugin_open *cx)
{
    s->v9 = v9;
    s->definitions = &n->stores->definitions[v9 ? 0 : 1];
    s->ttl_ns = n->cache_ttl * 1000000000;
    if (n->cache_save_path.len > 0 && n->accepts[v9 ? 9 : 10])
        s->cache = arena_printf(cx->arena, "%.*s/%s", STR_ARG(n->cache_save_path), file);
    netflow_store_open(s, cx->arena);
}

static bool netflow_open(void *self, struct plugin_open *cx)
{
    struct netflow             *n = self;
    struct netflow_definitions *d;

    n->stores = arena_zalloc(cx->arena, sizeof(*n->stores));
    d = n->stores->definitions;
    bool good =
        open_versions(n, cx) &&
        netflow_definitions_open(&d[0], n->netflow_definitions, "netflow_definitions", false, cx) &&
        netflow_definitions_open(&d[1], n->ipfix_definitions, "ipfix_definitions", true, cx);
    if (!good) return false;
    open_store(n, &n->stores->v9, true, "netflow_templates.cache", cx);
    open_store(n, &n->stores->ipfix, false, "ipfix_templates.cache", cx);
    return true;
}

static void netflow_close(void *self)
{
    struct netflow *n = self;

    netflow_store_close(&n->stores->v9);
    netflow_store_close(&n->stores->ipfix);
}

/* ---- what all versions share ---- */

/* One message while it is read. */
struct message {
    const struct netflow *n;
    struct decode        *to;
    struct netflow_header header;
    uint32_t              events;
};

/* What cannot be read is dropped, as in Logstash: it is nothing but bytes. */
static void drop(struct message *m, const char *why, int64_t number)
{
    static struct log_limit limit;
    uint64_t                missed;

    ++*m->to->failures;
    if (log_limit_pass(&limit, &missed))
        log_warn("codec.netflow", "flows cannot be read and are dropped", LOG_CSTR("reason", why),
                 LOG_INT("id", number), LOG_INT("version", m->header.version),
                 LOG_INT("source", m->header.domain), LOG_INT("not_shown", (int64_t)missed));
}

static void put(struct map *flow, struct arena *a, struct str name, struct value v)
{
    *map_add(flow, a, key_make(name)) = v;
}

static void put_int(struct map *flow, struct arena *a, struct str name, uint64_t u)
{
    put(flow, a, name, value_int((int64_t)u));
}

/* False when a message has more flows than it may have. */
static bool emit_flow(struct message *m, struct map *flow)
{
    if (m->events++ >= EVENTS_MAX) return false;

    struct event *ev = event_blank(m->to->arena, m->header.time);
    if (!event_set(ev, m->n->target, value_map(flow))) return true; /* the target is checked */
    decode_emit(m->to, ev);
    return true;
}

/* ---- version 5 ---- */

static const struct {
    const char       *name;
    uint8_t           at, len;
    enum netflow_type type;
} v5_fields[] = {
    {"ipv4_src_addr", 0, 4, NETFLOW_IP4},     {"ipv4_dst_addr", 4, 4, NETFLOW_IP4},
    {"ipv4_next_hop", 8, 4, NETFLOW_IP4},     {"input_snmp", 12, 2, NETFLOW_UINT},
    {"output_snmp", 14, 2, NETFLOW_UINT},     {"in_pkts", 16, 4, NETFLOW_UINT},
    {"in_bytes", 20, 4, NETFLOW_UINT},        {"first_switched", 24, 4, NETFLOW_UPTIME},
    {"last_switched", 28, 4, NETFLOW_UPTIME}, {"l4_src_port", 32, 2, NETFLOW_UINT},
    {"l4_dst_port", 34, 2, NETFLOW_UINT},     {"tcp_flags", 37, 1, NETFLOW_UINT},
    {"protocol", 38, 1, NETFLOW_UINT},        {"src_tos", 39, 1, NETFLOW_UINT},
    {"src_as", 40, 2, NETFLOW_UINT},          {"dst_as", 42, 2, NETFLOW_UINT},
    {"src_mask", 44, 1, NETFLOW_UINT},        {"dst_mask", 45, 1, NETFLOW_UINT},
};
enum { V5_FIELDS = sizeof(v5_fields) / sizeof(v5_fields[0]) };

static void read_v5(struct message *m, struct str bytes)
{
    struct arena *a = m->to->arena;
    uint64_t      count = bytes.len >= V5_HEADER ? netflow_uint(bytes.data + 2, 2) : 0;

    if (count < 1 || count > V5_RECORDS_MAX || bytes.len < V5_HEADER + count * V5_RECORD) {
        drop(m, "a length that does not fit", (int64_t)count);
        return;
    }
    const char *p = bytes.data;
    m->header.uptime_ms = (uint32_t)netflow_uint(p + 4, 4);
    m->header.time.sec = (int64_t)netflow_uint(p + 8, 4);
    m->header.time.nsec = (uint32_t)(netflow_uint(p + 12, 4) % 1000000000);
    for (uint64_t i = 0; i < count; i++) {
        const char *record = p + V5_HEADER + i * V5_RECORD;
        struct map *flow = map_new(a, 7 + V5_FIELDS);
        put_int(flow, a, STR("version"), 5);
        put_int(flow, a, STR("flow_seq_num"), netflow_uint(p + 16, 4));
        put_int(flow, a, STR("engine_type"), netflow_uint(p + 20, 1));
        put_int(flow, a, STR("engine_id"), netflow_uint(p + 21, 1));
        put_int(flow, a, STR("sampling_algorithm"), netflow_uint(p + 22, 2) >> 14);
        put_int(flow, a, STR("sampling_interval"), netflow_uint(p + 22, 2) & 0x3FFF);
        put_int(flow, a, STR("flow_records"), count);
        for (int f = 0; f < V5_FIELDS; f++) {
            struct str value = {record + v5_fields[f].at, v5_fields[f].len};
            put(flow, a, str_of(v5_fields[f].name),
                netflow_value(a, &m->header, v5_fields[f].type, value));
        }
        emit_flow(m, flow);
    }
}

/* ---- records that templates describe ---- */

/* The bytes of a field at the start of `rest`, which loses them; false when they are not there. */
static bool take_field(const struct netflow_field *f, bool v9, struct str *rest, struct str *value)
{
    size_t len = f->len, head = 0;

    if (len == NETFLOW_VARIABLE && !v9) { /* RFC 7011, section 7 */
        if (rest->len < 1) return false;
        len = netflow_uint(rest->data, 1);
        head = 1;
        if (len == 255) {
            if (rest->len < 3) return false;
            len = netflow_uint(rest->data + 1, 2);
            head = 3;
        }
    }
    if (rest->len - head < len || rest->len < head) return false;
    *value = (struct str){rest->data + head, len};
    *rest = str_from(*rest, head + len);
    return true;
}

static bool read_record(struct message *m, const struct netflow_template *t, uint16_t set,
                        struct str *rest, struct map **out)
{
    struct arena *a = m->to->arena;
    bool          v9 = m->header.version == 9;
    struct map   *flow = map_new(a, t->len + 3);

    put_int(flow, a, STR("version"), m->header.version);
    if (v9) put_int(flow, a, STR("flow_seq_num"), m->header.sequence);
    if (v9 || m->n->include_flowset_id) put_int(flow, a, STR("flowset_id"), set);
    for (uint32_t i = 0; i < t->len; i++) {
        const struct netflow_field *f = &t->fields[i];
        struct str                  bytes;
        if (!take_field(f, v9, rest, &bytes)) return false;
        if (f->type == NETFLOW_SKIP || bytes.len == 0) continue;
        *map_add(flow, a, f->name) = netflow_value(a, &m->header, f->type, bytes);
    }
    *out = flow;
    return true;
}

static uint64_t template_id(const struct message *m, uint64_t number)
{
    return (uint64_t)m->header.domain << 16 | number;
}

static void read_data(struct message *m, struct netflow_store *s, uint16_t set, struct str rest)
{
    const struct netflow_template *t = netflow_store_find(s, template_id(m, set));
    struct map                    *flow;

    if (!t) {
        drop(m, "no template for them has been sent yet", set);
        return;
    }
    if (rest.len < t->shortest) drop(m, "a record that is shorter than its template", set);
    while (rest.len >= t->shortest) { /* what is shorter is padding */
        if (!read_record(m, t, set, &rest, &flow)) {
            drop(m, "a record that is cut short", set);
            return;
        }
        if (!emit_flow(m, flow)) {
            drop(m, "too many flows in one message", set);
            return;
        }
    }
}

/* ---- templates ---- */

/* Reads `count` descriptions of fields; version 9 knows no enterprises. */
static bool read_specs(bool v9, struct str *rest, struct netflow_spec *specs, uint64_t count,
                       bool scope)
{
    for (uint64_t i = 0; i < count; i++) {
        if (rest->len < 4) return false;
        uint64_t field = netflow_uint(rest->data, 2);
        bool     enterprise = !v9 && field & 0x8000;
        specs[i] = (struct netflow_spec){.field = (uint16_t)(enterprise ? field & 0x7FFF : field),
                                         .len = (uint16_t)netflow_uint(rest->data + 2, 2),
                                         .scope = scope};
        *rest = str_from(*rest, 4);
        if (!enterprise) continue;
        if (rest->len < 4) return false;
        specs[i].enterprise = (uint32_t)netflow_uint(rest->data, 4);
        *rest = str_from(*rest, 4);
    }
    return true;
}

/* The head of a template: how many scopes (of version 9) and fields follow it. */
static bool read_template_head(bool v9, bool options, struct str *rest, uint64_t *scopes,
                               uint64_t *fields)
{
    size_t head = options ? 6 : 4;

    *scopes = 0;
    if (rest->len < head) return false;
    *fields = netflow_uint(rest->data + 2, 2);
    if (options && v9) { /* lengths in bytes */
        *scopes = *fields / 4;
        *fields = netflow_uint(rest->data + 4, 2) / 4;
    }
    if (options && !v9 && *fields == 0) head = 4; /* a withdrawal has no number of scopes */
    if (*scopes + *fields > NETFLOW_FIELDS_MAX) return false;
    *rest = str_from(*rest, head);
    return true;
}

static void read_templates(struct message *m, struct netflow_store *s, bool options,
                           struct str rest)
{
    struct netflow_spec specs[NETFLOW_FIELDS_MAX];
    uint64_t            scopes, fields;
    const char         *why;

    while (rest.len >= 4) {
        uint64_t number = netflow_uint(rest.data, 2);
        if (number < 256) return; /* padding */
        if (!read_template_head(s->v9, options, &rest, &scopes, &fields) ||
            !read_specs(s->v9, &rest, specs, scopes, true) ||
            !read_specs(s->v9, &rest, specs + scopes, fields, false)) {
            drop(m, "a template that is cut short or too long", (int64_t)number);
            return;
        }
        if (!netflow_store_put(s, template_id(m, number), specs, (uint32_t)(scopes + fields), &why))
            drop(m, why, (int64_t)number);
    }
}

static void read_sets(struct message *m, struct netflow_store *s, struct str rest)
{
    uint64_t templates = s->v9 ? 0 : 2;

    while (rest.len >= 4) {
        uint64_t id = netflow_uint(rest.data, 2), len = netflow_uint(rest.data + 2, 2);
        if (len < 4 || len > rest.len) {
            drop(m, "a set whose length does not fit", (int64_t)id);
            return;
        }
        struct str set = {rest.data + 4, len - 4};
        if (id == templates || id == templates + 1)
            read_templates(m, s, id == templates + 1, set);
        else if (id >= 256)
            read_data(m, s, (uint16_t)id, set);
        rest = str_from(rest, len);
    }
}

static void read_v9(struct message *m, struct str bytes)
{
    const char *p = bytes.data;

    if (bytes.len < V9_HEADER) {
        drop(m, "a length that does not fit", (int64_t)bytes.len);
        return;
    }
    m->header.uptime_ms = (uint32_t)netflow_uint(p + 4, 4);
    m->header.time.sec = (int64_t)netflow_uint(p + 8, 4);
    m->header.sequence = (uint32_t)netflow_uint(p + 12, 4);
    m->header.domain = (uint32_t)netflow_uint(p + 16, 4);
    read_sets(m, &m->n->stores->v9, str_from(bytes, V9_HEADER));
}

static void read_ipfix(struct message *m, struct str bytes)
{
    const char *p = bytes.data;
    uint64_t    len = bytes.len >= IPFIX_HEADER ? netflow_uint(p + 2, 2) : 0;

    if (len < IPFIX_HEADER || len > bytes.len) {
        drop(m, "a length that does not fit", (int64_t)bytes.len);
        return;
    }
    m->header.time.sec = (int64_t)netflow_uint(p + 4, 4);
    m->header.sequence = (uint32_t)netflow_uint(p + 8, 4);
    m->header.domain = (uint32_t)netflow_uint(p + 12, 4);
    read_sets(m, &m->n->stores->ipfix, (struct str){p + IPFIX_HEADER, len - IPFIX_HEADER});
}

static void netflow_feed(const void *self, void *stream, struct str bytes, struct decode *to)
{
    const struct netflow *n = self;
    struct message        m = {.n = n, .to = to};

    (void)stream; /* what is remembered belongs to the exporter, not to a connection */
    bytes = arena_copy(to->arena, bytes);
    if (bytes.len >= 2) m.header.version = (uint16_t)netflow_uint(bytes.data, 2);
    if (m.header.version > 10 || !n->accepts[m.header.version]) {
        drop(&m, "a version that is not read", m.header.version);
        return;
    }
    if (m.header.version == 5) {
        read_v5(&m, bytes);
        return;
    }
    struct netflow_store *s = m.header.version == 9 ? &n->stores->v9 : &n->stores->ipfix;
    pthread_mutex_lock(&s->mutex);
    if (m.header.version == 9)
        read_v9(&m, bytes);
    else
        read_ipfix(&m, bytes);
    pthread_mutex_unlock(&s->mutex);
}

const struct plugin codec_netflow = {
    .kind = PLUGIN_CODEC,
    .name = "netflow",
    .summary = "Reads flows of NetFlow 5 and 9 and of IPFIX.",
    .size = sizeof(struct netflow),
    .options = netflow_options,
    .open = netflow_open,
    .close = netflow_close,
    .codec_ops = {.feed = netflow_feed, .stream_size = 1},
};
