#include "plugin/common.h"

/*
 * The common options that change events: compiled when the config is checked, applied to every
 * event. Names that hold no reference are resolved once; the others are parsed per event, in the
 * event's arena.
 */

/* The field that a constant name means; NULL with *good unchanged for a name with references. */
static const struct field *constant_field(const struct template *t, struct loc loc,
                                          struct plugin_open *cx, bool *good)
{
    const char *problem = "not a field reference";
    struct str  text;

    if (!template_constant(t, &text)) return NULL;
    const struct field *f = field_parse(cx->arena, text, &problem, NULL);
    if (!f) {
        diag(cx->diags, DIAG_ERROR, loc, "\"%.*s\" is not a field reference: %s", STR_ARG(text),
             problem);
        *good = false;
    }
    return f;
}

static const struct template *compile(struct str text, struct loc loc, struct plugin_open *cx,
                                      bool *good)
{
    const char *problem = NULL;
    size_t      at;
    bool        fatal = false;

    const struct template *t = template_parse(cx->arena, text, &problem, &at, &fatal);
    if (problem) diag(cx->diags, fatal ? DIAG_ERROR : DIAG_WARNING, loc, "%s", problem);
    if (fatal) *good = false;
    return t;
}

/* The values of one field to add: of a list its items, of a hash its pairs as Ruby prints them. */
static struct templates compile_values(const struct ast_value *v, struct plugin_open *cx,
                                       bool *good)
{
    struct templates out = {0};
    bool             many = v->kind == AST_LIST || v->kind == AST_HASH;

    out.len = many ? v->len : 1;
    out.at = arena_alloc(cx->arena, ((size_t)out.len + 1) * sizeof(*out.at));
    for (uint32_t i = 0; i < out.len; i++) {
        if (v->kind == AST_HASH) {
            struct ast_value both[2] = {v->entries[i].key, v->entries[i].value};
            struct ast_value pair = {.kind = AST_LIST, .len = 2, .items = both};
            out.at[i] = compile(ast_to_s(cx->arena, &pair), v->loc, cx, good);
        } else {
            const struct ast_value *item = many ? &v->items[i] : v;
            out.at[i] = compile(ast_to_s(cx->arena, item), item->loc, cx, good);
        }
    }
    return out;
}

bool decoration_open(struct node *n, struct plugin_open *cx)
{
    const struct common      *c = &n->common;
    struct decoration        *d = &n->decoration;
    const struct ast_setting *remove = plugin_setting(cx, "remove_field");
    bool                      good = true;

    d->add_len = c->add_field.len;
    d->add = arena_zalloc(cx->arena, (d->add_len + 1) * sizeof(*d->add));
    for (uint32_t i = 0; i < d->add_len; i++) {
        const struct pair *p = &c->add_field.at[i];
        d->add[i].name = compile(p->key, p->key_loc, cx, &good);
        d->add[i].field = constant_field(d->add[i].name, p->key_loc, cx, &good);
        d->add[i].values = compile_values(p->value, cx, &good);
    }
    d->remove_len = c->remove_field.len;
    d->remove = arena_zalloc(cx->arena, (d->remove_len + 1) * sizeof(*d->remove));
    for (uint32_t i = 0; i < d->remove_len; i++) {
        d->remove[i].name = c->remove_field.at[i];
        d->remove[i].field = constant_field(d->remove[i].name, remove->value.loc, cx, &good);
    }
    d->add_tag = n->plugin->kind == PLUGIN_INPUT ? c->tags : c->add_tag;
    d->remove_tag = c->remove_tag;
    d->type = c->type;
    d->fail_tag = arena_printf(cx->arena, "_%s_error", n->plugin->name);
    d->any = d->add_len || d->remove_len || d->add_tag.len || d->remove_tag.len || d->type.data;
    return good;
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
        const struct field     *f = name_field(add->name, add->field, ev, scratch);
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
        const struct field        *f = name_field(r->name, r->field, ev, scratch);
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
