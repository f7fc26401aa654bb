/*
 * The fields of CEF: their short keys, their names, and where they stand in ECS.
 *
 * Source: logstash-codec-cef, docs/index.asciidoc, "Field mapping".
 */
#include "codecs/cef.h"

enum { CEF_TIME = 1, CEF_PREFERRED = 2 /* of several for one field of ECS, the one to write */ };
enum { CUSTOM_NUMBERS = 15 };

struct cef_field {
    const char *name;
    const char *key; /* NULL: has none but its name */
    const char *ecs;
    const char *legacy; /* a name of old, kept as it is without ECS */
    const char *host;   /* in ECS, with device => host */
    unsigned    flags;
};

static const struct cef_field known[] = {
#include "cef_fields.def"
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

/* Each with a number from 1 to 15, and again with "Label" behind it. */
static const struct {
    const char *name, *key, *ecs;
} custom[] = {
    {"deviceCustomFloatingPoint", "cfp", "device_custom_floating_point"},
    {"deviceCustomIPv6Address", "c6a", "device_custom_ipv6_address"},
    {"deviceCustomNumber", "cn", "device_custom_number"},
    {"deviceCustomString", "cs", "device_custom_string"},
};
enum { CUSTOM = sizeof(custom) / sizeof(custom[0]) };
enum { TARGETS_MAX = 2 * KNOWN + 2 * CUSTOM * CUSTOM_NUMBERS };

static const struct {
    const char *name, *ecs;
} header_names[CEF_HEADERS + 1] = {
    {"cefVersion", "[cef][version]"},         {"deviceVendor", "[observer][vendor]"},
    {"deviceProduct", "[observer][product]"}, {"deviceVersion", "[observer][version]"},
    {"deviceEventClassId", "[event][code]"},  {"name", "[cef][name]"},
    {"severity", "[event][severity]"},        {"syslog", "[log][syslog][header]"},
};

/* What the tables become while the codec is opened. */
struct building {
    struct cef   *c;
    struct arena *a;
    struct map   *encode; /* name of a field → key to write */
    uint32_t      targets;
};

static bool ecs(const struct cef *c)
{
    return c->ecs_compatibility != ECS_DISABLED;
}

static void put(struct map *m, struct arena *a, struct str name, struct value v)
{
    *map_add(m, a, key_make(name)) = v;
}

/* A field and, unless `key` is empty, its short key. `place` is its name in events. */
static void add(struct building *b, struct str name, struct str key, struct str place, bool is_time)
{
    struct cef  *c = b->c;
    struct value number = value_int(b->targets);
    struct str   written = c->reverse_mapping && key.len > 0 ? key : name;

    c->targets[b->targets++] = (struct cef_target){
        .field = field_parse(b->a, place, NULL, NULL),
        .is_time = is_time && ecs(c),
        .is_timezone = str_is(place, "[event][timezone]"),
    };
    put(c->decode, b->a, name, number);
    if (key.len > 0) put(c->decode, b->a, key, number);
    put(b->encode, b->a, place, value_string(written));
    put(b->encode, b->a, name, value_string(written));
}

/* A name of old for a field: without ECS it stays what it is. */
static void add_legacy(struct building *b, const struct cef_field *f)
{
    struct str name = str_of(f->legacy);

    add(b, name, STR(""), ecs(b->c) ? str_of(f->ecs) : name, false);
    put(b->encode, b->a, name, value_string(b->c->reverse_mapping ? str_of(f->key) : name));
    if (ecs(b->c)) /* add() made the old name the one to write */
        put(b->encode, b->a, str_of(f->ecs),
            value_string(b->c->reverse_mapping ? str_of(f->key) : str_of(f->name)));
}

static void add_known(struct building *b, unsigned flags)
{
    for (uint32_t i = 0; i < KNOWN; i++) {
        const struct cef_field *f = &known[i];
        if ((f->flags & CEF_PREFERRED) != flags) continue;
        const char *place = b->c->device == CEF_HOST && f->host ? f->host : f->ecs;
        add(b, str_of(f->name), f->key ? str_of(f->key) : STR(""),
            str_of(ecs(b->c) ? place : f->name), f->flags & CEF_TIME);
        if (f->legacy) add_legacy(b, f);
    }
}

static void add_custom(struct building *b, uint32_t i, int number, bool label)
{
    const char *tail = label ? "Label" : "";
    struct str  name = arena_printf(b->a, "%s%d%s", custom[i].name, number, tail);
    struct str  key = arena_printf(b->a, "%s%d%s", custom[i].key, number, tail);
    struct str  place =
        arena_printf(b->a, "[cef][%s_%d][%s]", custom[i].ecs, number, label ? "label" : "value");

    add(b, name, key, ecs(b->c) ? place : name, false);
}

/* Keys are one word of letters and digits. */
static struct str sanitized(struct arena *a, struct str text)
{
    char  *key = arena_alloc(a, text.len);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
            key[len++] = c;
    }
    return (struct str){key, len};
}

static bool open_outputs(struct building *b, struct plugin_open *cx)
{
    struct cef *c = b->c;

    c->outputs = arena_zalloc(b->a, c->fields.len * sizeof(*c->outputs) + 1);
    for (uint32_t i = 0; i < c->fields.len; i++) {
        struct str          name = c->fields.at[i];
        const char         *problem;
        const struct value *key = map_get(b->encode, key_make(name));

        c->outputs[i].field = field_parse(b->a, name, &problem, NULL);
        if (!c->outputs[i].field)
            return plugin_error(cx, "fields", "\"%.*s\" is no field reference: %s", STR_ARG(name),
                                problem);
        c->outputs[i].key = sanitized(b->a, key ? value_str(*key) : name);
    }
    return true;
}

bool cef_fields_open(struct cef *c, struct plugin_open *cx)
{
    struct building b = {.c = c, .a = cx->arena, .encode = map_new(cx->arena, TARGETS_MAX)};

    c->decode = map_new(cx->arena, TARGETS_MAX);
    c->targets = arena_alloc(cx->arena, TARGETS_MAX * sizeof(*c->targets));
    for (int i = 0; i < CEF_HEADERS + 1; i++) {
        const struct field *f = field_parse(
            cx->arena, str_of(ecs(c) ? header_names[i].ecs : header_names[i].name), NULL, NULL);
        if (i < CEF_HEADERS)
            c->headers[i] = f;
        else
            c->syslog = f;
    }
    add_known(&b, 0);
    for (uint32_t i = 0; i < CUSTOM; i++)
        for (int number = 1; number <= CUSTOM_NUMBERS; number++) {
            add_custom(&b, i, number, false);
            add_custom(&b, i, number, true);
        }
    add_known(&b, CEF_PREFERRED);
    return open_outputs(&b, cx);
}
