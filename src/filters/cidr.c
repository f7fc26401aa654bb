/*
 * cidr: finds out whether addresses lie in networks.
 *
 * Source: logstash-filter-cidr, lib/logstash/filters/cidr.rb.
 * Threads: with network_path each worker keeps the version of the networks that it has
 * (base/versions); the first one to find them out of date reads the file again. Otherwise there is
 * no shared state.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "base/file.h"
#include "base/versions.h"
#include "plugin/failure.h"
#include "text/ip.h"
#include "text/rubytext.h"

enum { FILE_MAX = 64 << 20 };

/* The networks of a file: struct ip_set. */
struct network_file {
    struct versions sets;
    _Atomic int64_t next_ns; /* when it is read again */
};

struct cidr {
    struct templates address, network;
    struct str       network_path, separator;
    struct duration  refresh_interval;

    struct ip_set        fixed;   /* networks without %{…} */
    struct templates     dynamic; /* the others */
    struct network_file *file;
};

static const struct option cidr_options[] = {
    OPT(struct cidr, OPT_TEMPLATES, address, .preset = "[]",
        .doc = "The addresses to check, such as \"%{[source][ip]}\". The event matches when one of "
               "them lies in one of the networks. Text that is no address is passed over."),
    OPT(struct cidr, OPT_TEMPLATES, network, .preset = "[]",
        .doc = "The networks, such as \"10.0.0.0/8\" or \"fe80::/10\"; a text may hold several "
               "with commas between them, and %{…}. An address alone is a network of one."),
    OPT(struct cidr, OPT_PATH, network_path,
        .doc = "A file with the networks, at most 64 MiB. Cannot be given together with network."),
    OPT(struct cidr, OPT_SECONDS, refresh_interval, .preset = "600",
        .doc = "How often the file is read again, in seconds. When that fails the networks read "
               "before stay."),
    OPT(struct cidr, OPT_STRING, separator, .preset = "\n",
        .doc = "What stands between the networks in the file: a newline by default."),
    OPT_END,
};

/* ---- networks from texts ---- */

struct network_list {
    struct ip_network *at;
    uint32_t           len, cap;
};

/* `cx` when the config is being opened: what is no network is then a warning there. */
static void add_network(struct network_list *l, struct str text, const struct plugin_open *cx)
{
    static struct log_limit limit;
    struct ip_network       n;
    uint64_t                missed;

    text = ruby_strip(text);
    if (text.len == 0) return;
    if (!ip_network_parse(text, &n)) {
        if (cx)
            plugin_warning(cx, "network", "\"%.*s\" is not a network, so it is passed over",
                           STR_ARG(text));
        else if (log_limit_pass(&limit, &missed))
            log_warn("filter.cidr", "not a network, passed over", LOG_STR("network", text),
                     LOG_INT("not_shown", (int64_t)missed));
        return;
    }
    if (l->len == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->at = xrealloc(l->at, l->cap * sizeof(*l->at));
    }
    l->at[l->len++] = n;
}

static void add_networks(struct network_list *l, struct str text, struct str separator,
                         const struct plugin_open *cx)
{
    ptrdiff_t at;

    while (separator.len && (at = str_find(text, separator)) >= 0) {
        add_network(l, (struct str){text.data, (size_t)at}, cx);
        text = str_from(text, (size_t)at + separator.len);
    }
    add_network(l, text, cx);
}

/* ---- the file ---- */

/* Reads the file into a new list. An empty one counts as broken, as in Logstash. */
static bool load(const struct cidr *c, struct network_list *out)
{
    size_t len;
    char  *text = file_read(c->network_path.data, FILE_MAX, &len);

    if (!text) return false;
    add_networks(out, (struct str){text, len}, c->separator, NULL);
    free(text);
    errno = EINVAL;
    return out->len > 0;
}

static void free_set(void *thing)
{
    struct ip_set *set = thing;

    free(set->at);
    free(set);
}

static void put_set(struct network_file *f, struct network_list *l)
{
    struct ip_set *set = xmalloc(sizeof(*set));

    *set = ip_set_of(l->at, l->len);
    versions_put(&f->sets, set);
}

/* One worker reads, the others go on with what there is. */
static void refresh(const struct cidr *c)
{
    struct network_list l = {0};

    if (!file_turn(&c->file->next_ns, c->refresh_interval.ns)) return;
    if (load(c, &l)) {
        put_set(c->file, &l);
        return;
    }
    log_error("filter.cidr", "cannot read the networks again", LOG_STR("path", c->network_path),
              LOG_CSTR("reason", strerror(errno)));
    free(l.at);
}

static bool in_file(const struct cidr *c, const struct ip *address, struct filter_context *cx)
{
    refresh(c);
    return ip_set_contains(versions_get(&c->file->sets, cx->state), address);
}

/* ---- opening ---- */

static bool open_file(struct cidr *c, struct plugin_open *cx)
{
    struct network_list l = {0};

    if (c->network.len)
        return plugin_error(cx, "network_path",
                            "network_path cannot be given together with \"network\"");
    c->network_path.data = arena_cstr(cx->arena, c->network_path);
    if (!load(c, &l)) {
        free(l.at);
        return plugin_error(cx, "network_path", "no networks in \"%.*s\": %s",
                            STR_ARG(c->network_path), strerror(errno));
    }
    c->file = xcalloc(1, sizeof(*c->file));
    versions_init(&c->file->sets, free_set);
    put_set(c->file, &l);
    c->file->next_ns = clock_monotonic_ns() + c->refresh_interval.ns;
    return true;
}

static bool cidr_open(void *self, struct plugin_open *cx)
{
    struct cidr        *c = self;
    struct network_list fixed = {0};
    struct str          text;

    if (c->network_path.data) return open_file(c, cx);
    c->dynamic.at = arena_alloc(cx->arena, c->network.len * sizeof(*c->dynamic.at));
    for (uint32_t i = 0; i < c->network.len; i++) {
        if (template_constant(c->network.at[i], &text))
            add_networks(&fixed, text, STR(","), cx);
        else
            c->dynamic.at[c->dynamic.len++] = c->network.at[i];
    }
    c->fixed = ip_set_of(fixed.at, fixed.len);
    return true;
}

static void cidr_close(void *self)
{
    struct cidr *c = self;

    free(c->fixed.at);
    if (!c->file) return;
    versions_release(&c->file->sets);
    free(c->file);
}

/* ---- running ---- */

/* Networks that the event itself gives, with commas between them. */
static bool in_text(struct str networks, const struct ip *address)
{
    while (networks.len) {
        const char *comma = memchr(networks.data, ',', networks.len);
        struct str  one = {networks.data, comma ? (size_t)(comma - networks.data) : networks.len};
        struct ip_network n;
        if (ip_network_parse(ruby_strip(one), &n) && ip_network_contains(&n, address)) return true;
        networks = str_from(networks, one.len + 1);
    }
    return false;
}

static bool in_networks(const struct cidr *c, const struct ip *address, struct event *ev,
                        struct filter_context *cx)
{
    if (c->file) return in_file(c, address, cx);
    if (ip_set_contains(&c->fixed, address)) return true;
    for (uint32_t i = 0; i < c->dynamic.len; i++) {
        if (in_text(template_str(c->dynamic.at[i], ev), address)) return true;
    }
    return false;
}

static enum verdict cidr_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct cidr      *c = self;

    for (uint32_t i = 0; i < c->address.len; i++) {
        struct str        text = template_str(c->address.at[i], ev);
        struct ip_network address; /* "10.1.2.3/8" is taken too, for 10.0.0.0 */
        if (!ip_network_parse(text, &address))
            filter_failed(cx, &limit, "filter.cidr", "not an address, passed over", text);
        else if (in_networks(c, &address.first, ev, cx))
            return FILTER_MATCH;
    }
    return FILTER_PASS;
}

const struct plugin filter_cidr = {
    .kind = PLUGIN_FILTER,
    .name = "cidr",
    .summary = "Finds out whether addresses lie in networks.",
    .size = sizeof(struct cidr),
    .options = cidr_options,
    .open = cidr_open,
    .close = cidr_close,
    .filter = {.run = cidr_run, .worker_size = sizeof(struct version_reader)},
};
