/*
 * anonymize: replaces values by hashes of them. The older sister of fingerprint.
 *
 * Source: logstash-filter-anonymize, lib/logstash/filters/anonymize.rb.
 * Threads: the algorithm and key are constant; each worker has an OpenSSL context of its own.
 */
#include "base/owned.h"
#include "plugin/failure.h"
#include "text/digest.h"
#include "text/ip.h"
#include "text/murmur3.h"
#include "text/rubytext.h"

enum algorithm { SHA1, SHA256, SHA384, SHA512, MD5, MURMUR3, IPV4_NETWORK };
static const char *const algorithms[] = {"SHA1", "SHA256",  "SHA384",       "SHA512",
                                         "MD5",  "MURMUR3", "IPV4_NETWORK", NULL};

struct anonymize {
    int             algorithm;
    struct fields   fields;
    struct password key;

    struct digest *digest;
    struct owned  *contexts;
    int64_t        prefix;
};

static const struct option anonymize_options[] = {
    OPT(struct anonymize, OPT_ENUM, algorithm, .preset = "SHA1", .choices = algorithms,
        .doc = "How a value is replaced: by an HMAC of it, by a number of 32 bits (MURMUR3), or "
               "by the network that an address lies in (IPV4_NETWORK)."),
    OPT(struct anonymize, OPT_FIELDS, fields, .required = true,
        .doc = "The fields; the items of a list are replaced one by one."),
    OPT(struct anonymize, OPT_PASSWORD, key, .required = true,
        .doc = "The key of the HMAC; with IPV4_NETWORK the length of the network's prefix. "
               "MURMUR3 makes no use of it."),
    OPT_END,
};

static bool anonymize_open(void *self, struct plugin_open *cx)
{
    struct anonymize *n = self;

    if (n->algorithm <= MD5) {
        n->digest = digest_new(algorithms[n->algorithm], n->key.secret);
        if (!n->digest)
            return plugin_error(cx, "algorithm", "OpenSSL has no %s", algorithms[n->algorithm]);
    }
    if (n->algorithm == IPV4_NETWORK) {
        n->prefix = ruby_to_i(cx->arena, n->key.secret).as.i;
        if (n->prefix < 0 || n->prefix > 128)
            return plugin_error(cx, "key", "the length of a prefix is 0 to 128");
    }
    n->contexts = owned_new();
    return true;
}

static void anonymize_close(void *self)
{
    struct anonymize *n = self;

    owned_free(n->contexts);
    digest_free(n->digest);
}

/* Null when the value cannot be replaced. */
static struct value replacement(const struct anonymize *n, struct value v, struct arena *a,
                                struct filter_context *cx)
{
    unsigned char out[DIGEST_MAX];
    void        **context = cx->state;
    struct ip     ip;
    struct str    text = value_str(v);

    if (v.kind != VALUE_STRING) {
        buf_clear(cx->buf);
        ruby_to_s(v, cx->buf);
        text = buf_view(cx->buf);
    }
    if (n->algorithm == MURMUR3) return value_int(murmur3_32_of(v, text));
    if (n->algorithm == IPV4_NETWORK) {
        if (!ip_parse(text, &ip) || !ip_mask(&ip, n->prefix)) return value_null();
        return value_string(ip_text(a, &ip));
    }
    if (!*context)
        *context = owned_add(n->contexts, digest_context_new(n->digest), digest_context_free);
    size_t len = digest_run(n->digest, *context, text, out);
    return len ? value_string(text_of_hex(a, out, len)) : value_null();
}

static bool replace(const struct anonymize *n, struct value *v, struct event *ev,
                    struct filter_context *cx)
{
    static struct log_limit limit;
    struct value            now = replacement(n, *v, ev->arena, cx);

    if (now.kind == VALUE_NULL)
        filter_failed(cx, &limit, "filter.anonymize", "not an address, left as it is", STR(""));
    else
        *v = now;
    return now.kind != VALUE_NULL;
}

static enum verdict anonymize_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct anonymize *n = self;
    bool                    any = false;

    for (uint32_t i = 0; i < n->fields.len; i++) {
        struct value *v = event_get(ev, n->fields.at[i]), now;
        if (!v) continue;
        if (v->kind != VALUE_LIST) {
            now = *v;
            any |= replace(n, &now, ev, cx) && event_set(ev, n->fields.at[i], now);
            continue;
        }
        for (uint32_t j = 0; j < v->as.list->len; j++)
            any |= replace(n, &v->as.list->items[j], ev, cx);
    }
    return any ? FILTER_MATCH : FILTER_PASS;
}

const struct plugin filter_anonymize = {
    .kind = PLUGIN_FILTER,
    .name = "anonymize",
    .summary = "Replaces values by hashes of them.",
    .size = sizeof(struct anonymize),
    .options = anonymize_options,
    .open = anonymize_open,
    .close = anonymize_close,
    .filter = {.run = anonymize_run, .worker_size = sizeof(void *)},
};
