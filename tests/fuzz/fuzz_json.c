/*
 * json_decode against jansson: the same texts are accepted, with the same values; what is written
 * of a value reads as the same again. Known differences: jansson refuses numbers that neither 64
 * bits nor a double hold, surrogates without a partner and names with a zero byte; it has another
 * limit of depth, and reads over some bytes of value zero.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "event/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static bool same(const json_t *j, struct value v);

/* What is known of the decimals of a float only saves time. */
static bool prints_alike(struct value v)
{
    static struct buf known, searched;

    buf_clear(&known);
    buf_clear(&searched);
    json_encode(v, &known);
    json_encode_float(v.as.f, &searched);
    return str_eq(buf_view(&known), buf_view(&searched));
}

static bool same_list(const json_t *j, const struct list *l)
{
    if (json_array_size(j) != l->len) return false;
    for (uint32_t i = 0; i < l->len; i++)
        if (!same(json_array_get(j, i), l->items[i])) return false;
    return true;
}

static bool same_map(const json_t *j, const struct map *m)
{
    if (json_object_size(j) != m->len) return false;
    for (uint32_t i = 0; i < m->len; i++) {
        struct str name = key_str(m->members[i].key);
        if (!same(json_object_getn(j, name.data, name.len), m->members[i].value)) return false;
    }
    return true;
}

static bool same(const json_t *j, struct value v)
{
    switch (j ? json_typeof(j) : JSON_NULL) {
    case JSON_NULL:
        return j && v.kind == VALUE_NULL;
    case JSON_TRUE:
    case JSON_FALSE:
        return v.kind == VALUE_BOOL && v.as.b == json_is_true(j);
    case JSON_INTEGER:
        return v.kind == VALUE_INT && v.as.i == json_integer_value(j);
    case JSON_REAL:
        return v.kind == VALUE_FLOAT && v.as.f == json_real_value(j) && prints_alike(v);
    case JSON_STRING:
        return v.kind == VALUE_STRING &&
               str_eq(value_str(v), (struct str){json_string_value(j), json_string_length(j)});
    case JSON_ARRAY:
        return v.kind == VALUE_LIST && same_list(j, v.as.list);
    case JSON_OBJECT:
        return v.kind == VALUE_MAP && same_map(j, v.as.map);
    }
    return false;
}

static bool known_difference(const json_error_t *e)
{
    return json_error_code(e) == json_error_numeric_overflow || strstr(e->text, "Unicode") ||
           strstr(e->text, "too big") || strstr(e->text, "NUL");
}

static void writes_what_it_reads(struct arena *a, struct value v)
{
    static struct buf first, second;
    struct value      again;

    buf_clear(&first);
    json_encode(v, &first);
    must(json_decode(a, buf_view(&first), NULL, &again, NULL));
    must(value_eq(v, again));
    buf_clear(&second);
    json_encode(again, &second);
    must(str_eq(buf_view(&first), buf_view(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena a;
    struct str          text = {(const char *)data, size};
    struct json_error   error = {NULL, SIZE_MAX};
    json_error_t        theirs;
    struct value        v;
    json_t             *j = json_loadb(text.data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &theirs);

    if (json_decode(&a, text, NULL, &v, &error)) {
        must(j ? same(j, v) : known_difference(&theirs));
        writes_what_it_reads(&a, v);
    } else {
        must(error.message && error.offset <= size);
        must(!j || strcmp(error.message, "nested too deeply") == 0 || memchr(data, 0, size));
    }
    if (j) json_decref(j);
    arena_reset(&a);
    return 0;
}
