/*
 * The templates of netflow 9 and IPFIX: how records look that exporters send later.
 *
 * Source: RFC 3954, section 8; RFC 7011, section 8.
 * Threads: each call under the mutex of its store.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/log.h"
#include "codecs/netflow.h"
#include "event/json.h"

enum { CACHE_MAX = 64 * 1024 * 1024 };

static struct netflow_template **bucket(struct netflow_store *s, uint64_t id)
{
    return &s->buckets[hash_keyed(&id, sizeof(id)) % NETFLOW_BUCKETS];
}

/* Where the template hangs, or where the chain ends. */
static struct netflow_template **place(struct netflow_store *s, uint64_t id)
{
    struct netflow_template **at = bucket(s, id);

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void take_out(struct netflow_store *s, struct netflow_template **at)
{
    struct netflow_template *gone = *at;

    *at = gone->next;
    free(gone->specs);
    free(gone);
    s->len--;
}

static void take_out_expired(struct netflow_store *s)
{
    int64_t now = clock_monotonic_ns();

    for (int i = 0; i < NETFLOW_BUCKETS; i++)
        for (struct netflow_template **at = &s->buckets[i]; *at;) {
            if ((*at)->expires_ns < now)
                take_out(s, at);
            else
                at = &(*at)->next;
        }
}

const struct netflow_template *netflow_store_find(struct netflow_store *s, uint64_t id)
{
    struct netflow_template *t = *place(s, id);

    return t && t->expires_ns >= clock_monotonic_ns() ? t : NULL;
}

/* Source: RFC 3954, section 6.1, the types of scopes. */
static bool find_scope(uint16_t field, struct netflow_definition *d)
{
    static const char *const scopes[] = {"scope_system", "scope_interface", "scope_line_card",
                                         "scope_netflow_cache", "scope_template"};

    if (field < 1 || field > 5) return false;
    d->type = NETFLOW_UINT;
    d->name = key_make(str_of(scopes[field - 1]));
    return true;
}

/* A field of which nothing is known is stepped over, so that the others can be read. */
static struct netflow_field field_of(const struct netflow_store *s, const struct netflow_spec *spec)
{
    static struct log_limit   limit;
    struct netflow_definition d = {.type = NETFLOW_SKIP};
    uint64_t                  missed;
    bool                      known = false;

    if (spec->scope)
        known = find_scope(spec->field, &d);
    else
        known = netflow_find(s->definitions, s->v9, spec->enterprise, spec->field, &d);
    if (!known && log_limit_pass(&limit, &missed))
        log_warn("codec.netflow", "a field that is not known is left out of events",
                 LOG_INT("field", spec->field), LOG_INT("enterprise", spec->enterprise),
                 LOG_INT("not_shown", (int64_t)missed));
    return (struct netflow_field){.type = d.type, .len = spec->len, .name = d.name};
}

static struct netflow_template *template_new(const struct netflow_store *s, uint64_t id,
                                             const struct netflow_spec *specs, uint32_t len)
{
    struct netflow_template *t = xcalloc(1, sizeof(*t) + len * sizeof(t->fields[0]));

    t->id = id;
    t->len = len;
    t->specs = xcalloc(len, sizeof(*specs));
    memcpy(t->specs, specs, len * sizeof(*specs));
    for (uint32_t i = 0; i < len; i++) {
        t->fields[i] = field_of(s, &specs[i]);
        t->shortest += specs[i].len == NETFLOW_VARIABLE && !s->v9 ? 1 : specs[i].len;
    }
    return t;
}

static bool same(const struct netflow_template *t, const struct netflow_spec *specs, uint32_t len)
{
    if (t->len != len) return false;
    for (uint32_t i = 0; i < len; i++)
        if (t->specs[i].enterprise != specs[i].enterprise || t->specs[i].field != specs[i].field ||
            t->specs[i].len != specs[i].len || t->specs[i].scope != specs[i].scope)
            return false;
    return true;
}

/* ---- the cache ---- */

/* {"DOMAIN|TEMPLATE":[[FIELD,LENGTH,ENTERPRISE,SCOPE],…],…} */
static void print_cache(const struct netflow_store *s, struct buf *out)
{
    const char *between = "{";

    for (int i = 0; i < NETFLOW_BUCKETS; i++)
        for (const struct netflow_template *t = s->buckets[i]; t; t = t->next) {
            buf_printf(out, "%s\n\"%llu|%llu\":", between, (unsigned long long)(t->id >> 16),
                       (unsigned long long)(t->id & UINT16_MAX));
            between = ",";
            for (uint32_t n = 0; n < t->len; n++)
                buf_printf(out, "%c[%u,%u,%u,%d]", n ? ',' : '[', t->specs[n].field,
                           t->specs[n].len, t->specs[n].enterprise, t->specs[n].scope);
            buf_char(out, ']');
        }
    buf_str(out, *between == '{' ? STR("{}\n") : STR("\n}\n"));
}

/* Whole or not at all: written beside it, then renamed. */
static void save_cache(const struct netflow_store *s)
{
    static struct log_limit limit;
    struct buf              text = {0}, path = {0}, temporary = {0};
    uint64_t                missed;

    print_cache(s, &text);
    buf_str(&path, s->cache);
    buf_printf(&temporary, "%.*s.new", STR_ARG(s->cache));
    FILE *f = fopen(buf_cstr(&temporary), "we");
    bool  good = f && fwrite(text.data, 1, text.len, f) == text.len;
    if (f) good = fclose(f) == 0 && good;
    if (good) good = rename(buf_cstr(&temporary), buf_cstr(&path)) == 0;
    if (!good && log_limit_pass(&limit, &missed))
        log_error("codec.netflow", "cannot save templates", LOG_STR("path", s->cache),
                  LOG_CSTR("error", strerror(errno)));
    buf_release(&text);
    buf_release(&path);
    buf_release(&temporary);
}

static bool cached_number(const struct list *l, uint32_t at, uint64_t max, uint64_t *out)
{
    if (at >= l->len || l->items[at].kind != VALUE_INT || l->items[at].as.i < 0) return false;
    *out = (uint64_t)l->items[at].as.i;
    return *out <= max;
}

static bool cached_spec(struct value v, struct netflow_spec *spec)
{
    uint64_t field, len, enterprise, scope;

    if (v.kind != VALUE_LIST || !cached_number(v.as.list, 0, UINT16_MAX, &field) ||
        !cached_number(v.as.list, 1, UINT16_MAX, &len) ||
        !cached_number(v.as.list, 2, UINT32_MAX, &enterprise) ||
        !cached_number(v.as.list, 3, 1, &scope))
        return false;
    *spec = (struct netflow_spec){(uint32_t)enterprise, (uint16_t)field, (uint16_t)len, scope == 1};
    return true;
}

static bool cached_id(struct str key, uint64_t *id)
{
    char     text[32] = {0}, *end;
    uint64_t domain, number;

    if (key.len == 0 || key.len >= sizeof(text)) return false;
    memcpy(text, key.data, key.len);
    domain = strtoull(text, &end, 10);
    if (*end != '|' || domain > UINT32_MAX) return false;
    number = strtoull(end + 1, &end, 10);
    *id = domain << 16 | number;
    return *end == '\0' && number >= 256 && number <= UINT16_MAX;
}

static bool load_template(struct netflow_store *s, const struct member *m)
{
    struct netflow_spec specs[NETFLOW_FIELDS_MAX];
    const char         *why;
    uint64_t            id;
    uint32_t            len = m->value.kind == VALUE_LIST ? m->value.as.list->len : 0;

    if (len == 0 || len > NETFLOW_FIELDS_MAX || !cached_id(key_str(m->key), &id)) return false;
    for (uint32_t i = 0; i < len; i++)
        if (!cached_spec(m->value.as.list->items[i], &specs[i])) return false;
    return netflow_store_put(s, id, specs, len, &why);
}

/* The file's content; false when there is none. */
static bool read_cache(struct str path, struct arena *scratch, struct str *text)
{
    FILE *f = fopen(arena_cstr(scratch, path), "re");
    if (!f) return false;

    struct buf b = {0};
    size_t     n;
    while ((n = fread(buf_room(&b, 65536), 1, 65536, f)) > 0 && b.len < CACHE_MAX)
        b.len += n;
    fclose(f);
    *text = arena_copy(scratch, buf_view(&b));
    buf_release(&b);
    return true;
}

void netflow_store_open(struct netflow_store *s, struct arena *scratch)
{
    struct str   text, path = s->cache;
    struct value v;
    bool         good = true;

    pthread_mutex_init(&s->mutex, NULL);
    if (path.len == 0 || !read_cache(path, scratch, &text)) return;
    s->cache = STR(""); /* nothing is written while it is read */
    good = json_decode(scratch, text, NULL, &v, NULL) && v.kind == VALUE_MAP;
    for (uint32_t i = 0; good && i < v.as.map->len; i++)
        good = load_template(s, &v.as.map->members[i]);
    s->cache = path;
    if (!good)
        log_warn("codec.netflow", "a template cache is broken; new templates will replace it",
                 LOG_STR("path", path));
}

void netflow_store_close(struct netflow_store *s)
{
    for (int i = 0; i < NETFLOW_BUCKETS; i++)
        while (s->buckets[i])
            take_out(s, &s->buckets[i]);
    pthread_mutex_destroy(&s->mutex);
}

bool netflow_store_put(struct netflow_store *s, uint64_t id, const struct netflow_spec *specs,
                       uint32_t len, const char **why)
{
    struct netflow_template **at = place(s, id), *old = *at, *t;
    int64_t                   expires = clock_monotonic_ns() + s->ttl_ns;

    if (old && same(old, specs, len)) {
        old->expires_ns = expires;
        return true;
    }
    if (old) take_out(s, at);
    if (len > 0) {
        if (s->len >= NETFLOW_TEMPLATES_MAX) take_out_expired(s);
        *why = "too many templates";
        if (s->len >= NETFLOW_TEMPLATES_MAX) return false;
        t = template_new(s, id, specs, len);
        *why = "a template of records without a length";
        if (t->shortest == 0) {
            free(t->specs);
            free(t);
            return false;
        }
        t->expires_ns = expires;
        at = place(s, id);
        *at = t;
        s->len++;
    }
    if (s->cache.len > 0) save_cache(s);
    return true;
}
