/*
 * How the values of collectd's types are called.
 *
 * Source: collectd 5.12, types.db and types.db(5).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "codecs/collectd.h"

/* The types of collectd's own types.db that have more than one value; a single one has no name. */
static const struct {
    const char *type, *names; /* names: with a blank between them */
} builtin[] = {
    {"arc_counts", "demand_data demand_metadata prefetch_data prefetch_metadata"},
    {"arc_l2_bytes", "read write"},
    {"arc_size", "current target minlimit maxlimit"},
    {"compression", "uncompressed compressed"},
    {"df", "used free"},
    {"disk_io_time", "io_time weighted_io_time"},
    {"disk_latency", "read write"},
    {"disk_merged", "read write"},
    {"disk_octets", "read write"},
    {"disk_ops", "read write"},
    {"disk_time", "read write"},
    {"dns_octets", "queries responses"},
    {"domain_state", "state reason"},
    {"if_dropped", "rx tx"},
    {"if_errors", "rx tx"},
    {"if_octets", "rx tx"},
    {"if_packets", "rx tx"},
    {"io_octets", "rx tx"},
    {"io_ops", "read write"},
    {"io_packets", "rx tx"},
    {"load", "shortterm midterm longterm"},
    {"memcached_octets", "rx tx"},
    {"mysql_octets", "rx tx"},
    {"mysql_qcache", "hits inserts not_cached lowmem_prunes queries_in_cache"},
    {"mysql_threads", "running connected cached created"},
    {"node_octets", "rx tx"},
    {"ps_count", "processes threads"},
    {"ps_cputime", "user syst"},
    {"ps_disk_octets", "read write"},
    {"ps_disk_ops", "read write"},
    {"ps_pagefaults", "minflt majflt"},
    {"serial_octets", "rx tx"},
    {"smart_attribute", "current worst threshold pretty"},
    {"vf_bytes", "vf_rx vf_tx"},
    {"vf_dropped", "vf_rx vf_tx"},
    {"vf_packets", "vf_rx vf_tx"},
    {"vmpage_faults", "minflt majflt"},
    {"vmpage_io", "in out"},
    {"voltage_threshold", "value threshold"},
};

/* The word at the start of `s`, which loses it and the blanks around it. */
static struct str word(struct str *s)
{
    size_t from = 0, to;

    while (from < s->len && strchr(" \t\r\n", s->data[from]))
        from++;
    for (to = from; to < s->len && !strchr(" \t\r\n", s->data[to]);)
        to++;
    struct str w = {s->data + from, to - from};
    *s = str_from(*s, to);
    return w;
}

/* "if_octets  rx:DERIVE:0:U, tx:DERIVE:0:U" */
static void read_line(struct map *types, struct arena *a, struct str line)
{
    struct str   type = word(&line), source;
    struct list *l = list_new(a, 2);

    if (type.len == 0 || type.data[0] == '#') return;
    while ((source = word(&line)).len > 0) {
        ptrdiff_t colon = str_find(source, STR(":"));
        if (colon >= 0) source.len = (size_t)colon;
        list_push(l, a, value_string(arena_copy(a, source)));
    }
    *map_add(types, a, key_make(arena_copy(a, type))) = value_list(l);
}

bool collectd_types_open(struct collectd_types *t, const struct strings *paths,
                         struct plugin_open *cx)
{
    char  *line = NULL;
    size_t cap = 0;

    if (paths->len > 0) t->files = map_new(cx->arena, 512);
    for (uint32_t i = 0; i < paths->len; i++) {
        FILE   *f = fopen(arena_cstr(cx->arena, paths->at[i]), "re");
        ssize_t len;
        if (!f) {
            free(line);
            return plugin_error(cx, "typesdb", "cannot read \"%.*s\": %s", STR_ARG(paths->at[i]),
                                strerror(errno));
        }
        while ((len = getline(&line, &cap, f)) >= 0)
            read_line(t->files, cx->arena, (struct str){line, (size_t)len});
        fclose(f);
    }
    free(line);
    return true;
}

/* Word `i` of `names`, when there are `n` of them. */
static struct str name_at(struct str names_of, uint32_t i, uint32_t n)
{
    struct str name = STR("");

    for (uint32_t at = 0; at < n; at++) {
        struct str w = word(&names_of);
        if (w.len == 0) return STR("");
        if (at == i) name = w;
    }
    return name;
}

struct str collectd_types_name(const struct collectd_types *t, struct str type, uint32_t i,
                               uint32_t n)
{
    const struct value *l = t->files ? map_get(t->files, key_make(type)) : NULL;

    if (l) return i < l->as.list->len ? value_str(l->as.list->items[i]) : STR("");
    for (size_t b = 0; b < sizeof(builtin) / sizeof(builtin[0]); b++)
        if (str_is(type, builtin[b].type)) return name_at(str_of(builtin[b].names), i, n);
    return STR("");
}
