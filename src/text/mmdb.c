#include "text/mmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fatal.h"
#include "base/utf8.h"

struct mmdb {
    MMDB_s db;
};

enum { DEPTH_MAX = 64 };

/* ---- opening ---- */

/* A copy of the file that nobody else can change or cut; -1 with errno set. */
static int copy_of(const char *path)
{
    static const size_t BLOCK = 1 << 20;
    int                 from = open(path, O_RDONLY | O_CLOEXEC);
    int                 to = from < 0 ? -1 : memfd_create("lsc-mmdb", MFD_CLOEXEC);
    char               *block = xmalloc(BLOCK);
    ssize_t             n = to < 0 ? -1 : 1, done = 0;

    while (n > 0 && (n = read(from, block, BLOCK)) > 0) {
        for (done = 0; done < n;) {
            ssize_t written = write(to, block + done, (size_t)(n - done));
            if (written < 0) break;
            done += written;
        }
        if (done < n) n = -1;
    }
    int reason = errno;
    free(block);
    if (from >= 0) close(from);
    if (n < 0 && to >= 0) close(to);
    errno = reason;
    return n < 0 ? -1 : to;
}

struct mmdb *mmdb_open(const char *path, char *error, size_t error_size)
{
    int  fd = copy_of(path);
    char copy[40];

    if (fd < 0) {
        snprintf(error, error_size, "%s", strerror(errno));
        return NULL;
    }
    struct mmdb *db = xcalloc(1, sizeof(*db));
    snprintf(copy, sizeof(copy), "/proc/self/fd/%d", fd);
    int status = MMDB_open(copy, MMDB_MODE_MMAP, &db->db);
    close(fd); /* the mapping keeps the copy */
    if (status == MMDB_SUCCESS) return db;
    snprintf(error, error_size, "%s", MMDB_strerror(status));
    free(db);
    return NULL;
}

void mmdb_close(void *db)
{
    struct mmdb *d = db;

    if (!d) return;
    MMDB_close(&d->db);
    free(d);
}

struct str mmdb_type(const struct mmdb *db)
{
    const char *type = db->db.metadata.database_type;

    return type ? str_of(type) : STR("");
}

/* ---- looking ---- */

static void put_words(const struct ip *ip, unsigned char *out, int size)
{
    for (int i = 0; i < size; i++) {
        int at = 8 * (size - 1 - i);
        out[i] = (unsigned char)((at >= 64 ? ip->high : ip->low) >> (at % 64));
    }
}

bool mmdb_look(const struct mmdb *db, const struct ip *address, struct mmdb_record *out)
{
    struct sockaddr_in     v4 = {.sin_family = AF_INET};
    struct sockaddr_in6    v6 = {.sin6_family = AF_INET6};
    const struct sockaddr *to = address->v6 ? (const struct sockaddr *)(const void *)&v6
                                            : (const struct sockaddr *)(const void *)&v4;
    int                    status;

    if (address->v6)
        put_words(address, v6.sin6_addr.s6_addr, 16);
    else
        put_words(address, (unsigned char *)&v4.sin_addr, 4);
    MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&db->db, to, &status);
    if (status != MMDB_SUCCESS || !found.found_entry) return false;
    bool tree_v6 = db->db.metadata.ip_version == 6;
    out->entry = found.entry;
    out->prefix = found.netmask - (tree_v6 && !address->v6 ? 96 : 0);
    if (out->prefix < 0) out->prefix = 0;
    return true;
}

static struct value hex_text(struct arena *a, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char             *text = arena_alloc(a, 2 * len);

    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return value_string((struct str){text, 2 * len});
}

/* A value that holds no others. */
static struct value scalar(const MMDB_entry_data_s *d, struct arena *a)
{
    struct str text;

    switch (d->type) {
    case MMDB_DATA_TYPE_UTF8_STRING:
        text = (struct str){d->utf8_string, d->data_size};
        text.len = utf8_valid_prefix(text);
        return value_string(arena_copy(a, text));
    case MMDB_DATA_TYPE_DOUBLE:
        return value_float(d->double_value);
    case MMDB_DATA_TYPE_FLOAT:
        return value_float((double)d->float_value);
    case MMDB_DATA_TYPE_UINT16:
        return value_int(d->uint16);
    case MMDB_DATA_TYPE_UINT32:
        return value_int(d->uint32);
    case MMDB_DATA_TYPE_INT32:
        return value_int(d->int32);
    case MMDB_DATA_TYPE_UINT64: {
        if (d->uint64 <= INT64_MAX) return value_int((int64_t)d->uint64);
        struct value v = value_string(arena_printf(a, "%" PRIu64, d->uint64));
        v.kind = VALUE_NUMBER;
        return v;
    }
    case MMDB_DATA_TYPE_BOOLEAN:
        return value_bool(d->boolean);
    case MMDB_DATA_TYPE_BYTES:
        return hex_text(a, d->bytes, d->data_size);
    default: /* a number of 128 bits too */
        return value_null();
    }
}

struct value mmdb_get(const struct mmdb_record *r, const char *const *path, struct arena *a)
{
    MMDB_entry_s      entry = r->entry;
    MMDB_entry_data_s data;

    if (MMDB_aget_value(&entry, &data, path) != MMDB_SUCCESS || !data.has_data) return value_null();
    return scalar(&data, a);
}

/* One value of the list, which is in the order of reading; `*at` moves behind it. */
static struct value read_all(MMDB_entry_data_list_s **at, struct arena *a, int depth)
{
    const MMDB_entry_data_s *d = &(*at)->entry_data;

    *at = (*at)->next;
    if (depth > DEPTH_MAX) return value_null();
    if (d->type == MMDB_DATA_TYPE_ARRAY) {
        struct list *l = list_new(a, 0);
        for (uint32_t i = 0; i < d->data_size && *at; i++)
            list_push(l, a, read_all(at, a, depth + 1));
        return value_list(l);
    }
    if (d->type != MMDB_DATA_TYPE_MAP) return scalar(d, a);
    struct map *m = map_new(a, 0);
    for (uint32_t i = 0; i < d->data_size && *at; i++) {
        struct value key = read_all(at, a, depth + 1);
        if (key.kind != VALUE_STRING || !*at) break;
        struct value v = read_all(at, a, depth + 1);
        *map_add(m, a, key_make(value_str(key))) = v;
    }
    return value_map(m);
}

struct value mmdb_all(const struct mmdb_record *r, struct arena *a)
{
    MMDB_entry_s            entry = r->entry;
    MMDB_entry_data_list_s *list = NULL;
    struct value            v = value_null();

    if (MMDB_get_entry_data_list(&entry, &list) == MMDB_SUCCESS && list) {
        MMDB_entry_data_list_s *at = list;
        v = read_all(&at, a, 0);
    }
    MMDB_free_entry_data_list(list);
    return v;
}
