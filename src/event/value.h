#ifndef LSC_EVENT_VALUE_H
#define LSC_EVENT_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_FLOAT,  /* len: how many decimals it was read with, or 0: a hint for printing */
    VALUE_TIME,   /* as.i: seconds since 1970 UTC; len: nanoseconds, 0 .. 999999999 */
    VALUE_STRING, /* as.s: len bytes in the batch arena, UTF-8 */
    VALUE_NUMBER, /* as.s: the digits of a number that no int64_t or double can hold */
    VALUE_LIST,
    VALUE_MAP,
};

struct list;
struct map;

/* Copied by value. Strings, lists and maps point into the arena of the event's batch. String bytes
   are never changed, only views replaced; a list or map has exactly one parent. */
struct value {
    uint8_t  kind; /* enum value_kind */
    uint32_t len;
    union {
        bool         b;
        int64_t      i;
        double       f;
        const char  *s;
        struct list *list;
        struct map  *map;
    } as;
};
_Static_assert(sizeof(struct value) == 16, "two words: passed in registers");

struct list {
    uint32_t      len, cap;
    struct value *items;
};

/* A member's name with its hash: comparing two starts with one 64-bit compare. */
struct key {
    const char *name;
    uint32_t    len, hash;
};

struct member {
    struct key   key;
    struct value value;
};

/* Members keep the order in which they were added, but when one of more than MAP_ORDERED is
   removed, the last takes its place. Up to MAP_LINEAR of them are found by looking through them;
   larger maps have an index. Zero-initialised is an empty map. */
struct map {
    uint32_t       len, cap;
    uint64_t       seen; /* a bit for the hash of each name that was ever added: key_bit() */
    struct member *members;
    uint32_t      *index; /* NULL, or a hash table of positions + 1 */
    uint32_t       index_mask;
};
enum { MAP_LINEAR = 32, MAP_ORDERED = 256 };

static inline struct value value_null(void)
{
    return (struct value){.kind = VALUE_NULL};
}

static inline struct value value_bool(bool b)
{
    return (struct value){.kind = VALUE_BOOL, .as.b = b};
}

static inline struct value value_int(int64_t i)
{
    return (struct value){.kind = VALUE_INT, .as.i = i};
}

static inline struct value value_float(double f)
{
    return (struct value){.kind = VALUE_FLOAT, .as.f = f};
}

static inline struct value value_time(struct timestamp t)
{
    return (struct value){.kind = VALUE_TIME, .len = t.nsec, .as.i = t.sec};
}

/* `s` must live as long as the value: in the arena, or for ever. */
static inline struct value value_string(struct str s)
{
    return (struct value){.kind = VALUE_STRING, .len = (uint32_t)s.len, .as.s = s.data};
}

static inline struct value value_list(struct list *l)
{
    return (struct value){.kind = VALUE_LIST, .as.list = l};
}

static inline struct value value_map(struct map *m)
{
    return (struct value){.kind = VALUE_MAP, .as.map = m};
}

/* The bytes of a STRING or NUMBER. */
static inline struct str value_str(struct value v)
{
    return (struct str){v.as.s, v.len};
}

/* The moment of a TIME. */
static inline struct timestamp value_timestamp(struct value v)
{
    return (struct timestamp){v.as.i, v.len};
}

/* A deep copy into `a`, strings included: for what outlives its batch. */
struct value value_copy(struct arena *a, struct value v);
/* A copy of all lists and maps; string bytes are shared. For clone and split within one batch. */
struct value value_clone_deep(struct arena *a, struct value v); /* for value_clone() */
static inline struct value value_clone(struct arena *a, struct value v)
{
    return v.kind < VALUE_LIST ? v : value_clone_deep(a, v);
}

/* Equal as Ruby's == says: 1 == 1.0, but 1 != "1"; lists and maps by content. */
bool value_eq(struct value a, struct value b);

/*
 * The value as text, as %{field} and string conversions print it: lists joined by ",", maps as
 * JSON, times as ISO 8601, floats as Java prints them. Source: StringInterpolation.java.
 */
void value_text(struct value v, struct buf *out);

/* Name of the kind for messages: "string", "integer", … */
const char *value_kind_name(enum value_kind kind);

static inline struct key key_make(struct str name)
{
    return (struct key){name.data, (uint32_t)name.len, hash_name(name.data, name.len)};
}

static inline struct str key_str(struct key k)
{
    return (struct str){k.name, k.len};
}

/* The bit of `seen` for names with this hash: most names that a map lacks are known by it. */
static inline uint64_t key_bit(struct key k)
{
    return (uint64_t)1 << (k.hash >> 26);
}

/* Most names are short: a call of memcmp() would cost more than its bytes. */
static inline bool key_eq(const struct key *a, const struct key *b)
{
    uint64_t x, y;
    memcpy(&x, &a->len, sizeof(x));
    memcpy(&y, &b->len, sizeof(y));
    if (x != y) return false;
    if (a->len > NAME_ENDS_MAX) return memcmp(a->name, b->name, a->len) == 0;
    struct name_ends p = name_ends(a->name, a->len), q = name_ends(b->name, b->len);
    return p.first == q.first && p.last == q.last;
}

struct map   *map_new(struct arena *a, uint32_t cap);
struct value *map_search(const struct map *m, struct key key);                 /* for map_get() */
struct value *map_append_slow(struct map *m, struct arena *a, struct key key); /* map_append() */

/* The member's value, valid until the next map_add() or map_remove(). NULL: no such member. */
static inline struct value *map_get(const struct map *m, struct key key)
{
    return m->seen & key_bit(key) ? map_search(m, key) : NULL;
}

/* Adds without looking: only when `key` is certainly not a member. The name must live as long as
   the map. The value is null. */
static inline struct value *map_append(struct map *m, struct arena *a, struct key key)
{
    if (m->len >= m->cap || m->len >= MAP_LINEAR || m->index) return map_append_slow(m, a, key);
    struct member *fresh = &m->members[m->len++];
    m->seen |= key_bit(key);
    *fresh = (struct member){key, value_null()};
    return &fresh->value;
}

/* The member of that name; a new one is null. */
static inline struct value *map_add(struct map *m, struct arena *a, struct key key)
{
    struct value *found = map_get(m, key);

    return found ? found : map_append(m, a, key);
}

/* Takes a member out; false when there was none. `*old` (may be NULL) gets its value. */
bool map_take(struct map *m, struct key key, struct value *old);
bool map_remove(struct map *m, struct key key); /* the same without its value */
void map_clear(struct map *m);

struct list *list_new(struct arena *a, uint32_t cap);
void         list_push(struct list *l, struct arena *a, struct value v);
void         list_insert(struct list *l, struct arena *a, uint32_t at, struct value v);
void         list_remove(struct list *l, uint32_t at);

#endif
