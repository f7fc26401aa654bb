/*
 * fingerprint: makes hashes of fields.
 *
 * Source: logstash-filter-fingerprint, lib/logstash/filters/fingerprint.rb.
 * Threads: the algorithm and key are constant; each worker has an OpenSSL context of its own.
 */
#include <stdlib.h>

#include "base/owned.h"
#include "base/random.h"
#include "plugin/failure.h"
#include "text/digest.h"
#include "text/ip.h"
#include "text/murmur3.h"
#include "text/regex.h"
#include "text/rubytext.h"
#include "text/uuid.h"

enum method {
    METHOD_SHA1,
    METHOD_SHA256,
    METHOD_SHA384,
    METHOD_SHA512,
    METHOD_MD5,
    METHOD_MURMUR3,
    METHOD_MURMUR3_128,
    METHOD_IPV4_NETWORK,
    METHOD_UUID,
    METHOD_PUNCTUATION,
};
static const char *const methods[] = {"SHA1", "SHA256",      "SHA384",      "SHA512",
                                      "MD5",  "MURMUR3",     "MURMUR3_128", "IPV4_NETWORK",
                                      "UUID", "PUNCTUATION", NULL};

struct fingerprint {
    int                 ecs_compatibility, method;
    struct fields       source;
    const struct field *target;
    struct password     key;
    bool                base64encode, concatenate_sources, concatenate_all_fields;

    struct digest *digest;
    struct owned  *contexts;
    struct regex  *no_punctuation;
    int64_t        prefix;
    struct fields  sorted; /* the sources by name */
};

static const struct option fingerprint_options[] = {
    OPT(struct fingerprint, OPT_BOOL, base64encode, .preset = "false",
        .doc = "Whether SHA1, SHA256, SHA384, SHA512, MD5 and MURMUR3_128 give base64 instead of "
               "hexadecimal text."),
    OPT(struct fingerprint, OPT_BOOL, concatenate_all_fields, .preset = "false",
        .doc = "Whether one fingerprint is made of the names and values of all fields of the "
               "event, sorted by name. Not with UUID and PUNCTUATION."),
    OPT(struct fingerprint, OPT_BOOL, concatenate_sources, .preset = "false",
        .doc = "Whether one fingerprint is made of the names and values of all sources, sorted by "
               "name. By default each source has its own and the last stays. Not with UUID and "
               "PUNCTUATION."),
    OPT(struct fingerprint, OPT_ECS, ecs_compatibility,
        .doc = "The default of target: [fingerprint] when disabled, else [event][hash]. Follows "
               "pipeline.ecs_compatibility unless given."),
    OPT(struct fingerprint, OPT_PASSWORD, key,
        .doc = "With SHA1, SHA256, SHA384, SHA512 and MD5 the key of an HMAC; a plain hash is made "
               "without it. With IPV4_NETWORK the length of the network's prefix, required there."),
    OPT(struct fingerprint, OPT_ENUM, method, .preset = "SHA1", .choices = methods,
        .doc = "How the fingerprint is made. MURMUR3 gives a number of 32 bits; IPV4_NETWORK the "
               "network that an address lies in; UUID a random identifier, whatever the sources "
               "are; PUNCTUATION all punctuation and symbols of a text."),
    OPT(struct fingerprint, OPT_FIELDS, source, .preset = "message",
        .doc = "The fields. The items of a list have a fingerprint each; fields that are not there "
               "are passed over."),
    OPT(struct fingerprint, OPT_FIELD, target,
        .doc = "The field that gets the fingerprint. See ecs_compatibility for the default."),
    OPT_END,
};

/* ---- opening ---- */

static int by_text(const void *a, const void *b)
{
    struct str x = (*(const struct field *const *)a)->text;
    struct str y = (*(const struct field *const *)b)->text;
    int        order = memcmp(x.data, y.data, x.len < y.len ? x.len : y.len);

    return order ? order : x.len < y.len ? -1 : x.len > y.len;
}

static void sort_sources(struct fingerprint *f, struct arena *a)
{
    f->sorted =
        (struct fields){f->source.len, arena_alloc(a, f->source.len * sizeof(*f->source.at))};
    if (f->source.len == 0) return;
    memcpy(f->sorted.at, f->source.at, f->source.len * sizeof(*f->source.at));
    qsort(f->sorted.at, f->sorted.len, sizeof(*f->sorted.at), by_text);
}

static bool open_method(struct fingerprint *f, struct plugin_open *cx)
{
    struct regex_error error;

    if (f->method <= METHOD_MD5) {
        f->digest = digest_new(methods[f->method], f->key.secret);
        return f->digest || plugin_error(cx, "method", "OpenSSL has no %s", methods[f->method]);
    }
    if (f->method == METHOD_IPV4_NETWORK) {
        if (!f->key.secret.data)
            return plugin_error(cx, NULL,
                                "IPV4_NETWORK needs the setting \"key\": the length of "
                                "the prefix, such as \"24\"");
        f->prefix = ruby_to_i(cx->arena, f->key.secret).as.i;
        if (f->prefix < 0 || f->prefix > 128)
            return plugin_error(cx, "key", "the length of a prefix is 0 to 128");
    }
    if (f->method != METHOD_PUNCTUATION) return true;
    f->no_punctuation = regex_compile(cx->arena, STR("[^\\p{P}\\p{S}]"), 0, &error);
    return f->no_punctuation || plugin_error(cx, NULL, "%s", error.message);
}

static bool fingerprint_open(void *self, struct plugin_open *cx)
{
    struct fingerprint *f = self;
    struct str          target =
        f->ecs_compatibility == ECS_DISABLED ? STR("fingerprint") : STR("[event][hash]");

    if (!f->target) f->target = field_parse(cx->arena, target, NULL, NULL);
    sort_sources(f, cx->arena);
    f->contexts = owned_new();
    if (open_method(f, cx)) return true;
    owned_free(f->contexts);
    return false;
}

static void fingerprint_close(void *self)
{
    struct fingerprint *f = self;

    owned_free(f->contexts);
    digest_free(f->digest);
    regex_free(f->no_punctuation);
}

/* ---- values as texts ---- */

static int by_key(const void *a, const void *b)
{
    struct str x = key_str(((const struct member *)a)->key);
    struct str y = key_str(((const struct member *)b)->key);
    int        order = memcmp(x.data, y.data, x.len < y.len ? x.len : y.len);

    return order ? order : x.len < y.len ? -1 : x.len > y.len;
}

/* The same with the members of maps sorted by name, at any depth, in `a`. */
static struct value sorted(struct arena *a, struct value v)
{
    if (v.kind == VALUE_LIST) {
        struct list *l = list_new(a, v.as.list->len);
        for (uint32_t i = 0; i < v.as.list->len; i++)
            list_push(l, a, sorted(a, v.as.list->items[i]));
        return value_list(l);
    }
    if (v.kind != VALUE_MAP) return v;
    const struct map *from = v.as.map;
    struct map       *m = arena_zalloc(a, sizeof(*m));
    m->members = arena_alloc(a, from->len * sizeof(*m->members));
    m->len = m->cap = from->len;
    for (uint32_t i = 0; i < from->len; i++)
        m->members[i] = (struct member){from->members[i].key, sorted(a, from->members[i].value)};
    if (m->len) qsort(m->members, m->len, sizeof(*m->members), by_key);
    return value_map(m);
}

/* As to_s gives it; a text is itself, others lie in cx->buf. */
static struct str text_of(struct value v, struct filter_context *cx)
{
    if (v.kind == VALUE_STRING) return value_str(v);
    buf_clear(cx->buf);
    ruby_to_s(sorted(cx->scratch, v), cx->buf);
    return buf_view(cx->buf);
}

/* ---- fingerprints ---- */

/* The network of an address of either family; null when it is no address. */
static struct value network(const struct fingerprint *f, struct value v, struct arena *a)
{
    struct ip ip;

    if (v.kind != VALUE_STRING || !ip_parse(value_str(v), &ip) || !ip_mask(&ip, f->prefix))
        return value_null();
    return value_string(ip_text(a, &ip));
}

/* Null when the value has none. */
static struct value fingerprint_of(const struct fingerprint *f, struct value v, struct arena *a,
                                   struct filter_context *cx)
{
    unsigned char out[DIGEST_MAX];
    size_t        len;
    void        **context = cx->state;

    if (f->method == METHOD_MURMUR3) return value_int(murmur3_32_of(v, text_of(v, cx)));
    if (f->method == METHOD_IPV4_NETWORK) return network(f, v, a);
    if (f->method == METHOD_MURMUR3_128) {
        len = murmur3_128_of(v, text_of(v, cx), out);
    } else {
        if (!*context)
            *context = owned_add(f->contexts, digest_context_new(f->digest), digest_context_free);
        len = digest_run(f->digest, *context, text_of(v, cx), out);
        if (len == 0) return value_null();
    }
    return value_string(f->base64encode ? text_of_base64(a, out, len) : text_of_hex(a, out, len));
}

/* ---- running ---- */

/* "|name|value|name|value|" */
static struct value concatenate(const struct fingerprint *f, struct event *ev,
                                struct filter_context *cx)
{
    struct buf *b = cx->buf;

    buf_clear(b);
    if (f->concatenate_all_fields) {
        struct value all = sorted(cx->scratch, value_map(&ev->data));
        for (uint32_t i = 0; i < all.as.map->len; i++) {
            buf_printf(b, "|%.*s|", STR_ARG(key_str(all.as.map->members[i].key)));
            ruby_to_s(all.as.map->members[i].value, b);
        }
    } else {
        for (uint32_t i = 0; i < f->sorted.len; i++) {
            const struct value *v = event_get(ev, f->sorted.at[i]);
            buf_printf(b, "|%.*s|", STR_ARG(f->sorted.at[i]->text));
            if (v) ruby_to_s(sorted(cx->scratch, *v), b);
        }
    }
    buf_char(b, '|');
    return value_string(arena_copy(cx->scratch, buf_view(b)));
}

static bool fail(struct filter_context *cx, const char *message, struct str what)
{
    static struct log_limit limit;

    filter_failed(cx, &limit, "filter.fingerprint", message, what);
    return false;
}

static bool set(const struct fingerprint *f, struct event *ev, struct value v,
                struct filter_context *cx)
{
    return event_set(ev, f->target, v) || fail(cx, "cannot set the target", f->target->text);
}

static bool fingerprint_each(const struct fingerprint *f, struct event *ev,
                             struct filter_context *cx)
{
    for (uint32_t i = 0; i < f->source.len; i++) {
        const struct value *v = event_get(ev, f->source.at[i]);
        struct value        out;
        if (!v) continue;
        if (v->kind == VALUE_LIST) {
            struct list *l = list_new(ev->arena, v->as.list->len);
            for (uint32_t j = 0; j < v->as.list->len; j++)
                list_push(l, ev->arena, fingerprint_of(f, v->as.list->items[j], ev->arena, cx));
            out = value_list(l);
        } else {
            out = fingerprint_of(f, *v, ev->arena, cx);
            if (out.kind == VALUE_NULL)
                return fail(cx, "the source is not an address", f->source.at[i]->text);
        }
        if (!set(f, ev, out, cx)) return false;
    }
    return true;
}

static bool punctuation(const struct fingerprint *f, struct event *ev, struct filter_context *cx)
{
    for (uint32_t i = 0; i < f->sorted.len; i++) {
        const struct value *v = event_get(ev, f->sorted.at[i]);
        if (!v) continue;
        if (v->kind != VALUE_STRING)
            return fail(cx, "the source is no text", f->sorted.at[i]->text);
        buf_clear(cx->buf);
        if (regex_gsub(f->no_punctuation, value_str(*v), STR(""), cx->buf) < 0)
            return fail(cx, "the source is too long", f->sorted.at[i]->text);
        struct str text = arena_copy(ev->arena, buf_view(cx->buf));
        if (!set(f, ev, value_string(text), cx)) return false;
    }
    return true;
}

static bool random_uuid(const struct fingerprint *f, struct event *ev, struct filter_context *cx)
{
    unsigned char bytes[UUID_BYTES];

    random_bytes(bytes, sizeof(bytes));
    return set(f, ev, value_string(uuid_text(ev->arena, bytes)), cx);
}

static enum verdict fingerprint_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct fingerprint *f = self;
    bool                      done;

    if (f->method == METHOD_UUID) {
        done = random_uuid(f, ev, cx);
    } else if (f->method == METHOD_PUNCTUATION) {
        done = punctuation(f, ev, cx);
    } else if (f->concatenate_sources || f->concatenate_all_fields) {
        struct value v = fingerprint_of(f, concatenate(f, ev, cx), ev->arena, cx);
        done = v.kind == VALUE_NULL ? fail(cx, "not an address", STR("")) : set(f, ev, v, cx);
    } else {
        done = fingerprint_each(f, ev, cx);
    }
    return done ? FILTER_MATCH : FILTER_PASS;
}

const struct plugin filter_fingerprint = {
    .kind = PLUGIN_FILTER,
    .name = "fingerprint",
    .summary = "Makes hashes of fields.",
    .size = sizeof(struct fingerprint),
    .options = fingerprint_options,
    .open = fingerprint_open,
    .close = fingerprint_close,
    .filter = {.run = fingerprint_run, .worker_size = sizeof(void *)},
};
