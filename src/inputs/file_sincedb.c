/*
 * Source: logstash-input-file, lib/filewatch/sincedb_record_serializer.rb, sincedb_collection.rb.
 * Unlike there, a path may have blanks, and the record of a file that is still watched does not
 * expire. How a record is told from that of an earlier file: file_watch.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/log.h"
#include "inputs/file.h"

enum { BUCKETS_MIN = 64, FILE_MAX = 256 * 1024 * 1024 };

struct file_id file_id_of(const struct stat *st)
{
    return (struct file_id){st->st_ino, major(st->st_dev), minor(st->st_dev)};
}

static double now_seconds(void)
{
    struct timestamp t = clock_now();
    return (double)t.sec + (double)t.nsec / 1e9;
}

/* ---- the format ---- */

/* The next word; `rest` loses it and the blank behind it. */
static struct str word(struct str *rest)
{
    while (rest->len > 0 && *rest->data == ' ')
        *rest = str_from(*rest, 1);
    const char *blank = rest->len ? memchr(rest->data, ' ', rest->len) : NULL;
    struct str  w = {rest->data, blank ? (size_t)(blank - rest->data) : rest->len};

    *rest = str_from(*rest, blank ? w.len + 1 : w.len);
    return w;
}

/* Digits only, no more than `max`. */
static bool number(struct str w, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;

    if (w.len == 0 || w.len > 20) return false;
    for (size_t i = 0; i < w.len; i++) {
        if (w.data[i] < '0' || w.data[i] > '9') return false;
        uint64_t digit = (uint64_t)(w.data[i] - '0');
        if (n > (max - digit) / 10) return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

static bool seconds(struct str w, double *out)
{
    char text[64], *end;

    if (w.len == 0 || w.len >= sizeof(text)) return false;
    memcpy(text, w.data, w.len);
    text[w.len] = '\0';
    *out = strtod(text, &end);
    return *end == '\0' && *out >= 0 && *out < 1e12;
}

bool sincedb_parse(struct str line, struct sincedb_record *out, struct str *path)
{
    uint64_t inode, maj, min, position;

    if (line.len > 0 && line.data[line.len - 1] == '\r') line.len--;
    if (!number(word(&line), UINT64_MAX, &inode) || !number(word(&line), UINT32_MAX, &maj) ||
        !number(word(&line), UINT32_MAX, &min) || !number(word(&line), INT64_MAX, &position))
        return false;

    struct str active = word(&line);
    double     when = now_seconds();
    if (active.len > 0 && !seconds(active, &when)) return false;
    *out = (struct sincedb_record){
        .id = {inode, (uint32_t)maj, (uint32_t)min},
        .position = (int64_t)position,
        .last_active = when,
    };
    *path = line;
    return true;
}

void sincedb_print(const struct sincedb_record *r, struct buf *out)
{
    buf_printf(out, "%" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRId64 " %.6f", r->id.inode,
               r->id.major, r->id.minor, r->position, r->last_active);
    if (r->path && !strchr(r->path, '\n')) buf_printf(out, " %s", r->path);
    buf_char(out, '\n');
}

/* ---- the table ---- */

static struct sincedb_record **bucket(const struct sincedb *db, struct file_id id)
{
    uint64_t h = (id.inode ^ (uint64_t)id.minor << 40 ^ (uint64_t)id.major << 52) *
                 UINT64_C(0x9E3779B97F4A7C15);
    return &db->buckets[(h >> 32) & (db->bucket_count - 1)];
}

static void grow(struct sincedb *db)
{
    struct sincedb old = *db;

    db->bucket_count = old.bucket_count ? old.bucket_count * 2 : BUCKETS_MIN;
    db->buckets = xcalloc(db->bucket_count, sizeof(struct sincedb_record *));
    for (uint32_t i = 0; i < old.bucket_count; i++) {
        for (struct sincedb_record *r = old.buckets[i], *next; r; r = next) {
            struct sincedb_record **b = bucket(db, r->id);
            next = r->next;
            r->next = *b;
            *b = r;
        }
    }
    free(old.buckets);
}

struct sincedb_record *sincedb_find(const struct sincedb *db, struct file_id id)
{
    struct sincedb_record *r = db->bucket_count ? *bucket(db, id) : NULL;

    while (r && !file_id_eq(r->id, id))
        r = r->next;
    return r;
}

struct sincedb_record *sincedb_add(struct sincedb *db, struct file_id id)
{
    struct sincedb_record *r = sincedb_find(db, id);

    if (r) return r;
    if (db->len >= db->bucket_count) grow(db);
    r = xcalloc(1, sizeof(*r));
    r->id = id;
    r->last_active = now_seconds();
    struct sincedb_record **b = bucket(db, id);
    r->next = *b;
    *b = r;
    db->len++;
    db->changed = true;
    return r;
}

void sincedb_remove(struct sincedb *db, struct sincedb_record *r)
{
    struct sincedb_record **link = bucket(db, r->id);

    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    free(r->path);
    free(r);
    db->len--;
    db->changed = true;
}

void sincedb_set_path(struct sincedb_record *r, const char *path)
{
    if (r->path && strcmp(r->path, path) == 0) return;
    free(r->path);
    r->path = xstrndup(path, strlen(path));
}

void sincedb_advance(struct sincedb *db, struct sincedb_record *r, int64_t position)
{
    r->position = position;
    r->last_active = now_seconds();
    db->changed = true;
}

void sincedb_release(struct sincedb *db)
{
    for (uint32_t i = 0; i < db->bucket_count; i++) {
        for (struct sincedb_record *r = db->buckets[i], *next; r; r = next) {
            next = r->next;
            free(r->path);
            free(r);
        }
    }
    free(db->buckets);
    *db = (struct sincedb){0};
}

/* ---- the file ---- */

/* Nothing is kept in /dev/null, which people give to have no sincedb, or in any other device. */
static bool is_kept(const struct sincedb *db)
{
    struct stat st;
    return db->path && !(stat(db->path, &st) == 0 && !S_ISREG(st.st_mode));
}

static bool fail(const struct sincedb *db, const char *what)
{
    log_error("input.file", what, LOG_CSTR("sincedb_path", db->path),
              LOG_CSTR("error", strerror(errno)));
    return false;
}

static void load_text(struct sincedb *db, struct str text)
{
    while (text.len > 0) {
        const char           *end = memchr(text.data, '\n', text.len);
        struct str            line = {text.data, end ? (size_t)(end - text.data) : text.len}, path;
        struct sincedb_record parsed;

        text = str_from(text, line.len + 1);
        if (line.len == 0) continue;
        if (!sincedb_parse(line, &parsed, &path)) {
            log_warn("input.file", "line of the sincedb makes no sense and is skipped",
                     LOG_CSTR("sincedb_path", db->path), LOG_STR("line", line));
            continue;
        }
        if (parsed.last_active + db->clean_after_s < now_seconds()) continue;
        struct sincedb_record *r = sincedb_add(db, parsed.id);
        r->position = parsed.position;
        r->last_active = parsed.last_active;
        free(r->path);
        r->path = path.len ? xstrndup(path.data, path.len) : NULL;
    }
}

bool sincedb_load(struct sincedb *db)
{
    struct buf text = {0};
    ssize_t    n = 0;

    if (!is_kept(db)) return true;
    int fd = open(db->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT || fail(db, "sincedb cannot be read");
    while (text.len < FILE_MAX && (n = read(fd, buf_room(&text, 65536), 65536)) > 0)
        text.len += (size_t)n;
    bool ok = n >= 0 || fail(db, "sincedb cannot be read");
    close(fd);
    if (ok) load_text(db, buf_view(&text));
    buf_release(&text);
    db->changed = false;
    return ok;
}

static bool write_file(const char *path, struct str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) return false;
    while (text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        text = str_from(text, (size_t)n);
    }
    bool ok = text.len == 0 && fdatasync(fd) == 0;
    return close(fd) == 0 && ok;
}

/* Removes what nobody has used for long; prints the rest. */
static void print_all(struct sincedb *db, struct buf *out)
{
    double limit = now_seconds() - db->clean_after_s;

    for (uint32_t i = 0; i < db->bucket_count; i++) {
        for (struct sincedb_record *r = db->buckets[i], *next; r; r = next) {
            next = r->next;
            if (!r->followed && r->last_active < limit)
                sincedb_remove(db, r);
            else
                sincedb_print(r, out);
        }
    }
}

bool sincedb_save(struct sincedb *db)
{
    struct buf text = {0}, temporary = {0};
    bool       ok = true;

    if (is_kept(db)) {
        char       *real = realpath(db->path, NULL); /* a symbolic link stays one */
        const char *target = real ? real : db->path;
        print_all(db, &text);
        buf_printf(&temporary, "%s.new", target);
        ok = write_file(buf_cstr(&temporary), buf_view(&text)) &&
             rename(buf_cstr(&temporary), target) == 0;
        if (!ok) fail(db, "sincedb cannot be written, will be tried again");
        free(real);
        buf_release(&text);
        buf_release(&temporary);
    }
    if (ok) db->changed = false;
    db->written_ns = clock_monotonic_ns();
    return ok;
}
