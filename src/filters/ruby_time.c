/*
 * LogStash::Timestamp.
 *
 * Source: JrubyTimestampExtLibrary.java. Threads: Ruby's only.
 */
#include "event/time.h"
#include "filters/ruby_api.h"

static VALUE class, parser_error;

static const rb_data_type_t type = {.wrap_struct_name = "LogStash::Timestamp",
                                    .function = {.dfree = RUBY_DEFAULT_FREE},
                                    .flags = RUBY_TYPED_FREE_IMMEDIATELY};

static VALUE make(VALUE of_class, struct timestamp t)
{
    struct timestamp *own;
    VALUE             v = TypedData_Make_Struct(of_class, struct timestamp, &type, own);

    *own = t;
    return v;
}

static VALUE allocate(VALUE of_class)
{
    return make(of_class, (struct timestamp){0});
}

static struct timestamp *get(VALUE self)
{
    return rb_check_typeddata(self, &type);
}

VALUE ruby_of_timestamp(struct timestamp t)
{
    return make(class, t);
}

bool ruby_is_timestamp(VALUE v, struct timestamp *t)
{
    if (!rb_typeddata_is_kind_of(v, &type)) return false;
    *t = *get(v);
    return true;
}

static struct timestamp parse(VALUE text)
{
    struct timestamp t;

    if (!time_parse((struct str){RSTRING_PTR(text), (size_t)RSTRING_LEN(text)}, &t))
        rb_raise(parser_error, "invalid timestamp string format %" PRIsVALUE, text);
    return t;
}

/* False: an object that is no time. */
static bool convert(VALUE v, struct timestamp *t)
{
    if (NIL_P(v)) {
        *t = clock_now();
    } else if (RB_TYPE_P(v, T_STRING)) {
        *t = parse(v);
    } else if (rb_obj_is_kind_of(v, rb_cTime)) {
        struct timespec at = rb_time_timespec(v);
        *t = (struct timestamp){at.tv_sec, (uint32_t)at.tv_nsec};
    } else {
        return ruby_is_timestamp(v, t);
    }
    return true;
}

static VALUE initialize(int argc, const VALUE *argv, VALUE self)
{
    VALUE v = rb_check_arity(argc, 0, 1) ? argv[0] : Qnil;

    if (!convert(v, get(self)))
        rb_raise(rb_eTypeError, "wrong argument type %s (expected Time)", rb_obj_classname(v));
    return self;
}

static VALUE initialize_copy(VALUE self, VALUE other)
{
    *get(self) = *get(other);
    return self;
}

/* ---- of the class ---- */

static VALUE now(VALUE self)
{
    (void)self;
    return ruby_of_timestamp(clock_now());
}

static VALUE coerce(VALUE self, VALUE v)
{
    struct timestamp t;

    (void)self;
    return convert(v, &t) ? ruby_of_timestamp(t) : Qnil;
}

static VALUE parse_iso8601(VALUE self, VALUE text)
{
    (void)self;
    return ruby_of_timestamp(parse(StringValue(text)));
}

static VALUE at(int argc, const VALUE *argv, VALUE self)
{
    struct timestamp t;

    (void)self;
    convert(rb_funcallv(rb_cTime, rb_intern("at"), argc, argv), &t);
    return ruby_of_timestamp(t);
}

/* ---- of one ---- */

static VALUE as_time(VALUE self)
{
    struct timespec spec = {.tv_sec = get(self)->sec, .tv_nsec = get(self)->nsec};

    return rb_time_timespec_new(&spec, INT_MAX - 1); /* UTC */
}

static VALUE to_i(VALUE self)
{
    return LL2NUM(get(self)->sec);
}

static VALUE to_f(VALUE self)
{
    return DBL2NUM((double)get(self)->sec + (double)get(self)->nsec / 1e9);
}

static VALUE nsec(VALUE self)
{
    return UINT2NUM(get(self)->nsec);
}

static VALUE usec(VALUE self)
{
    return UINT2NUM(get(self)->nsec / 1000);
}

static VALUE year(VALUE self)
{
    return LL2NUM(time_civil(get(self)->sec).year);
}

static VALUE to_iso8601(VALUE self)
{
    char out[40];

    return ruby_of_str((struct str){out, time_print(*get(self), out)});
}

static VALUE to_json(int argc, const VALUE *argv, VALUE self)
{
    VALUE text = rb_utf8_str_new_cstr("\"");

    (void)argc;
    (void)argv;
    rb_str_append(text, to_iso8601(self));
    return rb_str_cat_cstr(text, "\"");
}

static VALUE itself(VALUE self)
{
    return self;
}

static VALUE compare(VALUE self, VALUE other)
{
    const struct timestamp *a = get(self);
    struct timestamp        b;

    if (!ruby_is_timestamp(other, &b)) return Qnil;
    if (a->sec != b.sec) return INT2FIX(a->sec < b.sec ? -1 : 1);
    return INT2FIX((a->nsec > b.nsec) - (a->nsec < b.nsec));
}

static VALUE hash(VALUE self)
{
    return LL2NUM((int64_t)(hash_keyed(get(self), sizeof(struct timestamp)) >> 2));
}

static VALUE equal(VALUE self, VALUE other)
{
    return compare(self, other) == INT2FIX(0) ? Qtrue : Qfalse;
}

static VALUE plus(VALUE self, VALUE other)
{
    return rb_funcall(as_time(self), '+', 1, other);
}

static VALUE minus(VALUE self, VALUE other)
{
    struct timestamp t;

    return rb_funcall(as_time(self), '-', 1, ruby_is_timestamp(other, &t) ? as_time(other) : other);
}

static void define_readers(void)
{
    static const char *const same[] = {"utc", "gmtime"};
    static const char *const micros[] = {"usec", "tv_usec"};
    static const char *const nanos[] = {"nsec", "tv_nsec"};
    static const char *const texts[] = {"to_s", "inspect", "to_iso8601"};

    for (int i = 0; i < 2; i++) {
        rb_define_method(class, same[i], itself, 0);
        rb_define_method(class, micros[i], usec, 0);
        rb_define_method(class, nanos[i], nsec, 0);
    }
    for (int i = 0; i < 3; i++)
        rb_define_method(class, texts[i], to_iso8601, 0);
    rb_define_method(class, "time", as_time, 0);
    rb_define_method(class, "to_i", to_i, 0);
    rb_define_method(class, "to_f", to_f, 0);
    rb_define_method(class, "year", year, 0);
    rb_define_method(class, "to_json", to_json, -1);
}

void ruby_define_timestamp(VALUE logstash)
{
    class = rb_define_class_under(logstash, "Timestamp", rb_cObject);
    parser_error = rb_define_class_under(logstash, "TimestampParserError", rb_eStandardError);
    rb_gc_register_mark_object(class);
    rb_gc_register_mark_object(parser_error);
    rb_include_module(class, rb_mComparable);
    rb_define_alloc_func(class, allocate);
    rb_define_method(class, "initialize", initialize, -1);
    rb_define_method(class, "initialize_copy", initialize_copy, 1);
    rb_define_singleton_method(class, "now", now, 0);
    rb_define_singleton_method(class, "at", at, -1);
    rb_define_singleton_method(class, "coerce", coerce, 1);
    rb_define_singleton_method(class, "parse_iso8601", parse_iso8601, 1);
    define_readers();
    rb_define_method(class, "<=>", compare, 1);
    rb_define_method(class, "==", equal, 1);
    rb_define_method(class, "eql?", equal, 1);
    rb_define_method(class, "hash", hash, 0);
    rb_define_method(class, "+", plus, 1);
    rb_define_method(class, "-", minus, 1);
}
