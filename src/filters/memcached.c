/*
 * memcached: reads values from memcached servers into fields, and stores fields there. A module:
 * filter_memcached, with libmemcached.
 *
 * The keys of a whole batch are asked for at once, each server in one round trip. With `set` the
 * events are treated one by one, so that each sees what those before it have stored.
 *
 * Source: logstash-filter-memcached, lib/logstash/filters/memcached.rb.
 * Threads: each worker has connections of its own; all else is constant once open.
 */
#include "filters/memcached.h"
#include "base/owned.h"
#include "plugin/failure.h"
#include "plugin/module.h"

struct binding { /* of a key to a field */
    const struct template *key;
    const struct field    *field;
};

struct memcached {
    struct strings hosts;
    struct str namespace;
    struct pairs get, set;
    int64_t      ttl;
    struct str   tag_on_failure;

    struct binding       *reads, *writes; /* as get and set */
    struct memcached_ring ring;
    struct owned         *clients;
};

static const struct option memcached_options[] = {
    OPT(struct memcached, OPT_STRINGS, hosts, .preset = "localhost",
        .doc = "The servers: HOST, HOST:PORT (11211 by default), IPv6 addresses, with a port in "
               "brackets ([::1]:11211), or the path of a UNIX socket; a weight may follow behind "
               "one more colon. Several servers share the keys by consistent hashing, as Dalli, "
               "the client of Logstash, does it; the keys of a server that does not answer go to "
               "the others. Servers get up to a second for an answer; one that fails is not asked "
               "again for a second. Finding the address of a name takes as long as the system's "
               "resolver needs. Workers have connections of their own. They are not encrypted, and "
               "SASL is not built."),
    OPT(struct memcached, OPT_STRING, namespace,
        .doc = "Stands before every key, with a colon between."),
    OPT(struct memcached, OPT_PAIRS, get,
        .doc =
            "Keys, which may refer to fields, and the field that gets the value of each. A "
            "field stays as it is when there is no value. Values that Logstash or another "
            "program in Ruby has stored (Marshal) keep their types; those of others are texts. "
            "Keys of more than 250 bytes are shortened and end in their MD5. A value that unpacks "
            "to more than 16 MiB is a failure."),
    OPT(struct memcached, OPT_PAIRS, set,
        .doc = "Fields, and the key under which the value of each is stored; before get. A field "
               "that is missing is not stored. Values are written as Logstash writes them: by "
               "Ruby's Marshal, packed by zlib from 4 KiB on. Times are stored as texts. More "
               "than 1 MiB, packed, is a failure."),
    OPT(struct memcached, OPT_INT, ttl, .preset = "0", .min = 0, .max = INT32_MAX,
        .doc = "For how many seconds the servers keep what set stores; 0: until they need the "
               "room."),
    OPT(struct memcached, OPT_STRING, tag_on_failure, .preset = "_memcached_failure",
        .doc = "The tag of events for which no server answered, or a value could not be read or "
               "stored. Such an event gets no field, and the failure is logged at most every ten "
               "seconds."),
    OPT_END,
};

/* ---- opening ---- */

static bool bind_key(struct plugin_open *cx, struct str text, struct loc loc, struct binding *out)
{
    const char *problem = NULL;
    size_t      at;
    bool        fatal = false;

    out->key = template_parse(cx->arena, text, &problem, &at, &fatal);
    if (problem) diag(cx->diags, fatal ? DIAG_ERROR : DIAG_WARNING, loc, "%s", problem);
    if (text.len == 0) {
        diag(cx->diags, DIAG_ERROR, loc, "a key is empty");
        return false;
    }
    return !fatal;
}

static bool bind_field(struct plugin_open *cx, struct str text, struct loc loc, struct binding *out)
{
    const char *problem = "a field is expected";

    out->field = text.data ? field_parse(cx->arena, text, &problem, NULL) : NULL;
    if (!out->field) diag(cx->diags, DIAG_ERROR, loc, "%s", problem);
    return out->field != NULL;
}

static bool bind_all(struct plugin_open *cx, const struct pairs *pairs, bool key_first,
                     struct binding **out)
{
    bool good = true;

    *out = arena_zalloc(cx->arena, ((size_t)pairs->len + 1) * sizeof(**out));
    for (uint32_t i = 0; i < pairs->len; i++) {
        const struct pair *p = &pairs->at[i];
        struct str         value = ast_text(p->value);
        struct binding    *b = &(*out)[i];
        if (key_first)
            good &= bind_key(cx, p->key, p->key_loc, b) && bind_field(cx, value, p->value->loc, b);
        else
            good &= bind_field(cx, p->key, p->key_loc, b) && bind_key(cx, value, p->value->loc, b);
    }
    return good;
}

static bool memcached_open(void *self, struct plugin_open *cx)
{
    struct memcached *m = self;
    const char       *problem;

    for (uint32_t i = 0; i < m->hosts.len; i++)
        if (!memcached_ring_add(&m->ring, cx->arena, m->hosts.at[i], &problem))
            return plugin_error(cx, "hosts", "%s", problem);
    if (m->ring.len == 0) return plugin_error(cx, "hosts", "hosts names no server");
    memcached_ring_close(&m->ring, cx->arena);
    bool reads = bind_all(cx, &m->get, true, &m->reads);
    bool writes = bind_all(cx, &m->set, false, &m->writes);
    if (!reads || !writes) return false;
    m->clients = owned_new();
    return true;
}

static void memcached_close(void *self)
{
    owned_free(((struct memcached *)self)->clients);
}

/* ---- asking, for many events at once ---- */

struct outcome { /* of one event */
    struct event          *ev;
    struct memcached_item *read; /* of each pair of get: where the answer is */
    const char            *problem;
    bool                   stored;
};

struct worker {
    struct memcached_client *client;
    struct outcome          *at;
    uint32_t                 len, next;
};

static struct memcached_client *client_of(const struct memcached *m, struct worker *w)
{
    if (!w->client)
        w->client = owned_add(m->clients, memcached_client_new(&m->ring), memcached_client_free);
    return w->client;
}

/* Data NULL: it is empty, which is no key. */
static struct str key_of(const struct memcached *m, const struct binding *b, struct event *ev)
{
    struct str name = template_str(b->key, ev);

    return name.len ? memcached_key(ev->arena, m->namespace, name) : (struct str){NULL, 0};
}

static void store(const struct memcached *m, struct outcome *o, struct filter_context *cx)
{
    struct memcached_client *client = client_of(m, cx->state);

    for (uint32_t i = 0; i < m->set.len && !o->problem; i++) {
        const struct value   *v = event_get(o->ev, m->writes[i].field);
        struct memcached_item item = {.key = key_of(m, &m->writes[i], o->ev)};
        if (!v || v->kind == VALUE_NULL) continue;
        if (!item.key.data) {
            o->problem = "a key is empty";
            return;
        }
        item.value = *v;
        memcached_client_set(client, &item, m->ttl, cx->buf);
        o->problem = item.problem;
        o->stored |= item.state == MEMCACHED_ITEM_STORED;
    }
}

static void look_up(const struct memcached *m, struct outcome *at, uint32_t n,
                    struct filter_context *cx)
{
    struct memcached_batch batch = {0};
    uint32_t *which = arena_alloc(cx->arena, ((size_t)n * m->get.len + 1) * sizeof(*which));

    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < m->get.len && !at[i].problem; k++) {
            struct str key = key_of(m, &m->reads[k], at[i].ev);
            if (!key.data)
                at[i].problem = "a key is empty";
            else
                which[i * m->get.len + k] = memcached_batch_add(&batch, cx->arena, key);
        }
    }
    memcached_client_get(client_of(m, cx->state), &batch, cx->arena);
    for (uint32_t i = 0; i < n; i++) {
        at[i].read = arena_alloc(cx->arena, (m->get.len + 1) * sizeof(*at[i].read));
        for (uint32_t k = 0; k < m->get.len && !at[i].problem; k++) {
            at[i].read[k] = batch.items[which[i * m->get.len + k]];
            at[i].problem = at[i].read[k].problem;
        }
    }
}

static void memcached_prepare(const void *self, struct event *const *ev, uint32_t n,
                              struct filter_context *cx)
{
    const struct memcached *m = self;
    struct worker          *w = cx->state;
    struct outcome         *at = arena_zalloc(cx->arena, n * sizeof(*at));

    for (uint32_t i = 0; i < n; i++) {
        at[i].ev = ev[i];
        if (m->set.len == 0) continue;
        store(m, &at[i], cx);
        if (!at[i].problem) look_up(m, &at[i], 1, cx);
    }
    if (m->set.len == 0) look_up(m, at, n, cx);
    w->at = at;
    w->len = n;
    w->next = 0;
}

/* ---- one event ---- */

static enum verdict memcached_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct memcached *m = self;
    struct worker          *w = cx->state;

    if (w->next == w->len || w->at[w->next].ev != ev) memcached_prepare(self, &ev, 1, cx);
    const struct outcome *o = &w->at[w->next++];
    bool                  any = o->stored;
    for (uint32_t i = 0; i < m->get.len && !o->problem; i++) {
        if (o->read[i].state != MEMCACHED_ITEM_FOUND) continue;
        any = true;
        if (!event_set(ev, m->reads[i].field, value_clone(ev->arena, o->read[i].value))) {
            filter_failed(cx, &limit, "filter.memcached", "a field cannot be set",
                          m->reads[i].field->text);
            event_tag(ev, m->tag_on_failure);
            return FILTER_PASS;
        }
    }
    if (!o->problem) return any ? FILTER_MATCH : FILTER_PASS;
    filter_failed(cx, &limit, "filter.memcached", o->problem, m->hosts.at[0]);
    event_tag(ev, m->tag_on_failure);
    return FILTER_PASS;
}

PLUGIN_MODULE;

extern const struct plugin filter_memcached;

const struct plugin filter_memcached = {
    .kind = PLUGIN_FILTER,
    .name = "memcached",
    .summary = "Reads values from memcached servers into fields, and stores fields there.",
    .size = sizeof(struct memcached),
    .options = memcached_options,
    .open = memcached_open,
    .close = memcached_close,
    .filter = {.run = memcached_run,
               .prepare = memcached_prepare,
               .worker_size = sizeof(struct worker)},
};
