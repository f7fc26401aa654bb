#include "plugin/common.h"

/*
 * The common options that change events: compiled when the config is checked, applied to every
 * event. Names that hold no reference are resolved once; the others are parsed per event, in the
 * event's arena.
 */

/*
 * A name or value that can never work is a warning, not an error: Logstash starts with it, and
 * every event that gets here is tagged (field-0053 to field-0064 of the conformance cases).
 */
struct compiling {
    struct plugin_open *cx;
    struct str          fail_tag;
};

static void never_works(struct compiling *k, struct str text, struct loc loc, const char *problem)
{
    diag(k->cx->diags, DIAG_WARNING, loc, "\"%.*s\": %s; every event gets the tag %.*s here",
         STR_ARG(text), problem, STR_ARG(k->fail_tag));
}

/* Compiles a text; NULL when it can never work. */
static const struct template *compile(struct compiling *k, struct str text, struct loc loc)
{
    const char *problem = NULL;
    size_t      at;
    bool        fatal = false;

    const struct template *t = template_parse(k->cx->arena, text, &problem, &at, &fatal);
    if (!problem) return t;
    never_works(k, text, loc, problem);
    return NULL;
}

/* The field that a constant name means; NULL for a name with references. False: never works. */
static bool constant_field(struct compiling *k, const struct template *name, struct loc loc,
                           const struct field **out)
{
    const char *problem = NULL;
    struct str  text;

    *out = NULL;
    if (!name) return false;
    if (!template_constant(name, &text)) return true;
    *out = field_parse(k->cx->arena, text, &problem, NULL);
    if (!*out) never_works(k, text, loc, problem ? problem : "it cannot be read");
    return *out != NULL;
}

/* The values of one field to add: of a list its items, of a hash its pairs as Ruby prints them.
   False: one never works. */
static bool compile_values(struct compiling *k, const struct ast_value *v, struct templates *out)
{
    struct arena *a = k->cx->arena;
    bool          many = v->kind == AST_LIST || v->kind == AST_HASH, good = true;

    out->len = many ? v->len : 1;
    out->at = arena_alloc(a, ((size_t)out->len + 1) * sizeof(*out->at));
    for (uint32_t i = 0; i < out->len; i++) {
        if (v->kind == AST_HASH) {
            struct ast_value both[2] = {v->entries[i].key, v->entries[i].value};
            struct ast_value pair = {.kind = AST_LIST, .len = 2, .items = both};
            out->at[i] = compile(k, ast_to_s(a, &pair), v->loc);
        } else {
            const struct ast_value *item = many ? &v->items[i] : v;
            out->at[i] = compile(k, ast_to_s(a, item), item->loc);
        }
        good &= out->at[i] != NULL;
    }
    return good;
}

static void compile_add(struct compiling *k, const struct pairs *pairs, struct decoration *d)
{
    d->add_len = pairs->len;
    d->add = arena_zalloc(k->cx->arena, ((size_t)d->add_len + 1) * sizeof(*d->add));
    for (uint32_t i = 0; i < d->add_len; i++) {
        const struct pair *p = &pairs->at[i];
        struct add_field  *add = &d->add[i];
        add->name = compile(k, p->key, p->key_loc);
        bool named = constant_field(k, add->name, p->key_loc, &add->field);
        add->broken = !compile_values(k, p->value, &add->values) || !named;
    }
}

static void compile_remove(struct compiling *k, const struct templates *names_given,
                           struct decoration *d)
{
    const struct ast_setting *s = plugin_setting(k->cx, "remove_field");

    d->remove_len = names_given->len;
    d->remove = arena_zalloc(k->cx->arena, ((size_t)d->remove_len + 1) * sizeof(*d->remove));
    for (uint32_t i = 0; i < d->remove_len; i++) {
        struct remove_field *remove = &d->remove[i];
        remove->name = names_given->at[i];
        remove->broken = !constant_field(k, remove->name, s->value.loc, &remove->field);
    }
}

void decoration_open(struct node *n, struct plugin_open *cx)
{
    const struct common *c = &n->common;
    struct decoration   *d = &n->decoration;
    struct compiling     k = {.cx = cx};

    k.fail_tag = arena_printf(cx->arena, "_%s_error", n->plugin->name);
    compile_add(&k, &c->add_field, d);
    compile_remove(&k, &c->remove_field, d);
    d->add_tag = n->plugin->kind == PLUGIN_INPUT ? c->tags : c->add_tag;
    d->remove_tag = c->remove_tag;
    d->type = c->type;
    d->fail_tag = k.fail_tag;
    d->any = d->add_len || d->remove_len || d->add_tag.len || d->remove_tag.len || d->type.data;
}

/* Array(value) of Ruby, with room for one more. */
static struct list *as_list(struct arena *a, struct value v)
{
    struct list *l = list_new(a, 2);

    if (v.kind == VALUE_MAP) {
        for (uint32_t i = 0; i < v.as.map->len; i++) {
            struct list *pair = list_new(a, 2);
            list_push(pair, a, value_string(key_str(v.as.map->members[i].key)));
            list_push(pair, a, v.as.map->members[i].value);
            list_push(l, a, value_list(pair));
        }
    } else if (v.kind != VALUE_NULL) {
        list_push(l, a, v);
    }
    return l;
}

bool event_add_field(struct event *ev, const struct field *f, struct value v)
{
    struct value *old = event_get(ev, f);

    if (!old) return event_set(ev, f, v);
    if (old->kind == VALUE_LIST) {
        list_push(old->as.list, ev->arena, v);
        return true;
    }
    struct list *l = as_list(ev->arena, *old);
    list_push(l, ev->arena, v);
    return event_set(ev, f, value_list(l));
}

bool event_add_tag(struct event *ev, struct str tag)
{
    struct value *tags = event_get_key(ev, names.tags);

    if (!tags) tags = map_add(&ev->data, ev->arena, names.tags);
    if (tags->kind != VALUE_LIST) {
        if (tags->kind != VALUE_NULL && tags->kind != VALUE_STRING) return false;
        *tags = value_list(as_list(ev->arena, *tags));
    }
    list_push(tags->as.list, ev->arena, value_string(tag));
    return true;
}

static void remove_tag(struct event *ev, struct str tag)
{
    struct value *tags = event_get_key(ev, names.tags);

    if (!tags || tags->kind == VALUE_NULL) return;
    if (tags->kind != VALUE_LIST) *tags = value_list(as_list(ev->arena, *tags));
    for (uint32_t i = tags->as.list->len; i-- > 0;) {
        struct value v = tags->as.list->items[i];
        if (v.kind == VALUE_STRING && str_eq(value_str(v), tag)) list_remove(tags->as.list, i);
    }
}

/* The field of a name that may hold references; NULL when it comes out as no field reference. */
static const struct field *name_field(const struct template *name, const struct field *constant,
                                      struct event *ev, struct buf *scratch)
{
    if (constant) return constant;
    buf_clear(scratch);
    template_render(name, ev, scratch);
    return field_parse(ev->arena, buf_view(scratch), NULL, NULL);
}

static bool add_fields(const struct decoration *d, struct event *ev, struct buf *scratch)
{
    for (uint32_t i = 0; i < d->add_len; i++) {
        const struct add_field *add = &d->add[i];
        if (add->broken) return false;
        const struct field *f = name_field(add->name, add->field, ev, scratch);
        if (!f) return false;
        for (uint32_t k = 0; k < add->values.len; k++) {
            struct value v = value_string(template_str(add->values.at[k], ev));
            if (!event_add_field(ev, f, v)) return false;
        }
    }
    return true;
}

static bool add_tags(const struct decoration *d, struct event *ev)
{
    for (uint32_t i = 0; i < d->add_tag.len; i++)
        if (!event_add_tag(ev, template_str(d->add_tag.at[i], ev))) return false;
    return true;
}

static bool failed(const struct decoration *d, struct event *ev)
{
    event_tag(ev, d->fail_tag);
    return false;
}

bool decoration_apply(const struct decoration *d, struct event *ev, struct buf *scratch)
{
    if (!d->any) return true;
    if (d->add_len && !add_fields(d, ev, scratch)) return failed(d, ev);
    for (uint32_t i = 0; i < d->remove_len; i++) {
        const struct remove_field *r = &d->remove[i];
        const struct field *f = r->broken ? NULL : name_field(r->name, r->field, ev, scratch);
        if (!f) return failed(d, ev);
        event_remove(ev, f, NULL);
    }
    if (!add_tags(d, ev)) return failed(d, ev);
    for (uint32_t i = 0; i < d->remove_tag.len; i++)
        remove_tag(ev, template_str(d->remove_tag.at[i], ev));
    return true;
}

bool decoration_input(const struct node *n, struct event *ev, struct buf *scratch)
{
    const struct decoration *d = &n->decoration;

    if (!d->any) return true;
    if (d->type.data && !event_get_key(ev, names.type))
        *map_add(&ev->data, ev->arena, names.type) = value_string(d->type);
    if (!add_fields(d, ev, scratch) || !add_tags(d, ev)) return failed(d, ev);
    return true;
}
