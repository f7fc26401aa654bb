/*
 * What the Ruby part (ruby_prelude.rb) needs of the program: the log, and a way for new events.
 *
 * Threads: Ruby's only.
 */
#include <stdlib.h>

#include "base/fatal.h"
#include "filters/ruby_filter.h"

/* ruby_prelude.rb and ruby_aggregate.rb. */
static const unsigned char parts[] = {
#include "filters/ruby_parts.inc"
};

static VALUE stopped, emitted;

VALUE ruby_stopped_class(void)
{
    return stopped;
}

/* ---- the log ---- */

static VALUE log_is_on(VALUE self, VALUE component, VALUE level)
{
    (void)self;
    return log_enabled(StringValueCStr(component), (enum log_level)NUM2INT(level)) ? Qtrue : Qfalse;
}

static struct str text_of(VALUE string)
{
    return (struct str){RSTRING_PTR(string), (size_t)RSTRING_LEN(string)};
}

static VALUE log_line(VALUE self, VALUE component, VALUE level, VALUE message, VALUE details)
{
    struct arena     a = {0};
    const char      *text = arena_cstr(&a, text_of(StringValue(message)));
    struct log_value values[] = {
        LOG_STR("details", NIL_P(details) ? STR("") : text_of(StringValue(details)))};

    (void)self;
    log_write(StringValueCStr(component), (enum log_level)NUM2INT(level), text, values,
              NIL_P(details) ? 0 : 1);
    arena_release(&a);
    return Qnil;
}

/* ---- new events ---- */

static VALUE emit(VALUE self, VALUE event)
{
    (void)self;
    if (!ruby_is_event(event))
        rb_raise(rb_eTypeError, "wrong argument type %s (expected LogStash::Event)",
                 rb_obj_classname(event));
    rb_ary_push(emitted, event);
    return Qnil;
}

VALUE ruby_take_emitted(void)
{
    VALUE taken = emitted;

    if (RARRAY_LEN(taken) > 0) emitted = rb_ary_new();
    return taken;
}

/* ---- all of it ---- */

char *ruby_error_text(void)
{
    VALUE error = rb_errinfo();
    int   status = 0;

    rb_set_errinfo(Qnil);
    VALUE text = rb_protect(rb_obj_as_string, error, &status);
    if (status) rb_set_errinfo(Qnil);
    struct buf b = {0};
    buf_printf(&b, "%s: ", rb_obj_classname(error));
    if (!status) buf_str(&b, text_of(text));
    char *copy = xstrndup(b.data, b.len);
    buf_release(&b);
    return copy;
}

static void define_native(VALUE logstash)
{
    VALUE native = rb_define_module_under(logstash, "Native");

    stopped = rb_define_class_under(logstash, "Stopped", rb_eException);
    rb_gc_register_mark_object(stopped);
    rb_gc_register_address(&emitted);
    emitted = rb_ary_new();
    rb_define_singleton_method(native, "log?", log_is_on, 2);
    rb_define_singleton_method(native, "log", log_line, 4);
    rb_define_singleton_method(native, "emit", emit, 1);
}

VALUE ruby_define_all(VALUE unused)
{
    VALUE logstash = rb_define_module("LogStash");

    ruby_define_timestamp(logstash);
    ruby_define_event(logstash);
    define_native(logstash);
    ruby_define_filter();
    VALUE text = rb_utf8_str_new((const char *)parts, sizeof(parts));
    rb_funcall(rb_const_get(rb_cObject, rb_intern("TOPLEVEL_BINDING")), rb_intern("eval"), 2, text,
               rb_utf8_str_new_cstr("(lsc)"));
    return unused;
}
