/*
 * dns: looks up the addresses of names and the names of addresses.
 *
 * Source: logstash-filter-dns, lib/logstash/filters/dns.rb; Ruby's resolv.rb for the order in which
 * hosts files and servers are asked.
 * Threads: each worker asks and waits for itself, with a limit, and has caches of its own; hosts
 * files are constant once open.
 */
#include <stdlib.h>

#include "base/fatal.h"
#include "base/file.h"
#include "base/owned.h"
#include "base/utf8.h"
#include "net/dns.h"
#include "plugin/failure.h"
#include "text/recent.h"

#define HOSTS_PATH "/etc/hosts"
#define RESOLV_CONF_PATH "/etc/resolv.conf"

enum { FILE_MAX = 16 << 20, NANOSECONDS = 1000000000 };
enum action { ACTION_APPEND, ACTION_REPLACE };
static const char *const actions[] = {"append", "replace", NULL};

struct dns_caches {
    struct recent hits, failures; /* [expiry in monotonic nanoseconds, text] */
};

struct dns {
    int                     action;
    int64_t                 failed_cache_size, hit_cache_size, max_retries;
    double                  failed_cache_ttl, hit_cache_ttl, timeout;
    struct strings          hostsfile, tag_on_timeout;
    const struct ast_value *nameserver;
    struct fields           resolve, reverse;

    struct dns_config  config;
    struct dictionary *hosts; /* names to addresses; "@" and an address to its name */
    struct owned      *caches;
    int64_t            hits_max, failures_max; /* of one worker */
};

static const struct option dns_options[] = {
    OPT(struct dns, OPT_ENUM, action, .preset = "append", .choices = actions,
        .doc = "What becomes of the field: append makes a list of its value and the result, "
               "replace leaves the result alone."),
    OPT(struct dns, OPT_INT, failed_cache_size, .preset = "0", .min = 0, .max = 100000000,
        .doc = "How many names and addresses that could not be looked up are remembered; those are "
               "not asked for again. 0: none. The workers share this number."),
    OPT(struct dns, OPT_FLOAT, failed_cache_ttl, .preset = "5",
        .doc = "For how many seconds they are remembered."),
    OPT(struct dns, OPT_INT, hit_cache_size, .preset = "0", .min = 0, .max = 100000000,
        .doc = "How many results are remembered. 0: none. The workers share this number."),
    OPT(struct dns, OPT_FLOAT, hit_cache_ttl, .preset = "60",
        .doc = "For how many seconds they are remembered."),
    OPT(struct dns, OPT_STRINGS, hostsfile, .preset = "[]",
        .doc = "Files like /etc/hosts that are looked at before it, and before any server. With "
               "it, and without nameserver, no server is asked."),
    OPT(struct dns, OPT_INT, max_retries, .preset = "2", .min = 0, .max = 100,
        .doc = "How often it is tried again when no server answers in time."),
    OPT(struct dns, OPT_AST, nameserver,
        .doc = "The addresses of name servers, each with :PORT behind it unless that is 53; or a "
               "hash of address, search (up to 6 domains that complete names) and ndots (how many "
               "dots a name needs to be tried as it is first, 1 by default). By default what "
               "/etc/resolv.conf says when lsc starts."),
    OPT(struct dns, OPT_FIELDS, resolve, .preset = "[]",
        .doc = "Fields with host names to find the address of: the first one, IPv4 before IPv6. "
               "When one cannot be found the event goes on and nothing more is looked up for it."),
    OPT(struct dns, OPT_FIELDS, reverse, .preset = "[]",
        .doc = "Fields with addresses to find the name of, behind those of resolve and in the "
               "same way."),
    OPT(struct dns, OPT_STRINGS, tag_on_timeout, .preset = "_dnstimeout",
        .doc = "Tags of events for which no server answered in time."),
    OPT(struct dns, OPT_FLOAT, timeout, .preset = "0.5",
        .doc = "For how many seconds each server is waited for, each time. Meanwhile the worker "
               "does nothing else."),
    OPT_END,
};

/* ---- hosts files ---- */

static struct str next_word(struct str *line)
{
    while (line->len && (unsigned char)line->data[0] <= ' ')
        *line = str_from(*line, 1);
    size_t len = 0;
    while (len < line->len && (unsigned char)line->data[len] > ' ')
        len++;
    struct str w = {line->data, len};
    *line = str_from(*line, len);
    return w;
}

static struct str key_of(struct arena *a, const struct ip *ip)
{
    return arena_printf(a, "@%.*s", STR_ARG(ip_text(a, ip)));
}

/* The first file and line that tells something counts. */
static void put_first(struct dictionary *d, struct str key, struct str value)
{
    if (!dictionary_get(d, key)) dictionary_put(d, key, value_string(value));
}

static void read_hosts_line(struct dictionary *d, struct str line)
{
    const char *comment = memchr(line.data, '#', line.len);
    struct ip   ip;

    if (comment) line.len = (size_t)(comment - line.data);
    struct str address = next_word(&line), name;
    if (!ip_parse(address, &ip)) return;
    for (int i = 0; (name = next_word(&line)).len; i++) {
        struct buf lower = {0};
        utf8_lower(&lower, name);
        put_first(d, arena_copy(&d->arena, buf_view(&lower)), address);
        buf_release(&lower);
        if (i == 0) put_first(d, key_of(&d->arena, &ip), name);
    }
}

static bool read_hosts(struct dictionary *d, const char *path)
{
    size_t len;
    char  *bytes = file_read(path, FILE_MAX, &len);

    if (!bytes) return false;
    struct str text = arena_copy(&d->arena, (struct str){bytes, len});
    free(bytes);
    text.len = utf8_valid_prefix(text);
    while (text.len) {
        const char *newline = memchr(text.data, '\n', text.len);
        struct str  line = {text.data, newline ? (size_t)(newline - text.data) : text.len};
        read_hosts_line(d, line);
        text = str_from(text, line.len + 1);
    }
    return true;
}

/* ---- opening ---- */

static bool add_servers(struct dns *d, const struct ast_value *v, struct plugin_open *cx)
{
    uint32_t                n = v->kind == AST_LIST ? v->len : 1;
    const struct ast_value *at = v->kind == AST_LIST ? v->items : v;

    if (n == 0) return plugin_error(cx, "nameserver", "nameserver has no address");
    for (uint32_t i = 0; i < n; i++) {
        struct str text = ast_text(&at[i]);
        if (!text.data || !dns_add_server(&d->config, text))
            return plugin_error(cx, "nameserver",
                                "\"%.*s\" is not the address of a name server, or there are more "
                                "than %d",
                                text.data ? (int)text.len : 0, text.data ? text.data : "",
                                DNS_SERVERS_MAX);
    }
    return true;
}

static bool add_search(struct dns *d, const struct ast_value *v, struct plugin_open *cx)
{
    uint32_t                n = v->kind == AST_LIST ? v->len : 1;
    const struct ast_value *at = v->kind == AST_LIST ? v->items : v;

    if (n > DNS_SEARCH_MAX)
        return plugin_error(cx, "nameserver", "there may be up to %d search domains",
                            DNS_SEARCH_MAX);
    for (uint32_t i = 0; i < n; i++)
        d->config.search[d->config.search_len++] = ast_to_s(cx->arena, &at[i]);
    return true;
}

static bool read_server_hash(struct dns *d, const struct ast_value *v, struct plugin_open *cx)
{
    bool addressed = false;

    for (uint32_t i = 0; i < v->len; i++) {
        const struct ast_value *value = &v->entries[i].value;
        struct str              key = ast_to_s(cx->arena, &v->entries[i].key);
        if (str_is(key, "address")) {
            addressed = true;
            if (!add_servers(d, value, cx)) return false;
        } else if (str_is(key, "search")) {
            if (!add_search(d, value, cx)) return false;
        } else if (str_is(key, "ndots")) {
            struct str text = ast_to_s(cx->arena, value);
            if (!option_int(text, &d->config.ndots) || d->config.ndots <= 0)
                return plugin_error(cx, "nameserver", "ndots is a number from 1 on");
        } else {
            return plugin_error(cx, "nameserver", "\"%.*s\" is none of address, search, ndots",
                                STR_ARG(key));
        }
    }
    return addressed || plugin_error(cx, "nameserver", "nameserver has no address");
}

static bool open_servers(struct dns *d, struct plugin_open *cx)
{
    d->config.ndots = 1;
    d->config.retries = d->max_retries;
    if (d->timeout <= 0 || d->timeout > 3600)
        return plugin_error(cx, "timeout", "timeout is more than 0 and up to 3600 seconds");
    d->config.timeout_ns = (int64_t)(d->timeout * NANOSECONDS);
    if (d->nameserver && d->nameserver->kind == AST_HASH)
        return read_server_hash(d, d->nameserver, cx);
    if (d->nameserver) return add_servers(d, d->nameserver, cx);
    if (d->hostsfile.len == 0) dns_read_resolv_conf(&d->config, RESOLV_CONF_PATH, cx->arena);
    return true;
}

static bool dns_open(void *self, struct plugin_open *cx)
{
    struct dns *d = self;

    if (!open_servers(d, cx)) return false;
    d->hosts = dictionary_new();
    for (uint32_t i = 0; i < d->hostsfile.len; i++) {
        if (read_hosts(d->hosts, arena_cstr(cx->arena, d->hostsfile.at[i]))) continue;
        dictionary_free(d->hosts);
        return plugin_error(cx, "hostsfile", "cannot read \"%.*s\"", STR_ARG(d->hostsfile.at[i]));
    }
    read_hosts(d->hosts, HOSTS_PATH);
    int64_t workers = cx->workers ? cx->workers : 1;
    d->hits_max = (d->hit_cache_size + workers - 1) / workers;
    d->failures_max = (d->failed_cache_size + workers - 1) / workers;
    d->caches = owned_new();
    return true;
}

static void dns_close(void *self)
{
    struct dns *d = self;

    owned_free(d->caches);
    dictionary_free(d->hosts);
}

/* ---- caches ---- */

static void free_caches(void *caches)
{
    struct dns_caches *c = caches;

    recent_release(&c->hits);
    recent_release(&c->failures);
    free(c);
}

static struct dns_caches *caches_of(const struct dns *d, struct dns_caches **state)
{
    if (*state) return *state;
    struct dns_caches *c = xcalloc(1, sizeof(*c));
    recent_init(&c->hits, d->hits_max);
    recent_init(&c->failures, d->failures_max);
    return *state = owned_add(d->caches, c, free_caches);
}

/* What is remembered and not too old; data NULL: nothing. */
static struct str recall(struct recent *r, int64_t max, struct str key)
{
    const struct value *v = max ? recent_get(r, key) : NULL;

    if (!v || v->as.list->items[0].as.i < clock_monotonic_ns()) return (struct str){NULL, 0};
    return value_str(v->as.list->items[1]);
}

static void keep(struct recent *r, int64_t max, double ttl, struct str key, struct str text,
                 struct arena *scratch)
{
    if (max == 0 || !(ttl > 0)) return;
    struct list *l = list_new(scratch, 2);
    double       ns = ttl < 1e9 ? ttl * NANOSECONDS : 1e18;
    list_push(l, scratch, value_int(clock_monotonic_ns() + (int64_t)ns));
    list_push(l, scratch, value_string(text));
    recent_put(r, key, value_list(l));
}

/* ---- looking up ---- */

/* A name, or with `reverse` an address; `key` is how caches and hosts files know it. */
static enum dns_result ask(const struct dns *d, struct str text, struct str key, bool reverse,
                           struct filter_context *cx, struct str *out)
{
    const struct value *host = dictionary_get(d->hosts, key);
    struct ip           ip;

    if (host) {
        *out = value_str(*host);
        return DNS_FOUND;
    }
    if (d->config.servers_len == 0) return DNS_NOT_FOUND;
    if (!reverse) return dns_address(&d->config, text, cx->stop, cx->scratch, out);
    return ip_parse(text, &ip) ? dns_name(&d->config, &ip, cx->stop, cx->scratch, out)
                               : DNS_NOT_FOUND;
}

static enum dns_result look_up(const struct dns *d, struct str text, bool reverse,
                               struct filter_context *cx, struct str *out)
{
    struct dns_caches *caches = caches_of(d, cx->state);
    struct str         key;
    struct ip          ip;
    bool               is_address = ip_parse(text, &ip);

    if (reverse != is_address) {
        *out = text; /* an address is its own */
        return reverse ? DNS_NOT_FOUND : DNS_FOUND;
    }
    if (reverse) {
        key = key_of(cx->scratch, &ip);
    } else {
        buf_clear(cx->buf);
        utf8_lower(cx->buf, text);
        key = arena_copy(cx->scratch, buf_view(cx->buf));
    }
    if (recall(&caches->failures, d->failures_max, key).data) return DNS_NOT_FOUND;
    *out = recall(&caches->hits, d->hits_max, key);
    if (out->data) return DNS_FOUND;
    enum dns_result result = ask(d, text, key, reverse, cx, out);
    if (result == DNS_FOUND)
        keep(&caches->hits, d->hits_max, d->hit_cache_ttl, key, *out, cx->scratch);
    else
        keep(&caches->failures, d->failures_max, d->failed_cache_ttl, key, STR(""), cx->scratch);
    return result;
}

/* ---- running ---- */

static bool put_result(const struct dns *d, struct event *ev, const struct field *f,
                       struct str text)
{
    struct value *v = event_get(ev, f), result = value_string(arena_copy(ev->arena, text));

    if (v->kind == VALUE_LIST) {
        if (d->action == ACTION_REPLACE) list_remove(v->as.list, 0);
        list_push(v->as.list, ev->arena, result);
        return true;
    }
    if (d->action == ACTION_REPLACE) return event_set(ev, f, result);
    struct list *l = list_new(ev->arena, 2);
    list_push(l, ev->arena, *v);
    list_push(l, ev->arena, result);
    return event_set(ev, f, value_list(l));
}

/* False: nothing more is looked up for this event. */
static bool treat(const struct dns *d, struct event *ev, const struct field *f, bool reverse,
                  struct filter_context *cx)
{
    static struct log_limit limit;
    const struct value     *v = event_get(ev, f);
    struct str              found;

    if (!v || v->kind == VALUE_NULL) return true;
    if (v->kind == VALUE_LIST && v->as.list->len == 1) v = &v->as.list->items[0];
    if (v->kind != VALUE_STRING) {
        filter_failed(cx, &limit, "filter.dns", "neither a text nor a list of one", f->text);
        return false;
    }
    enum dns_result result = look_up(d, value_str(*v), reverse, cx, &found);
    if (result == DNS_FOUND) return put_result(d, ev, f, found);
    if (result == DNS_TIMEOUT) event_tag_all(ev, &d->tag_on_timeout);
    if (result != DNS_NOT_FOUND)
        filter_failed(cx, &limit, "filter.dns", "no name server answered", value_str(*v));
    return false;
}

static enum verdict dns_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct dns *d = self;

    for (uint32_t i = 0; i < d->resolve.len; i++) {
        if (!treat(d, ev, d->resolve.at[i], false, cx)) return FILTER_PASS;
    }
    for (uint32_t i = 0; i < d->reverse.len; i++) {
        if (!treat(d, ev, d->reverse.at[i], true, cx)) return FILTER_PASS;
    }
    return FILTER_MATCH;
}

const struct plugin filter_dns = {
    .kind = PLUGIN_FILTER,
    .name = "dns",
    .summary = "Looks up the addresses of names and the names of addresses.",
    .size = sizeof(struct dns),
    .options = dns_options,
    .open = dns_open,
    .close = dns_close,
    .filter = {.run = dns_run, .worker_size = sizeof(struct dns_caches *)},
};
