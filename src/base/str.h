#ifndef LSC_BASE_STR_H
#define LSC_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view of bytes owned by someone else: an arena, a config, a literal. Not NUL-terminated.
   `data` is NULL only for a string that was never set (an option not given). */
struct str {
    const char *data;
    size_t      len;
};

#define STR(literal) ((struct str){("" literal), sizeof(literal) - 1})

/* For printf: "%.*s", STR_ARG(s). */
#define STR_ARG(s) (int)(s).len, (s).data

static inline struct str str_of(const char *z)
{
    return (struct str){z, strlen(z)};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool str_is(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.data + s.len - suffix.len, suffix.data, suffix.len) == 0);
}

/* The part of `s` from byte `from` on; empty when there is none. */
static inline struct str str_from(struct str s, size_t from)
{
    return from < s.len ? (struct str){s.data + from, s.len - from}
                        : (struct str){s.data + s.len, 0};
}

/* Where `needle` first stands in `s`, or -1. */
static inline ptrdiff_t str_find(struct str s, struct str needle)
{
    if (needle.len == 0) return 0;
    const char *at = s.len ? memmem(s.data, s.len, needle.data, needle.len) : NULL;
    return at ? at - s.data : -1;
}

/* What a hex digit stands for, -1 when `c` is none. */
static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
