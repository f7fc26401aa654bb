/*
 * Events on their way from a worker to a Ruby object and back.
 *
 * Threads: workers hand over events and wait; the object is touched on Ruby's thread only.
 */
#include "filters/ruby_filter.h"

#include <stdlib.h>

#include "base/fatal.h"
#include "filters/ruby_vm.h"
#include "plugin/failure.h"

struct ruby_filter {
    VALUE             object;
    bool              keeps; /* code may use events after their turn */
    const char       *component;
    struct log_limit *limit;
};

/* ---- opening ---- */

struct opening {
    struct ruby_filter *filter;
    const char *class;
    struct map *options;
    char       *error;
};

static VALUE make_object(VALUE arg)
{
    struct opening *o = RUBY_ARG(struct opening, arg);

    o->filter->object = rb_obj_alloc(rb_path2class(o->class));
    rb_funcall(o->filter->object, rb_intern("lsc_open"), 1, ruby_of_value(value_map(o->options)));
    o->filter->keeps = RTEST(rb_funcall(o->filter->object, rb_intern("lsc_keeps?"), 0));
    return Qnil;
}

static void open_object(void *data)
{
    struct opening *o = data;
    int             status = 0;

    o->filter->object = Qnil;
    rb_gc_register_address(&o->filter->object);
    rb_protect(make_object, (VALUE)o, &status);
    if (status) {
        o->error = ruby_error_text();
        rb_gc_unregister_address(&o->filter->object);
    }
    ruby_take_emitted(); /* by init: there is no event that they could follow */
}

/* The setting that a message begins with, as "(ruby filter timeout code):2: "; else NULL. */
static const char *blamed_setting(struct str *message, struct arena *a, int64_t *line)
{
    ptrdiff_t start = str_find(*message, STR(" filter ")), end = str_find(*message, STR("):"));
    ptrdiff_t open = str_find(*message, STR("("));

    if (open < 0 || start < open || end < start) return NULL;
    size_t len = (size_t)(end - start - 8);
    char  *name = arena_zalloc(a, len + 1);
    for (size_t i = 0; i < len; i++) {
        char c = message->data[start + 8 + (ptrdiff_t)i];
        name[i] = c == ' ' ? '_' : c;
    }
    *line = strtoll(message->data + end + 2, NULL, 10);
    struct str rest = str_from(*message, (size_t)end + 2);
    ptrdiff_t  colon = str_find(rest, STR(": "));
    if (colon >= 0) *message = str_from(rest, (size_t)colon + 2);
    return name;
}

static size_t line_offset(struct str text, int64_t line)
{
    size_t at = 0;

    for (; line > 1; line--) {
        ptrdiff_t end = str_find(str_from(text, at), STR("\n"));
        if (end < 0) break;
        at += (size_t)end + 1;
    }
    return at;
}

/* Of our own exceptions the text says all. */
static struct str without_own_class(struct str message)
{
    ptrdiff_t end = str_find(message, STR(": "));

    return str_starts(message, STR("LogStash::")) && end > 0 ? str_from(message, (size_t)end + 2)
                                                             : message;
}

static void report(const struct plugin_open *cx, const char *text)
{
    struct str                message = without_own_class(str_of(text));
    int64_t                   line = 0;
    const char               *name = blamed_setting(&message, cx->arena, &line);
    const struct ast_setting *s = name ? plugin_setting(cx, name) : NULL;

    message.len = strcspn(message.data, "\n");
    if (!s) {
        plugin_error(cx, plugin_setting(cx, "path") ? "path" : NULL, "%.*s", STR_ARG(message));
        return;
    }
    struct loc at = ast_loc_at(&s->value, line_offset(ast_text(&s->value), line));
    diag(cx->diags, DIAG_ERROR, at, "%.*s", STR_ARG(message));
}

struct ruby_filter *ruby_filter_open(const char *class, struct map *options, struct plugin_open *cx)
{
    struct ruby_filter *f = arena_zalloc(cx->arena, sizeof(*f));
    struct opening      o = {.filter = f, .class = class, .options = options};
    const char         *problem;

    if (!ruby_vm_start(&problem)) {
        plugin_error(cx, NULL, "%s", problem);
        return NULL;
    }
    ruby_option(options, cx->arena, "check_only", value_bool(cx->path_data.len == 0));
    ruby_option_str(options, cx->arena, "id", cx->id);
    ruby_vm_call(open_object, &o, NULL);
    if (o.error) {
        report(cx, o.error);
        free(o.error);
        return NULL;
    }
    f->component = arena_printf(cx->arena, "filter.%.*s", STR_ARG(cx->ast->name)).data;
    f->limit = arena_zalloc(cx->arena, sizeof(*f->limit));
    return f;
}

void ruby_option(struct map *options, struct arena *a, const char *name, struct value v)
{
    *map_add(options, a, key_make(str_of(name))) = v;
}

void ruby_option_str(struct map *options, struct arena *a, const char *name, struct str s)
{
    ruby_option(options, a, name, s.data ? value_string(s) : value_null());
}

/* ---- events ---- */

/* What came of one event; in the arena of its batch. */
struct ruby_outcome {
    struct event  *ev;
    enum verdict   verdict;
    struct str     error; /* data NULL: none */
    struct event **made;
    uint32_t       made_len;
};

/* A call on its way: events of a batch, or a flush. */
struct filtering {
    const struct ruby_filter *filter;
    struct arena             *arena;
    struct ruby_outcome      *at;
    uint32_t                  len;
    bool                      flush, final;
    struct ruby_outcome      *current;
};

/* The event that code has now. Not on a worker's stack: there Ruby's collector does not look. */
static VALUE wrapped;

void ruby_define_filter(void)
{
    rb_gc_register_address(&wrapped);
    wrapped = Qnil;
}

static VALUE call_filter(VALUE arg)
{
    struct filtering    *f = RUBY_ARG(struct filtering, arg);
    struct ruby_outcome *o = f->current;

    wrapped = ruby_event_wrap(o->ev);
    VALUE result = rb_funcall(f->filter->object, rb_intern("lsc_filter"), 1, wrapped);
    if (RB_TYPE_P(result, T_STRING)) o->error = ruby_to_str(result, f->arena);
    if (result == Qtrue) o->verdict = FILTER_MATCH;
    return Qnil;
}

static VALUE call_flush(VALUE arg)
{
    struct filtering *f = RUBY_ARG(struct filtering, arg);

    return rb_funcall(f->filter->object, rb_intern("lsc_flush"), 1, f->final ? Qtrue : Qfalse);
}

/* The events that code has made belong to the batch from here on. */
static void take_made(struct filtering *f)
{
    struct ruby_outcome *o = f->current;
    VALUE                made = ruby_take_emitted();
    long                 len = RARRAY_LEN(made);

    if (len == 0) return;
    o->made = arena_alloc(f->arena, (size_t)len * sizeof(struct event *));
    for (long i = 0; i < len; i++) {
        VALUE         one = rb_ary_entry(made, i);
        struct event *copy = ruby_event_cancelled(one) ? NULL : ruby_event_copy(one, f->arena);
        if (copy) o->made[o->made_len++] = copy;
    }
    for (long i = 0; i < len; i++)
        if (rb_ary_entry(made, i) != wrapped)
            ruby_event_leave(rb_ary_entry(made, i), f->filter->keeps);
}

static void filter_one(struct filtering *f, struct ruby_outcome *o)
{
    int status = 0;

    f->current = o;
    wrapped = Qnil;
    rb_protect(f->flush ? call_flush : call_filter, (VALUE)f, &status);
    if (status) {
        char *text = ruby_error_text();
        o->error = arena_copy(f->arena, str_of(text));
        free(text);
    }
    take_made(f);
    if (NIL_P(wrapped)) return;
    if (ruby_event_cancelled(wrapped)) o->verdict = FILTER_DROP;
    ruby_event_leave(wrapped, f->filter->keeps);
}

static void filter_all(void *data)
{
    struct filtering *f = data;

    for (uint32_t i = 0; i < f->len; i++)
        filter_one(f, &f->at[i]);
}

/* Back on the worker, for each event when its turn comes. */
static void deliver(const struct ruby_filter *f, const struct ruby_outcome *o,
                    struct filter_context *cx)
{
    if (o->error.data)
        filter_failed(cx, f->limit, f->component, "ruby exception occurred", o->error);
    for (uint32_t i = 0; i < o->made_len; i++)
        filter_emit(cx, o->made[i], FILTER_PASS);
}

void ruby_filter_prepare(struct ruby_filter *f, struct event *const *ev, uint32_t n,
                         struct filter_context *cx)
{
    struct ruby_worker *w = cx->state;
    struct filtering    call = {.filter = f, .arena = cx->arena, .len = n};

    call.at = arena_zalloc(cx->arena, n * sizeof(*call.at));
    for (uint32_t i = 0; i < n; i++)
        call.at[i].ev = ev[i];
    ruby_vm_call(filter_all, &call, cx->stop);
    *w = (struct ruby_worker){.at = call.at, .len = n};
}

enum verdict ruby_filter_run(struct ruby_filter *f, struct event *ev, struct filter_context *cx)
{
    struct ruby_worker *w = cx->state;

    if (w->next == w->len || w->at[w->next].ev != ev) ruby_filter_prepare(f, &ev, 1, cx);
    const struct ruby_outcome *o = &w->at[w->next++];
    deliver(f, o, cx);
    return o->verdict;
}

void ruby_filter_flush(struct ruby_filter *f, struct filter_context *cx, bool final)
{
    struct ruby_outcome o = {.ev = NULL};
    struct filtering    call = {
           .filter = f, .arena = cx->arena, .at = &o, .len = 1, .flush = true, .final = final};

    ruby_vm_call(filter_all, &call, cx->stop);
    deliver(f, &o, cx);
}

/* ---- closing ---- */

static VALUE call_close(VALUE object)
{
    return rb_funcall(object, rb_intern("lsc_close"), 0);
}

static void close_object(void *data)
{
    struct ruby_filter *f = data;
    int                 status = 0;

    rb_protect(call_close, f->object, &status);
    if (status) {
        char *text = ruby_error_text();
        log_error(f->component, "ruby exception occurred", LOG_CSTR("what", text));
        free(text);
    }
    rb_gc_unregister_address(&f->object);
}

void ruby_filter_close(struct ruby_filter *f)
{
    if (f) ruby_vm_call(close_object, f, NULL);
}
