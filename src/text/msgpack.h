#ifndef LSC_TEXT_MSGPACK_H
#define LSC_TEXT_MSGPACK_H

#include "event/value.h"

/* MessagePack, read and written. Source: github.com/msgpack/msgpack, spec.md. */

enum msgpack_kind {
    MSGPACK_NIL,
    MSGPACK_BOOL,
    MSGPACK_INT,
    MSGPACK_UINT, /* above what int64_t holds */
    MSGPACK_FLOAT,
    MSGPACK_STR,
    MSGPACK_BIN,
    MSGPACK_ARRAY,
    MSGPACK_MAP,
    MSGPACK_EXT,
};

/* What stands at the start of an object. */
struct msgpack_head {
    enum msgpack_kind kind;
    uint32_t          len; /* of STR, BIN, EXT: bytes behind the head; items; pairs */
    int8_t            ext; /* type of an EXT */
    union {
        bool     b;
        int64_t  i;
        uint64_t u;
        double   f;
    } as;
};

/* The head of the object at the start of `bytes`. Returns its length; 0: it is not all there; -1:
   not MessagePack. What is behind it may not be there. */
int msgpack_head_read(struct str bytes, struct msgpack_head *h);

enum msgpack_status { MSGPACK_DONE, MSGPACK_SHORT, MSGPACK_BROKEN };

/* Looks for the end of an object whose bytes come piece by piece; starts zeroed. */
struct msgpack_scan {
    size_t   at;        /* bytes looked at: the object's length when it is done */
    uint64_t remaining; /* objects still to come, plus one once it has begun */
};
/* `bytes` is all that has come since the start of the object. */
enum msgpack_status msgpack_scan(struct msgpack_scan *s, struct str bytes);

/*
 * Reads the object at the start of `bytes`, which live as long as `a`: strings are views where they
 * are UTF-8. What is not becomes U+FFFD in strings, and characters of ISO 8859-1 in binaries. Names
 * of members are the text of what stands there, be it no string. The extension types -1 (timestamp)
 * and 0 with eight bytes (Fluentd's EventTime) become times. `*used` gets its length. When the
 * status is not MSGPACK_DONE, `*why` (may be NULL) says what is wrong.
 */
enum msgpack_status msgpack_read(struct arena *a, struct str bytes, struct value *out, size_t *used,
                                 const char **why);

/* The time in the `len` bytes of an EXT of type `ext` at `data`; false when it is none. */
bool msgpack_time(int8_t ext, const char *data, uint32_t len, struct timestamp *out);

/* Writing. Times become ISO 8601 strings; a NUMBER an integer when it fits, else a string. */
void msgpack_write(struct value v, struct buf *out);
void msgpack_write_array(uint32_t len, struct buf *out);
void msgpack_write_map(uint32_t len, struct buf *out);
void msgpack_write_string(struct str s, struct buf *out);
void msgpack_write_string_head(size_t len, struct buf *out); /* the bytes follow */
void msgpack_write_int(int64_t i, struct buf *out);
/* Fluentd's EventTime: extension type 0. */
void msgpack_write_event_time(struct timestamp t, struct buf *out);

#endif
