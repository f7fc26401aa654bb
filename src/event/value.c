#include "event/value.h"

#include <math.h>
#include <stdio.h>

#include "base/fatal.h"
#include "event/json.h"
#include "event/time.h"

/* ---- maps ---- */

enum { FIRST_MEMBERS = 8, FIRST_ITEMS = 4 };

/* Doubled, for arrays that are full. */
static uint32_t larger(uint32_t cap, uint32_t first)
{
    if (cap > UINT32_MAX / 2) fatal_memory();
    return cap ? 2 * cap : first;
}

struct map *map_new(struct arena *a, uint32_t cap)
{
    struct map *m = arena_alloc(a, sizeof(*m));

    *m = (struct map){.cap = cap};
    if (cap) m->members = arena_alloc(a, (size_t)cap * sizeof(*m->members));
    return m;
}

/* Where the search for `key` starts. Keyed, so that nobody outside can choose names that collide.
 */
static uint32_t index_home(const struct map *m, const struct key *key)
{
    return (uint32_t)hash_name_keyed(key->name, key->len) & m->index_mask;
}

/* The slot of the index that holds `key`, or the free one where it would go. */
static uint32_t index_slot(const struct map *m, const struct key *key)
{
    uint32_t slot = index_home(m, key);

    while (m->index[slot] && !key_eq(&m->members[m->index[slot] - 1].key, key))
        slot = (slot + 1) & m->index_mask;
    return slot;
}

/* A fresh index that stays at most half full up to `members` members; holds those there are. */
static void index_build(struct map *m, struct arena *a, uint32_t members)
{
    size_t size = (size_t)4 * MAP_LINEAR;

    while (size < 2 * (size_t)members)
        size *= 2;
    if (size > UINT32_MAX) fatal_memory();
    m->index = arena_zalloc(a, size * sizeof(*m->index));
    m->index_mask = (uint32_t)(size - 1);
    for (uint32_t i = 0; i < m->len; i++)
        m->index[index_slot(m, &m->members[i].key)] = i + 1;
}

/* Position of `key`, or UINT32_MAX. */
static uint32_t map_find(const struct map *m, struct key key)
{
    if (m->index) return m->index[index_slot(m, &key)] - 1;
    for (uint32_t i = 0; i < m->len; i++)
        if (key_eq(&m->members[i].key, &key)) return i;
    return UINT32_MAX;
}

struct value *map_search(const struct map *m, struct key key)
{
    uint32_t at = map_find(m, key);

    return at == UINT32_MAX ? NULL : &m->members[at].value;
}

static void map_grow(struct map *m, struct arena *a)
{
    uint32_t       cap = larger(m->cap, FIRST_MEMBERS);
    struct member *bigger = arena_alloc(a, (size_t)cap * sizeof(*bigger));

    if (m->len) memcpy(bigger, m->members, m->len * sizeof(*bigger));
    m->members = bigger;
    m->cap = cap;
}

struct value *map_append_slow(struct map *m, struct arena *a, struct key key)
{
    if (m->len == m->cap) map_grow(m, a);
    if (m->len >= MAP_LINEAR && (!m->index || m->len >= m->index_mask / 2))
        index_build(m, a, m->cap > 2 * m->len ? m->cap : 2 * m->len);
    if (m->index) m->index[index_slot(m, &key)] = m->len + 1;

    struct member *fresh = &m->members[m->len++];
    m->seen |= key_bit(key);
    *fresh = (struct member){key, value_null()};
    return &fresh->value;
}

/* Takes `slot` out of the index. The entries behind it that it kept from their place move up, for
   linear probing stops at the first free one. */
static void index_remove(struct map *m, uint32_t slot)
{
    uint32_t gap = slot;

    for (uint32_t i = (slot + 1) & m->index_mask; m->index[i]; i = (i + 1) & m->index_mask) {
        uint32_t home = index_home(m, &m->members[m->index[i] - 1].key);
        if (((i - home) & m->index_mask) < ((i - gap) & m->index_mask)) continue;
        m->index[gap] = m->index[i];
        gap = i;
    }
    m->index[gap] = 0;
}

/* The members behind the gap move up. */
static void close_gap(struct map *m, uint32_t at)
{
    memmove(&m->members[at], &m->members[at + 1], (m->len - at) * sizeof(*m->members));
    if (!m->index) return;
    for (uint32_t i = 0; i <= m->index_mask; i++)
        m->index[i] -= m->index[i] > at;
}

/* The last member moves into the gap: so a huge map is emptied in linear time. */
static void fill_gap(struct map *m, uint32_t at)
{
    if (at == m->len) return;
    m->index[index_slot(m, &m->members[m->len].key)] = at + 1;
    m->members[at] = m->members[m->len];
}

bool map_take(struct map *m, struct key key, struct value *old)
{
    uint32_t at = m->seen & key_bit(key) ? map_find(m, key) : UINT32_MAX;

    if (at == UINT32_MAX) return false;
    if (old) *old = m->members[at].value;
    if (m->index) index_remove(m, index_slot(m, &key));
    m->len--;
    if (m->len < MAP_ORDERED)
        close_gap(m, at);
    else
        fill_gap(m, at);
    return true;
}

bool map_remove(struct map *m, struct key key)
{
    return map_take(m, key, NULL);
}

void map_clear(struct map *m)
{
    m->len = 0;
    m->seen = 0;
    m->index = NULL;
}

/* ---- lists ---- */

struct list *list_new(struct arena *a, uint32_t cap)
{
    struct list *l = arena_alloc(a, sizeof(*l));

    *l = (struct list){.cap = cap};
    if (cap) l->items = arena_alloc(a, (size_t)cap * sizeof(*l->items));
    return l;
}

static void list_room(struct list *l, struct arena *a)
{
    if (l->len < l->cap) return;
    uint32_t      cap = larger(l->cap, FIRST_ITEMS);
    struct value *bigger = arena_alloc(a, (size_t)cap * sizeof(*bigger));
    if (l->len) memcpy(bigger, l->items, l->len * sizeof(*bigger));
    l->items = bigger;
    l->cap = cap;
}

void list_push(struct list *l, struct arena *a, struct value v)
{
    list_room(l, a);
    l->items[l->len++] = v;
}

void list_insert(struct list *l, struct arena *a, uint32_t at, struct value v)
{
    list_room(l, a);
    memmove(&l->items[at + 1], &l->items[at], (l->len - at) * sizeof(*l->items));
    l->items[at] = v;
    l->len++;
}

void list_remove(struct list *l, uint32_t at)
{
    l->len--;
    memmove(&l->items[at], &l->items[at + 1], (l->len - at) * sizeof(*l->items));
}

/* ---- copies ---- */

static struct str copy_bytes(struct arena *a, struct str s)
{
    if (s.len == 0) return STR("");
    return (struct str){memcpy(arena_alloc(a, s.len), s.data, s.len), s.len};
}

static struct value copy(struct arena *a, struct value v, bool bytes);

static struct list *copy_list(struct arena *a, const struct list *from, bool bytes)
{
    struct list *l = list_new(a, from->len);

    for (uint32_t i = 0; i < from->len; i++)
        l->items[i] = copy(a, from->items[i], bytes);
    l->len = from->len;
    return l;
}

static struct map *copy_map(struct arena *a, const struct map *from, bool bytes)
{
    struct map *m = map_new(a, from->len);

    for (uint32_t i = 0; i < from->len; i++) {
        struct key key = from->members[i].key;
        if (bytes) key.name = copy_bytes(a, key_str(key)).data;
        m->members[i] = (struct member){key, copy(a, from->members[i].value, bytes)};
    }
    m->len = from->len;
    m->seen = from->seen;
    if (from->index) index_build(m, a, m->len);
    return m;
}

static struct value copy(struct arena *a, struct value v, bool bytes)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_STRING:
    case VALUE_NUMBER:
        if (bytes) v.as.s = copy_bytes(a, value_str(v)).data;
        return v;
    case VALUE_LIST:
        return value_list(copy_list(a, v.as.list, bytes));
    case VALUE_MAP:
        return value_map(copy_map(a, v.as.map, bytes));
    default:
        return v;
    }
}

struct value value_copy(struct arena *a, struct value v)
{
    return copy(a, v, true);
}

struct value value_clone_deep(struct arena *a, struct value v)
{
    return copy(a, v, false);
}

/* ---- equality ---- */

static bool int_is_float(int64_t i, double f)
{
    return f >= -0x1p63 && f < 0x1p63 && (int64_t)f == i && (double)(int64_t)f == f;
}

/* Whether the digits of an integer beyond int64_t are those of `f`. */
static bool digits_are_float(struct str digits, double f)
{
    char text[400];
    int  n = isfinite(f) ? snprintf(text, sizeof(text), "%.0f", f) : 0;

    return f == floor(f) && str_eq(digits, (struct str){text, (size_t)n});
}

static bool list_eq(const struct list *a, const struct list *b)
{
    if (a->len != b->len) return false;
    for (uint32_t i = 0; i < a->len; i++)
        if (!value_eq(a->items[i], b->items[i])) return false;
    return true;
}

static bool map_eq(const struct map *a, const struct map *b)
{
    if (a->len != b->len) return false;
    for (uint32_t i = 0; i < a->len; i++) {
        const struct value *other = map_get(b, a->members[i].key);
        if (!other || !value_eq(a->members[i].value, *other)) return false;
    }
    return true;
}

static bool mixed_eq(struct value a, struct value b)
{
    if (a.kind == VALUE_INT && b.kind == VALUE_FLOAT) return int_is_float(a.as.i, b.as.f);
    if (a.kind == VALUE_NUMBER && b.kind == VALUE_FLOAT)
        return digits_are_float(value_str(a), b.as.f);
    return false;
}

bool value_eq(struct value a, struct value b)
{
    if (a.kind != b.kind) return mixed_eq(a, b) || mixed_eq(b, a);
    switch ((enum value_kind)a.kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a.as.b == b.as.b;
    case VALUE_INT:
        return a.as.i == b.as.i;
    case VALUE_FLOAT:
        return a.as.f == b.as.f;
    case VALUE_TIME:
        return a.as.i == b.as.i && a.len == b.len;
    case VALUE_STRING:
    case VALUE_NUMBER:
        return str_eq(value_str(a), value_str(b));
    case VALUE_LIST:
        return list_eq(a.as.list, b.as.list);
    case VALUE_MAP:
        return map_eq(a.as.map, b.as.map);
    }
    return false;
}

/* ---- text ---- */

static void scalar_text(struct value v, struct buf *out)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_STRING:
    case VALUE_NUMBER:
        buf_str(out, value_str(v));
        break;
    case VALUE_BOOL:
        buf_str(out, v.as.b ? STR("true") : STR("false"));
        break;
    case VALUE_INT:
        json_encode_int(v.as.i, out);
        break;
    case VALUE_FLOAT:
        json_encode_float(v.as.f, out);
        break;
    case VALUE_TIME: {
        char *to = buf_room(out, 40);
        out->len += time_print(value_timestamp(v), to);
        break;
    }
    default: /* null is no text */
        break;
    }
}

static void java_text(struct value v, struct buf *out);

static void java_list_text(const struct list *l, struct buf *out)
{
    buf_char(out, '[');
    for (uint32_t i = 0; i < l->len; i++) {
        if (i) buf_put(out, ", ", 2);
        java_text(l->items[i], out);
    }
    buf_char(out, ']');
}

/* {a=1, b=x}: what Java prints for a map that hangs in a list. */
static void java_map_text(const struct map *m, struct buf *out)
{
    buf_char(out, '{');
    for (uint32_t i = 0; i < m->len; i++) {
        if (i) buf_put(out, ", ", 2);
        buf_str(out, key_str(m->members[i].key));
        buf_char(out, '=');
        java_text(m->members[i].value, out);
    }
    buf_char(out, '}');
}

static void java_text(struct value v, struct buf *out)
{
    if (v.kind == VALUE_LIST)
        java_list_text(v.as.list, out);
    else if (v.kind == VALUE_MAP)
        java_map_text(v.as.map, out);
    else if (v.kind == VALUE_NULL)
        buf_str(out, STR("null"));
    else
        scalar_text(v, out);
}

/* Source: KeyNode.java: lists in lists are joined as well; null gives nothing. */
static void join(const struct list *l, struct buf *out)
{
    for (uint32_t i = 0; i < l->len; i++) {
        if (i) buf_char(out, ',');
        if (l->items[i].kind == VALUE_LIST)
            join(l->items[i].as.list, out);
        else if (l->items[i].kind == VALUE_MAP)
            java_map_text(l->items[i].as.map, out);
        else
            scalar_text(l->items[i], out);
    }
}

void value_text(struct value v, struct buf *out)
{
    if (v.kind == VALUE_LIST)
        join(v.as.list, out);
    else if (v.kind == VALUE_MAP)
        json_encode(v, out);
    else
        scalar_text(v, out);
}

const char *value_kind_name(enum value_kind kind)
{
    static const char *const kind_names[] = {
        [VALUE_NULL] = "null",     [VALUE_BOOL] = "boolean",   [VALUE_INT] = "integer",
        [VALUE_FLOAT] = "float",   [VALUE_TIME] = "timestamp", [VALUE_STRING] = "string",
        [VALUE_NUMBER] = "number", [VALUE_LIST] = "array",     [VALUE_MAP] = "hash",
    };

    return kind_names[kind];
}
