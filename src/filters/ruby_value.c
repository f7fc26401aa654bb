/*
 * Values of events as Ruby objects and back.
 *
 * Source: Rubyfier.java, Valuefier.java, ConvertedMap.java. Threads: Ruby's only.
 */
#include "base/utf8.h"
#include "filters/ruby_api.h"

enum { DEPTH_MAX = 500, STRING_MAX = 1 << 30 };

/* ---- to Ruby ---- */

VALUE ruby_of_str(struct str s)
{
    return rb_utf8_str_new(s.data, (long)s.len);
}

static VALUE of_list(const struct list *l)
{
    VALUE array = rb_ary_new_capa((long)l->len);

    for (uint32_t i = 0; i < l->len; i++)
        rb_ary_push(array, ruby_of_value(l->items[i]));
    return array;
}

static VALUE of_map(const struct map *m)
{
    VALUE hash = rb_hash_new();

    for (uint32_t i = 0; i < m->len; i++)
        rb_hash_aset(hash, ruby_of_str(key_str(m->members[i].key)),
                     ruby_of_value(m->members[i].value));
    return hash;
}

/* Digits that no int64 or double holds: Integer, or BigDecimal when there is a point or exponent.
 */
static VALUE of_number(struct str digits)
{
    VALUE text = ruby_of_str(digits);

    if (strcspn(StringValueCStr(text), ".eE") == digits.len) return rb_str_to_inum(text, 10, 0);
    return rb_funcall(rb_mKernel, rb_intern("BigDecimal"), 1, text);
}

VALUE ruby_of_value(struct value v)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_NULL:
        return Qnil;
    case VALUE_BOOL:
        return v.as.b ? Qtrue : Qfalse;
    case VALUE_INT:
        return LL2NUM(v.as.i);
    case VALUE_FLOAT:
        return DBL2NUM(v.as.f);
    case VALUE_TIME:
        return ruby_of_timestamp(value_timestamp(v));
    case VALUE_STRING:
        return ruby_of_str(value_str(v));
    case VALUE_NUMBER:
        return of_number(value_str(v));
    case VALUE_LIST:
        return of_list(v.as.list);
    case VALUE_MAP:
        return of_map(v.as.map);
    }
    return Qnil;
}

/* ---- from Ruby ---- */

/* Bytes without an encoding are taken as ISO 8859-1, as JRuby does. */
static struct str of_binary(struct str s, struct arena *a)
{
    char *start = arena_alloc(a, 2 * s.len), *at = start;

    for (size_t i = 0; i < s.len; i++)
        at += utf8_put(at, (unsigned char)s.data[i]);
    arena_trim(a, start, (size_t)(at - start));
    return (struct str){start, (size_t)(at - start)};
}

static VALUE replacement(void)
{
    return rb_utf8_str_new_cstr("\xEF\xBF\xBD"); /* U+FFFD */
}

/* Another encoding, by Ruby's own converters. */
static VALUE transcoded(VALUE string)
{
    VALUE options = rb_hash_new();

    rb_hash_aset(options, ID2SYM(rb_intern("invalid")), ID2SYM(rb_intern("replace")));
    rb_hash_aset(options, ID2SYM(rb_intern("undef")), ID2SYM(rb_intern("replace")));
    rb_hash_aset(options, ID2SYM(rb_intern("replace")), replacement());
    VALUE args[] = {rb_enc_from_encoding(rb_utf8_encoding()), options};
    return rb_funcallv_kw(string, rb_intern("encode"), 2, args, RB_PASS_KEYWORDS);
}

/* The string itself, or what Java would make of it when it became text. */
static VALUE as_utf8(VALUE string)
{
    rb_encoding *encoding = rb_enc_get(string);

    if (rb_enc_str_coderange(string) == ENC_CODERANGE_7BIT) return string;
    if (encoding != rb_utf8_encoding()) return transcoded(string);
    VALUE scrubbed = rb_str_scrub(string, replacement());
    return NIL_P(scrubbed) ? string : scrubbed;
}

struct str ruby_to_str(VALUE string, struct arena *a)
{
    bool binary = rb_enc_get(string) == rb_ascii8bit_encoding();

    if (RSTRING_LEN(string) >= STRING_MAX) rb_raise(rb_eArgError, "too long for an event");
    if (!binary) string = as_utf8(string);
    struct str s = {RSTRING_PTR(string), (size_t)RSTRING_LEN(string)};
    struct str out = binary ? of_binary(s, a) : arena_copy(a, s);
    RB_GC_GUARD(string);
    return out;
}

/* An Integer; one that is too big for an int64 keeps its digits. */
static struct value of_integer(VALUE v, struct arena *a)
{
    if (FIXNUM_P(v)) return value_int(FIX2LONG(v));
    if (rb_absint_size(v, NULL) < sizeof(int64_t)) return value_int(NUM2LL(v));
    if (RTEST(rb_funcall(v, rb_intern("between?"), 2, LL2NUM(INT64_MIN), LL2NUM(INT64_MAX))))
        return value_int(NUM2LL(v));
    struct value text = value_string(ruby_to_str(rb_big2str(v, 10), a));
    text.kind = VALUE_NUMBER;
    return text;
}

/* A BigDecimal: a float when that says the same, else its digits. */
static struct value of_decimal(VALUE v, struct arena *a)
{
    VALUE as_float = rb_funcall(v, rb_intern("to_f"), 0);
    VALUE again = rb_funcall(rb_mKernel, rb_intern("BigDecimal"), 1, rb_obj_as_string(as_float));

    if (rb_equal(again, v)) return value_float(NUM2DBL(as_float));
    VALUE        digits = rb_funcall(v, rb_intern("to_s"), 1, rb_str_new_cstr("F"));
    struct value text = value_string(ruby_to_str(digits, a));
    text.kind = VALUE_NUMBER;
    return text;
}

static struct value to_value(VALUE v, struct arena *a, int depth);

static struct value of_array(VALUE array, struct arena *a, int depth)
{
    struct list *l = list_new(a, (uint32_t)RARRAY_LEN(array));

    for (long i = 0; i < RARRAY_LEN(array); i++)
        list_push(l, a, to_value(rb_ary_entry(array, i), a, depth));
    return value_list(l);
}

struct pairs_to {
    struct map   *map;
    struct arena *arena;
    int           depth;
};

static int add_pair(VALUE key, VALUE v, VALUE arg)
{
    struct pairs_to *to = RUBY_ARG(struct pairs_to, arg);
    struct str       name = ruby_to_str(rb_obj_as_string(key), to->arena);
    struct value     converted = to_value(v, to->arena, to->depth);

    *map_add(to->map, to->arena, key_make(name)) = converted;
    return ST_CONTINUE;
}

static struct map *of_hash(VALUE hash, struct arena *a, int depth)
{
    struct pairs_to to = {map_new(a, (uint32_t)RHASH_SIZE(hash)), a, depth};

    rb_hash_foreach(hash, add_pair, (VALUE)&to);
    return to.map;
}

struct map *ruby_to_map(VALUE hash, struct arena *a)
{
    return of_hash(hash, a, DEPTH_MAX);
}

static struct value of_object(VALUE v, struct arena *a)
{
    struct timestamp t;

    if (ruby_is_timestamp(v, &t)) return value_time(t);
    if (rb_obj_is_kind_of(v, rb_cTime)) {
        struct timespec at = rb_time_timespec(v);
        return value_time((struct timestamp){at.tv_sec, (uint32_t)at.tv_nsec});
    }
    if (rb_const_defined(rb_cObject, rb_intern("BigDecimal")) &&
        rb_obj_is_kind_of(v, rb_const_get(rb_cObject, rb_intern("BigDecimal"))))
        return of_decimal(v, a);
    rb_raise(rb_eTypeError, "an event cannot hold an object of the class %s", rb_obj_classname(v));
}

static struct value to_value(VALUE v, struct arena *a, int depth)
{
    if (depth == 0) rb_raise(rb_eArgError, "nested too deeply for an event");
    switch (rb_type(v)) {
    case T_NIL:
        return value_null();
    case T_TRUE:
        return value_bool(true);
    case T_FALSE:
        return value_bool(false);
    case T_FIXNUM:
    case T_BIGNUM:
        return of_integer(v, a);
    case T_FLOAT:
        return value_float(RFLOAT_VALUE(v));
    case T_STRING:
        return value_string(ruby_to_str(v, a));
    case T_SYMBOL:
        return value_string(ruby_to_str(rb_sym2str(v), a));
    case T_ARRAY:
        return of_array(v, a, depth - 1);
    case T_HASH:
        return value_map(of_hash(v, a, depth - 1));
    default:
        return of_object(v, a);
    }
}

struct value ruby_to_value(VALUE v, struct arena *a)
{
    return to_value(v, a, DEPTH_MAX);
}
