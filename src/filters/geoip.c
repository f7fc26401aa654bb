/*
 * geoip: says where addresses are, by a database in MaxMind's format.
 *
 * Source: logstash-filter-geoip, lib/logstash/filters/geoip.rb, GeoIPFilter.java, Field.java,
 * Database.java.
 * Threads: each worker keeps the version of the database that it has (base/versions); one of them
 * opens the file again when it has changed, while the others go on.
 */
#include <stdlib.h>
#include <strings.h>

#include "base/fatal.h"
#include "base/file.h"
#include "base/versions.h"
#include "plugin/failure.h"
#include "text/mmdb.h"
#include "text/rubytext.h"

static const char *const database_types[] = {"City", "ASN", NULL};

/* How a field is made from a record. */
enum kind { KIND_VALUE, KIND_FLAG, KIND_IP, KIND_REGION, KIND_LOCATION, KIND_NETWORK };

enum { PATH_MAX_LEN = 5 };

/* Every field there is; `flat` ones lie at the top of a record, or in "traits" of Enterprise's. */
static const struct geo_field {
    const char *name, *ecs, *legacy; /* `ecs` NULL: not with ECS names */
    enum kind   kind;
    bool        flat;
    const char *path[PATH_MAX_LEN];
} geo_fields[] = {
    {"autonomous_system_number",
     "[as][number]",
     "[asn]",
     KIND_VALUE,
     true,
     {"autonomous_system_number"}},
    {"autonomous_system_organization",
     "[as][organization][name]",
     "[as_org]",
     KIND_VALUE,
     true,
     {"autonomous_system_organization"}},
    {"city_name", "[geo][city_name]", "[city_name]", KIND_VALUE, false, {"city", "names", "en"}},
    {"country_name",
     "[geo][country_name]",
     "[country_name]",
     KIND_VALUE,
     false,
     {"country", "names", "en"}},
    {"continent_code",
     "[geo][continent_code]",
     "[continent_code]",
     KIND_VALUE,
     false,
     {"continent", "code"}},
    {"continent_name",
     "[geo][continent_name]",
     "[continent_name]",
     KIND_VALUE,
     false,
     {"continent", "names", "en"}},
    {"country_code2",
     "[geo][country_iso_code]",
     "[country_code2]",
     KIND_VALUE,
     false,
     {"country", "iso_code"}},
    {"country_code3", NULL, "[country_code3]", KIND_VALUE, false, {"country", "iso_code"}},
    {"domain", "[domain]", "[domain]", KIND_VALUE, true, {"domain"}},
    {"ip", "[ip]", "[ip]", KIND_IP, false, {NULL}},
    {"isp", "[mmdb][isp]", "[isp]", KIND_VALUE, true, {"isp"}},
    {"postal_code", "[geo][postal_code]", "[postal_code]", KIND_VALUE, false, {"postal", "code"}},
    {"dma_code", "[mmdb][dma_code]", "[dma_code]", KIND_VALUE, false, {"location", "metro_code"}},
    {"region_name",
     "[geo][region_name]",
     "[region_name]",
     KIND_VALUE,
     false,
     {"subdivisions", "-1", "names", "en"}},
    {"region_code",
     "[geo][region_code]",
     "[region_code]",
     KIND_VALUE,
     false,
     {"subdivisions", "-1", "iso_code"}},
    {"region_iso_code",
     "[geo][region_iso_code]",
     "[region_iso_code]",
     KIND_REGION,
     false,
     {"subdivisions", "-1", "iso_code"}},
    {"timezone", "[geo][timezone]", "[timezone]", KIND_VALUE, false, {"location", "time_zone"}},
    {"location", "[geo][location]", "[location]", KIND_LOCATION, false, {"location", "latitude"}},
    {"latitude", "[geo][location][lat]", "[latitude]", KIND_VALUE, false, {"location", "latitude"}},
    {"longitude",
     "[geo][location][lon]",
     "[longitude]",
     KIND_VALUE,
     false,
     {"location", "longitude"}},
    {"organization", "[mmdb][organization]", "[organization]", KIND_VALUE, true, {"organization"}},
    {"network", "[ip_traits][network]", "[network]", KIND_NETWORK, false, {NULL}},
    {"hosting_provider",
     "[ip_traits][hosting_provider]",
     "[hosting_provider]",
     KIND_FLAG,
     true,
     {"is_hosting_provider"}},
    {"tor_exit_node",
     "[ip_traits][tor_exit_node]",
     "[tor_exit_node]",
     KIND_FLAG,
     true,
     {"is_tor_exit_node"}},
    {"anonymous_vpn",
     "[ip_traits][anonymous_vpn]",
     "[anonymous_vpn]",
     KIND_FLAG,
     true,
     {"is_anonymous_vpn"}},
    {"anonymous", "[ip_traits][anonymous]", "[anonymous]", KIND_FLAG, true, {"is_anonymous"}},
    {"public_proxy",
     "[ip_traits][public_proxy]",
     "[public_proxy]",
     KIND_FLAG,
     true,
     {"is_public_proxy"}},
    {"residential_proxy",
     "[ip_traits][residential_proxy]",
     "[residential_proxy]",
     KIND_FLAG,
     true,
     {"is_residential_proxy"}},
};
enum { GEO_FIELDS = sizeof(geo_fields) / sizeof(geo_fields[0]) };

/* What a database holds is told by its type; `fields` are those set unless others are asked for,
   with a blank on both sides of each. */
static const struct geo_type {
    const char *part; /* of the type's name */
    bool        needs_location, traits;
    const char *fields, *ecs_fields;
} geo_types[] = {
#define CITY_FIELDS                                                                                \
    " ip city_name continent_code country_name country_code2 country_code3 postal_code dma_code "  \
    "region_name timezone location latitude longitude "
    {"City", true, false, CITY_FIELDS " region_code ", CITY_FIELDS " region_iso_code "},
#undef CITY_FIELDS
    {"Country", false, false, " ip country_code2 country_name continent_name ", NULL},
    {"GeoIP2-Domain", false, false, " domain ", NULL},
    {"GeoLite2-ASN", false, false, " ip autonomous_system_number autonomous_system_organization ",
     NULL},
    {"GeoIP2-ISP", false, false,
     " ip autonomous_system_number autonomous_system_organization isp organization ", NULL},
    {"Enterprise", false, true,
     " ip country_code2 country_name continent_name region_iso_code region_name city_name "
     "location ",
     NULL},
    {"GeoIP2-Anonymous-IP", false, false,
     " hosting_provider tor_exit_node anonymous_vpn anonymous public_proxy residential_proxy ",
     NULL},
};

/* The file, and the version of it that is in use. */
struct geo_file {
    struct versions  versions; /* struct geo_database */
    _Atomic int64_t  next_ns;
    struct file_mark mark; /* of what was opened last; used by the worker whose turn it is */
    _Atomic bool     opening;
};

struct geo_database {
    struct mmdb           *mmdb;
    const struct geo_type *type; /* NULL: the record goes to the target as it is */
    bool                   wanted[GEO_FIELDS];
};

struct geoip {
    int                 ecs_compatibility, default_database_type;
    int64_t             cache_size;
    struct str          database;
    struct duration     refresh_interval;
    struct strings      fields, tag_on_failure;
    const struct field *source, *target;

    const struct field *places[GEO_FIELDS]; /* NULL: never set */
    struct geo_file    *file;
};

static const struct option geoip_options[] = {
    OPT(struct geoip, OPT_INT, cache_size, .preset = "1000", .min = 1, .max = INT64_MAX,
        .no_effect = "the whole database is in memory", .doc = "How many addresses are kept."),
    OPT(struct geoip, OPT_PATH, database,
        .doc = "The database, in MaxMind's format (.mmdb), such as GeoLite2-City.mmdb as "
               "geoipupdate fetches it. Required: none comes with lsc. City, Country, ASN, ISP, "
               "Domain, Anonymous-IP and Enterprise databases give the fields of Logstash, others "
               "their own records."),
    OPT(struct geoip, OPT_ENUM, default_database_type, .preset = "City", .choices = database_types,
        .no_effect = "there is no default database: the type is that of the file",
        .doc = "Which of Logstash's own databases is used."),
    OPT(struct geoip, OPT_ECS, ecs_compatibility,
        .doc = "Names of the fields: such as [geoip][city_name] and [geoip][asn] when disabled, "
               "else [client][geo][city_name] and [client][as][number] for the source "
               "[client][ip]. Follows pipeline.ecs_compatibility unless given."),
    OPT(struct geoip, OPT_STRINGS, fields, .preset = "[]",
        .doc = "The fields to set, such as city_name, in any case: by default those that belong "
               "to the type of the database. Of other databases than Logstash knows: members of "
               "the record, by default all."),
    OPT(struct geoip, OPT_SECONDS, refresh_interval, .preset = "10",
        .doc = "How often, in seconds, it is checked whether the file of the database has "
               "changed; it is then opened again. When that fails the old one stays. Logstash "
               "has no such setting."),
    OPT(struct geoip, OPT_FIELD, source, .required = true,
        .doc = "The field with the address, IPv4 or IPv6; of a list the first item counts. Host "
               "names are not looked up."),
    OPT(struct geoip, OPT_STRINGS, tag_on_failure, .preset = "_geoip_lookup_failure",
        .doc = "Tags of events whose source is no address, or one that is not in the database."),
    OPT(struct geoip, OPT_FIELD, target,
        .doc = "The field below which the result goes: [geoip] by default. With ECS names what "
               "stands before [ip] in the source; required when that does not end in [ip]."),
    OPT_END,
};

/* ---- opening ---- */

static bool has_word(const char *list, const char *word)
{
    const char *at = strstr(list, word);
    size_t      len = strlen(word);

    while (at && !(at[-1] == ' ' && at[len] == ' '))
        at = strstr(at + 1, word);
    return at != NULL;
}

static void free_database(void *database)
{
    struct geo_database *db = database;

    mmdb_close(db->mmdb);
    free(db);
}

static const struct geo_type *type_of(struct str name)
{
    for (size_t i = 0; i < sizeof(geo_types) / sizeof(geo_types[0]); i++) {
        if (str_find(name, str_of(geo_types[i].part)) >= 0) return &geo_types[i];
    }
    return NULL;
}

static bool is_named(struct str name, const char *field)
{
    return name.len == strlen(field) && strncasecmp(name.data, field, name.len) == 0;
}

/* NULL after filling `error`. */
static struct geo_database *open_database(const struct geoip *g, char *error, size_t error_size)
{
    struct mmdb *mmdb = mmdb_open(g->database.data, error, error_size);

    if (!mmdb) return NULL;
    struct geo_database *db = xcalloc(1, sizeof(*db));
    db->mmdb = mmdb;
    db->type = type_of(mmdb_type(mmdb));
    if (!db->type) return db;
    bool        ecs = g->ecs_compatibility != ECS_DISABLED;
    const char *preset = ecs && db->type->ecs_fields ? db->type->ecs_fields : db->type->fields;
    for (uint32_t i = 0; i < GEO_FIELDS; i++) {
        db->wanted[i] = g->fields.len == 0 && has_word(preset, geo_fields[i].name);
        for (uint32_t j = 0; j < g->fields.len; j++)
            db->wanted[i] |= is_named(g->fields.at[j], geo_fields[i].name);
    }
    return db;
}

static bool check_fields(const struct geoip *g, const struct geo_database *db,
                         struct plugin_open *cx)
{
    for (uint32_t j = 0; db->type && j < g->fields.len; j++) {
        bool known = false;
        for (uint32_t i = 0; i < GEO_FIELDS; i++)
            known |= is_named(g->fields.at[j], geo_fields[i].name);
        if (!known)
            return plugin_error(cx, "fields", "\"%.*s\" is not a field of geoip",
                                STR_ARG(g->fields.at[j]));
    }
    return true;
}

static bool open_target(struct geoip *g, struct plugin_open *cx)
{
    bool       ecs = g->ecs_compatibility != ECS_DISABLED;
    struct str target = g->target ? g->target->text : STR("[geoip]"), source = g->source->text;

    if (ecs && !g->target) {
        if (!str_ends(source, STR("[ip]")) || source.len == 4)
            return plugin_error(cx, NULL,
                                "geoip needs the setting \"target\" with ECS names, as the "
                                "source does not end in [ip]");
        target = (struct str){source.data, source.len - 4};
    }
    if (target.data[0] != '[') target = arena_printf(cx->arena, "[%.*s]", STR_ARG(target));
    g->target = field_parse(cx->arena, target, NULL, NULL);
    for (uint32_t i = 0; i < GEO_FIELDS; i++) {
        const char *name = ecs ? geo_fields[i].ecs : geo_fields[i].legacy;
        if (!name) continue;
        struct str text = arena_printf(cx->arena, "%.*s%s", STR_ARG(target), name);
        g->places[i] = field_parse(cx->arena, text, NULL, NULL);
    }
    return true;
}

static bool geoip_open(void *self, struct plugin_open *cx)
{
    struct geoip *g = self;
    char          error[200];

    if (!open_target(g, cx)) return false;
    if (!g->database.data)
        return plugin_error(cx, NULL,
                            "geoip needs the setting \"database\": no database comes with lsc; "
                            "MaxMind's geoipupdate fetches GeoLite2-City.mmdb");
    g->database.data = arena_cstr(cx->arena, g->database);
    struct file_mark mark = {0};
    file_mark_of(g->database.data, &mark);
    struct geo_database *db = open_database(g, error, sizeof(error));
    if (!db)
        return plugin_error(cx, "database", "cannot use \"%.*s\": %s", STR_ARG(g->database), error);
    if (!check_fields(g, db, cx)) {
        free_database(db);
        return false;
    }
    g->file = xcalloc(1, sizeof(*g->file));
    g->file->mark = mark;
    g->file->next_ns = clock_monotonic_ns() + g->refresh_interval.ns;
    versions_init(&g->file->versions, free_database);
    versions_put(&g->file->versions, db);
    return true;
}

static void geoip_close(void *self)
{
    struct geoip *g = self;

    versions_release(&g->file->versions);
    free(g->file);
}

/* ---- a file that changes ---- */

static void open_again(const struct geoip *g)
{
    struct geo_file *f = g->file;
    struct file_mark mark;
    char             error[200];

    if (!file_mark_of(g->database.data, &mark) || file_mark_eq(&mark, &f->mark)) return;
    f->mark = mark;
    struct geo_database *db = open_database(g, error, sizeof(error));
    if (!db) {
        log_error("filter.geoip", "cannot open the new database; the old one stays",
                  LOG_STR("path", g->database), LOG_CSTR("reason", error));
        return;
    }
    versions_put(&f->versions, db);
    log_info("filter.geoip", "opened the new database", LOG_STR("path", g->database));
}

static const struct geo_database *current(const struct geoip *g, struct filter_context *cx)
{
    struct geo_file *f = g->file;

    if (file_turn(&f->next_ns, g->refresh_interval.ns) && !atomic_exchange(&f->opening, true)) {
        open_again(g);
        atomic_store(&f->opening, false);
    }
    return versions_get(&f->versions, cx->state);
}

/* ---- running ---- */

/* As Java's getHostAddress() prints it: all eight groups of IPv6, none filled up. */
static struct value host_address(const struct ip *ip, struct arena *a)
{
    if (!ip->v6) return value_string(ip_text(a, ip));
    unsigned g[8];
    for (int i = 0; i < 8; i++)
        g[i] = (unsigned)((i < 4 ? ip->high : ip->low) >> (48 - 16 * (i % 4)) & 0xFFFF);
    return value_string(
        arena_printf(a, "%x:%x:%x:%x:%x:%x:%x:%x", g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7]));
}

static struct value get(const struct geo_database *db, const struct mmdb_record *r,
                        const struct geo_field *f, struct arena *a)
{
    const char *path[PATH_MAX_LEN + 2] = {"traits"};
    bool        below = f->flat && db->type->traits;

    memcpy(path + below, f->path, sizeof(f->path));
    path[PATH_MAX_LEN + below] = NULL;
    return mmdb_get(r, path, a);
}

static struct value location(const struct mmdb_record *r, struct arena *a)
{
    static const char *const lat_path[] = {"location", "latitude", NULL};
    static const char *const lon_path[] = {"location", "longitude", NULL};
    struct value             lat = mmdb_get(r, lat_path, a), lon = mmdb_get(r, lon_path, a);

    if (lat.kind == VALUE_NULL || lon.kind == VALUE_NULL) return value_null();
    struct map *m = map_new(a, 2);
    *map_append(m, a, key_make(STR("lat"))) = lat;
    *map_append(m, a, key_make(STR("lon"))) = lon;
    return value_map(m);
}

static struct value region(const struct mmdb_record *r, struct value code, struct arena *a)
{
    static const char *const path[] = {"country", "iso_code", NULL};
    struct value             country = mmdb_get(r, path, a);

    if (country.kind != VALUE_STRING || code.kind != VALUE_STRING) return value_null();
    return value_string(
        arena_printf(a, "%.*s-%.*s", STR_ARG(value_str(country)), STR_ARG(value_str(code))));
}

static struct value make(const struct geo_database *db, const struct mmdb_record *r,
                         const struct geo_field *f, const struct ip *ip, struct arena *a)
{
    struct value v;
    struct ip    network = *ip;

    switch (f->kind) {
    case KIND_IP:
        return host_address(ip, a);
    case KIND_NETWORK:
        if (!ip_mask(&network, r->prefix)) return value_null();
        return value_string(arena_printf(a, "%.*s/%d", STR_ARG(ip_text(a, &network)), r->prefix));
    case KIND_LOCATION:
        return location(r, a);
    case KIND_REGION:
        return region(r, get(db, r, f, a), a);
    case KIND_FLAG:
        v = get(db, r, f, a);
        return value_bool(v.kind == VALUE_BOOL && v.as.b);
    case KIND_VALUE:
        break;
    }
    return get(db, r, f, a);
}

/* The members that are asked for, of a record that Logstash does not know. */
static bool set_own(const struct geoip *g, const struct mmdb_record *r, struct event *ev)
{
    struct value all = mmdb_all(r, ev->arena);

    if (all.kind == VALUE_NULL) return false;
    if (all.kind != VALUE_MAP || g->fields.len == 0) return event_set(ev, g->target, all);
    struct map *some = map_new(ev->arena, g->fields.len);
    for (uint32_t i = 0; i < g->fields.len; i++) {
        const struct value *v = map_get(all.as.map, key_make(g->fields.at[i]));
        if (v) *map_add(some, ev->arena, key_make(g->fields.at[i])) = *v;
    }
    return event_set(ev, g->target, value_map(some));
}

static bool set_known(const struct geoip *g, const struct geo_database *db,
                      const struct mmdb_record *r, const struct ip *ip, struct event *ev)
{
    static const char *const lat[] = {"location", "latitude", NULL};
    static const char *const lon[] = {"location", "longitude", NULL};
    bool                     any = false;

    if (db->type->needs_location && mmdb_get(r, lat, ev->arena).kind == VALUE_NULL &&
        mmdb_get(r, lon, ev->arena).kind == VALUE_NULL)
        return false;
    for (uint32_t i = 0; i < GEO_FIELDS; i++) {
        if (!db->wanted[i]) continue;
        struct value v = make(db, r, &geo_fields[i], ip, ev->arena);
        if (v.kind == VALUE_NULL) continue;
        any = true;
        if (g->places[i] && !event_set(ev, g->places[i], v)) return false;
    }
    return any;
}

static bool is_there(const struct event *ev, const struct field *f)
{
    const struct value *v = event_get(ev, f);

    return v && v->kind != VALUE_NULL;
}

/* False: nothing is known about the address; then the target is at least an empty map. */
static bool look(const struct geoip *g, struct str text, struct event *ev,
                 struct filter_context *cx)
{
    const struct geo_database *db = current(g, cx);
    struct mmdb_record         r;
    struct ip                  ip;
    bool                       found = ip_parse(text, &ip) && mmdb_look(db->mmdb, &ip, &r);

    if (!is_there(ev, g->target) && !event_set(ev, g->target, value_map(map_new(ev->arena, 0))))
        return false;
    if (!found) return false;
    return db->type ? set_known(g, db, &r, &ip, ev) : set_own(g, &r, ev);
}

static enum verdict geoip_run(const void *self, struct event *ev, struct filter_context *cx)
{
    const struct geoip *g = self;
    const struct value *v = event_get(ev, g->source);

    if (v && v->kind == VALUE_LIST) v = v->as.list->len ? &v->as.list->items[0] : NULL;
    if (v && v->kind == VALUE_STRING && ruby_strip(value_str(*v)).len &&
        look(g, value_str(*v), ev, cx))
        return FILTER_MATCH;
    ++*cx->failures; /* usual for private addresses, so nothing is logged */
    event_tag_all(ev, &g->tag_on_failure);
    return FILTER_PASS;
}

const struct plugin filter_geoip = {
    .kind = PLUGIN_FILTER,
    .name = "geoip",
    .summary = "Says where addresses are.",
    .size = sizeof(struct geoip),
    .options = geoip_options,
    .open = geoip_open,
    .close = geoip_close,
    .filter = {.run = geoip_run, .worker_size = sizeof(struct version_reader)},
};
