/*
 * What the fields of netflow 9 and IPFIX are: those that are built in, and those of files.
 *
 * Source: logstash-codec-netflow, docs/index.asciidoc, netflow_definitions and ipfix_definitions;
 * RFC 5103, section 6.1, for reversed fields.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "codecs/netflow.h"
#include "text/yaml.h"

enum { REVERSED = 29305 /* the enterprise of reversed fields */, FILE_MAX = 16 * 1024 * 1024 };

struct builtin {
    uint16_t    field;
    uint8_t     type;
    const char *name; /* NULL: skipped */
};

struct vendor_field {
    uint16_t    enterprise, field;
    uint8_t     type;
    const char *name;
};

#include "codecs/netflow_fields.def"
#include "codecs/netflow_vendors.def"

#define LEN(table) (sizeof(table) / sizeof((table)[0]))

static const struct builtin *find_builtin(const struct builtin *table, size_t len, uint16_t field)
{
    size_t low = 0;

    while (low < len) {
        size_t middle = low + (len - low) / 2;
        if (table[middle].field == field) return &table[middle];
        if (table[middle].field < field)
            low = middle + 1;
        else
            len = middle;
    }
    return NULL;
}

static const struct vendor_field *find_vendor(uint32_t enterprise, uint16_t field)
{
    uint64_t id = (uint64_t)enterprise << 16 | field;
    size_t   low = 0, high = LEN(vendor_fields);

    while (low < high) {
        size_t   middle = low + (high - low) / 2;
        uint64_t there =
            (uint64_t)vendor_fields[middle].enterprise << 16 | vendor_fields[middle].field;
        if (there == id) return &vendor_fields[middle];
        if (there < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const struct netflow_definition *find_own(const struct netflow_definitions *d, uint64_t id)
{
    uint32_t low = 0, high = d->len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (d->at[middle].id == id) return &d->at[middle];
        if (d->at[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool define(struct netflow_definition *out, uint8_t type, const char *name)
{
    out->type = type;
    out->name = key_make(name ? str_of(name) : STR(""));
    return true;
}

bool netflow_find(const struct netflow_definitions *d, bool v9, uint32_t enterprise, uint16_t field,
                  struct netflow_definition *out)
{
    const struct netflow_definition *own = find_own(d, (uint64_t)enterprise << 16 | field);
    const struct builtin            *b = NULL;

    if (own) {
        *out = *own;
        return true;
    }
    out->id = (uint64_t)enterprise << 16 | field;
    if (enterprise != 0) {
        const struct vendor_field *v = find_vendor(enterprise, field);
        return v && define(out, v->type, v->name);
    }
    if (v9) b = find_builtin(v9_fields, LEN(v9_fields), field);
    if (!b) b = find_builtin(ipfix_fields, LEN(ipfix_fields), field);
    return b && define(out, b->type, b->name);
}

/* ---- files ---- */

static const struct {
    const char       *name;
    enum netflow_type type;
} type_names[] = {
    {"ip4_addr", NETFLOW_IP4},
    {"ip6_addr", NETFLOW_IP6},
    {"mac_addr", NETFLOW_MAC},
    {"string", NETFLOW_STRING},
    {"octetarray", NETFLOW_OCTETS},
    {"double", NETFLOW_FLOAT},
    {"skip", NETFLOW_SKIP},
    {"forwarding_status", NETFLOW_FORWARDING},
    {"application_id", NETFLOW_APPLICATION},
    {"mpls_label_stack_octets", NETFLOW_MPLS},
    {"acl_id_asa", NETFLOW_ACL},
};

/* A symbol of Ruby: with a colon before it. */
static struct str symbol(struct value v)
{
    struct str s = v.kind == VALUE_STRING ? value_str(v) : STR("");

    if (str_starts(s, STR(":"))) s = str_from(s, 1);
    while (s.len > 0 && s.data[s.len - 1] == ' ')
        s.len--;
    return s;
}

/* A length in bytes, or the name of a type. */
static bool read_type(struct value v, enum netflow_type *type)
{
    struct str s = symbol(v);

    *type = str_starts(s, STR("int"))     ? NETFLOW_INT
            : str_starts(s, STR("float")) ? NETFLOW_FLOAT
                                          : NETFLOW_UINT;
    if (v.kind == VALUE_INT || str_starts(s, STR("uint")) || *type != NETFLOW_UINT) return true;
    for (size_t i = 0; i < LEN(type_names); i++)
        if (str_is(s, type_names[i].name)) {
            *type = type_names[i].type;
            return true;
        }
    return false;
}

/* The times of which version 9 and IPFIX make dates, by their names: as in Logstash. */
static void name_type(struct str name, struct netflow_definition *d)
{
    if (d->type == NETFLOW_UINT && str_ends(name, STR("_switched"))) d->type = NETFLOW_UPTIME;
    if (d->type != NETFLOW_UINT) return;
    if (str_is(name, "flowStartSeconds") || str_is(name, "flowEndSeconds"))
        d->type = NETFLOW_SECONDS;
    if (str_is(name, "flowStartMilliseconds") || str_is(name, "flowEndMilliseconds"))
        d->type = NETFLOW_MILLISECONDS;
    if (str_is(name, "flowStartMicroseconds") || str_is(name, "flowEndMicroseconds") ||
        str_is(name, "flowStartNanoseconds") || str_is(name, "flowEndNanoseconds"))
        d->type = NETFLOW_NTP;
}

static bool read_definition(struct netflow_definition *d, uint64_t id, struct value v)
{
    const struct list *l = v.kind == VALUE_LIST ? v.as.list : NULL;

    d->id = id;
    if (!l || l->len == 0 || !read_type(l->items[0], &d->type)) return false;
    struct str name = l->len > 1 ? symbol(l->items[1]) : STR("");
    if (name.len == 0 && d->type != NETFLOW_SKIP) return false;
    d->name = key_make(name);
    name_type(name, d);
    return true;
}

static bool read_number(struct str text, uint64_t max, uint64_t *number)
{
    int64_t i;

    if (!option_int(text, &i) || i < 0 || (uint64_t)i > max) return false;
    *number = (uint64_t)i;
    return true;
}

/* The fields of one enterprise, appended to `d`, which has room. */
static bool read_fields(struct netflow_definitions *d, uint64_t enterprise, const struct map *m)
{
    for (uint32_t i = 0; i < m->len; i++) {
        uint64_t field;
        if (!read_number(key_str(m->members[i].key), UINT16_MAX, &field)) return false;
        if (!read_definition(&d->at[d->len], enterprise << 16 | field, m->members[i].value))
            return false;
        d->len++;
    }
    return true;
}

static uint32_t count_fields(const struct map *m, bool enterprises)
{
    uint32_t n = 0;

    if (!enterprises) return m->len;
    for (uint32_t i = 0; i < m->len; i++)
        if (m->members[i].value.kind == VALUE_MAP) n += m->members[i].value.as.map->len;
    return n;
}

static bool read_document(struct netflow_definitions *d, const struct map *m, bool enterprises)
{
    if (!enterprises) return read_fields(d, 0, m);
    for (uint32_t i = 0; i < m->len; i++) {
        uint64_t     enterprise;
        struct value v = m->members[i].value;
        if (!read_number(key_str(m->members[i].key), UINT32_MAX, &enterprise) ||
            v.kind != VALUE_MAP || !read_fields(d, enterprise, v.as.map))
            return false;
    }
    return true;
}

static bool read_file(struct plugin_open *cx, struct str path, const char *setting,
                      struct str *text)
{
    FILE *f = fopen(arena_cstr(cx->arena, path), "re");
    if (!f)
        return plugin_error(cx, setting, "cannot read \"%.*s\": %s", STR_ARG(path),
                            strerror(errno));
    char  *bytes = xmalloc(FILE_MAX);
    size_t len = fread(bytes, 1, FILE_MAX, f);
    bool   good = !ferror(f) && len < FILE_MAX;
    fclose(f);
    *text = arena_copy(cx->arena, (struct str){bytes, len});
    free(bytes);
    return good || plugin_error(cx, setting, "\"%.*s\" cannot be read or is larger than 16 MiB",
                                STR_ARG(path));
}

static bool is_own(const struct netflow_definitions *d, uint32_t own, uint64_t id)
{
    for (uint32_t i = 0; i < own; i++)
        if (d->at[i].id == id) return true;
    return false;
}

/* "octetDeltaCount" seen from the other end is "reverseOctetDeltaCount". */
static void add_reversed(struct netflow_definitions *d, struct arena *a)
{
    uint32_t own = d->len;

    for (size_t i = 0; i < LEN(ipfix_fields); i++) {
        const struct builtin *b = &ipfix_fields[i];
        if (is_own(d, own, (uint64_t)REVERSED << 16 | b->field)) continue;
        struct str name = arena_printf(a, "reverse%s", b->name);
        char      *capital = (char *)(uintptr_t)name.data + strlen("reverse");
        if (*capital >= 'a' && *capital <= 'z') *capital = (char)(*capital - 'a' + 'A');
        bool dated = b->type == NETFLOW_SECONDS || b->type == NETFLOW_MILLISECONDS ||
                     b->type == NETFLOW_NTP; /* only the fields themselves become dates */
        d->at[d->len++] = (struct netflow_definition){
            .id = (uint64_t)REVERSED << 16 | b->field,
            .type = dated ? NETFLOW_UINT : (enum netflow_type)b->type,
            .name = key_make(name),
        };
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = ((const struct netflow_definition *)a)->id;
    uint64_t y = ((const struct netflow_definition *)b)->id;

    return x < y ? -1 : x > y;
}

bool netflow_definitions_open(struct netflow_definitions *d, struct str path, const char *setting,
                              bool enterprises, struct plugin_open *cx)
{
    struct value        v = value_map(map_new(cx->arena, 0));
    struct yaml_problem problem;
    struct str          text = STR("");

    if (path.len > 0) {
        if (!read_file(cx, path, setting, &text)) return false;
        if (!yaml_read(cx->arena, text, &v, &problem))
            return plugin_error(cx, setting, "\"%.*s\":%zu: %s", STR_ARG(path), problem.line,
                                problem.message);
        if (v.kind == VALUE_NULL) v = value_map(map_new(cx->arena, 0));
    }
    uint32_t own = v.kind == VALUE_MAP ? count_fields(v.as.map, enterprises) : 0;
    d->at = arena_zalloc(cx->arena, (own + LEN(ipfix_fields)) * sizeof(*d->at));
    if (v.kind != VALUE_MAP || !read_document(d, v.as.map, enterprises))
        return plugin_error(cx, setting,
                            "\"%.*s\" is no map of fields: each is a number with a list of a type "
                            "or length, and a name",
                            STR_ARG(path));
    if (enterprises) add_reversed(d, cx->arena);
    qsort(d->at, d->len, sizeof(*d->at), compare);
    return true;
}
