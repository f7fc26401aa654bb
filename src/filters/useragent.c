/*
 * useragent: takes user agents apart: program, operating system, device.
 *
 * Source: logstash-filter-useragent, lib/logstash/filters/useragent.rb.
 * Threads: the regexes are constant; each worker has a cache of its own (base/owned).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "base/file.h"
#include "base/owned.h"
#include "base/utf8.h"
#include "plugin/failure.h"
#include "text/recent.h"
#include "text/rubytext.h"
#include "text/uap.h"

#define REGEXES_PATH "/usr/share/uap-core/regexes.yaml"

enum { FILE_MAX = 16 << 20, TEXT_MAX = 8192 /* bytes that are looked at */ };

/* What becomes a field: the parts found, and what is made of them. */
enum {
    WHOLE_VERSION = UAP_PARTS,
    OS_VERSION,
    OS_FULL,
    OS_LEGACY,
    VALUES,
};

struct useragent {
    int                 ecs_compatibility;
    int64_t             lru_cache_size;
    struct str          prefix, regexes;
    const struct field *source, *target;

    const struct field *fields[VALUES]; /* NULL: not set */
    struct uap         *uap;
    struct owned       *caches;
    int64_t             cache_size; /* of one worker */
};

static const struct option useragent_options[] = {
    OPT(struct useragent, OPT_ECS, ecs_compatibility,
        .doc = "Names of the fields: [name], [version], [major], [minor], [patch], [os], "
               "[os_name], [os_version], [os_major], [os_minor], [os_patch], [os_full] and "
               "[device] below target when disabled. Else [name], [version], [os][name], "
               "[os][version], [os][full] and [device][name] there, and the parts of versions "
               "below [@metadata][filter][user_agent]. Follows pipeline.ecs_compatibility unless "
               "given."),
    OPT(struct useragent, OPT_INT, lru_cache_size, .preset = "100000", .min = 1, .max = 100000000,
        .doc = "How many user agents are kept with what was found. The workers share this number: "
               "each has a cache of its part."),
    OPT(struct useragent, OPT_STRING, prefix, .preset = "",
        .doc = "What stands before each name of a field. Has no effect with ECS names."),
    OPT(struct useragent, OPT_PATH, regexes,
        .doc = "A file in the format of uap-core's regexes.yaml, at most 16 MiB. By default "
               "/usr/share/uap-core/regexes.yaml, of Debian's package uap-core."),
    OPT(struct useragent, OPT_FIELD, source, .required = true,
        .doc = "The field with the user agent; of a list the first item counts. The first 8 KiB "
               "of it are looked at."),
    OPT(struct useragent, OPT_FIELD, target,
        .doc = "The field below which the result goes. By default the top of the event, or "
               "[user_agent] with ECS names."),
    OPT_END,
};

/* ---- opening ---- */

struct name {
    const char *legacy, *ecs; /* NULL: none; "@…": below the metadata */
};
static const struct name field_names[VALUES] = {
    [UAP_NAME] = {"name", "[name]"},
    [UAP_MAJOR] = {"major", "@[version][major]"},
    [UAP_MINOR] = {"minor", "@[version][minor]"},
    [UAP_PATCH] = {"patch", "@[version][patch]"},
    [UAP_PATCH_MINOR] = {NULL, NULL},
    [UAP_OS] = {"os_name", "[os][name]"},
    [UAP_OS_MAJOR] = {"os_major", "@[os][version][major]"},
    [UAP_OS_MINOR] = {"os_minor", "@[os][version][minor]"},
    [UAP_OS_PATCH] = {"os_patch", "@[os][version][patch]"},
    [UAP_OS_PATCH_MINOR] = {NULL, NULL},
    [UAP_DEVICE] = {"device", "[device][name]"},
    [WHOLE_VERSION] = {"version", "[version]"},
    [OS_VERSION] = {"os_version", "[os][version]"},
    [OS_FULL] = {"os_full", "[os][full]"},
    [OS_LEGACY] = {"os", NULL},
};

static bool open_fields(struct useragent *u, struct plugin_open *cx)
{
    bool       ecs = u->ecs_compatibility != ECS_DISABLED;
    struct str target = u->target ? u->target->text : ecs ? STR("user_agent") : STR("");

    if (target.len && target.data[0] != '[')
        target = arena_printf(cx->arena, "[%.*s]", STR_ARG(target));
    for (int i = 0; i < VALUES; i++) {
        const struct name *n = &field_names[i];
        const char        *problem;
        struct str         text;
        if (!(ecs ? n->ecs : n->legacy)) continue;
        if (!ecs)
            text = arena_printf(cx->arena, "%.*s[%.*s%s]", STR_ARG(target), STR_ARG(u->prefix),
                                n->legacy);
        else if (n->ecs[0] == '@')
            text = arena_printf(cx->arena, "[@metadata][filter][user_agent]%s", n->ecs + 1);
        else
            text = arena_printf(cx->arena, "%.*s%s", STR_ARG(target), n->ecs);
        u->fields[i] = field_parse(cx->arena, text, &problem, NULL);
        if (!u->fields[i])
            return plugin_error(cx, "prefix", "\"%.*s\" is not a field reference: %s",
                                STR_ARG(text), problem);
    }
    if (ecs && u->prefix.len) plugin_warning(cx, "prefix", "has no effect with ECS names");
    return true;
}

static bool open_regexes(struct useragent *u, struct plugin_open *cx)
{
    const char *path = u->regexes.data ? arena_cstr(cx->arena, u->regexes) : REGEXES_PATH;
    char        error[200];
    size_t      len;
    char       *text = file_read(path, FILE_MAX, &len);

    if (!text && !u->regexes.data && errno == ENOENT)
        return plugin_error(cx, NULL,
                            "useragent needs " REGEXES_PATH ": install the package uap-core, or "
                            "give the setting \"regexes\"");
    if (!text) return plugin_error(cx, "regexes", "cannot read \"%s\": %s", path, strerror(errno));
    u->uap = uap_read((struct str){text, len}, error, sizeof(error));
    free(text);
    return u->uap || plugin_error(cx, "regexes", "cannot use \"%s\": %s", path, error);
}

static bool useragent_open(void *self, struct plugin_open *cx)
{
    struct useragent *u = self;

    if (!open_fields(u, cx) || !open_regexes(u, cx)) return false;
    u->cache_size = u->lru_cache_size / (cx->workers ? cx->workers : 1);
    u->caches = owned_new();
    return true;
}

static void useragent_close(void *self)
{
    struct useragent *u = self;

    owned_free(u->caches);
    uap_free(u->uap);
}

/* ---- versions ---- */

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') return false;
    }
    return s.len > 0 && (s.len == 1 || s.data[0] != '0');
}

/* major, minor, patch and so on as far as they go, the first two joined by `first`. */
static struct str join_version(struct arena *a, const struct str *parts, char first)
{
    size_t max = 8;

    for (int i = 0; i < 4; i++)
        max += parts[i].len;
    char  *out = arena_alloc(a, max);
    size_t len = 0;
    for (int i = 0; i < 4 && parts[i].data; i++) {
        if (i) out[len++] = i == 1 ? first : '.';
        memcpy(out + len, parts[i].data, parts[i].len);
        len += parts[i].len;
    }
    arena_trim(a, out, len);
    return (struct str){len ? out : NULL, len};
}

/* A fourth part that the regex did not take, but that stands in the text up to a blank. */
static struct str complete(struct arena *a, struct str text, struct str version)
{
    ptrdiff_t at = str_find(text, version);

    if (at < 0) return version;
    struct str rest = str_from(text, (size_t)at + version.len);
    if (rest.len == 0 || rest.data[0] != '.') return version;
    ptrdiff_t  blank = str_find(rest, STR(" "));
    struct str last = {rest.data + 1, blank > 0 ? (size_t)blank - 1 : 0};
    if (!is_number(last)) return version;
    return arena_printf(a, "%.*s.%.*s", STR_ARG(version), STR_ARG(last));
}

static void make_versions(struct str text, struct arena *a, struct str *values)
{
    struct str version = join_version(a, values + UAP_MAJOR, '.');
    char       first = is_number(values[UAP_OS_MAJOR]) ? '.' : ' ';

    if (values[UAP_PATCH].data && !values[UAP_PATCH_MINOR].data && version.data)
        version = complete(a, text, version);
    values[WHOLE_VERSION] = version;
    values[OS_VERSION] = join_version(a, values + UAP_OS_MAJOR, first);
    values[OS_FULL] = values[OS_LEGACY] = values[UAP_OS];
    if (values[OS_VERSION].data)
        values[OS_FULL] =
            arena_printf(a, "%.*s %.*s", STR_ARG(values[UAP_OS]), STR_ARG(values[OS_VERSION]));
}

/* ---- running ---- */

/* The values as a list in `a`, null where there is none. */
static struct value look(const struct useragent *u, struct str text, struct arena *a)
{
    struct str   values[VALUES] = {{NULL, 0}};
    struct list *l = list_new(a, VALUES);

    uap_look(u->uap, text, a, values);
    make_versions(text, a, values);
    for (int i = 0; i < VALUES; i++)
        list_push(l, a, values[i].data ? value_string(values[i]) : value_null());
    return value_list(l);
}

static void free_cache(void *cache)
{
    recent_release(cache);
    free(cache);
}

static struct recent *cache_of(const struct useragent *u, struct recent **state)
{
    if (*state) return *state;
    struct recent *r = xcalloc(1, sizeof(*r));
    recent_init(r, u->cache_size);
    return *state = owned_add(u->caches, r, free_cache);
}

static bool set_fields(const struct useragent *u, struct event *ev, const struct list *values)
{
    for (uint32_t i = 0; i < VALUES; i++) {
        struct value v = values->items[i];
        if (!u->fields[i] || v.kind == VALUE_NULL) continue;
        /* The cache may forget the text before the event ends. */
        if (!event_set(ev, u->fields[i], value_copy(ev->arena, v))) return false;
    }
    return true;
}

static enum verdict useragent_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct useragent *u = self;
    const struct value     *v = event_get(ev, u->source);

    if (v && v->kind == VALUE_LIST) v = v->as.list->len ? &v->as.list->items[0] : NULL;
    if (!v || v->kind == VALUE_NULL || (v->kind == VALUE_STRING && v->len == 0)) return FILTER_PASS;
    if (v->kind != VALUE_STRING) {
        filter_failed(cx, &limit, "filter.useragent", "the source is no text", u->source->text);
        return FILTER_PASS;
    }
    struct str     text = value_str(*v);
    struct recent *cache = cache_of(u, cx->state);
    if (text.len > TEXT_MAX) text.len = utf8_floor(text, TEXT_MAX);
    const struct value *known = recent_get(cache, text);
    struct value        found = known ? *known : look(u, text, cx->scratch);
    if (!known) recent_put(cache, text, found);
    if (u->target && str_eq(u->target->text, u->source->text)) event_remove(ev, u->source, NULL);
    if (set_fields(u, ev, found.as.list)) return FILTER_MATCH;
    filter_failed(cx, &limit, "filter.useragent", "cannot set the target", u->source->text);
    return FILTER_PASS;
}

const struct plugin filter_useragent = {
    .kind = PLUGIN_FILTER,
    .name = "useragent",
    .summary = "Takes user agents apart: program, operating system, device.",
    .size = sizeof(struct useragent),
    .options = useragent_options,
    .open = useragent_open,
    .close = useragent_close,
    .filter = {.run = useragent_run, .worker_size = sizeof(struct recent *)},
};
