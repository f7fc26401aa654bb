/*
 * LogStash::Event: get, set and the like work on the event itself; what they give and take are
 * copies, as in Logstash.
 *
 * Source: JrubyEventExtLibrary.java, Event.java, Util.java. Threads: Ruby's only.
 */
#include "event/json.h"
#include "event/template.h"
#include "filters/ruby_api.h"
#include "filters/ruby_cache.h"

/* An event of the engine, in its batch; or one that Ruby code made or kept, in an arena of its own.
 */
struct ruby_event {
    struct event *ev; /* NULL: it has left */
    struct arena  arena;
    bool          cancelled;
};

static VALUE class;

enum { ARENA_BLOCK = 64 * 1024 }; /* what the arena takes: Ruby's collector is told of it */

static void release_arena(struct ruby_event *e)
{
    if (e->arena.first) rb_gc_adjust_memory_usage(-ARENA_BLOCK);
    arena_release(&e->arena);
}

static void event_free(void *data)
{
    release_arena(data);
    ruby_xfree(data);
}

static size_t event_size(const void *data)
{
    return sizeof(struct ruby_event) + arena_used(&((const struct ruby_event *)data)->arena);
}

static const rb_data_type_t type = {.wrap_struct_name = "LogStash::Event",
                                    .function = {.dfree = event_free, .dsize = event_size},
                                    .flags = RUBY_TYPED_FREE_IMMEDIATELY};

static VALUE allocate(VALUE of_class)
{
    struct ruby_event *e;

    return TypedData_Make_Struct(of_class, struct ruby_event, &type, e);
}

static struct ruby_event *get_wrapper(VALUE self)
{
    return rb_check_typeddata(self, &type);
}

static struct event *get(VALUE self)
{
    struct event *ev = get_wrapper(self)->ev;

    if (!ev)
        rb_raise(rb_eRuntimeError, "this event has left the filter: keep event.clone or "
                                   "event.to_hash of it instead");
    return ev;
}

/* ---- the engine's side ---- */

VALUE ruby_event_wrap(struct event *ev)
{
    VALUE self = allocate(class);

    get_wrapper(self)->ev = ev;
    return self;
}

bool ruby_event_cancelled(VALUE event)
{
    return get_wrapper(event)->cancelled;
}

bool ruby_is_event(VALUE v)
{
    return rb_typeddata_is_kind_of(v, &type);
}

struct event *ruby_event_copy(VALUE event, struct arena *a)
{
    return get_wrapper(event)->ev ? event_clone(a, get_wrapper(event)->ev) : NULL;
}

/* ---- making events ---- */

static struct arena *own_arena(struct ruby_event *e)
{
    if (!e->arena.first) rb_gc_adjust_memory_usage(ARENA_BLOCK);
    return &e->arena;
}

void ruby_event_leave(VALUE event, bool copied)
{
    struct ruby_event *e = get_wrapper(event);

    if (copied && e->arena.first) return; /* made by code: the engine has a copy */
    if (copied) {
        e->ev = event_clone(own_arena(e), e->ev);
        return;
    }
    e->ev = NULL;
    release_arena(e);
}

static VALUE initialize(int argc, const VALUE *argv, VALUE self)
{
    struct ruby_event *e = get_wrapper(self);
    VALUE              data = rb_check_arity(argc, 0, 1) ? argv[0] : Qnil;

    if (!NIL_P(data)) Check_Type(data, T_HASH);
    struct arena *a = own_arena(e);
    e->ev = NIL_P(data) ? event_blank(a, clock_now())
                        : event_from_map(a, ruby_to_map(data, a), clock_now());
    if (!e->ev) rb_raise(rb_eTypeError, "[@metadata] of an event is a Hash");
    return self;
}

static VALUE clone_event(VALUE self)
{
    const struct event *from = get(self);
    VALUE               made = allocate(class);
    struct ruby_event  *e = get_wrapper(made);

    e->ev = event_clone(own_arena(e), from);
    return made;
}

static VALUE from_json(VALUE self, VALUE text)
{
    struct arena a = {0};
    struct value v;

    (void)self;
    StringValue(text);
    struct str s = {RSTRING_PTR(text), (size_t)RSTRING_LEN(text)};
    bool       good = json_decode(&a, s, NULL, &v, NULL);
    VALUE      data = good ? ruby_of_value(v) : Qnil;
    arena_release(&a);
    if (!good) rb_raise(rb_path2class("LogStash::Json::ParserError"), "the text is no JSON");
    VALUE items = RB_TYPE_P(data, T_ARRAY) ? data : rb_ary_new_from_args(1, data);
    VALUE events = rb_ary_new();
    for (long i = 0; i < RARRAY_LEN(items); i++) {
        VALUE item = rb_ary_entry(items, i);
        rb_ary_push(events, rb_class_new_instance(1, &item, class));
    }
    return events;
}

/* ---- fields ---- */

static const struct field *field(VALUE name, struct event *ev)
{
    StringValue(name);
    const struct field *f =
        ruby_cache_field((struct str){RSTRING_PTR(name), (size_t)RSTRING_LEN(name)}, ev->arena);
    if (!f) rb_raise(rb_eRuntimeError, "Invalid FieldReference: `%" PRIsVALUE "`", name);
    return f;
}

static VALUE get_field(VALUE self, VALUE name)
{
    struct event       *ev = get(self);
    const struct value *v = event_get(ev, field(name, ev));

    return v ? ruby_of_value(*v) : Qnil;
}

static bool is_timestamp_field(const struct field *f)
{
    return !f->metadata && f->depth == 1 && key_eq(&f->steps[0].key, &names.timestamp);
}

static VALUE set_field(VALUE self, VALUE name, VALUE v)
{
    struct event       *ev = get(self);
    const struct field *f = field(name, ev);
    struct timestamp    t;

    if (is_timestamp_field(f) && !ruby_is_timestamp(v, &t))
        rb_raise(rb_eTypeError, "wrong argument type %s (expected LogStash::Timestamp)",
                 rb_obj_classname(v));
    if (!event_set(ev, f, ruby_to_value(v, ev->arena)))
        rb_raise(rb_eRuntimeError, "cannot set the field %" PRIsVALUE " to %+" PRIsVALUE, name, v);
    return v;
}

static VALUE remove_field(VALUE self, VALUE name)
{
    struct event *ev = get(self);
    struct value  old;

    return event_remove(ev, field(name, ev), &old) ? ruby_of_value(old) : Qnil;
}

static VALUE includes(VALUE self, VALUE name)
{
    struct event *ev = get(self);

    return event_get(ev, field(name, ev)) ? Qtrue : Qfalse;
}

static VALUE tag(VALUE self, VALUE text)
{
    struct event *ev = get(self);

    event_tag(ev, ruby_to_str(StringValue(text), ev->arena));
    return Qnil;
}

static VALUE timestamp(VALUE self)
{
    struct timestamp t;

    return event_timestamp(get(self), &t) ? ruby_of_timestamp(t) : Qnil;
}

static VALUE set_timestamp(VALUE self, VALUE v)
{
    struct timestamp t;

    if (!ruby_is_timestamp(v, &t))
        rb_raise(rb_eTypeError, "wrong argument type %s (expected LogStash::Timestamp)",
                 rb_obj_classname(v));
    event_set_timestamp(get(self), t);
    return v;
}

/* ---- cancelling ---- */

static VALUE cancel(VALUE self)
{
    get_wrapper(self)->cancelled = true;
    return Qtrue;
}

static VALUE uncancel(VALUE self)
{
    get_wrapper(self)->cancelled = false;
    return Qfalse;
}

static VALUE is_cancelled(VALUE self)
{
    return get_wrapper(self)->cancelled ? Qtrue : Qfalse;
}

/* ---- the whole event ---- */

static VALUE to_hash(VALUE self)
{
    return ruby_of_value(value_map(&get(self)->data));
}

static VALUE to_hash_with_metadata(VALUE self)
{
    struct event *ev = get(self);
    VALUE         hash = to_hash(self);

    if (ev->metadata.len)
        rb_hash_aset(hash, ruby_of_str(key_str(names.metadata)),
                     ruby_of_value(value_map(&ev->metadata)));
    return hash;
}

static VALUE to_json(int argc, const VALUE *argv, VALUE self)
{
    struct buf b = {0};

    (void)argc;
    (void)argv;
    json_encode_event(get(self), &b);
    VALUE text = ruby_of_str(buf_view(&b));
    buf_release(&b);
    return text;
}

static VALUE render(const struct template *t, const struct event *ev)
{
    struct buf b = {0};

    template_render(t, ev, &b);
    VALUE text = ruby_of_str(buf_view(&b));
    buf_release(&b);
    return text;
}

static VALUE sprintf_event(VALUE self, VALUE format)
{
    struct event *ev = get(self);

    format = rb_obj_as_string(format);
    struct str text = {RSTRING_PTR(format), (size_t)RSTRING_LEN(format)};
    return render(ruby_cache_template(text, ev->arena), ev);
}

static VALUE to_s(VALUE self)
{
    struct event *ev = get(self);
    VALUE         text = timestamp(self);

    text = NIL_P(text) ? rb_utf8_str_new_cstr("") : rb_str_dup(rb_obj_as_string(text));
    rb_str_cat_cstr(text, " ");
    return rb_str_append(text,
                         render(ruby_cache_template(STR("%{host} %{message}"), ev->arena), ev));
}

static bool contains(const struct list *l, struct value v)
{
    for (uint32_t i = 0; i < l->len; i++)
        if (value_eq(l->items[i], v)) return true;
    return false;
}

/* `old` with what `more` has: maps are merged, all else becomes a list without repeats. */
static void merge_value(struct value *old, struct value more, struct arena *a);

static void merge_map(struct map *into, const struct map *more, struct arena *a)
{
    for (uint32_t i = 0; i < more->len; i++) {
        const struct member *m = &more->members[i];
        struct value        *old = map_get(into, m->key);
        if (old)
            merge_value(old, m->value, a);
        else
            *map_append(into, a, m->key) = m->value;
    }
}

static void merge_value(struct value *old, struct value more, struct arena *a)
{
    if (old->kind == VALUE_MAP && more.kind == VALUE_MAP) {
        merge_map(old->as.map, more.as.map, a);
        return;
    }
    if (old->kind != VALUE_LIST) {
        if (more.kind != VALUE_LIST && value_eq(*old, more)) return;
        struct list *l = list_new(a, 2);
        list_push(l, a, *old);
        *old = value_list(l);
    }
    if (more.kind != VALUE_LIST) {
        if (!contains(old->as.list, more)) list_push(old->as.list, a, more);
        return;
    }
    for (uint32_t i = 0; i < more.as.list->len; i++)
        if (!contains(old->as.list, more.as.list->items[i]))
            list_push(old->as.list, a, more.as.list->items[i]);
}

static const struct event *other_event(VALUE v)
{
    if (!ruby_is_event(v))
        rb_raise(rb_eTypeError, "wrong argument type %s (expected LogStash::Event)",
                 rb_obj_classname(v));
    return get(v);
}

static VALUE append(VALUE self, VALUE other)
{
    struct event       *ev = get(self);
    const struct event *copy = event_clone(ev->arena, other_event(other));

    merge_map(&ev->data, &copy->data, ev->arena);
    return self;
}

static VALUE overwrite(VALUE self, VALUE other)
{
    struct event       *ev = get(self);
    const struct event *copy = event_clone(ev->arena, other_event(other));

    ev->data = copy->data;
    get_wrapper(self)->cancelled = get_wrapper(other)->cancelled;
    return self;
}

/* ---- the class ---- */

static void define_constants(void)
{
    static const char *const constants[][2] = {
        {"METADATA", "@metadata"},
        {"METADATA_BRACKETS", "[@metadata]"},
        {"TIMESTAMP", "@timestamp"},
        {"TIMESTAMP_FAILURE_TAG", "_timestampparsefailure"},
        {"TIMESTAMP_FAILURE_FIELD", "_@timestamp"},
        {"VERSION", "@version"},
        {"VERSION_ONE", "1"},
    };

    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
        rb_define_const(class, constants[i][0],
                        rb_str_freeze(ruby_of_str(str_of(constants[i][1]))));
}

void ruby_define_event(VALUE logstash)
{
    class = rb_define_class_under(logstash, "Event", rb_cObject);
    rb_gc_register_mark_object(class);
    define_constants();
    rb_define_alloc_func(class, allocate);
    rb_define_singleton_method(class, "from_json", from_json, 1);
    rb_define_method(class, "initialize", initialize, -1);
    rb_define_method(class, "clone", clone_event, 0);
    rb_define_method(class, "dup", clone_event, 0);
    rb_define_method(class, "get", get_field, 1);
    rb_define_method(class, "set", set_field, 2);
    rb_define_method(class, "remove", remove_field, 1);
    rb_define_method(class, "include?", includes, 1);
    rb_define_method(class, "tag", tag, 1);
    rb_define_method(class, "timestamp", timestamp, 0);
    rb_define_method(class, "timestamp=", set_timestamp, 1);
    rb_define_method(class, "cancel", cancel, 0);
    rb_define_method(class, "uncancel", uncancel, 0);
    rb_define_method(class, "cancelled?", is_cancelled, 0);
    rb_define_method(class, "to_hash", to_hash, 0);
    rb_define_method(class, "to_hash_with_metadata", to_hash_with_metadata, 0);
    rb_define_method(class, "to_json", to_json, -1);
    rb_define_method(class, "to_s", to_s, 0);
    rb_define_method(class, "sprintf", sprintf_event, 1);
    rb_define_method(class, "append", append, 1);
    rb_define_method(class, "overwrite", overwrite, 1);
}
